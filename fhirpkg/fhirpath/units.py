"""Quantities whose units differ: calendar durations and UCUM.

Calendar years and months are not UCUM's mean ones; the shorter durations are the same.
http://hl7.org/fhirpath/N1/#time-valued-quantities
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.values import CALENDAR_UNITS, Quantity

if TYPE_CHECKING:
    from collections.abc import Hashable

_EXACT = {
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
_MEAN = {"year": "a", "month": "mo"}
_MONTHS = {"year": 12, "month": 1}


def ucum_code(unit: str) -> str | None:
    """The UCUM code of a unit; None for calendar years and months, which UCUM does not have."""
    word = CALENDAR_UNITS.get(unit)
    return _EXACT.get(word) if word else unit


def comparable_values(
    one: Quantity | None, two: Quantity | None, *, loosely: bool = False
) -> tuple[Decimal, Decimal] | None:
    """Both numbers in the unit of the first; None when the units cannot be compared.

    `loosely` takes a calendar year for UCUM's mean year, as equivalence does.
    """
    if one is None or two is None:
        return None
    if one.unit == two.unit:
        return one.value, two.value
    if one.unit in _MONTHS and two.unit in _MONTHS:
        return one.value, two.value * _MONTHS[two.unit] / _MONTHS[one.unit]
    mine, theirs = _code(one.unit, loosely), _code(two.unit, loosely)
    if mine is None or theirs is None:
        return None
    from fhirpkg import ucum  # noqa: PLC0415 - few expressions need its table

    converted = ucum.convert(two.value, theirs, mine)
    return None if converted is None else (one.value, converted)


def summable_values(one: Quantity, two: Quantity) -> tuple[Decimal, Decimal, str] | None:
    """Both numbers in the more granular of the two units, and that unit, as sums have it.

    None when the units cannot be compared (http://hl7.org/fhirpath/N1/#addition).
    """
    step = comparable_values(Quantity(Decimal(1), one.unit), Quantity(Decimal(1), two.unit))
    if step is not None and step[1] < 1:
        values = comparable_values(two, one)
        return values and (values[1], values[0], two.unit)
    values = comparable_values(one, two)
    return values and (*values, one.unit)


def are_comparable(one: str, two: str) -> bool:
    """Whether numbers of two units can be compared, whatever the numbers."""
    zero = Decimal(0)
    return comparable_values(Quantity(zero, one), Quantity(zero, two)) is not None


def combined(operator: str, one: str, two: str) -> str | None:
    """The unit of a product or quotient; None when UCUM has none."""
    from fhirpkg import ucum  # noqa: PLC0415 - few expressions need its table

    first, second = ucum_code(one), ucum_code(two)
    if not (first and second and ucum.is_valid(first) and ucum.is_valid(second)):
        return None
    if second == "1":
        return first
    if operator == "/" and first == second:
        return "1"
    first, second = (f"1{unit}" if unit.startswith("/") else unit for unit in (first, second))
    if first == "1":
        return second if operator == "*" else f"/({second})"
    return f"({first}).({second})" if operator == "*" else f"({first})/({second})"


def identity_of_quantity(quantity: Quantity) -> Hashable:
    """A key that equal quantities share whatever their units."""
    if quantity.unit in _MONTHS:
        return ("month", quantity.value * _MONTHS[quantity.unit])
    from fhirpkg import ucum  # noqa: PLC0415 - few expressions need its table

    base = ucum.canonical(quantity.value, ucum_code(quantity.unit) or quantity.unit)
    return ("quantity", *base) if base else ("quantity", quantity.value, quantity.unit)


def _code(unit: str, loosely: bool) -> str | None:
    return _MEAN.get(unit) if loosely and unit in _MEAN else ucum_code(unit)
