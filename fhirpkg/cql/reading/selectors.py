"""Values written down in CQL: literals, intervals, lists, tuples, codes; and names of types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.reading.lexer import PRECISIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.cql.reading.parser import Parser
    from fhirpkg.cql.tree import Node

SYSTEM = "{urn:hl7-org:elm-types:r1}"
_FHIR = "{http://hl7.org/fhir}"
_SYSTEM_TYPES = (
    "Any Boolean Code CodeSystem Concept Date DateTime Decimal Integer Long Quantity Ratio String"
    " Time ValueSet Vocabulary"
).split()
WORDS = frozenset({"Interval", "List", "Tuple", "Code", "Concept"})
"""Words that begin a value, when what follows fits."""


def literal(parser: Parser) -> Node:
    """A number, string, date or quantity."""
    token = parser.advance()
    if token.kind == "string":
        return _literal("String", token.text)
    if token.kind == "datetime":
        return _temporal(token.text)
    if parser.token.kind == "string":
        return _quantity_or_ratio(parser, quantity(token.text, parser.advance().text))
    if _is_time_unit(parser):
        return _quantity_or_ratio(parser, quantity(token.text, parser.advance().text))
    if parser.token.is_word(":") and parser.ahead().kind == "number" and _is_ratio(parser):
        return _quantity_or_ratio(parser, quantity(token.text, "1"))
    if token.text.endswith("L"):
        return _literal("Long", token.text.rstrip("L"))
    return _literal("Decimal" if "." in token.text else "Integer", token.text)


def _is_time_unit(parser: Parser) -> bool:
    """Whether `days` belongs to the number before it: not in `5 years between …`."""
    token = parser.token
    is_word = token.kind == "name" and token.text in PRECISIONS
    return is_word and not parser.ahead().is_word("between")


def _is_ratio(parser: Parser) -> bool:
    """`1:128`, and not the `:` behind a key."""
    return parser.ahead(2).kind == "string" or not parser.ahead(2).is_word(":")


def _quantity_or_ratio(parser: Parser, first: Node) -> Node:
    if not (parser.token.is_word(":") and parser.ahead().kind == "number"):
        return first
    parser.advance()
    number = parser.advance().text
    is_unit = parser.token.kind == "string" or _is_time_unit(parser)
    unit = parser.advance().text if is_unit else "1"
    return {"type": "Ratio", "numerator": first, "denominator": quantity(number, unit)}


def unit(text: str) -> Node:
    """A unit by itself."""
    return _literal("String", text)


def begins_tuple(parser: Parser) -> bool:
    """Whether what is in braces are named elements, or the `:` of an empty tuple."""
    if parser.token.is_word(":"):
        return parser.ahead().is_word("}")
    return parser.token.kind in {"name", "quoted"} and parser.ahead().is_word(":")


def elements(parser: Parser, kind: str) -> Node:
    """The elements of a tuple or instance whose brace has been read."""
    if parser.accept(":"):
        parser.expect("}")
        return {"type": kind, "element": []}
    return {"type": kind, "element": parser.separated(lambda: element(parser), "}")}


def selector(parser: Parser, word: str) -> Node | None:
    """The value that such a word begins; None when it is only a name."""
    following = parser.ahead()
    if word == "Interval" and following.is_word("[", "("):
        return _interval(parser)
    if word == "List" and following.is_word("{", "<"):
        parser.advance()
        if parser.accept("<"):
            type_specifier(parser, "")
            parser.expect(">")
        parser.expect("{")
        return {"type": "List", "element": parser.separated(parser.expression, "}")}
    if word == "Tuple" and following.is_word("{"):
        parser.advance()
        parser.advance()
        return elements(parser, "Tuple")
    if word == "Code" and following.kind == "string":
        return _code(parser)
    if word == "Concept" and following.is_word("{") and parser.ahead(2).is_word("Code"):
        return _concept(parser)
    return None


def _interval(parser: Parser) -> Node:
    parser.advance()
    low_closed = parser.expect("[", "(") == "["
    low = parser.expression()
    parser.expect(",")
    high = parser.expression()
    high_closed = parser.expect("]", ")") == "]"
    closed = {"lowClosed": low_closed, "highClosed": high_closed}
    return {"type": "Interval", "low": low, "high": high} | closed


def element(parser: Parser) -> Node:
    """A named part of a tuple or instance."""
    name = parser.identifier()
    parser.expect(":")
    return {"name": name, "value": parser.expression()}


def _code(parser: Parser) -> Node:
    parser.advance()
    node: Node = {"type": "Code", "code": parser.advance().text}
    parser.expect("from")
    node["system"] = {"name": parser.qualified_name()}
    if parser.accept("display"):
        node["display"] = parser.advance().text
    return node


def _concept(parser: Parser) -> Node:
    parser.advance()
    parser.advance()
    node: Node = {"type": "Concept", "code": parser.separated(lambda: _code(parser), "}")}
    if parser.accept("display"):
        node["display"] = parser.advance().text
    return node


def specified_type(parser: Parser) -> Node:
    """A type by itself, as a specifier of ELM."""
    return _type(parser)


def type_specifier(parser: Parser, key: str) -> Node:
    """A type, as what a node holds under this key (`asType`) or in `asTypeSpecifier`."""
    specifier = _type(parser)
    if "name" in specifier and key:
        return {key if key.endswith("Type") else f"{key}Type": specifier["name"]}
    return {f"{key.removesuffix('Type')}TypeSpecifier": specifier}


def _type(parser: Parser) -> Node:
    name = parser.identifier()
    if name in {"List", "Interval"} and parser.accept("<"):
        inner = _type(parser)
        parser.expect(">")
        kinds = {"List": "ListTypeSpecifier", "Interval": "IntervalTypeSpecifier"}
        key = "elementType" if name == "List" else "pointType"
        return {"type": kinds[name], key: inner}
    if name in {"Tuple", "Choice"} and parser.token.is_word("{", "<"):
        return _structured_type(parser, name)
    parts = [name]
    while parser.accept("."):
        parts.append(parser.identifier())
    return {"name": named_type(parts)}


def named_type(parts: list[str]) -> str:
    """A type by its names: `System.Quantity`, `Quantity`, `FHIR.Observation.Component`.

    What is not CQL's own is a name in a model, which the resolver looks up.
    """
    if parts[0] == "System":
        return SYSTEM + parts[-1]
    if len(parts) == 1 and parts[0] in _SYSTEM_TYPES:
        return SYSTEM + parts[0]
    return _FHIR + ".".join(parts)


def _structured_type(parser: Parser, name: str) -> Node:
    if name == "Choice":
        parser.expect("<")
        choices = parser.separated(lambda: _type(parser), ">")
        return {"type": "ChoiceTypeSpecifier", "choice": choices}
    parser.expect("{")
    members = parser.separated(lambda: (parser.identifier(), _type(parser)), "}")
    elements = [{"name": member, "elementType": type_} for member, type_ in members]
    return {"type": "TupleTypeSpecifier", "element": elements}


def _literal(type_name: str, value: str) -> Node:
    return {"type": "Literal", "valueType": SYSTEM + type_name, "value": value}


def constant(word: str) -> Node:
    """true, false or null."""
    return {"type": "Null"} if word == "null" else _literal("Boolean", word)


def quantity(number: str, unit: str) -> Node:
    """So much of a unit."""
    return {"type": "Quantity", "value": number, "unit": unit}


def _temporal(text: str) -> Node:
    kind = "Time" if text[1] == "T" else "DateTime" if "T" in text else "Date"
    return _literal(kind, text.lstrip("@T") if kind == "Time" else text[1:].rstrip("T"))


def concatenation(operands: Iterable[Node]) -> Node:
    """`&` takes null as the empty string."""
    empty = _literal("String", "")
    safe = [{"type": "Coalesce", "operand": [operand, empty]} for operand in operands]
    return {"type": "Concatenate", "operand": safe}
