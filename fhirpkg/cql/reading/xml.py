"""ELM as XML to the same tree as its JSON form (urn:hl7-org:elm:r1).

The standard library's parser is used with documents that declare no types or entities; others
are refused before they are parsed.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.cql.tree import Node

_ELM = "{urn:hl7-org:elm:r1}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_LISTS = frozenset({"caseItem", "choice", "codeFilter", "def", "element", "let", "relationship"})
"""Elements that are a list in JSON even when there is one; for `operand` it depends."""
_UNARY = frozenset(
    "Abs As CalculateAge Ceiling Convert DateFrom DateTimeComponentFrom Distinct End Exists"
    " Flatten Floor Is IsFalse IsNull IsTrue Length Lower Negate Not PointFrom SingletonFrom"
    " Start TimeFrom TimezoneFrom TimezoneOffsetFrom ToBoolean ToConcept ToDate ToDateTime"
    " ToDecimal ToInteger ToList ToQuantity ToString ToTime Truncate Upper Width".split()
)
_BOOLEANS = frozenset({"lowClosed", "highClosed", "distinct", "strict", "asc", "preserve"})


def read(text: bytes | str) -> Node:
    """The tree; raises FhirpkgError for text that is not a safe, well-formed ELM."""
    head = text if isinstance(text, str) else text.decode("utf-8", "replace")
    if "\0" in head:
        raise FhirpkgError("ELM as XML must be written in UTF-8")
    if "<!DOCTYPE" in head or "<!ENTITY" in head:
        raise FhirpkgError("ELM as XML must not declare a document type or entities")
    data = text.encode() if isinstance(text, str) else text
    try:  # what is dangerous was refused above
        events = list(ET.iterparse(io.BytesIO(data), ("start-ns", "end")))  # noqa: S314
    except ET.ParseError as error:
        raise FhirpkgError(f"the ELM is not well-formed XML: {error}") from error
    root = events[-1][1]
    prefixes = dict(found for event, found in events if event == "start-ns")
    if root.tag != f"{_ELM}library":
        raise FhirpkgError("this is not ELM: the root is not a library")
    return {"library": _node(root, prefixes)}


def _node(element: ET.Element, prefixes: dict[str, str]) -> Node:
    node: Node = {}
    for name, value in _attributes(element, prefixes):
        node[name] = value == "true" if name in _BOOLEANS else value
    for child in element:
        name = child.tag.removeprefix(_ELM)
        if name == "annotation" or "}" in name:
            continue
        if name in _LISTS or _is_operand_list(name, node):
            node.setdefault(name, []).append(_node(child, prefixes))
        elif name in node:  # a second one: a list after all
            first = node[name]
            node[name] = [*(first if isinstance(first, list) else [first]), _node(child, prefixes)]
        else:
            node[name] = _node(child, prefixes)
    return node


def _is_operand_list(name: str, node: Node) -> bool:
    if name == "operand":
        return node.get("type") not in _UNARY
    # A query has many sources, an aggregate one; a sort is by many keys; a concept has many codes,
    # a test of membership is of one.
    if name == "code":
        return node.get("type") not in {"InCodeSystem", "InValueSet", "Message"}
    return (name == "source" and node.get("type") == "Query") or name == "by"


def _attributes(element: ET.Element, prefixes: dict[str, str]) -> Iterator[tuple[str, str]]:
    is_type = element.attrib.get(_TYPE, "").endswith("NamedTypeSpecifier")
    for name, value in element.attrib.items():
        if name == _TYPE:
            yield "type", value.rpartition(":")[2]
        elif "}" not in name:
            is_of_type = name.endswith(("Type", "dataType")) or (is_type and name == "name")
            yield name, _expanded(value, prefixes) if is_of_type else value


def _expanded(name: str, prefixes: dict[str, str]) -> str:
    """`t:Boolean` as JSON has it: `{urn:hl7-org:elm-types:r1}Boolean`."""
    prefix, _, local = name.partition(":")
    return f"{{{prefixes[prefix]}}}{local}" if prefix in prefixes else name
