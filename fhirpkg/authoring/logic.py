"""Logic in two forms at once: CQL text, which servers compile, and ELM, which we evaluate.

Each function makes a term of other terms, so both forms say the same. Only what criteria need is
here. Values are taken out of FHIR's elements explicitly (`.value`, `ToQuantity`), because engines
differ in what they convert by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Node = dict[str, Any]

_TYPES = "{urn:hl7-org:elm-types:r1}"
_FHIR = "{http://hl7.org/fhir}"
HELPERS = "FHIRHelpers"
"""The library of conversions; every engine has it."""


@dataclass(frozen=True, slots=True)
class Term:
    """An expression in both forms."""

    cql: str
    elm: Node


def reference(name: str) -> Term:
    """The value of another definition."""
    return Term(quoted(name), {"type": "ExpressionRef", "name": name})


def negated(term: Term) -> Term:
    """Not."""
    return Term(f"not {term.cql}", {"type": "Not", "operand": term.elm})


def exists(term: Term) -> Term:
    """Whether there is anything."""
    return Term(f"exists ({term.cql})", {"type": "Exists", "operand": term.elm})


def unknown(term: Term) -> Term:
    """Whether there is no value."""
    return Term(f"{term.cql} is null", {"type": "IsNull", "operand": term.elm})


def either(terms: Iterable[Term]) -> Term:
    """Or, of one or more."""
    first, *others = terms
    for other in others:
        elm = {"type": "Or", "operand": [first.elm, other.elm]}
        first = Term(f"{first.cql}\n    or {other.cql}", elm)
    return first


def both(one: Term, two: Term) -> Term:
    """And."""
    elm = {"type": "And", "operand": [one.elm, two.elm]}
    return Term(f"{one.cql}\n    and {two.cql}", elm)


def retrieve(resource_type: str, path: str, terminology: str, *, is_code: bool) -> Term:
    """The patient's resources of a type, by a code or by a value set that is declared."""
    kind = "CodeRef" if is_code else "ValueSetRef"
    codes: Node = {"type": kind, "name": terminology}
    elm = {
        "type": "Retrieve",
        "dataType": _FHIR + resource_type,
        "codeProperty": path,
        "codeComparator": "~" if is_code else "in",
        "codes": {"type": "ToList", "operand": codes} if is_code else codes,
    }
    comparator = "~" if is_code else "in"
    return Term(f"[{resource_type}: {path} {comparator} {quoted(terminology)}]", elm)


def where(source: Term, alias: str, condition: Term) -> Term:
    """Those of a list for which a condition on the alias holds."""
    elm = {
        "type": "Query",
        "source": [{"alias": alias, "expression": source.elm}],
        "where": condition.elm,
    }
    return Term(f"{source.cql} {alias}\n    where {condition.cql}", elm)


def property_of(alias: str, path: str) -> Term:
    """An element of the item that an alias stands for."""
    return Term(f"{alias}.{path}", {"type": "Property", "path": path, "scope": alias})


def one_of(term: Term, texts: Iterable[str]) -> Term:
    """Whether a text is one of these."""
    found = list(texts)
    listed = ", ".join(f"'{text}'" for text in found)
    elements = [literal("String", text).elm for text in found]
    elm = {"type": "In", "operand": [term.elm, {"type": "List", "element": elements}]}
    return Term(f"{term.cql} in {{ {listed} }}", elm)


def literal(type_name: str, value: str) -> Term:
    """A number or text as it is."""
    text = f"'{value}'" if type_name == "String" else value
    elm = {"type": "Literal", "valueType": _TYPES + type_name, "value": value}
    return Term(text, elm)


def is_a(term: Term, type_name: str) -> Term:
    """Whether a value is of a FHIR type."""
    elm = {"type": "Is", "operand": term.elm, "isType": _FHIR + type_name}
    return Term(f"{term.cql} is FHIR.{type_name}", elm)


def cast(term: Term, type_name: str) -> Term:
    """A value as one of a FHIR type; nothing when it is of another."""
    elm = {"type": "As", "operand": term.elm, "asType": _FHIR + type_name}
    return Term(f"({term.cql} as FHIR.{type_name})", elm)


def element(term: Term, path: str) -> Term:
    """An element of a value."""
    return Term(f"{term.cql}.{path}", {"type": "Property", "path": path, "source": term.elm})


def helped(function: str, term: Term) -> Term:
    """A value converted by FHIRHelpers."""
    elm = {"type": "FunctionRef", "libraryName": HELPERS, "name": function, "operand": [term.elm]}
    return Term(f"{HELPERS}.{function}({term.cql})", elm)


def compared(one: Term, sign: str, two: Term) -> Term:
    """Whether the one is above or below the other."""
    kinds = {">": "Greater", "<": "Less", ">=": "GreaterOrEqual"}
    return Term(f"{one.cql} {sign} {two.cql}", {"type": kinds[sign], "operand": [one.elm, two.elm]})


def quantity(value: str, unit: str) -> Term:
    """A number with a unit of UCUM."""
    elm = {"type": "Quantity", "value": value, "unit": unit}
    return Term(f"{value} '{unit}'", elm)


def latest(term: Term) -> Term:
    """Of observations the one that took effect last."""
    moment = cast(Term("effective", {"type": "IdentifierRef", "name": "effective"}), "dateTime")
    value = element(moment, "value")
    by = [{"type": "ByExpression", "direction": "asc", "expression": value.elm}]
    elm = {"type": "Last", "source": {**term.elm, "sort": {"by": by}}}
    return Term(f"Last({term.cql}\n    sort by {value.cql})", elm)


_UNITS = {"d": "days", "wk": "weeks", "mo": "months", "a": "years"}


def since(term: Term, number: str, unit: str) -> Term:
    """Whether a moment lies no longer ago than so many days, weeks …."""
    word = _UNITS[unit]
    ago = {"type": "Subtract", "operand": [{"type": "Today"}, _duration(number, word)]}
    day = {"type": "DateFrom", "operand": term.elm}
    elm = {"type": "SameOrAfter", "operand": [day, ago]}
    return Term(f"date from {term.cql} on or after Today() - {number} {word}", elm)


def _duration(number: str, unit: str) -> Node:
    return {"type": "Quantity", "value": number, "unit": unit}


def age() -> Term:
    """The patient's age in years."""
    born = {
        "type": "Property",
        "path": "birthDate.value",
        "source": {"type": "ExpressionRef", "name": "Patient"},
    }
    elm = {"type": "CalculateAge", "precision": "Year", "operand": born}
    return Term("AgeInYears()", elm)


def sex() -> Term:
    """The patient's administrative gender."""
    patient = {"type": "ExpressionRef", "name": "Patient"}
    elm = {"type": "Property", "path": "gender.value", "source": patient}
    return Term("Patient.gender.value", elm)


def equal(one: Term, two: Term) -> Term:
    """Whether both are the same."""
    elm = {"type": "Equal", "operand": [one.elm, two.elm]}
    return Term(f"{one.cql} = {two.cql}", elm)


@dataclass(frozen=True, slots=True)
class Declared:
    """Terminology that a library names: a value set by its url, or a code of a system."""

    name: str
    url: str = ""
    system: str = ""
    code: str = ""


def cql_text(
    name: str, version: str, declared: Iterable[Declared], definitions: dict[str, Term]
) -> str:
    """A library as CQL."""
    declared = list(declared)
    systems = dict.fromkeys(item.system for item in declared if item.system)
    lines = [f"library {name} version '{version}'", "", "using FHIR version '4.0.1'", ""]
    lines += [f"include {HELPERS} version '4.0.1' called {HELPERS}", ""]
    lines += [f"codesystem {quoted(system)}: '{system}'" for system in systems]
    lines += [f"valueset {quoted(item.name)}: '{item.url}'" for item in declared if item.url]
    lines += [
        f"code {quoted(item.name)}: '{item.code}' from {quoted(item.system)}"
        for item in declared
        if item.code
    ]
    lines += ["", "context Patient", ""]
    for title, term in definitions.items():
        lines += [f"define {quoted(title)}:", f"  {term.cql}", ""]
    return "\n".join(lines)


def elm_document(
    name: str, version: str, declared: Iterable[Declared], definitions: dict[str, Term]
) -> Node:
    """The same library as ELM in JSON."""
    declared = list(declared)
    systems = dict.fromkeys(item.system for item in declared if item.system)
    public = {"context": "Patient", "accessLevel": "Public"}
    patient = {
        "type": "SingletonFrom",
        "operand": {"type": "Retrieve", "dataType": f"{_FHIR}Patient"},
    }
    statements: list[Node] = [{"name": "Patient", "context": "Patient", "expression": patient}]
    statements += [{"name": t, **public, "expression": term.elm} for t, term in definitions.items()]
    return {
        "library": {
            "identifier": {"id": name, "version": version},
            "schemaIdentifier": {"id": "urn:hl7-org:elm", "version": "r1"},
            "usings": {
                "def": [
                    {"localIdentifier": "System", "uri": "urn:hl7-org:elm-types:r1"},
                    {
                        "localIdentifier": "FHIR",
                        "uri": "http://hl7.org/fhir",
                        "version": "4.0.1",
                    },
                ]
            },
            "includes": {
                "def": [{"localIdentifier": HELPERS, "path": HELPERS, "version": "4.0.1"}]
            },
            "codeSystems": {
                "def": [{"name": s, "id": s, "accessLevel": "Public"} for s in systems]
            },
            "valueSets": {
                "def": [
                    {"name": item.name, "id": item.url, "accessLevel": "Public"}
                    for item in declared
                    if item.url
                ]
            },
            "codes": {
                "def": [
                    {
                        "name": item.name,
                        "id": item.code,
                        "accessLevel": "Public",
                        "codeSystem": {"name": item.system},
                    }
                    for item in declared
                    if item.code
                ]
            },
            "statements": {"def": statements},
        }
    }


def quoted(name: str) -> str:
    """A name as CQL writes one that has blanks."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
