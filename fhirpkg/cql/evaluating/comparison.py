"""Logic, equality and order, all with three values (https://cql.hl7.org/09-b-cqlreference.html)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating.elements import codes, interval, is_coded, is_interval, quantity, system
from fhirpkg.cql.evaluating.intervals.bounds import end, start
from fhirpkg.cql.evaluating.moments import compare_moments
from fhirpkg.cql.evaluating.values import (
    Code,
    Concept,
    Element,
    KindError,
    Ratio,
    Uncertainty,
    as_list,
)
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.units import comparable_values
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.tree import Value

Truth = bool | None


def both(*operands: Value) -> Truth:
    """And: false when one is, unknown when one is unknown."""
    if any(operand is False for operand in operands):
        return False
    return None if any(operand is None for operand in operands) else True


def either(*operands: Value) -> Truth:
    """Or: true when one is, unknown when one is unknown."""
    if any(operand is True for operand in operands):
        return True
    return None if any(operand is None for operand in operands) else False


def negate(operand: Value) -> Truth:
    """Not; the unknown stays unknown."""
    return None if operand is None else not operand


def implies(one: Value, two: Value) -> Truth:
    """If one then two."""
    return either(negate(one), two)


def exclusive(one: Value, two: Value) -> Truth:
    """One of both but not both."""
    return None if one is None or two is None else bool(one) != bool(two)


# -- equality --------------------------------------------------------------------------------


def equal(one: Value, two: Value) -> Truth:
    """Equal in all parts; unknown when a part is unknown or not precise enough."""
    if one is None or two is None:
        return None
    if type(one) is str and type(two) is str:
        return one == two
    one, two = system(one), system(two)
    if isinstance(one, list) or isinstance(two, list):
        return _equal_lists(one, two)
    if is_interval(one) and is_interval(two):
        return _equal_intervals(one, two)
    if is_coded(one) or is_coded(two):
        return both(_equal_codes(codes(one), codes(two)), _equal_displays(one, two))
    if isinstance(one, Temporal) and isinstance(two, Temporal):
        return _is_zero(compare_moments(one, two))
    if isinstance(one, Quantity | Uncertainty) or isinstance(two, Quantity | Uncertainty):
        return _is_zero(compare(one, two))
    if isinstance(one, Ratio) and isinstance(two, Ratio):
        return both(equal(one.numerator, two.numerator), equal(one.denominator, two.denominator))
    if isinstance(one, dict) and isinstance(two, dict) and not isinstance(one, Element):
        return _equal_tuples(one, two)
    if isinstance(one, bool) != isinstance(two, bool):
        return False
    return bool(one == two)


def _equal_codes(one: list[Code], two: list[Code]) -> Truth:
    """Code by code; a display or version that only one has leaves it open."""
    if len(one) != len(two):
        return False
    pairs = [
        (getattr(a, name), getattr(b, name))
        for a, b in zip(one, two, strict=True)
        for name in ("code", "system", "version", "display")
    ]
    if any(a != b and a and b for a, b in pairs):
        return False
    return None if any(a != b for a, b in pairs) else True


def _equal_displays(one: Value, two: Value) -> Truth:
    """Whether two concepts read the same; one that only one has leaves it open."""
    if not isinstance(one, Concept) or not isinstance(two, Concept) or one.display == two.display:
        return True
    return False if one.display and two.display else None


def _is_zero(order: int | None) -> Truth:
    return None if order is None else order == 0


def _equal_lists(one: Value, two: Value) -> Truth:
    """Item by item; two nulls are the same, as the reference holds them."""
    if not isinstance(one, list) or not isinstance(two, list) or len(one) != len(two):
        return False
    return both(*(_both_null_or_equal(a, b) for a, b in zip(one, two, strict=True)))


def _both_null_or_equal(one: Value, two: Value) -> Truth:
    return True if one is None and two is None else equal(one, two)


def _equal_tuples(one: dict[str, Value], two: dict[str, Value]) -> Truth:
    _check_elements(one, two)
    return both(*(_both_null_or_equal(value, two[key]) for key, value in one.items()))


def _check_elements(one: dict[str, Value], two: dict[str, Value]) -> None:
    other = one.keys() ^ two.keys()
    if other and "resourceType" not in one:
        raise FhirpkgError(f"tuples of different elements are compared: {', '.join(sorted(other))}")


def _equal_intervals(one: Value, two: Value) -> Truth:
    """Whether both hold the same points, however their ends are written."""
    a, b = interval(one), interval(two)
    return both(
        _both_null_or_equal(start(a), start(b)) if _is_limit(a, b, "low") else None,
        _both_null_or_equal(end(a), end(b)) if _is_limit(a, b, "high") else None,
    )


def _is_limit(one: Value, two: Value, end: str) -> bool:
    """Whether both ends are known: a missing one is, when it is closed."""
    return all(
        getattr(bounds, end) is not None or getattr(bounds, f"{end}_closed")
        for bounds in (one, two)
    )


def equivalent(one: Value, two: Value) -> bool:
    """Meaning the same: codes by any code in common, text without case, null like null."""
    if one is None or two is None:
        return one is two
    one, two = system(one), system(two)
    if isinstance(one, list) and isinstance(two, list):
        pairs = zip(one, two, strict=False)
        return len(one) == len(two) and all(equivalent(a, b) for a, b in pairs)
    if is_coded(one) or is_coded(two):
        return share_a_code(one, two)
    if isinstance(one, str) and isinstance(two, str):
        return _folded(one) == _folded(two)
    if isinstance(one, Quantity) and isinstance(two, Quantity):
        return _equivalent_quantities(one, two)
    if isinstance(one, Ratio) and isinstance(two, Ratio):
        return _equivalent_ratios(one, two)
    if isinstance(one, int | Decimal) and isinstance(two, int | Decimal):
        return _equivalent_numbers(one, two)
    if is_interval(one) and is_interval(two):
        return _equivalent_intervals(one, two)
    if isinstance(one, dict) and isinstance(two, dict) and not isinstance(one, Element):
        _check_elements(one, two)
        return all(equivalent(value, two[key]) for key, value in one.items())
    return equal(one, two) is True


def _equivalent_intervals(one: Value, two: Value) -> bool:
    """By where they begin and end; ends that nobody knows are alike."""
    return equivalent(start(one), start(two)) and equivalent(end(one), end(two))


def _folded(text: str) -> str:
    """Without case, each character of white space as a space: how many there are still counts."""
    return "".join(" " if char.isspace() else char for char in text.lower())


def _equivalent_numbers(one: Value, two: Value) -> bool:
    """Equal to as many digits as the less precise of both has."""
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    a, b = Decimal(one).normalize(), Decimal(two).normalize()
    digits = min(max(0, -int(n.as_tuple().exponent)) for n in (a, b))
    step = Decimal(1).scaleb(-digits)
    return a.quantize(step) == b.quantize(step)


_DAYS = {"a": 365, "year": 365, "mo": 30, "month": 30}
_MONTHS = {"a": 12, "year": 12, "mo": 1, "month": 1}


def _equivalent_quantities(one: Quantity, two: Quantity) -> bool:
    """Calendar durations and UCUM's are the same here: a year 12 months or 365 days."""
    a, b = _tidy(one), _tidy(two)
    if a.unit in _MONTHS and b.unit in _MONTHS:
        return a.value * _MONTHS[a.unit] == b.value * _MONTHS[b.unit]
    a, b = (Quantity(q.value * _DAYS.get(q.unit, 1), "d" if q.unit in _DAYS else q.unit)
            for q in (a, b))  # fmt: skip
    values = comparable_values(a, b)
    return values is not None and _equivalent_numbers(*values)


def _equivalent_ratios(one: Ratio, two: Ratio) -> bool:
    from fhirpkg.cql.evaluating.arithmetic import divide  # noqa: PLC0415 - it needs this module

    quotients = (divide(ratio.numerator, ratio.denominator) for ratio in (one, two))
    return equivalent(*quotients)


def share_a_code(one: Value, two: Value) -> bool:
    """Whether two codes or concepts have one in common; a plain text is a code of any system."""
    theirs = codes(two)
    any_system = isinstance(one, str) or isinstance(two, str)
    return any(
        a.code == b.code and (any_system or a.system == b.system)
        for a in codes(one)
        for b in theirs
    )


def member(items: Value, wanted: Value) -> bool:
    """Whether something is in a list: by equality, a code also by what it means."""
    found = as_list(items)
    if wanted is None:
        return any(item is None for item in found)
    if is_coded(wanted) or any(is_coded(item) for item in found):
        return any(equivalent(item, wanted) for item in found if codes(item))
    return any(item is wanted or equal(item, wanted) is True for item in found)


# -- order -----------------------------------------------------------------------------------


def compare(one: Value, two: Value, precision: str | None = None) -> int | None:
    """-1, 0 or 1, None when unknown. Raises FhirpkgError for things that have no order."""
    if one is None or two is None:
        return None
    one, two = system(one), system(two)
    if isinstance(one, Temporal) and isinstance(two, Temporal):
        return compare_moments(one, two, precision)
    if isinstance(one, Uncertainty) or isinstance(two, Uncertainty):
        return _compare_uncertain(one, two)
    if isinstance(one, Quantity) or isinstance(two, Quantity):
        return _compare_quantities(one, two)
    is_number = isinstance(one, int | Decimal) and isinstance(two, int | Decimal)
    if is_number or (isinstance(one, str) and isinstance(two, str)):
        return int(one > two) - int(one < two)
    if one is None or two is None:
        return None
    raise KindError(f"{_kind(one)} and {_kind(two)} have no order")


def _compare_uncertain(one: Value, two: Value) -> int | None:
    """The order of numbers that lie between limits: known when it is the same for all."""
    (low, high), (least, most) = _range(one), _range(two)
    if high < least:
        return -1
    if low > most:
        return 1
    return 0 if low == high == least == most else None


def _range(value: Value) -> tuple[Value, Value]:
    return (value.low, value.high) if isinstance(value, Uncertainty) else (value, value)


def _compare_quantities(one: Value, two: Value) -> int | None:
    a, b = quantity(one), quantity(two)
    if a is None or b is None:
        raise KindError(f"{_kind(one)} and {_kind(two)} have no order")
    values = comparable_values(_tidy(a), _tidy(b))
    return None if values is None else int(values[0].compare(values[1]))


def _tidy(value: Quantity) -> Quantity:
    """A unit that is missing is 1, words of time go without plural."""
    unit = value.unit.strip()
    return Quantity(value.value, CALENDAR_UNITS.get(unit, unit) or "1")


def _of_order(test: Callable[[int], bool]) -> Callable[[Value, Value], Truth]:
    """An operator that asks for an order; of uncertain numbers it may know more than that."""

    def operator(one: Value, two: Value) -> Truth:
        one, two = system(one), system(two)
        if isinstance(one, Uncertainty) or isinstance(two, Uncertainty):
            (low, high), (least, most) = _range(one), _range(two)
            if None in (low, least):
                return None
            found = {test((low > most) - (low < most)), test((high > least) - (high < least))}
            return found.pop() if len(found) == 1 else None
        order = compare(one, two)
        return None if order is None else test(order)

    return operator


less = _of_order(lambda order: order < 0)
less_or_equal = _of_order(lambda order: order <= 0)
greater = _of_order(lambda order: order > 0)
greater_or_equal = _of_order(lambda order: order >= 0)


def _kind(value: Value) -> str:
    return "text" if isinstance(value, str) else type(value).__name__


def is_null(value: Value) -> bool:
    """Whether there is nothing."""
    return value is None


OPERATORS: dict[str, Callable[..., Value]] = {
    "And": both,
    "Or": either,
    "Xor": exclusive,
    "Not": negate,
    "Implies": implies,
    "Equal": equal,
    "NotEqual": lambda one, two: negate(equal(one, two)),
    "Equivalent": equivalent,
    "NotEquivalent": lambda one, two: not equivalent(one, two),
    "Less": less,
    "LessOrEqual": less_or_equal,
    "Greater": greater,
    "GreaterOrEqual": greater_or_equal,
    "IsNull": is_null,
    "IsTrue": lambda value: value is True,
    "IsFalse": lambda value: value is False,
}
