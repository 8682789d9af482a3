"""Elements of FHIR: those inside of one another, and the values of CQL that they stand for.

FHIR elements stay JSON that knows its type. An operator of CQL that needs a value makes it of them
where it is needed, as the library FHIRHelpers does: a Period an Interval, a Coding a Code.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.cql import models
from fhirpkg.cql.evaluating.units import as_calendar
from fhirpkg.cql.evaluating.values import (
    Code,
    Concept,
    Element,
    Interval,
    Ratio,
    TypedText,
    as_list,
)
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import UCUM, Quantity
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fhirpkg.cql.tree import Value
    from fhirpkg.definitions.typemodel import TypesOfDefinitions

_MOMENTS = {"date": "date", "dateTime": "dateTime", "instant": "dateTime", "time": "time"}
_QUANTITIES = frozenset(
    {"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity"}
)


def resource(value: dict[str, Value], types: TypesOfDefinitions) -> Element:
    """A resource as an element that knows its type."""
    return Element(value, value["resourceType"], types)


def element(source: Value, path: str) -> Value:
    """An element of a value by its path; of a list those of all items.

    Raises FhirpkgError for a name that the type of the value does not have.
    """
    for name in path.split("."):
        source = _element(source, name)
    return source


def _element(source: Value, name: str) -> Value:
    if source is None:
        return None
    if isinstance(source, Element):
        return _child(source, name)
    if isinstance(source, list):
        found = [_element(item, name) for item in source]
        return [inner for value in found for inner in as_list(value)]
    if isinstance(source, dict):
        return _of_tuple(source, name)
    if isinstance(source, Interval | Code | Concept | Quantity | Ratio):
        value = getattr(source, _VALUE_NAMES.get(name, name), None)
        return list(value) if isinstance(value, tuple) else None if value == "" else value
    # A primitive of FHIR has its value as an element; here it is the value.
    return source if name == "value" else None


def _of_tuple(source: dict[str, Value], name: str) -> Value:
    """An element of a tuple, or of JSON whose type is not known: `medicationReference`."""
    if name in source:
        return source[name]
    if "resourceType" not in source:
        raise unknown_element("the tuple", name, list(source))
    rest = len(name)
    return next(
        (v for k, v in source.items() if k.startswith(name) and k[rest:][:1].isupper()), None
    )


_VALUE_NAMES = {"lowClosed": "low_closed", "highClosed": "high_closed"}


def _child(source: Element, name: str) -> Value:
    known = source.types.elements(source.type_name)
    member = known.get(name)
    if member is None:
        path = models.slice_path(source.type_name, name)
        if path is not None:
            return _along(source, path, models.is_many(source, name))
        if name == "resourceType":
            return source.get(name)
        value = system(source)
        if value is not source and hasattr(value, _VALUE_NAMES.get(name, name)):
            return _element(value, name)
        written = _written_choice(source, name, known)
        if any(name in source.types.elements(other) for other in source.others):
            return None  # `medication.reference` where the medication is a CodeableConcept
        if written is None and known:
            raise unknown_element(source.type_name, name, list(known))
        return written
    if not member.is_choice:
        return typed(source.get(name), member.types[0], source.types)
    for type_name in member.types:
        value = source.get(member.key(type_name))
        if value is not None:
            return _of_choice(typed(value, type_name, source.types), member.types)
    return None


def _of_choice(found: Value, type_names: Sequence[str]) -> Value:
    if isinstance(found, Element):
        found.others = type_names
    return found


def unknown_element(type_name: str, name: str, known: list[str]) -> FhirpkgError:
    """The error for an element that a type does not have."""
    return FhirpkgError(f"{type_name} has no element '{name}'{nearest(name, known)}")


def _written_choice(source: Element, name: str, known: Value) -> Value:
    """`valueQuantity`, which is not an element of FHIR but a key of its JSON."""
    for member in known.values():
        if member.is_choice and name.startswith(member.name):
            found = next((t for t in member.types if member.key(t) == name), None)
            if found:
                return typed(source.get(name), found, source.types)
    return None


def typed(value: Value, type_name: str, types: TypesOfDefinitions) -> Value:
    """JSON as an element of a type; of a primitive its value."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return Element(value, value.get("resourceType", type_name), types)
    if isinstance(value, list):
        return [typed(item, type_name, types) for item in value]
    if isinstance(value, str):
        kind = _MOMENTS.get(type_name)
        moment = Temporal.parse(kind, value) if kind else None
        return TypedText(value, type_name) if moment is None else moment
    return Decimal(str(value)) if type_name == "decimal" or isinstance(value, float) else value


def _along(source: Value, path: models.Path, is_many: bool) -> Value:
    """What a path of a model leads to: names, and conditions that choose among items."""
    for step in path:
        if isinstance(step, str):
            source = element(source, step)
            continue
        found = [item for item in as_list(source) if _meets(item, step)]
        source = found if is_many else next(iter(found), None)
    return source


def _meets(item: Value, conditions: Value) -> bool:
    return all(value in as_list(element(item, path)) for path, value in conditions)


# -- values of CQL ---------------------------------------------------------------------------


def system(value: Value) -> Value:
    """The value of CQL that an element of FHIR stands for; anything else as it is."""
    if not isinstance(value, Element):
        return Decimal(str(value)) if isinstance(value, float) else value
    kind = cql_type(value)
    if kind == "Quantity":
        return known_quantity(value)
    if kind == "Interval":
        return interval(value)
    if kind == "Code":
        return _coding(value)
    if kind == "Concept":
        return Concept(tuple(codes(value)), value.get("text", ""))
    if kind == "Ratio":
        one, two = (system(element(value, key)) for key in ("numerator", "denominator"))
        return None if one is None or two is None else Ratio(one, two)
    return value


_CQL_TYPES = {
    "Period": "Interval",
    "Range": "Interval",
    "Coding": "Code",
    "CodeableConcept": "Concept",
    "Ratio": "Ratio",
} | dict.fromkeys(_QUANTITIES, "Quantity")


def cql_type(value: Element) -> str:
    """The type of CQL that an element of FHIR is converted to; empty for none."""
    return _CQL_TYPES.get(value.type_name, "")


def known_quantity(value: Element) -> Quantity | None:
    """FHIR's Quantity in CQL's words for durations.

    Raises FhirpkgError for one with a comparator, whose value is not known.
    """
    if comparator := value.get("comparator"):
        raise FhirpkgError(
            f"the Quantity has the comparator '{comparator}', so it cannot be calculated with"
        )
    return limit_of_quantity(value)


def limit_of_quantity(value: Element) -> Quantity | None:
    """FHIR's Quantity whatever its comparator; only UCUM's units can be calculated with."""
    if value.get("system", UCUM) not in _UNIT_SYSTEMS:
        raise FhirpkgError(
            f"the unit {value.get('unit')} ({value['system']}) is not a unit of UCUM"
        )
    found = quantity(value)
    return None if found is None else as_calendar(found)


_UNIT_SYSTEMS = (UCUM, "http://hl7.org/fhirpath/CodeSystem/calendar-units")


def moment(value: Value) -> Temporal | None:
    """A point in time out of a Temporal or the text of a FHIR date, dateTime, instant, time."""
    if isinstance(value, Temporal) or value is None:
        return value
    if isinstance(value, str):
        text = value.removeprefix("T")
        if text[2:3] == ":" or text != value:
            return Temporal.parse("time", text)
        return Temporal.parse("date" if len(value) <= 10 else "dateTime", value)
    return None


def quantity(value: Value) -> Quantity | None:
    """A quantity out of one, out of FHIR's, or a bare number (whose unit is 1)."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal | float):
        return Quantity(Decimal(str(value)), "1")
    if isinstance(value, dict) and isinstance(value.get("value"), int | Decimal | float):
        return Quantity(
            Decimal(str(value["value"])), str(value.get("code") or value.get("unit") or "1")
        )
    return None


def interval(value: Value) -> Interval | None:
    """An interval out of one, a Period, a Range; a point stands for itself alone.

    A Period that has no start begins nobody knows when; one without an end goes on.
    """
    if isinstance(value, Interval) or value is None:
        return value
    if isinstance(value, dict) and not isinstance(value, Element):
        value = _guessed(value)
    if isinstance(value, Element) and value.type_name == "Period":
        low, high = (element(value, key) for key in ("start", "end"))
        return Interval(low, high, low is not None)
    if isinstance(value, Element) and value.type_name == "Range":
        low, high = (system(element(value, key)) for key in ("low", "high"))
        return Interval(low, high, low is not None)
    point = system(value)
    return None if point is None or isinstance(point, dict | list) else Interval(point, point)


def _guessed(value: dict[str, Value]) -> Value:
    """A Period or Range that was made of JSON without a type."""
    if "start" in value or "end" in value:
        return Interval(moment(value.get("start")), moment(value.get("end")))
    if "low" in value or "high" in value:
        return Interval(quantity(value.get("low")), quantity(value.get("high")))
    return value


def is_interval(value: Value) -> bool:
    """Whether a value is an interval or a FHIR type that is one."""
    if isinstance(value, Element):
        return cql_type(value) == "Interval"
    if isinstance(value, Interval):
        return True
    return isinstance(value, dict) and not {"start", "end", "low", "high"}.isdisjoint(value)


def codes(value: Value) -> list[Code]:
    """The codes in a Code, Concept, Coding, CodeableConcept, plain code or a list of those."""
    return list(_codes(value))


def codes_to_look_up(value: Value) -> list[Code]:
    """The codes that may be in a value set: a Coding without a system is in none, a text may be."""
    found = codes(value)
    return found if isinstance(value, str) else [code for code in found if code.system]


def _codes(value: Value) -> Iterator[Code]:
    if isinstance(value, Code):
        yield value
    elif isinstance(value, Concept):
        yield from value.codes
    elif isinstance(value, str):
        yield Code(value)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _codes(item)
    elif isinstance(value, dict):
        if "coding" in value:
            yield from _codes(value["coding"])
        elif isinstance(value.get("code"), str):
            yield _coding(value)


def _coding(value: dict[str, Value]) -> Code:
    names = ("code", "system", "display", "version")
    return Code(*(value.get(key) or "" for key in names))


def is_coded(value: Value) -> bool:
    """Whether a value is a code or concept, of CQL or of FHIR."""
    if isinstance(value, Code | Concept):
        return True
    if isinstance(value, Element):
        return cql_type(value) in {"Code", "Concept"}
    if not isinstance(value, dict):
        return False
    return "coding" in value or (isinstance(value.get("code"), str) and "value" not in value)
