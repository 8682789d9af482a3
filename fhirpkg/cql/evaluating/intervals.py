"""Intervals and when things happen (CQL reference, sections 9.8 and 9.12).

Operators with a precision take it as their last argument.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg.cql.evaluating.comparison import (
    both,
    compare,
    either,
    equal,
    member,
    truncated,
)
from fhirpkg.cql.evaluating.values import Interval, interval, is_interval, moment, scalar
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal

if TYPE_CHECKING:
    from collections.abc import Callable

Truth = bool | None

_SMALLEST = Decimal("0.00000001")
_STEPS = {3: "day", 4: "hour", 5: "minute", 6: "millisecond"}


def start(value: Any) -> Any:
    """Where an interval begins; a point begins with itself."""
    found = interval(value)
    if found is None:
        return None
    if found.low is None and found.low_closed:
        return _limit(found.high, EARLIEST)
    return found.low if found.low_closed else neighbour(found.low, 1)


def end(value: Any) -> Any:
    """Where an interval ends; a point ends with itself."""
    found = interval(value)
    if found is None:
        return None
    if found.high is None and found.high_closed:
        return _limit(found.low, LATEST)
    return found.high if found.high_closed else neighbour(found.high, -1)


EARLIEST = Temporal("dateTime", (1, 1, 1, 0, 0, Decimal("0.000")))
LATEST = Temporal("dateTime", (9999, 12, 31, 23, 59, Decimal("59.999")))


def _limit(other: Any, limit: Temporal) -> Temporal | None:
    """An end that is closed and missing is as far as can be: a period that still goes on."""
    if not isinstance(other, Temporal) or other.kind == "time":
        return None
    return Temporal(other.kind, limit.parts[:3] if other.kind == "date" else limit.parts)


def neighbour(value: Any, direction: int) -> Any:
    """The next value up or down; what cannot be counted stays."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value + direction
    if isinstance(value, Decimal):
        return value + direction * _SMALLEST
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
    """Whether a point, or all of an interval, lies within; of a list whether it has all items."""
    if isinstance(whole, list):
        return _has_all(whole, part, proper=proper)
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


def _has_all(whole: list[Any], part: Any, *, proper: bool) -> Truth:
    items = part if isinstance(part, list) else [part]
    smaller = len(items) < len(whole)
    return all(member(whole, item) for item in items) and (smaller or not proper)


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
    a, b = interval(one), interval(two)
    if a is None or b is None:
        return None
    return both(_starts_by(a, b, precision), _starts_by(b, a, precision))


def _starts_by(one: Interval, two: Interval, precision: str | None) -> Truth:
    """Whether one begins before two ends; an end that is missing is unknown when it is open."""
    low, high = start(one), end(two)
    if low is None or high is None:
        if (low is None and one.low_closed) or (high is None and two.high_closed):
            return True
        low = end(one) if low is None else low
        high = start(two) if high is None else high
        return True if compare(low, high, precision) in {-1, 0} else None
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
    return same_as(neighbour(end(one), 1), start(two), precision)


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
    known = min(len(low.parts), len(high.parts)) + (3 if low.kind == "time" else 0)
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
    known = value.in_utc() if value.zone else value.parts
    missing = 3 if value.kind == "time" else 0
    parts = [1, 1, 1][:missing] + [int(part) for part in known]
    parts += [1, 1, 1, 0, 0, 0][len(parts) :]
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - only a difference


def difference_between(one: Any, two: Any, precision: str | None = None) -> int | None:
    """How many borders of years, months … lie between two moments."""
    low, high = moment(scalar(one)), moment(scalar(two))
    if low is None or high is None or precision is None:
        return None
    cut = "Day" if precision == "Week" else precision
    return duration_between(truncated(low, cut), truncated(high, cut), precision)


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
