"""What collections hold, and how FHIR's values become FHIRPath's.

A collection is a list of items. An item is either a value of FHIRPath's own (bool, int, Decimal,
str, Temporal, Quantity) or an element of FHIR: a tuple of its JSON value, the name of its type and
the JSON object under its underscored name (`_birthDate`), which holds its id and extensions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.issues import Json

Element = tuple[Json, str, Json]
Item = Json
"""A bool, int, Long, Decimal, str, Temporal, Quantity or an Element."""

UCUM = "http://unitsofmeasure.org"
CALENDAR_UNITS = {
    unit + plural: unit
    for unit in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for plural in ("", "s")
}
"""The words for calendar durations, to their singular."""

_TEMPORAL = {"date": "date", "dateTime": "dateTime", "instant": "dateTime", "time": "time"}
_is_whole = re.compile(r"-?[0-9]{1,19}").fullmatch
"""R5's integer64 is a text in JSON (http://hl7.org/fhir/R5/json.html#primitive)."""
_QUANTITIES = {"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity"}


class Long(int):
    """A whole number of 64 bits, written with an L (FHIRPath 3.0)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit of UCUM, or with the word of a calendar duration (``week``)."""

    value: Decimal
    unit: str

    def __str__(self) -> str:
        if self.unit in CALENDAR_UNITS:
            return f"{self.value} {self.unit}"
        return f"{self.value} '{self.unit}'"


def system(item: Item) -> Json:
    """The value of FHIRPath's own that an item stands for; JSON for what has none.

    http://hl7.org/fhir/R4/fhirpath.html#types
    """
    if type(item) is not tuple:
        return item
    value, type_name, _ = item
    kind = type(value)
    if kind is str:
        if type_name in _TEMPORAL:
            return Temporal.parse(_TEMPORAL[type_name], value) or value
        if type_name == "integer64" and _is_whole(value):
            return Long(value)
    elif kind is float:
        return Decimal(repr(value))
    elif kind is dict and type_name in _QUANTITIES and "value" in value:
        return _quantity(value)
    return value


def _quantity(value: dict[str, Json]) -> Json:
    number = value["value"]
    if type(number) not in {int, float, Decimal}:
        return value
    unit = value.get("code" if value.get("system") == UCUM else "unit") or value.get("code") or "1"
    return Quantity(Decimal(str(number)), unit if type(unit) is str else "1")


def plain(item: Item) -> Json:
    """An item as a result for Python: JSON, with dates as text and quantities as FHIR's."""
    if type(item) is tuple:
        value, _, under = item
        return under if value is None else value
    if type(item) is Temporal:
        return str(item)
    if type(item) is Quantity:
        return _fhir_quantity(item)
    return item


def _fhir_quantity(quantity: Quantity) -> dict[str, Json]:
    if quantity.unit in CALENDAR_UNITS:
        return {"value": quantity.value, "unit": quantity.unit}
    unit = quantity.unit
    return {"value": quantity.value, "unit": unit, "system": UCUM, "code": unit}


def is_number(value: Json) -> bool:
    """Whether a value is an Integer, a Long or a Decimal, which no Boolean is."""
    kind = type(value)
    return kind in _NUMBERS or (kind is not bool and isinstance(value, Decimal))


_NUMBERS = (int, Decimal, Long)


def text_of(value: Json) -> str | None:
    """A value as `toString()` shows it; None for what has no text."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (str, int, Temporal, Quantity)):
        return str(value)
    return None
