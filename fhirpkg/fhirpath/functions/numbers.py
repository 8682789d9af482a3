"""Math, and the boundaries and precision of numbers and moments."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.arithmetic import LARGEST_INTEGER, of_kind
from fhirpkg.fhirpath.comparison import EvaluationError, name_of
from fhirpkg.fhirpath.functions.function import Function
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import Quantity, is_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Json

_MOST_DECIMALS = 31


def _rounded(rounding: str) -> Callable[[Json], int | None]:
    def to_whole(number: int | Decimal) -> int | None:
        found = Decimal(number).to_integral_value(rounding)
        return int(found) if abs(found) <= LARGEST_INTEGER else None

    return to_whole


def absolute(number: Json) -> Json:
    """Without the sign; quantities keep their unit."""
    if isinstance(number, Quantity):
        return Quantity(abs(number.value), number.unit)
    return of_kind(abs(_number(number)), number)


def _number(value: Json) -> int | Decimal:
    if not is_number(value):
        raise EvaluationError(f"a number is needed, but {name_of(value)} found")
    number: int | Decimal = value
    return number


def rounded(number: int | Decimal, digits: int = 0) -> Decimal | None:
    """To that many decimals, halves away from zero."""
    if not 0 <= digits <= _MOST_DECIMALS:
        raise EvaluationError(f"round() is for 0 to {_MOST_DECIMALS} decimals")
    return Decimal(number).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def square_root(number: int | Decimal) -> Decimal | None:
    """The root; nothing for a negative number."""
    return Decimal(number).sqrt() if number >= 0 else None


def power(base: int | Decimal, exponent: int | Decimal) -> int | Decimal | None:
    """A power; of whole numbers a whole number; nothing when it is too large or not real."""
    found = Decimal(base) ** Decimal(exponent)
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        return int(found) if abs(found) <= LARGEST_INTEGER else None
    return found


def logarithm(number: int | Decimal, base: int | Decimal) -> Decimal:
    """To a base; rounded so that whole logarithms come out whole."""
    found = Decimal(number).ln() / Decimal(base).ln()
    return found.quantize(Decimal(1).scaleb(-20)).normalize()


def _math(call: Callable[..., Json]) -> Callable[..., Json]:
    """What numbers cannot hold is the empty collection."""

    def guarded(*numbers: Json) -> Json:
        try:
            found = call(*numbers)
        except ArithmeticError:
            return None
        is_infinite = isinstance(found, Decimal) and not found.is_finite()
        return None if is_infinite else found

    return guarded


def _boundary(value: Json, digits: int | None, *, high: bool) -> Json:
    if isinstance(value, Temporal):
        return value.boundary(digits, high=high)
    if isinstance(value, Quantity):
        found = _boundary(value.value, digits, high=high)
        return None if found is None else Quantity(found, value.unit)
    digits = 8 if digits is None else digits
    number = Decimal(_number(value))
    exponent = number.as_tuple().exponent
    if not 0 <= digits <= _MOST_DECIMALS or not isinstance(exponent, int):
        return None
    half = Decimal(5).scaleb(min(exponent, 0) - 1)
    found = number + half if high else number - half
    outwards = high == (found >= 0)
    rounding = ROUND_HALF_UP if outwards else ROUND_DOWN
    return found.quantize(Decimal(1).scaleb(-digits), rounding)


def low_boundary(value: Json, digits: int | None = None) -> Json:
    """The least value that, at its precision, would have been written so.

    To fewer decimals than it has, it is rounded away from zero where that is outwards and cut
    where it is not, as HL7's own engine does.
    """
    return _boundary(value, digits, high=False)


def high_boundary(value: Json, digits: int | None = None) -> Json:
    """The greatest value that, at its precision, would have been written so."""
    return _boundary(value, digits, high=True)


def precision(value: Json) -> int | None:
    """How many decimals a number has, or digits a moment."""
    if isinstance(value, Temporal):
        return value.digits
    if isinstance(value, Quantity):
        value = value.value
    exponent = Decimal(_number(value)).as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else None


FUNCTIONS = {
    "abs": Function(absolute, "value", gives="same"),
    "ceiling": Function(_rounded(ROUND_CEILING), "number", gives="Integer"),
    "floor": Function(_rounded(ROUND_FLOOR), "number", gives="Integer"),
    "truncate": Function(_rounded(ROUND_DOWN), "number", gives="Integer"),
    "round": Function(_math(rounded), "number", ("integer",), "Decimal", optional=1),
    "exp": Function(_math(lambda x: Decimal(x).exp()), "number", gives="Decimal"),
    "ln": Function(_math(lambda x: Decimal(x).ln()), "number", gives="Decimal"),
    "log": Function(_math(logarithm), "number", ("number",), "Decimal"),
    "power": Function(_math(power), "number", ("number",), "same"),
    "sqrt": Function(_math(square_root), "number", gives="Decimal"),
    "lowBoundary": Function(_math(low_boundary), "value", ("integer",), "same", optional=1),
    "highBoundary": Function(_math(high_boundary), "value", ("integer",), "same", optional=1),
    "precision": Function(precision, "value", gives="Integer"),
}
