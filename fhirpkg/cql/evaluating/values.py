"""Values of CQL beside those of FHIRPath, and how FHIR's elements become them.

FHIR elements stay JSON. What an operator needs is made where it is needed: text of FHIR's dates
becomes a Temporal, a Period an Interval, a Coding a Code, a FHIR Quantity a Quantity.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import CALENDAR_UNITS, UCUM, Quantity

CHOICE_TYPES = frozenset(
    "Address Age Annotation Attachment Base64Binary Boolean Canonical Code CodeableConcept Coding"
    " ContactPoint Count Date DateTime Decimal Distance Dosage Duration Expression HumanName Id"
    " Identifier Instant Integer Markdown Money Oid Period PositiveInt Quantity Range Ratio"
    " Reference SampledData Signature String Time Timing UnsignedInt Uri Url Uuid".split()
)
"""Endings of the keys of choice elements (http://hl7.org/fhir/R4/formats.html#choice)."""


class TypedText(str):
    """Text from a choice element, which knows its FHIR type: `value` of `valueDateTime`."""

    __slots__ = ("type_name",)

    def __new__(cls, text: str, type_name: str) -> Self:
        """Keep the type beside the text."""
        made = super().__new__(cls, text)
        made.type_name = type_name
        return made

    type_name: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a code system."""

    code: str
    system: str = ""
    display: str = ""
    version: str = ""

    def as_json(self) -> dict[str, Any]:
        """The code as a Coding."""
        made = {"system": self.system, "version": self.version, "code": self.code}
        made["display"] = self.display
        return {key: value for key, value in made.items() if value}


@dataclass(frozen=True, slots=True)
class Concept:
    """Codes that mean the same."""

    codes: tuple[Code, ...]
    display: str = ""

    def as_json(self) -> dict[str, Any]:
        """The concept as a CodeableConcept."""
        made: dict[str, Any] = {"coding": [code.as_json() for code in self.codes]}
        return made | ({"text": self.display} if self.display else {})


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A value set by its canonical; its codes are looked up when they are needed."""

    canonical: str


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system by its url."""

    url: str


@dataclass(frozen=True, slots=True)
class Interval:
    """From low to high; an end of None is without limit when closed, unknown when open."""

    low: Any
    high: Any
    low_closed: bool = True
    high_closed: bool = True

    def as_json(self) -> dict[str, Any]:
        """The interval as a Period, or as a Range when its ends are quantities."""
        names = ("low", "high") if isinstance(self.low or self.high, Quantity) else ("start", "end")
        ends = zip(names, (self.low, self.high), strict=True)
        return {name: to_json(end) for name, end in ends if end is not None}


def to_json(value: Any) -> Any:
    """A result as FHIR JSON."""
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Temporal):
        return str(value)
    if isinstance(value, Quantity):
        unit = value.unit
        coded = {} if unit in CALENDAR_UNITS else {"system": UCUM, "code": unit}
        return {"value": value.value, "unit": unit} | coded
    if isinstance(value, Code | Concept | Interval):
        return value.as_json()
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items() if item is not None}
    return value


def moment(value: Any) -> Temporal | None:
    """A point in time out of a Temporal or the text of a FHIR date, dateTime, instant, time."""
    if isinstance(value, Temporal) or value is None:
        return value
    if isinstance(value, str):
        kind = "date" if len(value) <= 10 else "dateTime"
        return Temporal.parse("time" if value[2:3] == ":" else kind, value)
    return None


def quantity(value: Any) -> Quantity | None:
    """A quantity out of one, out of FHIR's, or a bare number (whose unit is 1)."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal | float):
        return Quantity(Decimal(str(value)), "1")
    if isinstance(value, dict) and isinstance(value.get("value"), int | Decimal | float):
        unit = value.get("code") or value.get("unit") or "1"
        return Quantity(Decimal(str(value["value"])), str(unit))
    return None


def interval(value: Any) -> Interval | None:
    """An interval out of one, a Period, a Range; a point stands for itself alone."""
    if isinstance(value, Interval) or value is None:
        return value
    if isinstance(value, dict):
        if "start" in value or "end" in value:
            return Interval(moment(value.get("start")), moment(value.get("end")))
        if "low" in value or "high" in value:
            return Interval(quantity(value.get("low")), quantity(value.get("high")))
    point = scalar(value)
    return None if point is None or isinstance(point, dict) else Interval(point, point)


def is_interval(value: Any) -> bool:
    """Whether a value is an interval or a FHIR type that is one."""
    if isinstance(value, Interval):
        return True
    return isinstance(value, dict) and not {"start", "end", "low", "high"}.isdisjoint(value)


def scalar(value: Any) -> Any:
    """A value to compare or count with: dates and quantities out of their FHIR forms."""
    if isinstance(value, TypedText) and value.type_name not in {"DateTime", "Date", "Instant"}:
        return value
    if isinstance(value, str):
        return moment(value) or value
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict) and "value" in value:
        return quantity(value) or value
    return value


def codes(value: Any) -> list[Code]:
    """The codes in a Code, Concept, Coding, CodeableConcept, plain code or a list of those."""
    if isinstance(value, Code):
        return [value]
    if isinstance(value, Concept):
        return list(value.codes)
    if isinstance(value, str):
        return [Code(value)]
    if isinstance(value, list | tuple):
        return [code for item in value for code in codes(item)]
    if isinstance(value, dict):
        if "coding" in value:
            return codes(value["coding"])
        if "code" in value and isinstance(value["code"], str):
            found = {key: value.get(key) or "" for key in ("code", "system", "display", "version")}
            return [Code(**found)]
    return []


def is_coded(value: Any) -> bool:
    """Whether a value is a code or concept, of CQL or of FHIR."""
    if isinstance(value, Code | Concept):
        return True
    if not isinstance(value, dict):
        return False
    return "coding" in value or (isinstance(value.get("code"), str) and "value" not in value)


def as_list(value: Any) -> list[Any]:
    """A list; nothing as an empty one, one thing as a list of it."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
