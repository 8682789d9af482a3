"""Intervals and when things happen (CQL reference, sections 9.8 and 9.12).

Operators with a precision take it as their last argument.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from fhirpkg.applying.elm.arithmetic import subtract
from fhirpkg.applying.elm.comparison import (
    both,
    compare,
    either,
    equal,
    truncated,
)
from fhirpkg.applying.elm.values import Interval, interval, is_interval, moment, scalar
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal

if TYPE_CHECKING:
    from collections.abc import Callable

Truth = bool | None

_STEPS = {3: "day", 4: "hour", 5: "minute", 6: "millisecond"}


def start(value: Any) -> Any:
    """Where an interval begins; a point begins with itself."""
    found = interval(value)
    if found is None:
        return None
    return found.low if found.low_closed else _neighbour(found.low, 1)


def end(value: Any) -> Any:
    """Where an interval ends; a point ends with itself."""
    found = interval(value)
    if found is None:
        return None
    return found.high if found.high_closed else _neighbour(found.high, -1)


def _neighbour(value: Any, direction: int) -> Any:
    """The next value up or down; what cannot be counted stays."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value + direction
    if isinstance(value, Temporal) and len(value.parts) in _STEPS:
        return value.plus(Decimal(direction), _STEPS[len(value.parts)])
    return value


def _above_low(point: Any, bounds: Interval, precision: str | None, *, proper: bool) -> Truth:
    if bounds.low is None:
        return True if bounds.low_closed else None
    found = compare(bounds.low, point, precision)
    if found is None:
        return None
    return found < 0 or (found == 0 and bounds.low_closed and not proper)


def _below_high(point: Any, bounds: Interval, precision: str | None, *, proper: bool) -> Truth:
    if bounds.high is None:
        return True if bounds.high_closed else None
    found = compare(point, bounds.high, precision)
    if found is None:
        return None
    return found < 0 or (found == 0 and bounds.high_closed and not proper)


def contains(whole: Any, part: Any, precision: str | None = None, *, proper: bool = False) -> Truth:
    """Whether a point, or all of an interval, lies within."""
    bounds = interval(whole)
    if bounds is None or part is None:
        return None
    if is_interval(part):
        inner = interval(part)
        assert inner, "it was one"
        low, high = start(inner), end(inner)
        if low is None and inner.low_closed:
            inside_low: Truth = bounds.low is None
        else:
            inside_low = None if low is None else _above_low(low, bounds, precision, proper=False)
        if high is None and inner.high_closed:
            inside_high: Truth = bounds.high is None
        else:
            inside_high = (
                None if high is None else _below_high(high, bounds, precision, proper=False)
            )
        inside = both(inside_low, inside_high)
        return both(inside, _differ(bounds, inner)) if proper else inside
    point = scalar(part)
    return both(
        _above_low(point, bounds, precision, proper=proper),
        _below_high(point, bounds, precision, proper=proper),
    )


def _differ(one: Interval, two: Interval) -> Truth:
    same = both(equal(start(one), start(two)), equal(end(one), end(two)))
    return None if same is None else not same


def before(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether the one ends before the other begins."""
    found = compare(end(one), start(two), precision)
    return None if found is None else found < 0


def after(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether the one begins after the other ends."""
    return before(two, one, precision)


def same_as(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether both begin and end at the same time."""
    starts = compare(start(one), start(two), precision)
    ends = compare(end(one), end(two), precision)
    return both(
        None if starts is None else starts == 0,
        None if ends is None else ends == 0,
    )


def same_or_before(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether the one ends before the other begins or just then."""
    found = compare(end(one), start(two), precision)
    return None if found is None else found <= 0


def same_or_after(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether the one begins after the other ends or just then."""
    return same_or_before(two, one, precision)


def overlaps(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Whether both have a time in common."""
    if one is None or two is None:
        return None
    return both(
        _starts_by(start(one), end(two), precision), _starts_by(start(two), end(one), precision)
    )


def _starts_by(low: Any, high: Any, precision: str | None) -> Truth:
    """Whether a beginning is not after an end; one that is missing is as far as can be."""
    if low is None or high is None:
        return True
    found = compare(low, high, precision)
    return None if found is None else found <= 0


def overlaps_before(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Overlaps and begins first."""
    found = compare(start(one), start(two), precision)
    return both(overlaps(one, two, precision), None if found is None else found < 0)


def overlaps_after(one: Any, two: Any, precision: str | None = None) -> Truth:
    """Overlaps and ends last."""
    found = compare(end(one), end(two), precision)
    return both(overlaps(one, two, precision), None if found is None else found > 0)


def begins_with(one: Any, two: Any, precision: str | None = None) -> Truth:
    """`starts`: begins with the other and ends no later."""
    starts = compare(start(one), start(two), precision)
    ends = compare(end(one), end(two), precision)
    return both(
        None if starts is None else starts == 0,
        None if ends is None else ends <= 0,
    )


def ends_with(one: Any, two: Any, precision: str | None = None) -> Truth:
    """`ends`: ends with the other and begins no earlier."""
    starts = compare(start(one), start(two), precision)
    ends = compare(end(one), end(two), precision)
    return both(
        None if starts is None else starts >= 0,
        None if ends is None else ends == 0,
    )


def meets_before(one: Any, two: Any, precision: str | None = None) -> Truth:
    """The other begins right behind the one."""
    return same_as(_neighbour(end(one), 1), start(two), precision)


def meets_after(one: Any, two: Any, precision: str | None = None) -> Truth:
    """The one begins right behind the other."""
    return meets_before(two, one, precision)


def meets(one: Any, two: Any, precision: str | None = None) -> Truth:
    """One begins right behind the other."""
    return either(meets_before(one, two, precision), meets_after(one, two, precision))


def point_from(value: Any) -> Any:
    """The point of an interval that is one."""
    found = interval(value)
    if found is None:
        return None
    if equal(start(found), end(found)) is not True:
        raise FhirpkgError("point from: the interval is wider than a point")
    return start(found)


def duration_between(one: Any, two: Any, precision: str | None = None) -> int | None:
    """Whole years, months … that have passed between two moments."""
    low, high = moment(scalar(one)), moment(scalar(two))
    if low is None or high is None or precision is None:
        return None
    if compare(low, high) == 1:
        passed = duration_between(high, low, precision)
        return None if passed is None else -passed
    return _whole_units(low, high, precision)


def _whole_units(low: Temporal, high: Temporal, precision: str) -> int | None:
    """Months by the calendar: the day must be reached, as 31 January to 28 February is no month."""
    known = min(len(low.parts), len(high.parts))
    if known < _NEEDED[precision]:
        return None
    if precision not in {"Year", "Month"}:
        seconds = (_clock(high) - _clock(low)).total_seconds()
        return int(Decimal(str(seconds)) / _SECONDS[precision])
    if known < 2:
        return int(high.parts[0]) - int(low.parts[0])
    months = (int(high.parts[0]) - int(low.parts[0])) * 12
    months += int(high.parts[1]) - int(low.parts[1])
    months -= high.parts[2:known] < low.parts[2:known]
    return months // 12 if precision == "Year" else months


_NEEDED = {
    "Year": 1, "Month": 2, "Week": 3, "Day": 3, "Hour": 4, "Minute": 5, "Second": 6,
    "Millisecond": 6,
}  # fmt: skip
_SECONDS: dict[str, int | Decimal] = {
    "Week": 604800, "Day": 86400, "Hour": 3600, "Minute": 60, "Second": 1,
    "Millisecond": Decimal("0.001"),
}  # fmt: skip


def _clock(value: Temporal) -> Any:
    parts = [int(part) for part in value.parts] + [1, 1, 1, 0, 0, 0][len(value.parts) :]
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - only a difference


def difference_between(one: Any, two: Any, precision: str | None = None) -> int | None:
    """How many borders of years, months … lie between two moments."""
    low, high = moment(scalar(one)), moment(scalar(two))
    if low is None or high is None or precision is None:
        return None
    cut = "Day" if precision == "Week" else precision
    return duration_between(truncated(low, cut), truncated(high, cut), precision)


def collapse(items: Any) -> list[Interval] | None:
    """The intervals of a list, those that overlap or meet joined into one."""
    if items is None:
        return None
    found = [bounds for item in items if (bounds := interval(item)) is not None]
    found.sort(key=cmp_to_key(lambda a, b: compare(start(a), start(b)) or 0))
    joined: list[Interval] = []
    for bounds in found:
        last = joined[-1] if joined else None
        if last and (overlaps(last, bounds) or meets_before(last, bounds)):
            further = compare(end(bounds), end(last)) == 1
            joined[-1] = Interval(start(last), end(bounds) if further else end(last))
        else:
            joined.append(bounds)
    return joined


OPERATORS: dict[str, Callable[..., Any]] = {
    "Collapse": collapse,
    "Start": start,
    "End": end,
    "PointFrom": point_from,
    "Predecessor": lambda value: _neighbour(value, -1),
    "Successor": lambda value: _neighbour(value, 1),
    "Width": lambda value: _width(interval(value)),
}


def _width(value: Interval | None) -> Any:
    return None if value is None else subtract(value.high, value.low)


WITH_PRECISION: dict[str, Callable[..., Any]] = {
    "Includes": contains,
    "IncludedIn": lambda part, whole, precision=None: contains(whole, part, precision),
    "ProperIncludes": lambda w, p, precision=None: contains(w, p, precision, proper=True),
    "ProperIncludedIn": lambda p, w, precision=None: contains(w, p, precision, proper=True),
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
