"""The operators ``+ - * / div mod`` on values (http://hl7.org/fhirpath/N1/#math).

Nothing is raised for what numbers cannot hold: division by zero and overflow give None, which is
the empty collection.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.comparison import EvaluationError, name_of
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.units import combined, summable_values
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Long, Quantity, is_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Json

LARGEST_INTEGER = 2**31 - 1
_LARGEST_LONG = 2**63 - 1
LONGEST_STRING = 10_000_000
_CALENDAR_OF = {"wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second"}
_CALENDAR_OF |= {"ms": "millisecond"}


def apply(operator: str, left: Json, right: Json) -> Json:
    """The result of an arithmetic operator on two values; None for the empty collection.

    Raises EvaluationError when the operator does not know such values.
    """
    try:
        found = _apply(operator, left, right)
    except ArithmeticError:
        return None
    if found is NotImplemented:
        raise EvaluationError(f"'{operator}' does not work on {name_of(left)} and {name_of(right)}")
    return found


def _apply(operator: str, left: Json, right: Json) -> Json:
    if is_number(left) and is_number(right):
        found = _NUMBERS[operator](left, right)
        return of_kind(found, left, right)
    if isinstance(left, Quantity) or isinstance(right, Quantity):
        if isinstance(left, Temporal) and operator in {"+", "-"}:
            return _move(left, right, 1 if operator == "+" else -1)
        return _quantities(operator, left, right)
    if isinstance(left, str) and isinstance(right, str) and operator == "+":
        return joined(left, right)
    return NotImplemented


def joined(left: str, right: str) -> str:
    """Two strings as one; there is a limit, as an expression can double a string many times."""
    if len(left) + len(right) > LONGEST_STRING:
        raise EvaluationError(f"a string of more than {LONGEST_STRING} characters")
    return left + right


def negated(value: Json) -> Json:
    """The value with the other sign; raises EvaluationError for what is not a number."""
    if isinstance(value, Quantity):
        return Quantity(-value.value, value.unit)
    if is_number(value):
        return of_kind(-value, value)
    raise EvaluationError(f"'-' does not work on {name_of(value)}")


def of_kind(found: Json, *operands: Json) -> Json:
    """A number as operands make it: a Long when one is, an Integer otherwise, None if too large."""
    if not isinstance(found, int):
        return found
    if any(isinstance(operand, Long) for operand in operands):
        return Long(found) if -_LARGEST_LONG - 1 <= found <= _LARGEST_LONG else None
    return in_range(found)


def in_range(value: int | Decimal) -> int | Decimal | None:
    """An integer that FHIRPath can hold, or None; decimals are bounded by their context."""
    if isinstance(value, int) and not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
        return None
    return value


def _divide(left: Json, right: Json) -> Decimal:
    return Decimal(left) / Decimal(right)


def _whole(left: Json, right: Json) -> int:
    return int(Decimal(left) / Decimal(right))


def _remainder(left: Json, right: Json) -> Json:
    """What is left over, with the sign of the dividend."""
    found = Decimal(left) % Decimal(right)
    return int(found) if isinstance(left, int) and isinstance(right, int) else found


_NUMBERS: dict[str, Callable[[Json, Json], Json]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "div": _whole,
    "mod": _remainder,
}


def _quantities(operator: str, left: Json, right: Json) -> Json:
    one, two = (Quantity(Decimal(side), "1") if is_number(side) else side for side in (left, right))
    if not isinstance(one, Quantity) or not isinstance(two, Quantity):
        return NotImplemented
    if operator in {"+", "-"}:
        found = summable_values(one, two)
        if found is None:
            return None
        mine, theirs, finer = found
        return Quantity(mine + theirs * (1 if operator == "+" else -1), finer)
    if operator not in {"*", "/"}:
        return NotImplemented
    unit = combined(operator, one.unit, two.unit)
    if unit is None:
        return None
    value = one.value * two.value if operator == "*" else one.value / two.value
    return Quantity(value, unit)


def _move(start: Temporal, by: Json, sign: int) -> Temporal | None:
    unit = CALENDAR_UNITS.get(by.unit) or _CALENDAR_OF.get(by.unit)
    if unit is None:
        raise EvaluationError(
            f"a {start.kind} cannot be moved by '{by.unit}'; use a calendar duration such as days"
        )
    return start.plus(by.value * sign, unit)
