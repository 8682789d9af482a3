"""Numbers, quantities, and dates that are moved (CQL reference, sections 9.4 and 9.8).

A number that CQL cannot hold is unknown: Integer has 32 bits, Long 64, Decimal 28 digits before
the point and 8 behind it.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating.elements import quantity, system
from fhirpkg.cql.evaluating.moments import boundary
from fhirpkg.cql.evaluating.units import UCUM_DURATIONS, unit_of
from fhirpkg.cql.evaluating.values import KindError, Long, Ratio, Uncertainty
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.units import comparable_values, summable_values
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.tree import Value

LARGEST_INTEGER = 2**31 - 1
LARGEST_LONG = 2**63 - 1
LARGEST_DECIMAL = Decimal("99999999999999999999.99999999")
_LARGEST_POWER = 1000
_TOO_LARGE = Decimal(10) ** 28
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_UP)
_PLACES = 8
_SMALLEST = Decimal(1).scaleb(-_PLACES)


def in_range(value: Value, *operands: Value) -> Value:
    """A number of the type that its operands give it; None when that type cannot hold it."""
    if isinstance(value, Decimal):
        return value if abs(value) <= _TOO_LARGE else None
    if any(type(operand) is Long for operand in operands):
        return Long(value) if -LARGEST_LONG - 1 <= value <= LARGEST_LONG else None
    return value if -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER else None


def rounded(value: Decimal) -> Decimal:
    """A decimal to the eight places that CQL keeps."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= -_PLACES:
        return value
    return value.quantize(_SMALLEST, context=_CONTEXT)


# -- sums ------------------------------------------------------------------------------------


def add(one: Value, two: Value) -> Value:
    """Numbers, quantities whose units can be compared, text, or a moment and a duration."""
    return _summed(one, two, 1)


def subtract(one: Value, two: Value) -> Value:
    """The same the other way."""
    return _summed(one, two, -1)


def _summed(one: Value, two: Value, sign: int) -> Value:
    one, two = system(one), system(two)
    if one is None or two is None:
        return None
    if isinstance(one, str) and isinstance(two, str) and sign == 1:
        return str(one) + str(two)
    if isinstance(one, Temporal):
        return _moved(one, two, sign)
    if isinstance(one, Uncertainty) or isinstance(two, Uncertainty):
        return _on_uncertain(one, two, add if sign == 1 else subtract)
    if isinstance(one, Quantity) or isinstance(two, Quantity):
        return _summed_quantities(quantity(one), quantity(two), sign)
    a, b = number(one), number(two)
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        return in_range(_CONTEXT.add(Decimal(a), sign * Decimal(b)))
    return in_range(a + sign * b, a, b)


def _summed_quantities(one: Quantity | None, two: Quantity | None, sign: int) -> Quantity | None:
    if one is None or two is None:
        raise KindError("a quantity is added to a value that is not a quantity")
    found = summable_values(one, two)
    if found is None:
        return None
    mine, theirs, unit = found
    return Quantity(_CONTEXT.add(mine, sign * theirs), unit)


def _on_uncertain(
    one: Value, two: Value, operator: Callable[[Value, Value], Value]
) -> Uncertainty | None:
    """The limits of a result of numbers that lie between limits."""
    ends = [
        operator(a, b)
        for a in ((one.low, one.high) if isinstance(one, Uncertainty) else (one,))
        for b in ((two.low, two.high) if isinstance(two, Uncertainty) else (two,))
    ]
    return None if None in ends else Uncertainty(min(ends), max(ends))


def _moved(start: Temporal, duration: Value, sign: int) -> Temporal | None:
    amount = quantity(duration)
    unit = "" if amount is None else amount.unit
    word = CALENDAR_UNITS.get(unit) or UCUM_DURATIONS.get(unit)
    if amount is None or word is None:
        raise KindError(f"{duration} is not a duration to move a date by")
    value = sign * amount.value
    if word == "millisecond" and len(start.parts) == (3 if start.kind == "time" else 6):
        value, word = value / 1000, "second"
    if word == "second" and not isinstance(start.parts[-1], Decimal):
        value = Decimal(int(value))  # a moment to the second stays one
    return start.plus(value, word)


def number(value: Value) -> Value:
    """A value that must be a number; raises FhirpkgError."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise KindError(f"{value!r} is not a number")
    return value


# -- products --------------------------------------------------------------------------------


def multiply(one: Value, two: Value) -> Value:
    """Numbers and quantities."""
    one, two = system(one), system(two)
    if one is None or two is None:
        return None
    if isinstance(one, Uncertainty) or isinstance(two, Uncertainty):
        return _on_uncertain(one, two, multiply)
    if isinstance(one, Quantity) or isinstance(two, Quantity):
        return _of_quantities("*", one, two, _CONTEXT.multiply)
    a, b = number(one), number(two)
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        return in_range(rounded(_CONTEXT.multiply(Decimal(a), Decimal(b))))
    return in_range(a * b, a, b)


def divide(one: Value, two: Value) -> Value:
    """A Decimal or quantity; unknown when divided by zero."""
    one, two = system(one), system(two)
    if one is None or two is None:
        return None
    if isinstance(one, Quantity) or isinstance(two, Quantity):
        divisor = quantity(two)
        if divisor is not None and divisor.value == 0:
            return None
        return _of_quantities("/", one, two, _CONTEXT.divide)
    if number(two) == 0:
        return None
    return in_range(rounded(_CONTEXT.divide(Decimal(number(one)), Decimal(two))))


def _of_quantities(
    operator: str, one: Value, two: Value, function: Callable[[Decimal, Decimal], Decimal]
) -> Quantity:
    a, b = quantity(one), quantity(two)
    if a is None or b is None:
        raise KindError("a quantity is multiplied by what is not a number")
    if a.unit != b.unit and "1" not in {a.unit, b.unit}:
        values = comparable_values(a, b)
        b = b if values is None else Quantity(values[1], a.unit)
    value = in_range(rounded(function(a.value, b.value)))
    return Quantity(value, unit_of(operator, a.unit, b.unit))


def _whole(one: Value, two: Value, *, modulo: bool) -> Value:
    """`div` and `mod`, both toward zero; of quantities in the unit of the first."""
    one, two = system(one), system(two)
    if one is None or two is None:
        return None
    if isinstance(one, Quantity) or isinstance(two, Quantity):
        return _whole_of_quantities(quantity(one), quantity(two), modulo=modulo)
    a, b = number(one), number(two)
    if b == 0:
        return None
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        quotient = _truncated(_CONTEXT.divide(Decimal(a), Decimal(b)))
        return a - quotient * b if modulo else in_range(quotient)
    whole = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return in_range(a - whole * b if modulo else whole, a, b)


def _whole_of_quantities(one: Quantity | None, two: Quantity | None, *, modulo: bool) -> Value:
    if one is None or two is None:
        raise KindError("a quantity is divided by what is not a number")
    values = (one.value, two.value) if two.unit == "1" else comparable_values(one, two)
    if values is None:
        return None
    found = _whole(values[0], values[1], modulo=modulo)
    return None if found is None else Quantity(rounded(Decimal(found)), one.unit)


def _truncated(value: Decimal) -> Decimal:
    return Decimal(int(value))


def negated(value: Value) -> Value:
    """The number or quantity with the other sign."""
    value = system(value)
    if value is None:
        return None
    if isinstance(value, Quantity):
        return Quantity(-value.value, value.unit)
    if isinstance(value, Uncertainty):
        return Uncertainty(-value.high, -value.low)
    return in_range(-number(value), value)


def _absolute(value: Value) -> Value:
    value = system(value)
    if isinstance(value, Quantity):
        return Quantity(abs(value.value), value.unit)
    return None if value is None else in_range(abs(number(value)), value)


# -- rounding, powers, logarithms ------------------------------------------------------------


def _to_integer(mode: str) -> Value:
    """Ceiling, Floor and Truncate: an Integer, unknown when none can hold it."""

    def operator(value: Value) -> Value:
        value = system(value)
        if value is None:
            return None
        found = Decimal(number(value)).quantize(Decimal(1), rounding=mode, context=_CONTEXT)
        return in_range(int(found))

    return operator


def _rounded_to(value: Value, digits: Value = None) -> Value:
    """Half away from zero; of a quantity its number."""
    value = system(value)
    if value is None:
        return None
    if isinstance(value, Quantity):
        return Quantity(_rounded_to(value.value, digits), value.unit)
    step = Decimal(1).scaleb(-(digits or 0))
    return Decimal(number(value)).quantize(step, context=_CONTEXT) + 0


def _power(one: Value, two: Value) -> Value:
    one, two = system(one), system(two)
    if one is None or two is None:
        return None
    if abs(number(two)) > _LARGEST_POWER:
        raise FhirpkgError(f"{two} is too large a power")
    if isinstance(one, Decimal) or isinstance(two, Decimal) or two < 0:
        if one == 0:
            return None if two < 0 else Decimal(int(two == 0))
        try:
            return in_range(rounded(_CONTEXT.power(Decimal(number(one)), Decimal(two))))
        except InvalidOperation:  # the root of a negative number
            return None
    return in_range(number(one) ** two, one, two)


def _logarithm(value: Value, base: Value) -> Value:
    """Unknown for what has none."""
    one, two = _natural_logarithm(value), _natural_logarithm(base)
    return None if one is None or not two else rounded(_CONTEXT.divide(one, two))


def _natural_logarithm(value: Value) -> Value:
    value = system(value)
    if value is None or number(value) < 0:
        return None
    if value == 0:
        raise FhirpkgError("zero has no logarithm")
    return rounded(Decimal(value).ln(_CONTEXT))


def _exponential(value: Value) -> Value:
    value = system(value)
    if value is None:
        return None
    found = Decimal(number(value)).exp(_CONTEXT) if value < _LARGEST_POWER else _TOO_LARGE
    if found >= _TOO_LARGE:
        raise FhirpkgError(f"Exp({value}) is larger than a Decimal can be")
    return rounded(found)


# -- boundaries ------------------------------------------------------------------------------


def _boundary(value: Value, digits: Value, *, high: bool) -> Value:
    """The least or greatest value that a value of this precision may mean."""
    value = system(value)
    if value is None:
        return None
    if isinstance(value, Temporal):
        return boundary(value, digits, high=high)
    if isinstance(value, Quantity):
        found = _boundary(value.value, digits, high=high)
        return None if found is None else Quantity(found, value.unit)
    exact = Decimal(number(value))
    places = _PLACES if digits is None else digits
    if not 0 <= places <= _PLACES:
        return None
    known = max(0, -int(exact.as_tuple().exponent))
    away = high != (exact < 0)
    if away and places > known:
        last = Decimal(1).scaleb(-known) - Decimal(1).scaleb(-places)
        exact += -last if exact < 0 else last
    mode = ROUND_CEILING if high else ROUND_FLOOR
    return exact.quantize(Decimal(1).scaleb(-places), rounding=mode)


def _precision(value: Value) -> Value:
    """Digits of a date or time, places of a decimal."""
    value = system(value)
    if value is None or isinstance(value, Temporal):
        return None if value is None else value.digits
    return max(0, -int(Decimal(number(value)).as_tuple().exponent))


def converted(value: Value, unit: Value) -> Quantity | None:
    """A quantity in another unit; unknown when the units are of different kinds."""
    found = quantity(value)
    if found is None or unit is None:
        return None
    wanted = str(unit.unit if isinstance(unit, Quantity) else unit)
    wanted = CALENDAR_UNITS.get(wanted, wanted)
    values = comparable_values(Quantity(Decimal(1), wanted), found)
    return None if values is None else Quantity(rounded(values[1]), wanted)


def _can_convert(value: Value, unit: Value) -> bool | None:
    """Whether a quantity can be had in a unit, or in that of another quantity."""
    if value is None or unit is None:
        return None
    return converted(value, quantity(unit) if not isinstance(unit, str) else unit) is not None


def ratio(one: Value, two: Value) -> Ratio | None:
    """A ratio of two quantities or numbers."""
    a, b = quantity(one), quantity(two)
    return None if a is None or b is None else Ratio(a, b)


OPERATORS: dict[str, Callable[..., Value]] = {
    "Add": add,
    "Subtract": subtract,
    "Multiply": multiply,
    "Divide": divide,
    "TruncatedDivide": lambda one, two: _whole(one, two, modulo=False),
    "Modulo": lambda one, two: _whole(one, two, modulo=True),
    "Power": _power,
    "Negate": negated,
    "Abs": _absolute,
    "Ceiling": _to_integer("ROUND_CEILING"),
    "Floor": _to_integer("ROUND_FLOOR"),
    "Truncate": _to_integer("ROUND_DOWN"),
    "Round": _rounded_to,
    "Exp": _exponential,
    "Ln": _natural_logarithm,
    "Log": _logarithm,
    "HighBoundary": lambda value, digits=None: _boundary(value, digits, high=True),
    "LowBoundary": lambda value, digits=None: _boundary(value, digits, high=False),
    "Precision": _precision,
    "ConvertQuantity": converted,
    "CanConvertQuantity": _can_convert,
    "Comparable": _can_convert,
}
