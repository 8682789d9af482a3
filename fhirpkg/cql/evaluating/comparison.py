"""Logic, equality and order, all with three values (https://cql.hl7.org/09-b-cqlreference.html)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg.cql.evaluating.values import (
    Interval,
    as_list,
    codes,
    interval,
    is_coded,
    is_interval,
    quantity,
    scalar,
)
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS = ("Year", "Month", "Day", "Hour", "Minute", "Second", "Millisecond")


def both(*operands: Any) -> bool | None:
    """And: false when one is, unknown when one is unknown."""
    if any(operand is False for operand in operands):
        return False
    return None if any(operand is None for operand in operands) else True


def either(*operands: Any) -> bool | None:
    """Or: true when one is, unknown when one is unknown."""
    if any(operand is True for operand in operands):
        return True
    return None if any(operand is None for operand in operands) else False


def negate(operand: Any) -> bool | None:
    """Not; the unknown stays unknown."""
    return None if operand is None else not operand


def implies(one: Any, two: Any) -> bool | None:
    """If one then two."""
    return either(negate(one), two)


def exclusive(one: Any, two: Any) -> bool | None:
    """One of both but not both."""
    return None if one is None or two is None else bool(one) != bool(two)


def equal(one: Any, two: Any) -> bool | None:
    """Equal in all parts; unknown when a part is unknown or not precise enough."""
    if one is None or two is None:
        return None
    if isinstance(one, list) or isinstance(two, list):
        return _equal_lists(one, two)
    if is_interval(one) and is_interval(two):
        return _equal_intervals(interval(one), interval(two))
    if is_coded(one) or is_coded(two):
        return codes(one) == codes(two)
    one, two = scalar(one), scalar(two)
    if isinstance(one, Temporal) and isinstance(two, Temporal):
        found = one.compare(two)
        return None if found is None else found == 0
    if isinstance(one, Quantity) or isinstance(two, Quantity):
        found = compare(one, two)
        return None if found is None else found == 0
    if isinstance(one, bool) != isinstance(two, bool):
        return False
    return bool(one == two)


def _equal_lists(one: Any, two: Any) -> bool | None:
    if not isinstance(one, list) or not isinstance(two, list) or len(one) != len(two):
        return False
    return both(*(equal(a, b) for a, b in zip(one, two, strict=True)))


def _equal_intervals(one: Interval | None, two: Interval | None) -> bool | None:
    assert one, "it was an interval"
    assert two, "it was an interval"
    lows = one.low == two.low if None in {one.low, two.low} else equal(one.low, two.low)
    highs = one.high == two.high if None in {one.high, two.high} else equal(one.high, two.high)
    return both(lows, highs)


def equivalent(one: Any, two: Any) -> bool:
    """Meaning the same: codes by any code in common, text without case, null like null."""
    if one is None or two is None:
        return one is two
    if isinstance(one, list) and isinstance(two, list):
        pairs = zip(one, two, strict=False)
        return len(one) == len(two) and all(equivalent(a, b) for a, b in pairs)
    if is_coded(one) or is_coded(two):
        return share_a_code(one, two)
    one, two = scalar(one), scalar(two)
    if isinstance(one, str) and isinstance(two, str):
        return " ".join(one.lower().split()) == " ".join(two.lower().split())
    if isinstance(one, Quantity) and isinstance(two, Quantity) and one.unit == two.unit:
        return one.value == two.value
    return equal(one, two) is True


def share_a_code(one: Any, two: Any) -> bool:
    """Whether two codes, concepts or plain codes have one in common; a missing system fits any."""
    theirs = codes(two)
    return any(
        a.code == b.code and (not a.system or not b.system or a.system == b.system)
        for a in codes(one)
        for b in theirs
    )


def member(items: Any, wanted: Any) -> bool:
    """Whether something is in a list: by equality, a code also by what it means."""
    found = as_list(items)
    if wanted is None:
        return any(item is None for item in found)
    if is_coded(wanted) or any(is_coded(item) for item in found):
        return any(equivalent(item, wanted) for item in found if codes(item))
    return any(equal(item, wanted) is True for item in found)


def compare(one: Any, two: Any, precision: str | None = None) -> int | None:
    """-1, 0 or 1, None when unknown. Raises FhirpkgError for things that have no order."""
    one, two = scalar(one), scalar(two)
    if one is None or two is None:
        return None
    if isinstance(one, Temporal) and isinstance(two, Temporal):
        if precision:
            one, two = truncated(one, precision), truncated(two, precision)
        found: int | None = one.compare(two)
        return found
    if isinstance(one, Quantity) or isinstance(two, Quantity):
        return _compare_quantities(one, two)
    is_number = isinstance(one, int | Decimal) and isinstance(two, int | Decimal)
    if is_number or (isinstance(one, str) and isinstance(two, str)):
        return int(one > two) - int(one < two)
    raise FhirpkgError(f"{_kind(one)} and {_kind(two)} have no order")


def _compare_quantities(one: Any, two: Any) -> int | None:
    a, b = quantity(one), quantity(two)
    if a is None or b is None:
        raise FhirpkgError(f"{_kind(one)} and {_kind(two)} have no order")
    from fhirpkg.fhirpath.units import comparable_values  # noqa: PLC0415 - reads UCUM's table

    values = comparable_values(_tidy(a), _tidy(b))
    return None if values is None else int(values[0].compare(values[1]))


def _tidy(value: Quantity) -> Quantity:
    """A unit that is missing is 1, words of time go without plural."""
    unit = value.unit.strip()
    return Quantity(value.value, CALENDAR_UNITS.get(unit, unit) or "1")


def truncated(value: Temporal, precision: str) -> Temporal:
    """A moment cut to a precision."""
    level = LEVELS.index(precision) + 1
    first = 3 if value.kind == "time" else 0
    parts = value.parts[: max(level - first, 0)]
    if precision == "Second" and len(parts) == 6 - first:
        parts = (*parts[:-1], int(parts[-1]))
    kept = value.zone if len(parts) + first > 3 else None
    return Temporal(value.kind, parts, kept)


def less(one: Any, two: Any) -> bool | None:
    """Whether one comes first."""
    found = compare(one, two)
    return None if found is None else found < 0


def less_or_equal(one: Any, two: Any) -> bool | None:
    """Whether one does not come last."""
    found = compare(one, two)
    return None if found is None else found <= 0


def greater(one: Any, two: Any) -> bool | None:
    """Whether one comes last."""
    return less(two, one)


def greater_or_equal(one: Any, two: Any) -> bool | None:
    """Whether one does not come first."""
    return less_or_equal(two, one)


def _kind(value: Any) -> str:
    return "text" if isinstance(value, str) else type(value).__name__


def is_null(value: Any) -> bool:
    """Whether there is nothing."""
    return value is None


OPERATORS: dict[str, Callable[..., Any]] = {
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
