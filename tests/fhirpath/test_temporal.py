"""Moments as others use them: parsing, text, order, arithmetic."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirpkg.fhirpath.temporal import Temporal, moment, time_of_day, today

ZONES = st.sampled_from(["", "Z", "+02:00", "-11:30"])
DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))
TIMES = st.times()


@given(DAYS, TIMES, ZONES)
def test_text_comes_back_as_it_was(day, time, zone):
    for kind, text in [
        ("date", str(day)),
        ("date", str(day)[:7]),
        ("date", str(day)[:4]),
        ("time", time.isoformat()),
        ("dateTime", f"{day}T{time.isoformat()}{zone}"),
    ]:
        assert str(Temporal.parse(kind, text)) == text


@given(DAYS, TIMES, DAYS, TIMES)
def test_the_order_is_that_of_the_calendar(one, at_one, two, at_two):
    left = Temporal.parse("dateTime", f"{one}T{at_one.isoformat()}")
    right = Temporal.parse("dateTime", f"{two}T{at_two.isoformat()}")
    first, second = dt.datetime.combine(one, at_one), dt.datetime.combine(two, at_two)
    assert left.compare(right) == (first > second) - (first < second)


@given(DAYS, TIMES, st.integers(-(10**6), 10**6))
def test_moving_by_seconds_is_that_of_the_calendar(day, time, seconds):
    start = Temporal.parse("dateTime", f"{day}T{time.isoformat()}")
    then = dt.datetime.combine(day, time) + dt.timedelta(seconds=seconds)
    moved = start.plus(Decimal(seconds), "second")
    assert moved.compare(Temporal.parse("dateTime", then.isoformat())) == 0


FRACTIONS = st.sampled_from(["", ".0", ".000", ".5", ".999"])


@given(DAYS, TIMES, FRACTIONS, ZONES, st.integers(-(10**7), 10**7), st.sampled_from("sdw"))
def test_what_was_moved_is_a_moment_again_as_precise_as_before(
    day, time, fraction, zone, amount, unit
):
    units = {"s": "second", "d": "day", "w": "week"}
    clock = f"{time.replace(microsecond=0).isoformat()}{fraction}"
    for kind, text in [("dateTime", f"{day}T{clock}{zone}"), ("time", clock)]:
        start = Temporal.parse(kind, text)
        moved = start.plus(Decimal(amount if unit == "s" else amount % 1000 - 500), units[unit])
        if moved is None:
            assert (kind, unit) in {("time", "d"), ("time", "w")}
            continue
        assert len(str(moved)) == len(text)
        assert Temporal.parse(kind, str(moved)) == moved


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("fraction", [".0", ".00", ".000", ".000000"])
def test_a_fraction_of_nothing_stays_what_it_was(fraction, sign):
    moved = Temporal.parse("dateTime", f"2024-03-10T09:00:00{fraction}Z").plus(
        Decimal(sign * 14), "day"
    )
    day = "2024-02-25" if sign < 0 else "2024-03-24"
    assert str(moved) == f"{day}T09:00:00{fraction}Z"


@given(DAYS, st.integers(-1000, 1000))
def test_moving_by_months_keeps_the_day_or_takes_the_last(day, months):
    moved = Temporal.parse("date", str(day)).plus(Decimal(months), "month")
    year, month, found = moved.parts
    assert (year * 12 + month) - (day.year * 12 + day.month) == months
    last = (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)).day
    assert found == min(day.day, last)


@pytest.mark.parametrize(
    "kind, text",
    [
        ("date", ""), ("date", "20"), ("date", "2020-1"), ("date", "2020-02-30"), ("date", "0000"),
        ("date", "2020-01-01T10:00"), ("date", "2020-13"), ("date", "2020-00"), ("time", "24:00"),
        ("time", "10:60"), ("time", "10:00Z"), ("time", "2020"), ("dateTime", "10:00"),
        ("dateTime", "2020-01T10:00"), ("dateTime", "2020-01-01T10:00+2:00"), ("date", "²020"),
        ("date", "2020\n"),
    ],
)  # fmt: skip
def test_what_is_no_moment_is_none(kind, text):
    assert Temporal.parse(kind, text) is None


def test_a_leap_second_is_a_moment():
    assert str(Temporal.parse("dateTime", "2016-12-31T23:59:60Z")) == "2016-12-31T23:59:60Z"


@pytest.mark.parametrize("high", [False, True])
@pytest.mark.parametrize("text", ["2020", "2020-02", "2020-02-29T10", "2020-02-29T10:30:00"])
def test_boundaries_lie_around_the_moment(text, high):
    start = Temporal.parse("dateTime", text)
    boundary = start.boundary(17, high=high)
    assert boundary.digits == 17
    assert str(boundary).endswith("-12:00" if high else "+14:00")
    assert start.compare(Temporal("dateTime", boundary.parts)) in {None, 0, -1 if high else 1}


def test_a_clock_is_shown_to_the_millisecond():
    now = dt.datetime.fromisoformat("2026-05-04T10:20:30.123456+02:00")
    assert str(moment(now)) == "2026-05-04T10:20:30.123+02:00"
    assert str(moment(now.replace(tzinfo=None))) == "2026-05-04T10:20:30.123Z"
    assert str(today(now)) == "2026-05-04"
    assert str(time_of_day(now)) == "10:20:30.123"
