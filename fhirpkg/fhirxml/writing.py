"""A Resource to XML text."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from lxml import etree

from fhirpkg import fhirjson
from fhirpkg.errors import SourceError
from fhirpkg.fhirxml.shapes import FHIR, Child, Shapes, shapes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.issues import Json, Resource

_ESCAPES = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;",
    '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;",
}  # fmt: skip
_HOLDING = frozenset(("narrative", "resource"))
"""The kinds of elements whose content is not written as that of their type."""
_ESCAPED = re.compile('[&<>"\n\r\t]')
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]*);")


def dump(resource: Resource, model: TypesOfDefinitions) -> bytes:
    """XML text of a resource, indented, its elements in the order of their definition.

    Raises SourceError for what XML cannot hold: control characters, narrative that is not XML.
    """
    writer = _Writer(shapes_of(model))
    writer.resource(resource, "\n", f' xmlns="{FHIR}"')
    text = "".join(writer.parts)
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        problem = f"XML cannot hold the character U+{ord(forbidden.group()):04X}"
        raise SourceError(_label(resource), problem, "delete it from the text")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


class _Writer:
    """Appends the text of elements to `parts`; `line` is a newline and the indentation."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self.parts: list[str] = []
        self._put: Callable[[str], None] = self.parts.append

    def resource(self, resource: Resource, line: str, namespace: str = "") -> None:
        """Write a resource, an element named after its type; `line` is line feed and indent."""
        name = str(resource.get("resourceType", ""))
        self._put(f"<{name}{namespace}>")
        self._children(resource, name, f"{line}  ", skip=("resourceType",))
        self._put(f"{line}</{name}>")

    def _children(self, value: Resource, type_name: str, line: str, skip: tuple[str, ...]) -> None:
        for name, beside, child in self._shapes.in_order(type_name, tuple(value), skip):
            item, sibling = value.get(name), value.get(beside)
            if sibling is None and (child is None or child.kind not in _HOLDING):
                if isinstance(item, str):
                    self._put(f'{line}<{name} value="{_escaped(item)}"/>')  # what most are
                    continue
                if isinstance(item, dict):
                    self._put(line)
                    self._complex(name, item, child.type if child else "", line)
                    continue
            for each, its_own in _pairs(item, sibling):
                self._put(line)
                self._element(name, each, its_own, child, line)

    def _element(
        self, name: str, item: Json, sibling: Json, child: Child | None, line: str
    ) -> None:
        if child and child.kind == "narrative" and isinstance(item, str):
            self._put(_xhtml(item))
        elif child and child.kind == "resource" and isinstance(item, dict):
            self._put(f"<{name}>{line}  ")
            self.resource(item, f"{line}  ")
            self._put(f"{line}</{name}>")
        elif isinstance(item, dict):
            self._complex(name, item, child.type if child else "", line)
        else:
            self._primitive(name, item, sibling, line)

    def _complex(self, name: str, value: Resource, type_name: str, line: str) -> None:
        attributes = self._shapes.attributes(type_name)
        self._put(f"<{name}{_attributes(value, attributes)}")
        if len(value) <= len(attributes) and all(key in attributes for key in value):
            self._put("/>")
            return
        self._put(">")
        self._children(value, type_name, f"{line}  ", skip=attributes)
        self._put(f"{line}</{name}>")

    def _primitive(self, name: str, item: Json, sibling: Json, line: str) -> None:
        sibling = sibling if isinstance(sibling, dict) else {}
        text = "" if item is None else f' value="{_escaped(_text(item))}"'
        self._put(f"<{name}{_attributes(sibling, ('id',))}{text}")
        if sibling.keys() <= {"id"}:
            self._put("/>")
            return
        self._put(">")
        self._children(sibling, "Element", f"{line}  ", skip=("id",))
        self._put(f"{line}</{name}>")


def _pairs(value: Json, sibling: Json) -> Iterator[tuple[Json, Json]]:
    """The items of a property, each with the object that holds its id and extensions."""
    if not isinstance(value, list) and not isinstance(sibling, list):
        yield value, sibling
        return
    values = value if isinstance(value, list) else []
    siblings = sibling if isinstance(sibling, list) else []
    for number in range(max(len(values), len(siblings))):
        yield (
            values[number] if number < len(values) else None,
            siblings[number] if number < len(siblings) else None,
        )


def _attributes(value: Resource, names: tuple[str, ...]) -> str:
    text = ""
    for name in names:
        if name in value:
            text += f' {name}="{_escaped(_text(value[name]))}"'
    return text


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else fhirjson.dump(value)


def _xhtml(div: str) -> str:
    """A narrative as it is in JSON, with characters for the entities that only HTML has."""
    text = _ENTITY.sub(lambda entity: html.unescape(entity.group()), div)
    if not re.match(r"\s*<[A-Za-z]", text):
        raise SourceError("text.div", "the narrative does not begin with an element")
    try:
        etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise SourceError("text.div", f"the narrative is not XML: {error.msg}") from error
    return text


def _label(resource: Resource) -> str:
    return "/".join(str(resource[key]) for key in ("resourceType", "id") if key in resource)
