"""Search values: the text of dates, numbers and strings as something that can be compared.

Instants are integers, microseconds since 1970 in UTC; a date is the range of instants that its
precision covers (R4 search.html#date), a number the range its digits cover (search.html#number).
"""

from __future__ import annotations

import datetime as dt
import math
import re
import time
import unicodedata
from decimal import Decimal, InvalidOperation

from fhirpkg.ucum import canonical

FOREVER = 2**62
"""Later than any date: the open end of a Period; its negative is the open start."""

UCUM = "http://unitsofmeasure.org"
BASE_UNITS = "ucum:base"
"""The system of an amount in UCUM's base units, whose code is the dimension."""

_DAY = 86_400_000_000
_EPOCH = dt.date(1970, 1, 1).toordinal()
_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:T(?P<hour>\d\d):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?(?P<zone>Z|[+ -]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_SPACES = re.compile(r"\s+")


def now() -> int:
    """The present instant, to the millisecond."""
    return time.time_ns() // 1_000_000 * 1000


def instant(microseconds: int) -> str:
    """A FHIR instant, ``2026-11-23T18:00:00.000Z``."""
    moment = dt.datetime.fromtimestamp(microseconds // 1_000_000, dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{microseconds // 1000 % 1000:03d}Z"


def date_range(text: str) -> tuple[int, int]:
    """The first instant of a FHIR date and the first one after it; without a zone it is UTC.

    >>> date_range("1970-01-02")
    (86400000000, 172800000000)

    Raises ValueError when the text is not a date.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a date")
    year, month, day = (int(match[name] or 1) for name in ("year", "month", "day"))
    first = _days(year, month, day, text)
    if match["hour"] is not None:
        return _moment(match, first)
    if match["day"]:
        last = first + 1
    elif match["month"]:
        last = _days(year + month // 12, month % 12 + 1, 1, text)
    else:
        last = _days(year + 1, 1, 1, text)
    return first * _DAY, last * _DAY


def _days(year: int, month: int, day: int, text: str) -> int:
    if year == 10_000:  # the end of the last year that datetime knows
        return dt.date(9999, 12, 31).toordinal() - _EPOCH + 1
    try:
        return dt.date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        raise ValueError(f"'{text}' is not in the calendar") from None


def _moment(match: re.Match[str], day: int) -> tuple[int, int]:
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 60:  # 60: leap seconds are allowed
        raise ValueError(f"'{match.string}' is not a time of the day")
    start = day * _DAY + (hour * 3600 + minute * 60 + second) * 1_000_000
    zone = match["zone"] or "Z"
    if zone != "Z":
        # A plus sign that nobody escaped in a query arrives as a blank.
        sign = -1 if zone[0] == "-" else 1
        start -= sign * (int(zone[1:3]) * 60 + int(zone[4:])) * 60_000_000
    if match["fraction"]:
        digits = match["fraction"][:6]
        width = 10 ** (6 - len(digits))
        start += int(digits) * width
        return start, start + width
    return start, start + (1_000_000 if match["second"] else 60_000_000)


def number_range(text: str) -> tuple[float, float]:
    """The range that a number's digits cover: 100 is 99.5 to 100.5 (R4 search.html#number).

    Raises ValueError when the text is not a number.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"'{text}' is not a number") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"'{text}' is not a number")  # noqa: TRY004 - 'NaN' and 'Infinity'
    half = Decimal((0, (5,), exponent - 1))
    return float(number - half), float(number + half)


def in_base_units(low: float, high: float, unit: str) -> tuple[float, float, str] | None:
    """A range in UCUM's base units and its dimension, so that 1 g is 1000 mg; None for no unit."""
    ends = [
        canonical(Decimal(str(end)), unit) if math.isfinite(end) else None for end in (low, high)
    ]
    known = next((end for end in ends if end), None)
    if known is None:
        return None
    dimension = known[1]
    first, last = (
        float(end[0]) if end else way for end, way in zip(ends, (low, high), strict=True)
    )
    return min(first, last), max(first, last), str(dimension)


def plain(text: str) -> str:
    """Text for a string search: no case, no accents, single blanks (R4 search.html#string)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in text if not unicodedata.combining(char))
    return _SPACES.sub(" ", text).strip().casefold()
