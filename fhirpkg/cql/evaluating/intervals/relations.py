"""Intervals and when things happen (CQL reference, sections 9.8 and 9.12).

Operators with a precision take it as their last argument. An end that is missing is the limit of
its type when it is closed, unknown when it is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.cql.evaluating.comparison import both, compare, either, equal, member, negate
from fhirpkg.cql.evaluating.elements import interval, is_interval, system
from fhirpkg.cql.evaluating.intervals.bounds import end, limit, neighbour, start
from fhirpkg.cql.evaluating.moments import (
    difference_between,
    duration_between,
    fields,
)
from fhirpkg.cql.evaluating.values import Uncertainty
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.evaluating.values import Interval
    from fhirpkg.cql.tree import Value

Truth = bool | None


class Span(NamedTuple):
    """Where an unknown end may lie, from the least to the most."""

    least: Value
    most: Value


def _start(bounds: Interval | None, like: Value = None) -> Value:
    """Where an interval begins; a Span for an open end that nobody knows."""
    if bounds is None or bounds.low is not None or bounds.low_closed or bounds.high is None:
        return start(bounds, like)
    return Span(limit(bounds.high, high=False), end(bounds))


def _end(bounds: Interval | None, like: Value = None) -> Value:
    """Where an interval ends; a Span for an open end that nobody knows."""
    if bounds is None or bounds.high is not None or bounds.high_closed or bounds.low is None:
        return end(bounds, like)
    return Span(start(bounds), limit(bounds.low, high=True))


def _ends(one: Value, two: Value) -> tuple[Value, Value, Value, Value]:
    """Start and end of both."""
    a, b = interval(one), interval(two)
    return _start(a), _end(a), _start(b), _end(b)


def _typed_ends(one: Value, two: Value) -> tuple[Value, Value, Value, Value]:
    """Start and end of both, each as a limit of the other's type if it has none of its own."""
    a, b = interval(one), interval(two)
    likes = [
        bounds.low if bounds and bounds.low is not None else bounds and bounds.high
        for bounds in (b, a)
    ]
    return _start(a, likes[0]), _end(a, likes[0]), _start(b, likes[1]), _end(b, likes[1])


def _precedes(one: Value, two: Value, precision: str | None = None) -> Truth:
    """Whether one end comes before another, wherever unknown ones lie."""
    return negate(_is_by(two, one, precision))


def _is_by(one: Value, two: Value, precision: str | None = None) -> Truth:
    """Whether one end comes no later than another, wherever unknown ones lie."""
    if isinstance(one, Span) or isinstance(two, Span):
        (least, most), (first, last) = _span(one), _span(two)
        if compare(most, first, precision) in {-1, 0}:
            return True
        return False if compare(least, last, precision) == 1 else None
    found = compare(one, two, precision)
    return None if found is None else found <= 0


def _span(value: Value) -> tuple[Value, Value]:
    return value if isinstance(value, Span) else (value, value)


def _is_same(one: Value, two: Value, precision: str | None = None) -> Truth:
    if isinstance(one, Span) or isinstance(two, Span):
        return both(_is_by(one, two, precision), _is_by(two, one, precision))
    found = compare(one, two, precision)
    return None if found is None else found == 0


# -- membership ------------------------------------------------------------------------------


def contains(
    whole: Value, part: Value, precision: str | None = None, *, proper: bool = False
) -> Truth:
    """Whether a point or item is in an interval or list; of an interval or list whether all is."""
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
    if bounds.low is None and bounds.high is None:
        return False
    return _has_point(bounds, system(part), precision, proper=proper)


def includes(
    whole: Value, part: Value, precision: str | None = None, *, proper: bool = False
) -> Truth:
    """`contains` for what is an interval or list itself: of nothing nothing is known."""
    return None if part is None else contains(whole, part, precision, proper=proper)


def _has_point(bounds: Interval, point: Value, precision: str | None, *, proper: bool) -> Truth:
    """By the ends as they are written: `(5` is not in an interval to a precision."""
    low = _start(bounds) if bounds.low is None else bounds.low
    high = _end(bounds) if bounds.high is None else bounds.high
    after = _is_by if bounds.low_closed or isinstance(low, Span) else _precedes
    before = _is_by if bounds.high_closed or isinstance(high, Span) else _precedes
    if proper:
        after = before = _precedes
    return both(after(low, point, precision), before(point, high, precision))


def _includes(whole: Value, part: Value, precision: str | None, *, proper: bool) -> Truth:
    low, high, inner_low, inner_high = _typed_ends(whole, part)
    inside = both(_is_by(low, inner_low, precision), _is_by(inner_high, high, precision))
    if not proper:
        return inside
    same = both(_is_same(low, inner_low, precision), _is_same(inner_high, high, precision))
    return both(inside, negate(same))


def _has_all(whole: list[Value], part: list[Value], *, proper: bool) -> Truth:
    smaller = len(part) < len(whole)
    return all(member(whole, item) for item in part) and (smaller or not proper)


def _has_others(whole: list[Value], item: Value) -> Truth:
    """Whether a list has an item, and another one beside it."""
    if item is None:
        return any(i is None for i in whole) and any(i is not None for i in whole)
    same = [equal(other, item) for other in whole]
    others = either(*(negate(found) for found in same)) if same else False
    return both(True if member(whole, item) else either(*same), others)


# -- when ------------------------------------------------------------------------------------


def before(one: Value, two: Value, precision: str | None = None) -> Truth:
    """Whether the one ends before the other begins."""
    _, last, first, _ = _ends(one, two)
    return _precedes(last, first, precision)


def after(one: Value, two: Value, precision: str | None = None) -> Truth:
    """Whether the one begins after the other ends."""
    return before(two, one, precision)


def same_as(one: Value, two: Value, precision: str | None = None) -> Truth:
    """Whether both begin and end at the same time."""
    a, b, c, d = _ends(one, two)
    return both(_is_same(a, c, precision), _is_same(b, d, precision))


def same_or_before(one: Value, two: Value, precision: str | None = None) -> Truth:
    """Whether the one ends before the other begins or just then."""
    _, last, first, _ = _ends(one, two)
    return _is_by(last, first, precision)


def same_or_after(one: Value, two: Value, precision: str | None = None) -> Truth:
    """Whether the one begins after the other ends or just then."""
    return same_or_before(two, one, precision)


def overlaps(one: Value, two: Value, precision: str | None = None) -> Truth:
    """Whether both have a time in common."""
    low, high, other_low, other_high = _typed_ends(one, two)
    return both(_is_by(low, other_high, precision), _is_by(other_low, high, precision))


def overlaps_before(one: Value, two: Value, precision: str | None = None) -> Truth:
    """Overlaps and begins first."""
    low, _, other, _ = _ends(one, two)
    return both(overlaps(one, two, precision), _precedes(low, other, precision))


def overlaps_after(one: Value, two: Value, precision: str | None = None) -> Truth:
    """Overlaps and ends last."""
    _, high, _, other = _ends(one, two)
    return both(overlaps(one, two, precision), _precedes(other, high, precision))


def begins_with(one: Value, two: Value, precision: str | None = None) -> Truth:
    """`starts`: begins with the other and ends no later."""
    low, high, other_low, other_high = _ends(one, two)
    return both(_is_same(low, other_low, precision), _is_by(high, other_high, precision))


def ends_with(one: Value, two: Value, precision: str | None = None) -> Truth:
    """`ends`: ends with the other and begins no earlier."""
    low, high, other_low, other_high = _ends(one, two)
    return both(_is_by(other_low, low, precision), _is_same(high, other_high, precision))


def meets_before(one: Value, two: Value, precision: str | None = None) -> Truth:
    """The other begins right behind the one."""
    _, last, first, _ = _ends(one, two)
    if last is None or first is None:
        return None
    if isinstance(last, Span) or isinstance(first, Span):
        return False if _is_by(first, last, precision) else None
    if precision is not None and isinstance(last, Temporal):
        found = difference_between(last, first, precision)
        if isinstance(found, Uncertainty):
            return None if found.low <= 1 <= found.high else False
        return None if found is None else found == 1
    if compare(last, first) == 1 or last == limit(last, high=True):
        return False
    if isinstance(last, Temporal) and len(fields(last)) < len(fields(first)):
        return _is_same(last, neighbour(first, -1))
    return _is_same(neighbour(last, 1), first)


def meets_after(one: Value, two: Value, precision: str | None = None) -> Truth:
    """The one begins right behind the other."""
    return meets_before(two, one, precision)


def meets(one: Value, two: Value, precision: str | None = None) -> Truth:
    """One begins right behind the other."""
    return either(meets_before(one, two, precision), meets_after(one, two, precision))


def point_from(value: Value) -> Value:
    """The point of an interval that is one."""
    found = interval(value)
    if found is None or (found.low is None and found.high is None):
        return None
    if equal(start(found), end(found)) is not True:
        raise FhirpkgError("point from: the interval is wider than a point")
    return start(found)


def _known_or_between(
    known: Value, spanned: Callable[[Interval | None], Value], value: Value
) -> Value:
    """An end; of an open one that nobody knows, in whole numbers, the limits it lies between."""
    between = spanned(interval(value)) if known is None else None
    if isinstance(between, Span) and isinstance(between.least, int):
        return Uncertainty(between.least, between.most)
    return known


OPERATORS: dict[str, Callable[..., Value]] = {
    "Start": lambda value: _known_or_between(start(value), _start, value),
    "End": lambda value: _known_or_between(end(value), _end, value),
    "PointFrom": point_from,
    "Predecessor": lambda value: neighbour(value, -1),
    "Successor": lambda value: neighbour(value, 1),
}


WITH_PRECISION: dict[str, Callable[..., Value]] = {
    "Includes": includes,
    "IncludedIn": lambda part, whole, precision=None: includes(whole, part, precision),
    "ProperIncludes": lambda w, p, precision=None: includes(w, p, precision, proper=True),
    "ProperIncludedIn": lambda p, w, precision=None: includes(w, p, precision, proper=True),
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
