"""Values of parameters that were given as JSON, as the type that the parameter is declared to have.

`$apply` and CDS Hooks give a Period where logic asks for an interval, a text for a date, a Coding
for a code. A value that is of CQL already stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.cql import models
from fhirpkg.cql.evaluating.conversions import (
    to_code,
    to_concept,
    to_date,
    to_datetime,
    to_decimal,
    to_long,
    to_quantity,
    to_ratio,
    to_time,
)
from fhirpkg.cql.evaluating.elements import interval, resource
from fhirpkg.cql.evaluating.types import SYSTEM, accepts, shown
from fhirpkg.cql.evaluating.values import Element, as_list
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.tree import Node, Value
    from fhirpkg.definitions.typemodel import TypesOfDefinitions

_OBJECTS = {"Code": "Coding", "Concept": "Coding", "Quantity": "Quantity", "Ratio": "Ratio"}
"""Types of CQL that JSON writes as an object, with their counterparts in FHIR."""
_Kinds = type | tuple[type, ...]
_READERS: dict[str, tuple[_Kinds, Callable[[Value], Value]]] = {
    "Code": (dict, to_code),
    "Concept": (dict, to_concept),
    "Date": ((str, Temporal), to_date),
    "DateTime": (str, to_datetime),
    "Decimal": (int, to_decimal),
    "Long": (int, to_long),
    "Quantity": (dict, to_quantity),
    "Ratio": (dict, to_ratio),
    "Time": (str, to_time),
}
"""By the type of a parameter: what JSON has for it, and what makes a value of that."""
_CODING = frozenset({"id", "extension", "system", "version", "code", "display", "userSelected"})
_NUMBERS = ("Integer", "Decimal", "Long")


def given(name: str, value: Value, specifier: Node, types: TypesOfDefinitions) -> Value:
    """A value as a parameter takes it; raises FhirpkgError for one of another type."""
    if not specifier:
        return (
            [_plain(v, types) for v in value] if isinstance(value, list) else _plain(value, types)
        )
    if value is None:
        return None
    found = _read(value, specifier, types)
    if found is None or not _is(found, specifier):
        kind = f"{value!r:.60}" if not isinstance(value, dict) else f"with {', '.join(value)}"
        problem = f"is {shown(specifier)}, which {kind} is not"
        raise FhirpkgError(f"the parameter '{name}' {problem}")
    return found


def _is(value: Value, specifier: Node) -> bool:
    """Whether a value is of a type; of a tuple and of a type without a model nothing is asked."""
    kind = specifier.get("type", "NamedTypeSpecifier")
    return kind == "TupleTypeSpecifier" or type(value) is dict or accepts(specifier, value)


def _plain(value: Value, types: TypesOfDefinitions) -> Value:
    """A resource that was given as JSON; anything else as it is."""
    is_resource = isinstance(value, dict) and "resourceType" in value
    return resource(value, types) if is_resource else value


def _read(value: Value, specifier: Node, types: TypesOfDefinitions) -> Value:
    kind = specifier.get("type", "NamedTypeSpecifier")
    if kind == "ListTypeSpecifier":
        inner = specifier.get("elementType", {})
        return [_read(item, inner, types) for item in as_list(value)]
    if kind == "IntervalTypeSpecifier":
        return _interval(value, specifier.get("pointType", {}), types)
    if kind == "ChoiceTypeSpecifier":
        found = (_read(value, choice, types) for choice in specifier.get("choice", ()))
        read = zip(found, specifier.get("choice", ()), strict=True)
        return next((v for v, choice in read if v is not None and accepts(choice, v)), value)
    type_name = str(specifier.get("name", ""))
    local = type_name.rpartition("}")[2]
    if type_name.startswith(SYSTEM):
        return _of_system(value, local, types)
    is_object = isinstance(value, dict) and "resourceType" not in value
    if is_object and kind == "NamedTypeSpecifier":
        return Element(value, models.backbone(local.removeprefix("FHIR.")), types)
    return _plain(value, types)


def _of_system(value: Value, local: str, types: TypesOfDefinitions) -> Value:
    kinds, reader = _READERS.get(local, (None, None))
    if kinds is None or reader is None or not isinstance(value, kinds) or isinstance(value, bool):
        return _plain(value, types)
    if not isinstance(value, dict):
        return reader(value)
    is_concept = local in {"Code", "Concept"} and not value.keys() <= _CODING
    return reader(Element(value, "CodeableConcept" if is_concept else _OBJECTS[local], types))


def _interval(value: Value, point: Node, types: TypesOfDefinitions) -> Value:
    """An interval of a Period or Range, as FHIRHelpers makes it; its ends of the type asked for."""
    if not isinstance(value, dict) or "resourceType" in value:
        return value
    kind = "Range" if value.keys() & {"low", "high"} else "Period"
    found = interval(Element(value, kind, types))
    if found is None:
        return value
    is_number = str(point.get("name", "")).rpartition("}")[2] in _NUMBERS
    ends = [
        e.value if is_number and isinstance(e, Quantity) else e for e in (found.low, found.high)
    ]
    low, high = (_read(_whole(end), point, types) for end in ends)
    return replace(found, low=low, high=high)


def _whole(value: Value) -> Value:
    """A decimal without a fraction as an integer."""
    is_whole = isinstance(value, Decimal) and value == value.to_integral_value()
    return int(value) if is_whole else value
