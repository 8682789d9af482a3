"""Values written down: literals, lists, tuples, codes, instances of types."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.cql import models
from fhirpkg.cql.evaluating.arithmetic import in_range, negated, ratio
from fhirpkg.cql.evaluating.comparison import compare
from fhirpkg.cql.evaluating.elements import resource
from fhirpkg.cql.evaluating.moments import of_fields
from fhirpkg.cql.evaluating.types import SYSTEM
from fhirpkg.cql.evaluating.values import (
    Code,
    CodeSystem,
    Concept,
    Element,
    Interval,
    Long,
    Ratio,
    ValueSet,
    as_list,
    to_json,
)
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Quantity

if TYPE_CHECKING:
    from fhirpkg.cql.evaluating.session import Evaluation
    from fhirpkg.cql.tree import Node, Value
    from fhirpkg.fhirpath.model import ElementType

_FRACTION = re.compile(r"(?<=\.)\d+")
_MOST_DIGITS = 28


def _literal(evaluation: Evaluation, node: Node) -> Value:
    kind, text = node["valueType"].rpartition("}")[2], node.get("value", "")
    if kind == "Boolean":
        return text == "true"
    if kind in {"Integer", "Long"}:
        return _whole(text, kind)
    if kind == "Decimal":
        return _decimal(text)
    if kind in {"Date", "DateTime", "Time"}:
        return _temporal(evaluation, text, kind)
    return text


def _whole(text: str, kind: str) -> int:
    value: Value = Long(text) if kind == "Long" else int(text)
    if in_range(value, value) is None:
        raise FhirpkgError(f"{text} is out of the range of {kind}")
    return value  # type: ignore[no-any-return]


def _decimal(text: str) -> Decimal:
    whole, _, places = text.lstrip("-").partition(".")
    if len(whole.lstrip("0")) > _MOST_DIGITS or len(places) > 8:
        raise FhirpkgError(f"{text} has more digits than a Decimal: 28 and 8 behind the point")
    return Decimal(text)


def _temporal(evaluation: Evaluation, text: str, kind: str) -> Temporal:
    """A date or time; its fraction of a second to the millisecond, its offset the evaluation's."""
    exact = _FRACTION.sub(lambda m: m[0][:3].ljust(3, "0"), text)
    found = Temporal.parse({"Date": "date", "Time": "time"}.get(kind, "dateTime"), exact)
    if found is None or _is_off_the_clock(found):
        raise FhirpkgError(f"{text} is not a {kind}")
    if kind == "DateTime" and len(found.parts) > 3 and found.zone is None:
        return Temporal(found.kind, found.parts, evaluation.session.zone)
    return found


def _is_off_the_clock(found: Temporal) -> bool:
    """A leap second, or an offset of more than 14 hours, which CQL's literals do not have."""
    place = 2 if found.kind == "time" else 5
    zone = found.zone if found.zone and found.zone != "Z" else "+00:00"
    return any(part >= 60 for part in found.parts[place:]) or not "00:00" <= zone[1:] <= "14:00"


def _negate(evaluation: Evaluation, node: Node) -> Value:
    """The least Integer is written as a number that is too large, with a sign before it."""
    operand = node["operand"]
    if operand["type"] == "Literal":
        kind = operand["valueType"].rpartition("}")[2]
        if kind in {"Integer", "Long"}:
            return _whole(f"-{operand['value']}", kind)
    return negated(evaluation.of(operand))


def _null(_: Evaluation, _node: Node) -> None:
    return None


def _quantity(_: Evaluation, node: Node) -> Quantity:
    """A number with a unit, which must be one of UCUM or a word for a time."""
    unit = node.get("unit") or "1"
    return Quantity(Decimal(str(node["value"])), CALENDAR_UNITS.get(unit, unit))


def _ratio(evaluation: Evaluation, node: Node) -> Ratio | None:
    return ratio(*(_quantity(evaluation, node[key]) for key in ("numerator", "denominator")))


def _list(evaluation: Evaluation, node: Node) -> list[Value]:
    return [evaluation.of(element) for element in node.get("element", ())]


def _tuple(evaluation: Evaluation, node: Node) -> dict[str, Value]:
    return {e["name"]: evaluation.of(e["value"]) for e in node.get("element", ())}


def _interval(evaluation: Evaluation, node: Node) -> Interval:
    low, high = (evaluation.of(node[key]) if key in node else None for key in ("low", "high"))
    closed = [_closed(evaluation, node, key) for key in ("lowClosed", "highClosed")]
    if compare(low, high) == 1:
        raise FhirpkgError(f"an interval from {low} to {high} ends before it begins")
    return Interval(low, high, *closed)


def _closed(evaluation: Evaluation, node: Node, key: str) -> bool:
    if f"{key}Expression" in node:  # of an interval that is null, as the reference has it
        return evaluation.of(node[f"{key}Expression"]) is not False
    return node.get(key, True) is True


def _code(evaluation: Evaluation, node: Node) -> Code:
    reference = {"type": "CodeSystemRef"} | node["system"]
    if "." in reference["name"]:  # CQL writes Library."System"
        alias, _, name = reference["name"].partition(".")
        reference |= {"libraryName": alias, "name": name}
    system = evaluation.of(reference)
    return Code(node["code"], system.url, node.get("display", ""))


def _concept(evaluation: Evaluation, node: Node) -> Concept:
    codes = tuple(_code(evaluation, code) for code in node["code"])
    return Concept(codes, node.get("display", ""))


_TIMES = ("year", "month", "day", "hour", "minute", "second", "millisecond")
_LIMITS = ((1, 9999), (1, 12), (1, 31), (0, 23), (0, 59), (0, 59), (0, 999))
_KINDS = {"Date": "date", "Time": "time"}


def _moment(evaluation: Evaluation, node: Node) -> Temporal | None:
    """A date or time of its parts, as far as they are given; nothing of no part."""
    kind = _KINDS.get(node["type"], "dateTime")
    first = 3 if kind == "time" else 0
    parts: list[int] = []
    missing = ""
    for name, (least, most) in zip(_TIMES[first:], _LIMITS[first:], strict=True):
        value = evaluation.of(node[name]) if name in node else None
        if value is None:
            missing = missing or name
            continue
        if missing:
            raise FhirpkgError(f"a {kind} with a {name} must have a {missing}")
        if not least <= value <= most:
            raise FhirpkgError(f"{value} is not a {name}: it must be from {least} to {most}")
        parts.append(value)
    if not parts:
        return None
    offset = evaluation.of(node["timezoneOffset"]) if "timezoneOffset" in node else None
    zone = evaluation.session.zone if offset is None else _zone(Decimal(offset))
    found = of_fields(kind, tuple(parts), zone)
    if Temporal.parse(kind, str(found)) is None:
        raise FhirpkgError(f"{found} is not a day of the calendar")
    return found


def _zone(hours: Decimal) -> str:
    """An offset of that many hours as FHIR writes it."""
    minutes = int(abs(hours) * 60)
    return f"{'-' if hours < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _instance(evaluation: Evaluation, node: Node) -> Value:
    """An element or resource of FHIR as JSON; of a primitive its value."""
    name = models.backbone(node["classType"].rpartition("}")[2])
    values = {e["name"]: e["value"] for e in node.get("element", ())}
    types = evaluation.session.types
    if node["classType"].startswith(SYSTEM):
        return _system_instance(evaluation, name, values)
    if not types.is_type(name) or types.is_primitive(name):
        # FHIR's enumerations (ObservationStatus) are types of their own in CQL.
        if "value" not in values:
            raise FhirpkgError(f"an instance of {name} is not supported")
        return evaluation.of(values["value"])
    made: dict[str, Value] = {"resourceType": name} if types.is_resource(name) else {}
    elements = types.elements(name)
    for key, value_node in values.items():
        found = evaluation.of(value_node)
        value = to_json(found)
        if value is not None:
            member = elements.get(key)
            value = as_list(value) if member and member.is_list else value
            made[_key(key, value_node, found, member)] = value
    return resource(made, types) if "resourceType" in made else Element(made, name, types)


def _system_instance(evaluation: Evaluation, name: str, values: dict[str, Node]) -> Value:
    found = {key: evaluation.of(value) for key, value in values.items()}
    if name == "Quantity":
        number = found.get("value")
        unit = found.get("unit") or "1"
        return None if number is None else Quantity(Decimal(number), CALENDAR_UNITS.get(unit, unit))
    if name == "Ratio":
        return ratio(found.get("numerator"), found.get("denominator"))
    if name == "Code":
        return Code(*(found.get(key) or "" for key in ("code", "system", "display", "version")))
    if name == "Concept":
        codes = tuple(code for code in as_list(found.get("codes")) if code is not None)
        return Concept(codes, found.get("display") or "")
    if name == "ValueSet":
        return ValueSet(str(found.get("id")))
    if name == "CodeSystem":
        return CodeSystem(str(found.get("id")))
    raise FhirpkgError(f"an instance of {name} is not supported")


def _key(name: str, value_node: Node, value: Value, element: ElementType | None) -> str:
    """The JSON key: a choice element carries the type of its value."""
    if element is None or not element.is_choice:
        return name
    named = value_node.get("classType", "").rpartition("}")[2]
    types = (named, *_types_of(value))
    return element.key(next((t for t in types if t in element.types), ""))


def _types_of(value: Value) -> tuple[str, ...]:
    """The types of FHIR that a value may be of in JSON."""
    if isinstance(value, Element):
        return (value.type_name,)
    if isinstance(value, Temporal):
        return (value.kind,)
    return next((types for kind, types in _FHIR_TYPES if isinstance(value, kind)), ())


_FHIR_TYPES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (Concept, ("CodeableConcept",)),
    (Code, ("Coding", "code")),
    (Quantity, ("Quantity", "Duration", "Age")),
    (Ratio, ("Ratio",)),
    (Interval, ("Period", "Range")),
    (bool, ("boolean",)),
    (int, ("integer", "positiveInt", "unsignedInt")),
    (Decimal, ("decimal",)),
    (str, ("string", "code", "uri")),
)


SPECIAL = {
    "Code": _code,
    "Concept": _concept,
    "Date": _moment,
    "DateTime": _moment,
    "Instance": _instance,
    "Interval": _interval,
    "List": _list,
    "Literal": _literal,
    "Negate": _negate,
    "Null": _null,
    "Quantity": _quantity,
    "Ratio": _ratio,
    "Time": _moment,
    "Tuple": _tuple,
}
