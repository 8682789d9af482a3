"""Values of CQL beside those of FHIRPath (https://cql.hl7.org/09-b-cqlreference.html#types-2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from fhirpkg.cql.tree import Value
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import CALENDAR_UNITS, UCUM, Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fhirpkg.definitions.typemodel import TypesOfDefinitions


class Long(int):
    """An integer of 64 bits; a plain int is CQL's Integer of 32."""

    __slots__ = ()


class KindError(FhirpkgError):
    """An operator was given a value of a kind that it does not take."""


class AssumedZone(str):
    """The offset of the evaluation, for a moment that was written without one."""

    __slots__ = ()


class TypedText(str):
    """Text of FHIR that knows its type: `value` of `valueDateTime`, a `code`."""

    __slots__ = ("type_name",)

    def __new__(cls, text: str, type_name: str) -> Self:
        """Keep the type beside the text."""
        made = super().__new__(cls, text)
        made.type_name = type_name
        return made

    type_name: str


class Element(dict[str, Value]):
    """A resource or element of FHIR as JSON, with the name of its type and the table of types."""

    __slots__ = ("others", "type_name", "types")

    def __init__(
        self,
        value: dict[str, Value],
        type_name: str,
        types: TypesOfDefinitions,
        others: Sequence[str] = (),
    ) -> None:
        """Keep the type, and the other types that an element of a choice could have had."""
        super().__init__(value)
        self.type_name = type_name
        self.types = types
        self.others = others


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a code system."""

    code: str
    system: str = ""
    display: str = ""
    version: str = ""

    def as_json(self) -> dict[str, Value]:
        """The code as a Coding."""
        made = {"system": self.system, "version": self.version, "code": self.code}
        made["display"] = self.display
        return {key: value for key, value in made.items() if value}


@dataclass(frozen=True, slots=True)
class Concept:
    """Codes that mean the same."""

    codes: tuple[Code, ...]
    display: str = ""

    def as_json(self) -> dict[str, Value]:
        """The concept as a CodeableConcept."""
        made: dict[str, Value] = {"coding": [code.as_json() for code in self.codes]}
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
class Ratio:
    """Two quantities that belong together, such as a titre."""

    numerator: Quantity
    denominator: Quantity

    def as_json(self) -> dict[str, Value]:
        """The ratio as FHIR's."""
        return {
            "numerator": to_json(self.numerator),
            "denominator": to_json(self.denominator),
        }


@dataclass(frozen=True, slots=True)
class Interval:
    """From low to high; an end of None is without limit when closed, unknown when open."""

    low: Value
    high: Value
    low_closed: bool = True
    high_closed: bool = True

    def as_json(self) -> dict[str, Value]:
        """The interval as a Period, or as a Range when its ends are quantities."""
        names = ("low", "high") if isinstance(self.low or self.high, Quantity) else ("start", "end")
        ends = zip(names, (self.low, self.high), strict=True)
        return {name: to_json(end) for name, end in ends if end is not None}


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """A whole number known to be from low to high: the time between dates known in part."""

    low: int
    high: int


def to_json(value: Value) -> Value:
    """A result as FHIR JSON; raises FhirpkgError for a number that is uncertain."""
    if isinstance(value, Element):
        return dict(value)
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Temporal):
        return str(value)
    if isinstance(value, Quantity):
        unit = value.unit
        coded = {} if unit in CALENDAR_UNITS else {"system": UCUM, "code": unit}
        return {"value": value.value, "unit": unit} | coded
    if isinstance(value, Code | Concept | Interval | Ratio):
        return value.as_json()
    if isinstance(value, Uncertainty):
        raise FhirpkgError(f"the value lies between {value.low} and {value.high}, so it is unknown")
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items() if item is not None}
    return value


def as_list(value: Value) -> list[Value]:
    """A list; nothing as an empty one, one thing as a list of it."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
