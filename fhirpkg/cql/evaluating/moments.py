"""Dates and times: their order to a precision, the time between them, their neighbours.

CQL counts milliseconds as a precision of their own: 10:00:00 and 10:00:00.500 may be the same.
https://cql.hl7.org/09-b-cqlreference.html#date-and-time-operators-2
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating.elements import moment, system
from fhirpkg.cql.evaluating.values import KindError, Uncertainty
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.tree import Value

LEVELS = ("Year", "Month", "Day", "Hour", "Minute", "Second", "Millisecond")
EARLIEST = Temporal("dateTime", (1, 1, 1, 0, 0, Decimal("0.000")))
LATEST = Temporal("dateTime", (9999, 12, 31, 23, 59, Decimal("59.999")))
_LEAST = (1, 1, 1, 0, 0, 0, 0)
_MOST = (9999, 12, 31, 23, 59, 59, 999)
_MILLISECONDS = {
    "Week": 604_800_000, "Day": 86_400_000, "Hour": 3_600_000, "Minute": 60_000, "Second": 1000,
    "Millisecond": 1,
}  # fmt: skip
Fields = tuple[int, ...]


def fields(value: Temporal) -> Fields:
    """The parts that are known, milliseconds apart; a time begins with its hour."""
    last = value.parts[-1]
    if isinstance(last, Decimal):
        milliseconds = int(last * 1000)
        return (*value.parts[:-1], *divmod(milliseconds, 1000))  # type: ignore[arg-type]
    return value.parts  # type: ignore[return-value]  # whole numbers all


def of_fields(kind: str, known: Fields, zone: str | None = None) -> Temporal:
    """A moment of its parts, milliseconds apart."""
    whole = 3 if kind == "time" else 6
    parts: tuple[Value, ...] = known
    if len(known) > whole:
        parts = (*known[: whole - 1], Decimal(known[whole - 1] * 1000 + known[whole]).scaleb(-3))
    return Temporal(kind, parts, zone if len(parts) > 3 else None)


def _level(value: Temporal, precision: str) -> int:
    """How many parts a precision takes in."""
    level = LEVELS.index("Day" if precision == "Week" else precision) + 1
    return level - 3 if value.kind == "time" else level


def compare_moments(one: Temporal, two: Temporal, precision: str | None = None) -> int | None:
    """-1, 0 or 1; None when what is known leaves it open. Offsets count from the hour on."""
    level = 7 if precision is None else _level(one, precision)
    if (one.kind == "time") != (two.kind == "time"):
        raise KindError("a time of day and a date have no order")
    if level > 3 and one.zone != two.zone and len(one.parts) > 3 and len(two.parts) > 3:
        one, two = replace(one, parts=one.in_utc()), replace(two, parts=two.in_utc())
    mine, theirs = fields(one)[:level], fields(two)[:level]
    for a, b in zip(mine, theirs, strict=False):
        if a != b:
            return -1 if a < b else 1
    if precision is None:
        return 0 if len(mine) == len(theirs) else None
    return 0 if len(mine) == len(theirs) == min(level, 4 if one.kind == "time" else 7) else None


# -- the time between two --------------------------------------------------------------------


def duration_between(one: Value, two: Value, precision: str) -> int | Uncertainty | None:
    """Whole years, months … that have passed; what is not known of a date makes it uncertain."""
    return _between(one, two, precision, 3, _whole_units)


def difference_between(one: Value, two: Value, precision: str) -> int | Uncertainty | None:
    """How many borders of years, months … lie between two moments."""
    return _between(one, two, precision, 0, _borders)


def _between(
    one: Value,
    two: Value,
    precision: str,
    least_level: int,
    count: Callable[[Fields, Fields, str], int],
) -> int | Uncertainty | None:
    low, high = moment(system(one)), moment(system(two))
    if low is None or high is None:
        return None
    if (low.kind == "time") != (high.kind == "time"):
        raise KindError("there is no duration between a time of day and a date")
    level = _level(low, precision)
    if least_level or level > 3:  # borders of days count by the clock of each place
        high = _in_zone_of(low, high)
    if level < 1:
        raise FhirpkgError(f"a time of day has no {precision.lower()}")
    if low.kind != "time":
        level = max(level, least_level)
    if len(fields(low)) == len(fields(high)) >= _level(low, precision):
        level = len(fields(low))  # known equally well, they are counted as they are known
    (soonest, latest), (first, last) = _extremes(low, level), _extremes(high, level)
    least, most = count(latest, first, precision), count(soonest, last, precision)
    return least if least == most else Uncertainty(least, most)


def _in_zone_of(low: Temporal, high: Temporal) -> Temporal:
    if low.zone == high.zone or not low.zone or not high.zone:
        return high
    minutes = Decimal(_minutes(low.zone) - _minutes(high.zone))
    return replace(high.plus(minutes, "minute") or high, zone=low.zone)


def _minutes(zone: str) -> int:
    """How far an offset is ahead of UTC."""
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


def _extremes(value: Temporal, level: int) -> tuple[Fields, Fields]:
    """The first and last moment it can be, as seven parts; finer ones than the level are 0."""
    known = fields(value)
    first = 3 if value.kind == "time" else 0
    if first:
        known = (1, 1, 1, *known)
    low, high = (known + limit[len(known) : first + level] for limit in (_LEAST, _MOST))
    if not first and len(known) < 3 <= level:
        high = (*high[:2], calendar.monthrange(high[0], high[1])[1], *high[3:])
    return low + _LEAST[len(low) :], high + _LEAST[len(high) :]


def _whole_units(low: Fields, high: Fields, precision: str) -> int:
    """Months by the calendar: the day must be reached; 31 January to 28 February is no month."""
    if low > high:
        return -_whole_units(high, low, precision)
    if precision not in {"Year", "Month"}:
        return (_count(high) - _count(low)) // _MILLISECONDS[precision]
    months = (high[0] - low[0]) * 12 + high[1] - low[1] - (high[2:] < low[2:])
    return months // 12 if precision == "Year" else months


def _borders(low: Fields, high: Fields, precision: str) -> int:
    if precision == "Year":
        return high[0] - low[0]
    if precision == "Month":
        return (high[0] - low[0]) * 12 + high[1] - low[1]
    if precision == "Week":  # which begins on Sunday; the first day of the year 1 is a Monday
        first, last = (dt.date(*each[:3]).toordinal() // 7 for each in (low, high))
        return last - first
    level = LEVELS.index(precision) + 1
    low, high = (each[:level] + _LEAST[level:] for each in (low, high))
    return _whole_units(low, high, precision)


def _count(parts: Fields) -> int:
    """Milliseconds since the year 1."""
    days = dt.date(*parts[:3]).toordinal()
    return (((days * 24 + parts[3]) * 60 + parts[4]) * 60 + parts[5]) * 1000 + parts[6]


# -- neighbours and boundaries ---------------------------------------------------------------

_STEPS = ("year", "month", "day", "hour", "minute", "second", "millisecond")


def neighbour(value: Temporal, direction: int) -> Temporal:
    """The moment one step of its precision later or earlier; raises FhirpkgError at the end."""
    known = fields(value)
    unit = _STEPS[len(known) - 1 + (3 if value.kind == "time" else 0)]
    found = value.plus(Decimal(direction), unit)
    if found is None or (value.kind == "time" and (fields(found) > known) != (direction > 0)):
        raise FhirpkgError(f"{value} has no {'successor' if direction > 0 else 'predecessor'}")
    return found


def boundary(value: Temporal, digits: int | None, *, high: bool) -> Temporal | None:
    """The first or last moment that it may mean, to that many digits (17 for milliseconds)."""
    found = value.boundary(digits, high=high)
    return None if found is None else replace(found, kind=value.kind, zone=value.zone)
