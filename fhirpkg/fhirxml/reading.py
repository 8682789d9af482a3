"""XML text to a Resource, with what only XML can have wrong."""

from __future__ import annotations

import copy
import functools
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from lxml import etree

from fhirpkg import rules
from fhirpkg.fhirjson import WrittenDecimal
from fhirpkg.fhirxml.positions import locate, starts
from fhirpkg.fhirxml.shapes import FHIR, XHTML, Child, Shapes, shapes_of
from fhirpkg.issues import Json
from fhirpkg.parsing_rules import (
    XML_ATTRIBUTE,
    XML_ATTRIBUTE_AS_ELEMENT,
    XML_DEPTH,
    XML_DOCTYPE,
    XML_EMPTY,
    XML_ENCODING,
    XML_NAMESPACE,
    XML_ONE_RESOURCE,
    XML_ORDER,
    XML_PROCESSING_INSTRUCTION,
    XML_SYNTAX,
    XML_TEXT,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.issues import Issue, Path, Resource
    from fhirpkg.rules import Rule

    Locate = Callable[[Iterable[Path]], dict[Path, tuple[int, int]]]

_Trail = tuple[Json, ...]
"""A place on the way down: () or (the trail of the parent, a name, a number or -1)."""

_FHIR_TAG = f"{{{FHIR}}}"
_DEPTH_LIMIT = 150
_DIGITS_LIMIT = 1000
_SPACE = " \t\r\n"
_BOM = b"\xef\xbb\xbf"
_DOCTYPE = re.compile(rb"(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_ENCODING = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?")
_NUMBERS = frozenset(("decimal", "integer", "positiveInt", "unsignedInt"))


def read(data: bytes, model: TypesOfDefinitions) -> tuple[Resource | None, list[Issue], Locate]:
    """The Resource in XML text, what is wrong with the text, and a function that locates paths.

    The Resource is what the same content in JSON gives; elements no type has are kept under their
    names, so that they are reported as in JSON. It is None when the text is not XML in UTF-8, has a
    document type declaration or is not FHIR's. The function is :func:`fhirpkg.fhirxml.locate`
    for this text.
    """
    position = functools.partial(locate, data)
    refused = _refused(data)
    if refused:
        return None, [refused], position
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    try:
        root = etree.fromstring(data.removeprefix(_BOM), parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        return None, [_syntax_issue(error.msg or "", line, column)], position
    reader = _Reader(shapes_of(model))
    resource = reader.root(root)
    return resource, reader.issues(data, root), position


def _refused(data: bytes) -> Issue | None:
    """What forbids to parse the text at all."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\x00" in data[:4]:
        return rules.issue(XML_ENCODING, problem="it starts like UTF-16", line=1, column=1)
    text = data.removeprefix(_BOM)
    encoding = _ENCODING.match(text)
    if encoding and encoding[1].lower() != b"utf-8":
        problem = f"it says that it is in {encoding[1].decode()}"
        return rules.issue(XML_ENCODING, problem=problem, line=1, column=1)
    doctype = _DOCTYPE.match(text)
    if doctype:
        line = text.count(b"\n", 0, doctype.end()) + 1
        return rules.issue(XML_DOCTYPE, line=line, column=1)
    return None


def _syntax_issue(problem: str, line: int, column: int) -> Issue:
    words = problem.partition(", line ")[0]
    return rules.issue(
        XML_SYNTAX, problem=words[:1].lower() + words[1:], line=line, column=max(column, 1)
    )


class _Reader:
    """Turns elements into JSON values and notes what is wrong, with the element it is about."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._found: list[tuple[Rule, etree._Element, _Trail, dict[str, Json]]] = []
        self._depth = 0

    def root(self, element: etree._Element) -> Resource | None:
        """The resource in the root element; None when the root is not in FHIR's namespace."""
        trail = ((), etree.QName(element).localname, -1)
        if not element.tag.startswith(_FHIR_TAG):
            self._wrong_namespace(element, trail, FHIR)
            return None
        for beside in (*element.itersiblings(preceding=True), *element.itersiblings()):
            self._no_instruction(beside, element, trail)
        return self._resource(element, trail)

    def issues(self, data: bytes, root: etree._Element) -> list[Issue]:
        """What was found while reading, each with its line and column."""
        if not self._found:
            return []
        # expat knows fewer letters than lxml: where it gave up, the line has to do
        places = dict(zip(root.iter("*"), starts(data), strict=False))
        made: list[Issue] = []
        for rule, element, trail, found in self._found:
            sourceline: Json = element.sourceline
            line, column = places.get(element, (sourceline, 1))
            expression = _expression(trail)
            made.append(rules.issue(rule, expression=expression, line=line, column=column, **found))
        return made

    def _note(self, rule: Rule, at: etree._Element, trail: _Trail, **found: Json) -> None:
        self._found.append((rule, at, trail, found))

    def _wrong_namespace(self, element: etree._Element, trail: _Trail, wanted: str) -> None:
        name = etree.QName(element)
        found = f"the namespace {name.namespace}" if name.namespace else "no namespace"
        self._note(XML_NAMESPACE, element, trail, name=name.localname, found=found, wanted=wanted)

    def _resource(self, element: etree._Element, trail: _Trail) -> Resource:
        name = etree.QName(element).localname
        resource: Resource = {"resourceType": name}
        self._fill(resource, element, name, trail)
        return resource

    def _fill(
        self, value: Resource, element: etree._Element, type_name: str, trail: _Trail
    ) -> None:
        """Put attributes and child elements into an object."""
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            self._note(XML_DEPTH, element, trail, limit=_DEPTH_LIMIT)
        else:
            if element.attrib:
                self._attributes(value, element, self._shapes.attributes(type_name), trail)
            self._children(value, element, type_name, trail)
        self._depth -= 1

    def _attributes(
        self, value: Resource, element: etree._Element, allowed: tuple[str, ...], trail: _Trail
    ) -> None:
        for name, text in element.attrib.items():
            if name in allowed:
                value[str(name)] = text
                continue
            near = rules.nearest(str(name), list(allowed))
            short = str(name).replace("{http://www.w3.org/2001/XMLSchema-instance}", "xsi:")
            tag = etree.QName(element).localname
            self._note(XML_ATTRIBUTE, element, trail, name=short, element=tag, near=near)

    def _children(
        self, value: Resource, element: etree._Element, type_name: str, trail: _Trail
    ) -> None:
        shape = self._shapes.by_tag(type_name)
        self._no_text(element, element.text, trail)
        last: Child | None = None
        counts: dict[str, int] = {}
        for item in element:
            self._no_text(element, item.tail, trail)
            child = shape.get(item.tag)
            if child is None:
                child = self._stranger(value, item, element, type_name, trail)
                if child is None:
                    continue
            number = counts[child.name] = counts.get(child.name, -1) + 1
            here = (trail, child.expression, number if child.is_list else -1)
            if last and child.place < last.place:
                self._note(XML_ORDER, item, here, name=child.name, after=last.name)
            last = child
            if child.kind == "primitive":
                self._put_primitive(value, item, child, number, here)
            else:
                made = self._made(item, child, here)
                if made is not None:
                    _put(value, child.name, made, is_list=child.is_list)

    def _stranger(
        self,
        value: Resource,
        item: etree._Element,
        element: etree._Element,
        type_name: str,
        trail: _Trail,
    ) -> Child | None:
        """Report a child that the type does not have; returned if only its namespace is wrong."""
        if not _is_element(item):
            self._no_instruction(item, element, trail)
            return None
        name = etree.QName(item).localname
        child = self._shapes.children(type_name).get(name)
        if name in self._shapes.attributes(type_name):
            child = None
            self._note(XML_ATTRIBUTE_AS_ELEMENT, item, (trail, name, -1), name=name)
        wanted = XHTML if child and child.kind == "narrative" else FHIR
        if not item.tag.startswith(f"{{{wanted}}}"):
            self._wrong_namespace(item, (trail, name, -1), wanted)
        if child is None:
            _put(value, name, self._unknown(item), is_list=False)
        return child

    def _made(self, item: etree._Element, child: Child, here: _Trail) -> Json:
        """The JSON value of an element that is not a primitive."""
        if child.kind == "narrative":
            return _xhtml(item)
        if child.kind == "resource":
            return self._inner_resource(item, here)
        made: Resource = {}
        self._fill(made, item, child.type, here)
        return made

    def _inner_resource(self, item: etree._Element, trail: _Trail) -> Resource | None:
        inner = [one for one in item if _is_element(one)]
        for text in (item.text, *(one.tail for one in item)):
            self._no_text(item, text, trail)
        self._attributes({}, item, (), trail)
        if len(inner) != 1:
            name = etree.QName(item).localname
            self._note(XML_ONE_RESOURCE, item, trail, name=name, count=len(inner))
        if not inner:
            return None
        if not inner[0].tag.startswith(_FHIR_TAG):
            self._wrong_namespace(inner[0], trail, FHIR)
        return self._resource(inner[0], trail)

    def _put_primitive(
        self, value: Resource, item: etree._Element, child: Child, number: int, here: _Trail
    ) -> None:
        """Add a primitive: its value under its name, its id and extensions under `_name`."""
        sibling: Resource = {}
        text = item.attrib.get("value")
        if len(item) or len(item.attrib) != 1 or text is None or item.text:
            self._attributes(sibling, item, ("id", "value"), here)
            sibling.pop("value", None)
            self._children(sibling, item, "Element", here)
            if text is None and not sibling:
                self._note(XML_EMPTY, item, here, name=child.name)
                return
        made = None if text is None else _typed(str(text), child.type)
        _put_aligned(value, child.name, made, number, is_list=child.is_list)
        _put_aligned(value, f"_{child.name}", sibling or None, number, is_list=child.is_list)

    def _unknown(self, element: etree._Element) -> Json:
        """An element of no known type: its value, or its children by name."""
        self._depth += 1
        inner = [one for one in element if _is_element(one)]
        text = element.attrib.get("value")
        made: Json = text
        if inner or text is None:
            made = {}
            for item in inner if self._depth < _DEPTH_LIMIT else ():
                _put(made, etree.QName(item).localname, self._unknown(item), is_list=False)
        self._depth -= 1
        return made

    def _no_instruction(self, item: etree._Element, element: etree._Element, trail: _Trail) -> None:
        kind: object = item.tag
        if kind is etree.ProcessingInstruction:
            name = getattr(item, "target", "")
            self._note(XML_PROCESSING_INSTRUCTION, element, trail, name=name)

    def _no_text(self, element: etree._Element, text: str | None, trail: _Trail) -> None:
        if text and text.strip(_SPACE):
            self._note(XML_TEXT, element, trail, text=text.strip(_SPACE)[:60])


def _is_element(node: etree._Element) -> bool:
    """Whether a node is an element: comments and processing instructions have no name."""
    return isinstance(node.tag, str)


def _expression(trail: _Trail) -> str:
    steps: list[str] = []
    while trail:
        trail, name, number = trail
        steps.append(f"{name}[{number}]" if number >= 0 else name)
    return ".".join(reversed(steps))


def _put(value: Resource, name: str, item: Json, *, is_list: bool) -> None:
    """Add an item; one that repeats without being allowed to becomes a list, as it is in JSON."""
    if name not in value:
        value[name] = [item] if is_list else item
        return
    if not isinstance(value[name], list):
        value[name] = [value[name]]
    value[name].append(item)


def _put_aligned(value: Resource, name: str, item: Json, number: int, *, is_list: bool) -> None:
    """Add the item of a number, None to be left out at the end; both lists of a primitive align."""
    if item is None and name not in value:
        return
    if not is_list and number == 0:
        value[name] = item
        return
    items = value.get(name, [])
    if not isinstance(items, list):
        items = [items]
    value[name] = items + [None] * (number - len(items)) + [item]


def _typed(text: str, type_name: str) -> Json:
    """The JSON value of a `value` attribute; text that is not one of its type stays text."""
    if type_name in _NUMBERS:
        number = _NUMBER.fullmatch(text)
        if number is None or len(text) > _DIGITS_LIMIT:
            return text
        if number[2]:
            return WrittenDecimal(text)
        return Decimal(text) if number[1] else int(text)
    if type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text


def _xhtml(div: etree._Element) -> str:
    """A narrative as text, with the namespaces that it uses and no others."""
    if len(div.nsmap) > 1 or div.prefix:
        div = copy.deepcopy(div)
        etree.cleanup_namespaces(div)
    return etree.tostring(div, encoding="unicode", with_tail=False)
