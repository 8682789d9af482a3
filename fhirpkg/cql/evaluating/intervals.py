"""Intervals and when things happen (CQL reference, sections 9.8 and 9.12).

Operators with a precision take it as their last argument. An end that is missing is the limit of
its type when it is closed, unknown when it is open.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg.cql.evaluating.arithmetic import (
    LARGEST_DECIMAL,
    LARGEST_INTEGER,
    LARGEST_LONG,
    in_range,
)
from fhirpkg.cql.evaluating.comparison import both, compare, either, equal, member, negate
from fhirpkg.cql.evaluating.elements import interval, is_interval, system
from fhirpkg.cql.evaluating.moments import (
    EARLIEST,
    LATEST,
    difference_between,
    duration_between,
    fields,
)
from fhirpkg.cql.evaluating.moments import (
    neighbour as neighbouring_moment,
)
from fhirpkg.cql.evaluating.values import Long
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

Truth = bool | None

_SMALLEST = Decimal("0.00000001")


def start(value: Any, like: Any = None) -> Any:
    """Where an interval begins; a point begins with itself.

    `like` is a point of the type that both ends have when both are missing.
    """
    found = interval(value)
    if found is None:
        return None
    if found.low is None:
        return (
            limit(like if found.high is None else found.high, high=False)
            if found.low_closed
            else None
        )
    return found.low if found.low_closed else neighbour(found.low, 1)


def end(value: Any, like: Any = None) -> Any:
    """Where an interval ends; a point ends with itself."""
    found = interval(value)
    if found is None:
        return None
    if found.high is None:
        return (
            limit(like if found.low is None else found.low, high=True)
            if found.high_closed
            else None
        )
    return found.high if found.high_closed else neighbour(found.high, -1)


def limit(like: Any, *, high: bool) -> Any:
    """The least or greatest value of the type of another."""
    if isinstance(like, Temporal):
        found = LATEST if high else EARLIEST
        if like.kind == "time":
            return Temporal("time", found.parts[3:])
        return found if like.kind == "dateTime" else Temporal("date", found.parts[:3])
    if isinstance(like, Quantity):
        return Quantity(LARGEST_DECIMAL if high else -LARGEST_DECIMAL, like.unit)
    if isinstance(like, Decimal):
        return LARGEST_DECIMAL if high else -LARGEST_DECIMAL
    if isinstance(like, int):
        most = Long(LARGEST_LONG) if isinstance(like, Long) else LARGEST_INTEGER
        return most if high else type(most)(-most - 1)
    return None


def neighbour(value: Any, direction: int) -> Any:
    """The next value up or down; raises FhirpkgError where there is none."""
    value = system(value)
    if value is None:
        return None
    if isinstance(value, Temporal):
        return neighbouring_moment(value, direction)
    if isinstance(value, Quantity):
        return Quantity(neighbour(Decimal(value.value), direction), value.unit)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise FhirpkgError(f"{type(value).__name__} has no neighbours")
    if isinstance(value, Decimal):
        found: Any = value + direction * _SMALLEST
        found = found if abs(found) <= LARGEST_DECIMAL or abs(value) > LARGEST_DECIMAL else None
    else:
        found = in_range(value + direction, value)
    if found is None:
        raise FhirpkgError(f"{value} has no {'successor' if direction > 0 else 'predecessor'}")
    return found


def _ends(one: Any, two: Any) -> tuple[Any, Any, Any, Any]:
    """Start and end of both."""
    return start(one), end(one), start(two), end(two)


def _typed_ends(one: Any, two: Any) -> tuple[Any, Any, Any, Any]:
    """Start and end of both, each as a limit of the other's type if it has none of its own."""
    a, b = interval(one), interval(two)
    likes = [
        bounds.low if bounds and bounds.low is not None else bounds and bounds.high
        for bounds in (b, a)
    ]
    return start(a, likes[0]), end(a, likes[0]), start(b, likes[1]), end(b, likes[1])


# -- membership ------------------------------------------------------------------------------


def contains(whole: Any, part: Any, precision: str | None = None, *, proper: bool = False) -> Truth:
    """Whether a point, or all of an interval, lies within; of a list whether it has all items."""
    if isinstance(whole, list):
        if isinstance(part, list):
            return _has_all(whole, part, proper=proper)
        return _has_others(whole, part) if proper else member(whole, part)
    if isinstance(part, list):
        return None
    bounds = interval(whole)
    if bounds is None or part is None:
        return None if bounds is not None or is_interval(part) else False
    if is_interval(part):
        return _includes(bounds, part, precision, proper=proper)
    point = system(part)
    if bounds.low is None and bounds.high is None:
        return False
    return both(
        _in_order(bounds.low, point, precision, closed=bounds.low_closed, proper=proper),
        _in_order(point, bounds.high, precision, closed=bounds.high_closed, proper=proper),
    )


def _in_order(one: Any, two: Any, precision: str | None, *, closed: bool, proper: bool) -> Truth:
    """Whether an end (the one that may be missing) is on its side of a point."""
    if one is None or two is None:
        return True if closed else None
    found = compare(one, two, precision)
    if found is None:
        return None
    return found < 0 or (found == 0 and closed and not proper)


def _includes(whole: Any, part: Any, precision: str | None, *, proper: bool) -> Truth:
    low, high, inner_low, inner_high = _typed_ends(whole, part)
    begins, ends = compare(low, inner_low, precision), compare(inner_high, high, precision)
    inside = both(_at_most(begins), _at_most(ends))
    if not proper:
        return inside
    return both(inside, negate(both(_is_same(begins), _is_same(ends))))


def _at_most(order: int | None) -> Truth:
    return None if order is None else order <= 0


def _is_same(order: int | None) -> Truth:
    return None if order is None else order == 0


def _has_all(whole: list[Any], part: list[Any], *, proper: bool) -> Truth:
    smaller = len(part) < len(whole)
    return all(member(whole, item) for item in part) and (smaller or not proper)


def _has_others(whole: list[Any], item: Any) -> Truth:
    """Whether a list has an item, and another one beside it."""
    if item is None:
        return any(i is None for i in whole) and any(i is not None for i in whole)
    same = [equal(other, item) for other in whole]
    others = either(*(negate(found) for found in same)) if same else False
    return both(either(*same) if not member(whole, item) else True, others)


# -- when ------------------------------------------------------------------------------------


def before(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether the one ends before the other begins."""
    _, last, first, _ = _ends(one, two)
    found = compare(last, first, precision)
    return None if found is None else found < 0


def after(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether the one begins after the other ends."""
    return before(two, one, precision)


def same_as(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether both begin and end at the same time."""
    a, b, c, d = _ends(one, two)
    return both(_is_same(compare(a, c, precision)), _is_same(compare(b, d, precision)))


def same_or_before(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether the one ends before the other begins or just then."""
    _, last, first, _ = _ends(one, two)
    return _at_most(compare(last, first, precision))


def same_or_after(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether the one begins after the other ends or just then."""
    return same_or_before(two, one, precision)


def overlaps(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether both have a time in common."""
    a, b = interval(one), interval(two)
    if a is None or b is None:
        return None
    low, high, other_low, other_high = _ends(a, b)
    return both(
        _begins_by(low, high, other_low, other_high, precision),
        _begins_by(other_low, other_high, low, high, precision),
    )


def _begins_by(
    low: Any, high: Any, other_low: Any, other_high: Any, precision: str | None
) -> Truth:
    """Whether one begins before the other ends; an unknown end lies beyond the known one."""
    if low is None or other_high is None:
        first = high if low is None else low
        last = other_low if other_high is None else other_high
        return True if compare(first, last, precision) in {-1, 0} else None
    return _at_most(compare(low, other_high, precision))


def overlaps_before(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Overlaps and begins first."""
    low, _, other, _ = _ends(one, two)
    found = compare(low, other, precision)
    return both(overlaps(one, two, precision), None if found is None else found < 0)


def overlaps_after(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Overlaps and ends last."""
    _, high, _, other = _ends(one, two)
    found = compare(high, other, precision)
    return both(overlaps(one, two, precision), None if found is None else found > 0)


def begins_with(one: Any, two: Any, precision: str | None = None) -> Truth:
    """`starts`: begins with the other and ends no later."""
    low, high, other_low, other_high = _ends(one, two)
    return both(
        _is_same(compare(low, other_low, precision)),
        _at_most(compare(high, other_high, precision)),
    )


def ends_with(one: Any, two: Any, precision: str | None = None) -> Truth:
    """`ends`: ends with the other and begins no earlier."""
    low, high, other_low, other_high = _ends(one, two)
    return both(
        _at_most(compare(other_low, low, precision)),
        _is_same(compare(high, other_high, precision)),
    )


def meets_before(one: Any, two: Any, precision: str | None = None) -> Truth:
    """The other begins right behind the one."""
    _, last, first, _ = _ends(one, two)
    if last is None or first is None:
        return None
    if precision is not None and isinstance(last, Temporal):
        found = difference_between(last, first, precision)
        return found == 1 if isinstance(found, int) else None
    if isinstance(last, Temporal) and len(fields(last)) != len(fields(first)):
        return False if compare(last, first) in {0, 1} else None
    if compare(last, first) == 1 or last == limit(last, high=True):
        return False
    return _is_same(compare(neighbour(last, 1), first))


def meets_after(one: Any, two: Any, precision: str | None = None) -> Truth:
    """The one begins right behind the other."""
    return meets_before(two, one, precision)


def meets(one: Any, two: Any, precision: str | None = None) -> Truth:
    """One begins right behind the other."""
    return either(meets_before(one, two, precision), meets_after(one, two, precision))


def point_from(value: Any) -> Any:
    """The point of an interval that is one."""
    found = interval(value)
    if found is None or (found.low is None and found.high is None):
        return None
    if equal(start(found), end(found)) is not True:
        raise FhirpkgError("point from: the interval is wider than a point")
    return start(found)


OPERATORS: dict[str, Callable[..., Any]] = {
    "Start": start,
    "End": end,
    "PointFrom": point_from,
    "Predecessor": lambda value: neighbour(value, -1),
    "Successor": lambda value: neighbour(value, 1),
}


WITH_PRECISION: dict[str, Callable[..., Any]] = {
    "Includes": contains,
    "IncludedIn": lambda part, whole, precision=None: contains(whole, part, precision),
    "ProperIncludes": lambda w, p, precision=None: contains(w, p, precision, proper=True),
    "ProperIncludedIn": lambda p, w, precision=None: contains(w, p, precision, proper=True),
    "ProperContains": lambda w, p, precision=None: contains(w, p, precision, proper=True),
    "ProperIn": lambda p, w, precision=None: contains(w, p, precision, proper=True),
    "Before": before,
    "After": after,
    "SameAs": same_as,
    "SameOrBefore": same_or_before,
    "SameOrAfter": same_or_after,
    "Overlaps": overlaps,
    "OverlapsBefore": overlaps_before,
    "OverlapsAfter": overlaps_after,
    "Starts": begins_with,
    "Ends": ends_with,
    "Meets": meets,
    "MeetsBefore": meets_before,
    "MeetsAfter": meets_after,
    "DurationBetween": duration_between,
    "DifferenceBetween": difference_between,
}
