"""Dates, times and dates with time, each as precise as it was written.

http://hl7.org/fhirpath/N1/#date, comparison in section 6.2, arithmetic in 6.6.7.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass, replace
from decimal import Decimal

_WRITTEN = re.compile(
    r"(?P<date>\d{4}(?:-\d\d){0,2})?T?"
    r"(?:(?P<time>\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)(?P<zone>Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)
_DATE_DIGITS = (4, 6, 8, 10, 12, 14)
_TIME_DIGITS = (2, 4, 6)
_MILLISECONDS = Decimal("0.001")
_EARLIEST = (1, 1, 1, 0, 0, Decimal("0.000"))
_LATEST = (9999, 12, 31, 23, 59, Decimal("59.999"))
_LARGEST = (9999, 12, 31, 23, 59, 60)
_UNITS: dict[str, tuple[int, int | Decimal]] = {
    "year": (0, 1),
    "month": (1, 1),
    "week": (2, 7),
    "day": (2, 1),
    "hour": (3, 1),
    "minute": (4, 1),
    "second": (5, 1),
    "millisecond": (5, _MILLISECONDS),
}
_OF_THE_NEXT = (0, 12, 30, 24, 60, 60)
_DAYS_IN_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Temporal:
    """A moment: kind ``date``, ``dateTime`` or ``time``, the parts known, the zone as written.

    The parts are year, month, day, hour, minute, second; a time begins with its hour.
    """

    kind: str
    parts: tuple[int | Decimal, ...]
    zone: str | None = None

    @staticmethod
    def parse(kind: str, text: str) -> Temporal | None:
        """The moment in a text of FHIR or FHIRPath (without ``@``); None when there is none."""
        return _parse(kind, text)

    def __str__(self) -> str:
        parts = self.parts
        if self.kind == "time":
            return _clock(parts)
        date = "-".join([f"{parts[0]:04}", *(f"{part:02}" for part in parts[1:3])])
        if len(parts) > 3:
            return f"{date}T{_clock(parts[3:])}{self.zone or ''}"
        return date

    @property
    def digits(self) -> int:
        """How precise it is, counted in digits: 4 for a year, 17 for milliseconds."""
        counts = _TIME_DIGITS if self.kind == "time" else _DATE_DIGITS
        count = counts[len(self.parts) - 1]
        return count + 3 if isinstance(self.parts[-1], Decimal) and "." in str(self) else count

    def compare(self, other: Temporal) -> int | None:
        """-1, 0 or 1; None when their precision or a missing zone leaves it open."""
        mine, theirs = self.parts, other.parts
        if self.zone != other.zone and len(mine) > 3 and len(theirs) > 3:
            if self.zone is None or other.zone is None:
                return _compare_days(mine, theirs)
            mine, theirs = self.in_utc(), other.in_utc()
        for one, two in zip(mine, theirs, strict=False):
            if one != two:
                return -1 if one < two else 1
        return 0 if len(mine) == len(theirs) else None

    def in_utc(self) -> tuple[int | Decimal, ...]:
        """The parts in UTC; before year 1, after 9999 and without a zone they stay as they are."""
        zone = self.zone or "Z"
        if zone == "Z":
            return self.parts
        minutes = int(zone[1:3]) * 60 + int(zone[4:6])
        try:
            return _add_seconds(self, Decimal(minutes * (-60 if zone[0] == "+" else 60)))
        except (OverflowError, ValueError):
            return self.parts

    def plus(self, amount: Decimal, unit: str) -> Temporal | None:
        """Later by a calendar duration; None when that leaves the years 1 to 9999.

        A duration finer than the moment's precision is turned into that precision, decimals of
        all but seconds are dropped.
        """
        level, factor = _UNITS[unit]
        amount *= factor
        first = 3 if self.kind == "time" else 0
        last = len(self.parts) - 1 + first
        while level > last:
            to_year = (level, last) == (2, 0)  # 12 months of 30 days are not yet a year
            amount /= _DAYS_IN_A_YEAR if to_year else _OF_THE_NEXT[level]
            level -= 2 if to_year else 1
        if level < 5 or unit not in {"second", "millisecond"}:
            amount = Decimal(int(amount))
        if level < first:
            return None
        return self._later(level, amount)

    def _later(self, level: int, amount: Decimal) -> Temporal | None:
        try:
            if level < 2:
                parts = _add_months(self.parts, int(amount) * (12 if level == 0 else 1))
            else:
                parts = _add_seconds(self, amount * (86400, 3600, 60, 1)[level - 2])
        except (OverflowError, ValueError):
            return None
        return replace(self, parts=parts)

    def boundary(self, digits: int | None, *, high: bool) -> Temporal | None:
        """The earliest or latest moment that it may mean, to so many digits; None if there is none.

        Without a zone the clock may be anywhere from +14:00 (earliest) to -12:00.
        """
        is_time = self.kind == "time"
        counts = _TIME_DIGITS if is_time else _DATE_DIGITS
        digits = digits or {"time": 9, "date": 8}.get(self.kind, 17)
        to_milliseconds = digits == counts[-1] + 3
        if not to_milliseconds and digits not in counts:
            return None
        length = len(counts) if to_milliseconds else counts.index(digits) + 1
        first = 3 if is_time else 0
        limits = (_LATEST if high else _EARLIEST)[first:]
        parts = self.parts[:length] + limits[len(self.parts) : length]
        if high and not is_time and len(parts) > 2 and len(self.parts) < 3:
            parts = (*parts[:2], _days_in_month(int(parts[0]), int(parts[1])), *parts[3:])
        if length == len(counts):
            parts = (*parts[:-1], _second(Decimal(parts[-1]), high=high, exact=to_milliseconds))
        if is_time:
            return Temporal("time", parts)
        if length <= 3:
            return Temporal("date" if digits <= 8 else "dateTime", parts)
        return Temporal("dateTime", parts, self.zone or ("-12:00" if high else "+14:00"))


def today(now: dt.datetime) -> Temporal:
    """The day of a clock."""
    return Temporal("date", (now.year, now.month, now.day))


def moment(now: dt.datetime) -> Temporal:
    """A clock to the millisecond, with its zone; without one it is UTC."""
    shown = now.isoformat(timespec="milliseconds")
    found = _parse("dateTime", shown if now.tzinfo else f"{shown}Z")
    assert found, "a clock shows a moment"
    return found


def time_of_day(now: dt.datetime) -> Temporal:
    """The time of a clock to the millisecond."""
    found = _parse("time", now.time().isoformat(timespec="milliseconds"))
    assert found, "a clock shows a time"
    return found


@functools.lru_cache(maxsize=4096)
def _parse(kind: str, text: str) -> Temporal | None:
    match = _WRITTEN.fullmatch(text)
    if match is None or not text:
        return None
    date, time, zone = match.groups()
    if (kind == "time") != (date is None) or (kind == "date" and "T" in text):
        return None
    if kind == "time" and zone:
        return None
    parts: list[int | Decimal] = [int(part) for part in date.split("-")] if date else []
    if time:
        if date and len(parts) < 3:
            return None
        parts += [Decimal(part) if "." in part else int(part) for part in time.split(":")]
    return Temporal(kind, tuple(parts), zone) if _exists(parts, len(parts) if time else 0) else None


def _exists(parts: list[int | Decimal], with_time: int) -> bool:
    first = 3 if with_time and len(parts) <= 3 else 0
    largest = _LARGEST[first:]
    if any(part >= most + 1 for part, most in zip(parts, largest, strict=False)):
        return False
    if first or parts[0] < 1:
        return bool(first)
    if len(parts) > 1 and parts[1] < 1:
        return False
    return len(parts) < 3 or 1 <= parts[2] <= _days_in_month(int(parts[0]), int(parts[1]))


def _clock(parts: tuple[int | Decimal, ...]) -> str:
    shown = [f"{part:02}" for part in parts[:2]]
    if len(parts) == 3:
        second = str(parts[2])
        shown.append(second if second[1:2].isdigit() else f"0{second}")
    return ":".join(shown)


def _second(second: Decimal, *, high: bool, exact: bool) -> Decimal | int:
    if not exact:
        return int(second)
    if high and second == int(second) and "." not in str(second):
        second += 1 - _MILLISECONDS
    return second.quantize(_MILLISECONDS)


def _days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def _compare_days(mine: tuple[int | Decimal, ...], theirs: tuple[int | Decimal, ...]) -> int | None:
    """An order that no zone can turn around: more than a day lies between."""
    days = _ordinal(mine) - _ordinal(theirs)
    return None if abs(days) < 2 else 1 if days > 0 else -1


def _ordinal(parts: tuple[int | Decimal, ...]) -> int:
    return dt.date(int(parts[0]), int(parts[1]), int(parts[2])).toordinal()


def _add_months(parts: tuple[int | Decimal, ...], months: int) -> tuple[int | Decimal, ...]:
    month = int(parts[1]) - 1 if len(parts) > 1 else 0
    year, month = divmod(int(parts[0]) * 12 + month + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    if len(parts) < 3:
        return (year, month + 1)[: len(parts)]
    day = min(int(parts[2]), _days_in_month(year, month + 1))
    return (year, month + 1, day, *parts[3:])


def _add_seconds(moment: Temporal, seconds: Decimal) -> tuple[int | Decimal, ...]:
    """Parts later by an exact duration; a time of day goes around the clock."""
    is_time = moment.kind == "time"
    parts = moment.parts
    full = ((0, 1, 1, *parts) if is_time else parts) + (0, 1, 1, 0, 0, 0)[len(parts) :]
    total = Decimal(full[5]) + seconds
    minutes, second = divmod(total, 60)
    if second < 0:
        minutes, second = minutes - 1, second + 60
    second = abs(second)  # the remainder of a negative Decimal can be a negative zero
    start = dt.datetime(1 if is_time else int(full[0]), *(int(p) for p in full[1:5]))  # type: ignore[arg-type]  # noqa: DTZ001 - five numbers, zoneless as FHIR's local times are
    day = dt.timedelta(minutes=int(minutes) % 1440 if is_time else int(minutes))
    if is_time:
        start = start.replace(year=2)
    then = start + day
    found = (then.year, then.month, then.day, then.hour, then.minute)
    shown = second if isinstance(full[5], Decimal) or second != int(second) else int(second)
    return (*found, shown)[3:][: len(parts)] if is_time else (*found, shown)[: len(parts)]
