"""Conversion (http://hl7.org/fhirpath/N1/#conversion): toX to get X, convertsToX to ask first."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.arithmetic import in_range, of_kind
from fhirpkg.fhirpath.functions.function import Function
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Long, Quantity, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Json

_TRUE = {"true", "t", "yes", "y", "1", "1.0"}
_FALSE = {"false", "f", "no", "n", "0", "0.0"}
_INTEGER = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,60}(?:\.\d{1,60})?", re.ASCII)
_QUANTITY = re.compile(
    r"(?P<value>[+-]?\d{1,60}(?:\.\d{1,60})?)(?:\s*'(?P<unit>[^']+)'|\s+(?P<word>[a-zA-Z]+))?",
    re.ASCII,
)


def to_boolean(value: Json) -> bool | None:
    """True for true, 1, 't', 'yes' …, false for their opposites."""
    text = text_of(value)
    if text is None or isinstance(value, (Temporal, Quantity)):
        return None
    text = text.lower()
    return True if text in _TRUE else False if text in _FALSE else None


def to_integer(value: Json) -> int | None:
    """A whole number, from a number, Boolean or text."""
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        found = in_range(int(value))
        return found if isinstance(found, int) else None
    return None


def to_long(value: Json) -> Long | None:
    """A whole number of 64 bits, from a number, Boolean or text."""
    if isinstance(value, (bool, int)):
        return Long(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        found: Long | None = of_kind(int(value), Long(0))
        return found
    return None


def to_decimal(value: Json) -> Decimal | None:
    """A decimal, from a number, Boolean or text."""
    if isinstance(value, (bool, int, Decimal)):
        return Decimal(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None


def to_quantity(value: Json) -> Quantity | None:
    """A quantity, from a number (with the unit '1') or text such as ``4 days``."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, (bool, int, Decimal)):
        return Quantity(Decimal(value), "1")
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    unit = match["unit"] or "1"
    if match["word"]:
        unit = CALENDAR_UNITS.get(match["word"], "")
    return Quantity(Decimal(match["value"]), unit) if unit else None


def to_date(value: Json) -> Temporal | None:
    """A date, from a date with time or text."""
    if isinstance(value, Temporal):
        return None if value.kind == "time" else Temporal("date", value.parts[:3])
    found = Temporal.parse("dateTime", value) if isinstance(value, str) else None
    return Temporal("date", found.parts[:3]) if found else None


def to_date_time(value: Json) -> Temporal | None:
    """A date with time, from a date or text."""
    if isinstance(value, Temporal):
        return None if value.kind == "time" else Temporal("dateTime", value.parts, value.zone)
    return Temporal.parse("dateTime", value) if isinstance(value, str) else None


def to_time(value: Json) -> Temporal | None:
    """A time of day, from text."""
    if isinstance(value, Temporal):
        return value if value.kind == "time" else None
    return Temporal.parse("time", value) if isinstance(value, str) else None


_CONVERSIONS: dict[str, Callable[[Json], Json]] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Long": to_long,
    "Decimal": to_decimal,
    "Quantity": to_quantity,
    "Date": to_date,
    "DateTime": to_date_time,
    "Time": to_time,
    "String": text_of,
}


def _whether(convert: Callable[[Json], Json]) -> Callable[[Json], bool]:
    return lambda value: convert(value) is not None


def _in_unit(value: Json, unit: str | None = None) -> Quantity | None:
    """``toQuantity('mg')``: converted to the unit, or nothing."""
    found = to_quantity(value)
    if found is None or unit is None or found.unit == unit:
        return found
    from fhirpkg.fhirpath.units import comparable_values  # noqa: PLC0415 - UCUM is rarely needed

    pair = comparable_values(Quantity(Decimal(0), unit), found)
    return Quantity(pair[1], unit) if pair else None


FUNCTIONS = {
    **{f"to{name}": Function(to, "value", gives=name) for name, to in _CONVERSIONS.items()},
    **{
        f"convertsTo{name}": Function(_whether(to), "value", gives="Boolean")
        for name, to in _CONVERSIONS.items()
    },
    "toQuantity": Function(_in_unit, "value", ("string",), "Quantity", optional=1),
    "convertsToQuantity": Function(
        lambda value, unit=None: _in_unit(value, unit) is not None,
        "value", ("string",), "Boolean", optional=1,
    ),
}  # fmt: skip
