"""Parts of moments, and how far two lie apart (FHIRPath 3.0, dates and times)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.comparison import EvaluationError, name_of
from fhirpkg.fhirpath.functions.function import Function
from fhirpkg.fhirpath.temporal import Temporal

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Json

_FIRST_OF_CLOCK = 3
_PRECISIONS = ("year", "month", "day", "hour", "minute", "second")
_UNITS = {"week": 604_800_000, "day": 86_400_000, "hour": 3_600_000, "minute": 60_000,
          "second": 1000, "millisecond": 1}  # fmt: skip
"""Lengths in milliseconds."""
_OF_DATES = ("year", "month", "week", "day")
_OF_TIMES = ("hour", "minute", "second", "millisecond")


def _part(name: str) -> Callable[[Json], int | None]:
    """What takes one part from a moment; None where it has no such part."""
    at = _PRECISIONS.index(name)

    def part(value: Json) -> int | None:
        parts = _all_parts(value)
        found = parts[at] if at < len(parts) else None
        return None if found is None else int(found)

    return part


def _all_parts(value: Json) -> tuple[int | Decimal | None, ...]:
    """Year to second; None for the date that a time of day does not have."""
    if not isinstance(value, Temporal):
        return ()
    return (None, None, None, *value.parts) if value.kind == "time" else value.parts


def _milliseconds(value: Json) -> int | None:
    second = _all_parts(value)[5:6]
    return int(second[0] % 1 * 1000) if second and isinstance(second[0], Decimal) else None


def _offset(value: Json) -> Decimal | None:
    """Hours from UTC: ``-7.5``."""
    if not isinstance(value, Temporal) or value.zone is None:
        return None
    if value.zone == "Z":
        return Decimal("0.0")
    hours = Decimal(int(value.zone[1:3])) + Decimal(int(value.zone[4:6])) / 60
    return hours * (-1 if value.zone[0] == "-" else 1)


def _date(value: Json) -> Temporal | None:
    is_dated = isinstance(value, Temporal) and value.kind != "time"
    return Temporal("date", value.parts[:3]) if is_dated else None


def _time(value: Json) -> Temporal | None:
    has_clock = isinstance(value, Temporal) and value.kind == "dateTime"
    clock = value.parts[_FIRST_OF_CLOCK:] if has_clock else ()
    return Temporal("time", clock) if clock else None


def duration(start: Json, end: Json, precision: str) -> int | None:
    """Whole periods from one moment to another, negative when it is before."""
    sides = _compared(start, end, precision)
    if sides is None:
        return None
    one, two = sides
    if precision not in {"year", "month"}:
        apart = _instant(two) - _instant(one)
        return apart // _UNITS[precision] if apart >= 0 else -(-apart // _UNITS[precision])
    months = _month(two) - _month(one)
    if months > 0 and two[2:] < one[2:]:
        months -= 1
    elif months < 0 and two[2:] > one[2:]:
        months += 1
    return months if precision == "month" else int(months / 12)


def difference(start: Json, end: Json, precision: str) -> int | None:
    """Boundaries of a period between one moment and another; a week begins on Sunday."""
    sides = _compared(start, end, precision)
    if sides is None:
        return None
    one, two = sides
    if precision == "year":
        return int(two[0]) - int(one[0])
    if precision == "month":
        return _month(two) - _month(one)
    return _instant(two) // _UNITS[precision] - _instant(one) // _UNITS[precision]


def _compared(start: Json, end: Json, precision: str) -> tuple[tuple[Json, ...], ...] | None:
    """The parts of both at the precision they share; None when that is not enough."""
    _check(start, end, precision)
    one, two = _all_parts(start), _all_parts(end)
    if precision in _OF_TIMES and "time" not in {start.kind, end.kind}:
        if (start.zone is None) != (end.zone is None):
            return None
        one, two = start.in_utc(), end.in_utc()
    length = min(len(one), len(two))
    needed = {"week": 3, "millisecond": 6}.get(precision) or _PRECISIONS.index(precision) + 1
    fractions = all(isinstance(parts[5], Decimal) for parts in (one, two)) if length > 5 else False
    if length < needed or (precision == "millisecond" and not fractions):
        return None
    return one[:length], two[:length]


def _check(start: Json, end: Json, precision: str) -> None:
    for value in (start, end):
        if not isinstance(value, Temporal):
            raise EvaluationError(f"a Date, DateTime or Time is needed, but {name_of(value)} found")
    kinds = {start.kind, end.kind}
    if "time" in kinds and len(kinds) > 1:
        raise EvaluationError(f"{start.kind} and {end.kind} have nothing in common")
    dates = () if "time" in kinds else _OF_DATES
    times = () if kinds == {"date"} else _OF_TIMES
    allowed = (*dates, *times)
    if precision not in allowed:
        raise EvaluationError(f"'{precision}' is not one of {', '.join(allowed)}")


def _month(parts: tuple[Json, ...]) -> int:
    return int(parts[0]) * 12 + (int(parts[1]) if len(parts) > 1 else 1)


def _instant(parts: tuple[Json, ...]) -> int:
    """Milliseconds since the Sunday before year 1; a time of day since midnight."""
    filled = [*parts, *(1, 1, 1, 0, 0, 0)[len(parts) :]]
    year, month, day, hour, minute, second = filled
    days = 0 if year is None else dt.date(int(year), int(month), int(day)).toordinal()
    clock = (int(hour) * 60 + int(minute)) * 60_000 + int(Decimal(second) * 1000)
    return days * _UNITS["day"] + clock


FUNCTIONS = {
    **{f"{name}Of": Function(_part(name), "value", gives="Integer") for name in _PRECISIONS},
    "millisecondOf": Function(_milliseconds, "value", gives="Integer"),
    "timezoneOffsetOf": Function(_offset, "value", gives="Decimal"),
    "dateOf": Function(_date, "value", gives="Date"),
    "timeOf": Function(_time, "value", gives="Time"),
    "duration": Function(duration, "value", ("value", "string"), "Integer"),
    "difference": Function(difference, "value", ("value", "string"), "Integer"),
}
