"""Elements of FHIR, tests of type, casts, and the conversions of FHIRHelpers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg.cql.evaluating import arithmetic
from fhirpkg.cql.evaluating.clinical import to_code, to_concept
from fhirpkg.cql.evaluating.values import (
    CHOICE_TYPES,
    Code,
    Concept,
    Interval,
    TypedText,
    as_list,
    interval,
    is_interval,
    moment,
    quantity,
)
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.evaluating.evaluator import Evaluation

Node = dict[str, Any]


def element(source: Any, path: str) -> Any:
    """An element of a value by its path; of a list those of all items, as CQL has it."""
    for name in path.split("."):
        source = _element(source, name)
    return source


def _element(source: Any, name: str) -> Any:
    if source is None:
        return None
    if isinstance(source, list):
        found = [_element(item, name) for item in source]
        return [inner for value in found for inner in as_list(value)]
    if isinstance(source, dict):
        return _of_object(source, name)
    if isinstance(source, Interval | Code | Concept | Quantity):
        return _of_value(source, name)
    # A primitive of FHIR has its value as an element; here it is the value.
    return source if name == "value" else None


def _of_object(source: dict[str, Any], name: str) -> Any:
    if name in source:
        return source[name]
    for key, value in source.items():
        if key.startswith(name) and key[len(name) :] in CHOICE_TYPES:
            return TypedText(value, key[len(name) :]) if isinstance(value, str) else value
    return None


_VALUE_NAMES = {"lowClosed": "low_closed", "highClosed": "high_closed"}


def _of_value(source: Any, name: str) -> Any:
    value = getattr(source, _VALUE_NAMES.get(name, name), None)
    return list(value) if isinstance(value, tuple) else value


def _property(evaluation: Evaluation, node: Node) -> Any:
    if "source" in node:
        return element(evaluation.of(node["source"]), node["path"])
    scope = node["scope"]
    if scope not in evaluation.names:
        raise FhirpkgError(f"'{scope}' is not known here")
    return element(evaluation.names[scope], node["path"])


# -- types -----------------------------------------------------------------------------------

_PYTHON: dict[str, tuple[type, ...]] = {
    "Boolean": (bool,),
    "Integer": (int,),
    "Long": (int,),
    "PositiveInt": (int,),
    "UnsignedInt": (int,),
    "Decimal": (Decimal, int),
    "Temporal": (Temporal,),
}
_TEXT_OF_TIME = ("Date", "DateTime", "Instant", "Time")


def has_type(value: Any, type_name: str) -> bool:
    """Whether a value is of a type, as far as JSON shows it."""
    local = type_name.rpartition("}")[2].rpartition(".")[2]
    kind = local[0].upper() + local[1:]
    if isinstance(value, dict):
        return _object_has_type(value, kind)
    if isinstance(value, TypedText):
        return value.type_name == kind
    if isinstance(value, bool):
        return kind == "Boolean"
    if kind in _TEXT_OF_TIME:
        return isinstance(value, Temporal) or moment(value) is not None
    if isinstance(value, str):
        return kind not in _PYTHON and kind != "Quantity"
    if kind in _PYTHON:
        return isinstance(value, _PYTHON[kind])
    return type(value).__name__ == kind


_MARKS = {
    "Period": ("start", "end"),
    "Range": ("low", "high"),
    "CodeableConcept": ("coding", "text"),
    "Concept": ("coding", "text"),
    "Reference": ("reference", "identifier", "display"),
    "Ratio": ("numerator", "denominator"),
    "Timing": ("repeat", "event"),
    "Coding": ("code", "system"),
    "Code": ("code", "system"),
}


def _object_has_type(value: dict[str, Any], kind: str) -> bool:
    if "resourceType" in value:
        return value["resourceType"] == kind or kind in {"Resource", "DomainResource"}
    if kind in {"Quantity", "Age", "Duration", "SimpleQuantity"}:
        return quantity(value) is not None
    marks = _MARKS.get(kind)
    if marks is None:
        return False
    if kind in {"Coding", "Code"} and "value" in value:
        return False
    return any(mark in value for mark in marks)


def accepts(specifier: Node, value: Any) -> bool:
    """Whether a function takes a value for an operand; nothing fits any type.

    What JSON does not tell apart (a HumanName from an Address) is accepted.
    """
    if value is None:
        return True
    if specifier.get("type") == "ListTypeSpecifier":
        return isinstance(value, list) and all(
            accepts(specifier["elementType"], item) for item in value
        )
    if specifier.get("type") == "IntervalTypeSpecifier":
        return is_interval(value)
    local = specifier.get("name", "").rpartition("}")[2]
    if not local or isinstance(value, list):
        return not local
    if isinstance(value, dict) and "resourceType" not in value:
        known = local in _MARKS or local == "Quantity"
        return has_type(value, local) if known else local not in {"Resource", "DomainResource"}
    return local == "Any" or has_type(value, local)


def _specified(node: Node, key: str) -> list[str]:
    """The names of the types a node asks for; empty for lists and intervals of something."""
    if name := node.get(f"{key}Type"):
        return [name]
    specifier = node.get(f"{key}TypeSpecifier", {})
    if specifier.get("type") == "ChoiceTypeSpecifier":
        return [choice.get("name", "") for choice in specifier.get("choice", ())]
    return [specifier["name"]] if "name" in specifier else []


def _fits(value: Any, node: Node, key: str) -> bool:
    kind = node.get(f"{key}TypeSpecifier", {}).get("type")
    if kind == "ListTypeSpecifier":
        return isinstance(value, list)
    if kind == "IntervalTypeSpecifier":
        return is_interval(value)
    return any(has_type(value, name) for name in _specified(node, key))


def _as(evaluation: Evaluation, node: Node) -> Any:
    """The value if it is of the type; else nothing, or an error when the cast is strict."""
    value = evaluation.of(node["operand"])
    if value is None or _fits(value, node, "as"):
        return value
    if node.get("strict"):
        raise FhirpkgError(f"a value cannot be cast to {_specified(node, 'as')}")
    return None


def _is(evaluation: Evaluation, node: Node) -> bool:
    value = evaluation.of(node["operand"])
    return value is not None and _fits(value, node, "is")


def _convert(evaluation: Evaluation, node: Node) -> Any:
    value = evaluation.of(node["operand"])
    names = _specified(node, "to")
    local = names[0].rpartition("}")[2] if names else ""
    conversion = HELPERS.get(f"To{local}")
    if conversion is None:
        raise FhirpkgError(f"conversion to {local or 'this type'} is not supported")
    return conversion(value)


def _to_list(evaluation: Evaluation, node: Node) -> list[Any]:
    return as_list(evaluation.of(node["operand"]))


def _date_from(evaluation: Evaluation, node: Node) -> Any:
    return arithmetic.to_date(evaluation.of(node["operand"]))


def _time_from(evaluation: Evaluation, node: Node) -> Any:
    found = moment(evaluation.of(node["operand"]))
    return Temporal("time", found.parts[3:]) if found and len(found.parts) > 3 else None


_PARTS = ("Year", "Month", "Day", "Hour", "Minute", "Second", "Millisecond")


def _component(evaluation: Evaluation, node: Node) -> Any:
    found = moment(evaluation.of(node["operand"]))
    if found is None:
        return None
    parts = list(found.parts)
    if isinstance(parts[-1], Decimal):
        parts[-1:] = [int(parts[-1]), int(parts[-1] % 1 * 1000)]
    index = _PARTS.index(node["precision"]) - (3 if found.kind == "time" else 0)
    return int(parts[index]) if 0 <= index < len(parts) else None


def _zone_from(evaluation: Evaluation, node: Node) -> Decimal | None:
    """The hours a moment is ahead of UTC; those of the evaluation when it says none."""
    found = moment(evaluation.of(node["operand"]))
    if found is None:
        return None
    zone = found.zone or evaluation.session.now.strftime("%z")
    if zone == "Z":
        return Decimal(0)
    hours = Decimal(zone[1:3]) + Decimal(zone[-2:]) / 60
    return -hours if zone[0] == "-" else hours


HELPERS: dict[str, Callable[[Any], Any]] = {
    "ToBoolean": arithmetic.to_boolean,
    "ToCode": to_code,
    "ToConcept": to_concept,
    "ToDate": arithmetic.to_date,
    "ToDateTime": arithmetic.to_datetime,
    "ToDecimal": arithmetic.to_number(Decimal),
    "ToInteger": arithmetic.to_number(int),
    "ToInterval": interval,
    "ToQuantity": arithmetic.to_quantity,
    "ToString": arithmetic.to_text,
    "ToTime": moment,
}
"""FHIRHelpers, the library that turns FHIR's types into CQL's: it is the same everywhere."""

SPECIAL = {
    "As": _as,
    "Convert": _convert,
    "DateFrom": _date_from,
    "DateTimeComponentFrom": _component,
    "Is": _is,
    "Property": _property,
    "TimeFrom": _time_from,
    "TimezoneFrom": _zone_from,
    "TimezoneOffsetFrom": _zone_from,
    "ToList": _to_list,
}
