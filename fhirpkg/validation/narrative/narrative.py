"""Narrative: whether the XHTML is well-formed, of allowed elements, harmless and not empty.

R4's invariants txt-1 and txt-2 (http://hl7.org/fhir/R4/narrative.html), one by one, with the
place inside the narrative. Also HTML in strings, where settings forbid it.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

from fhirpkg.validation.elements.primitives import PREDICATES
from fhirpkg.validation.narrative.links import check_text_links
from fhirpkg.validation.narrative.rules import (
    NARRATIVE_ATTRIBUTE,
    NARRATIVE_DEAD_LINK,
    NARRATIVE_ELEMENT,
    NARRATIVE_EMPTY,
    NARRATIVE_ENTITY,
    NARRATIVE_LINK,
    NARRATIVE_MARK,
    NARRATIVE_NESTING,
    NARRATIVE_ROOT,
    NARRATIVE_SYNTAX,
    NARRATIVE_URL,
    TEXT_HTML,
)
from fhirpkg.validation.narrative.xhtml import ANYWHERE, ATTRIBUTES, DIV, OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json, Path, Resource
    from fhirpkg.rules import Rule
    from fhirpkg.validation.run import Run

_LONG = 500
"""Characters of a value that is not worth being remembered: images as data."""
_MARK = "data-fhir"
"""HL7's publisher marks the narrative that it generates by it, as text that only it may change."""
_NAMES = frozenset(("id", "name"))
_LINKS = frozenset(("href", "src"))
_URLS = frozenset(("href", "src", "cite", "longdesc", "usemap"))
_PROGRAM = re.compile(
    r"(?:javascript|vbscript|livescript|data(?=:[^,]*(?:html|xml|script))):",
    re.IGNORECASE,
)
_STYLE_PROGRAM = re.compile(
    r"expression\s*\(|(?:javascript|vbscript):|-moz-binding|behaviou?r\s*:", re.IGNORECASE
)
_NOT_IN_URL = re.compile(r"[^\w;?:@&=+$.,/%~#\[\]!'()*|-]")
_DATA = re.compile(r"data: ?(?:[\w.+-]+/[\w.+-]+)?(?:;[\w.-]+=[^;,]*)*(;base64)?,(.*)", re.DOTALL)
_NAMES_ONLY = ("urn:", "cid:")
_IGNORED_IN_URL = re.compile(r"[\x00-\x20]+")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]*);")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_TAG_START = re.compile(r"<[A-Za-z](?![\w.+-]*[:@])[^<>]{0,20}")
"""How a tag begins; an address in such brackets is Markdown's own."""


def check_narrative(resource: Resource, path: Path, run: Run) -> None:
    """Report what is wrong with the narratives of one resource, those of its sections included."""
    for narrative, place in _narratives(resource, path):
        div = narrative.get("div")
        if isinstance(div, str) and div.strip():
            _check_div(div, resource, (*place, "div"), run)
        if "extension" in narrative:
            check_text_links(narrative, resource, place, run)
    if not run.settings.html_in_text:
        _check_texts(resource, str(resource.get("resourceType")), path, run)


def _narratives(resource: Resource, path: Path) -> Iterator[tuple[Resource, Path]]:
    todo: list[tuple[Json, Path]] = [(resource, path)]
    while todo:
        node, place = todo.pop()
        if not isinstance(node, dict):
            continue
        if isinstance(node.get("text"), dict):
            yield node["text"], (*place, "text")
        sections = node.get("section")
        if resource.get("resourceType") == "Composition" and isinstance(sections, list):
            todo += [(section, (*place, "section", n)) for n, section in enumerate(sections)]


def _without_entities(div: str) -> str:
    """The characters that HTML's entities stand for, in their places."""
    import html  # noqa: PLC0415 - slow to load and seldom needed

    return _ENTITY.sub(lambda entity: html.unescape(entity.group()), div)


def _check_div(div: str, resource: Resource, path: Path, run: Run) -> None:
    entities = sorted(set(_ENTITY.findall(div)))
    for name in entities:
        run.report(NARRATIVE_ENTITY, path, name=name)
    text = _without_entities(div) if entities else div
    reading = _Reading()
    problem = reading.parse(text)
    if problem:
        run.report(NARRATIVE_SYNTAX, path, problem=problem)
        return
    if reading.root != DIV:
        run.report(NARRATIVE_ROOT, path, found=_root_name(reading.root))
        return
    if reading.is_empty:
        run.report(NARRATIVE_EMPTY, path)
    dead = [
        (number, link)
        for number, link in reading.links
        if link not in reading.anchors and not _is_contained(link, resource)
    ]
    if not reading.problems and not dead:
        return
    places = _places(text)
    for number, rule, found in reading.problems:
        run.report(rule, path, place=places[number], **found)
    for number, link in dead:
        run.report(NARRATIVE_DEAD_LINK, path, name=link, place=places[number])


class _Reading:
    """One pass over a narrative; `problems` are (number of the element, rule, what was found)."""

    def __init__(self) -> None:
        self.root = ""
        self.is_empty = True
        self.problems: list[tuple[int, Rule, dict[str, Json]]] = []
        self.links: list[tuple[int, str]] = []
        self.anchors: set[str] = set()
        self._number = -1
        self._spots = [OUTSIDE]

    def parse(self, text: str) -> str:
        """Why the text is not XML, or nothing."""
        parser = _parser()  # not kept: with its handlers it would outlive the check
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            words = expat.ErrorString(error.code)
            return f"{words} at line {error.lineno}, column {error.offset + 1}"
        except _DoctypeError:
            return "it has a document type declaration"
        except UnicodeEncodeError:
            return "it holds half a surrogate pair"
        return ""

    def _start(self, name: str, attributes: list[str]) -> None:
        self._number += 1
        self.root = self.root or name
        spot = self._spots[-1][name]
        self._spots.append(spot)
        if spot.misplaced_in:
            self._note(NARRATIVE_NESTING, name=f"<{spot.name}>", parent=spot.misplaced_in)
        if not spot.is_known:
            self._note(NARRATIVE_ELEMENT, name=spot.name)
        elif attributes:
            is_short = len(max(attributes, key=len)) < _LONG
            read = _attributes if is_short else _attributes.__wrapped__
            found = read(spot.name, *attributes)
            if found:
                self._keep(found)

    def _end(self, _: str) -> None:
        self._spots.pop()

    def _keep(self, found: _Found) -> None:
        self.problems += ((self._number, *problem) for problem in found.problems)
        self.anchors.update(found.anchors)
        self.links += ((self._number, link) for link in found.links)
        self.is_empty = self.is_empty and not found.is_image

    def _text(self, text: str) -> None:
        spot = self._spots[-1]
        if self.is_empty and text.strip(" \t\r\n"):
            self.is_empty = False
        if not spot.holds_text and not text.isspace():
            self._note(NARRATIVE_NESTING, name="text", parent=spot.name)

    def _instruction(self, target: str, _: str) -> None:
        self._note(NARRATIVE_ELEMENT, name=f"?{target}?")

    def _note(self, rule: Rule, **found: str) -> None:
        self.problems.append((self._number, rule, found))


class _Found(NamedTuple):
    """What counts of the attributes of one element."""

    problems: list[tuple[Rule, dict[str, str]]]
    anchors: list[str]
    links: list[str]
    is_image: bool


@functools.lru_cache(maxsize=4096)  # the same few styles and links stand again and again
def _attributes(element: str, *attributes: str) -> _Found | None:
    """What counts of the names and values of attributes; None where that is nothing."""
    stated = dict(zip(attributes[::2], attributes[1::2], strict=True))
    found = _Found([], [], [], is_image=element == "img" and bool(stated.get("src")))
    for name, value in stated.items():
        problem = _attribute_problem(element, name, value)
        if problem:
            found.problems.append(problem)
        elif name in _NAMES:
            found.anchors.append(value)
        elif name in _LINKS and value.startswith("#") and len(value) > 1:
            found.links.append(value[1:])
    return found if any(found) else None


def _attribute_problem(element: str, name: str, value: str) -> tuple[Rule, dict[str, str]] | None:
    """The rule that an attribute breaks and what was found, or None."""
    if name not in ANYWHERE and name not in ATTRIBUTES.get(element, ()):
        rule = NARRATIVE_MARK if name == _MARK else NARRATIVE_ATTRIBUTE
        return rule, {"name": name.rpartition(" ")[2]}
    is_program = name in _URLS and _PROGRAM.match(_IGNORED_IN_URL.sub("", value))
    if is_program or (name == "style" and _STYLE_PROGRAM.search(value)):
        return NARRATIVE_LINK, {"name": name, "value": value[:40]}
    problem = _url_problem(name, value) if name in _LINKS else ""
    if not problem:
        return None
    return NARRATIVE_URL, {"name": name, "value": value[:60], "problem": problem}


def _url_problem(name: str, value: str) -> str:
    """What makes a url none that a link or an image can have, or nothing."""
    if not value:
        return "it is empty"
    if value.startswith("#") and len(value) > 1:
        return ""
    if value.startswith("data:"):
        parts = _DATA.fullmatch(value)
        if parts is None:
            return "after data: come a type, a comma and the data"
        is_good = parts[1] is None or PREDICATES["base64Binary"](parts[2])
        return "" if is_good else "its data is not base64"
    strange = _NOT_IN_URL.search(value)
    if strange:
        return f"{strange.group()!r} is not allowed in it"
    is_name = name == "href" and value.startswith(_NAMES_ONLY)
    return "it is a name that leads nowhere" if is_name else ""


class _DoctypeError(Exception):
    """Ends the parsing of a narrative."""


def _refuse_doctype(*_: object) -> None:
    raise _DoctypeError


def _parser() -> expat.XMLParserType:
    return expat.ParserCreate(namespace_separator=" ")


def _root_name(root: str) -> str:
    namespace, _, name = root.rpartition(" ")
    return f"<{name}> in {namespace}" if namespace else f"<{name}> without namespace"


def _is_contained(link: str, resource: Resource) -> bool:
    """Whether ``#link`` or ``#id/…`` names a contained resource."""
    inner = resource.get("contained")
    ids = {r.get("id") for r in inner if isinstance(r, dict)} if isinstance(inner, list) else set()
    return link in ids


def _places(text: str) -> list[str]:
    """The way to each element of a narrative, in document order: ``div/table/tr[2]``."""
    found: list[str] = []
    stack: list[tuple[str, dict[str, int]]] = []
    parser = _parser()

    def start(name: str, _: object) -> None:
        short = name.rpartition(" ")[2]
        way, counts = stack[-1] if stack else ("", {})
        number = counts[short] = counts.get(short, 0) + 1
        here = f"{way}/{short}" if way else short
        if number > 1:
            here += f"[{number}]"
        found.append(here)
        stack.append((here, {}))

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.Parse(text.encode(), True)
    return found


def _check_texts(value: Json, type_name: str, path: Path, run: Run) -> None:
    """Look for HTML in every string and markdown of an object, contained resources left out."""
    types = run.definitions.types
    for element in types.elements(type_name).values():
        for type_ in element.types:
            key = element.key(type_)
            items = value.get(key)
            if items is None or type_ in {"Resource", "xhtml"}:
                continue
            for number, item in enumerate(items if isinstance(items, list) else [items]):
                place = (*path, key, number) if isinstance(items, list) else (*path, key)
                if isinstance(item, dict):
                    _check_texts(item, type_, place, run)
                elif isinstance(item, str):
                    _check_text(item, type_, place, run)


def _check_text(text: str, type_name: str, path: Path, run: Run) -> None:
    pattern = {"markdown": _TAG_START, "string": _TAG}.get(type_name)
    found = pattern.search(text) if pattern else None
    if found:
        run.report(TEXT_HTML, path, found=found.group()[:40])
