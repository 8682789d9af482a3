import datetime as dt
from decimal import Decimal

import pytest

from fhirpkg.validation.elements.limits import _limit, compare, equal, matches

CODING = {"system": "s", "code": "c"}


@pytest.mark.parametrize(
    "stated, value, same",
    [
        (CODING, dict(CODING), True),
        (CODING, {**CODING, "id": "x"}, True),
        (CODING, {**CODING, "display": "d"}, False),
        ([1], [1], True),
        ([1], [1, 1], False),
        (1, Decimal("1.0"), True),
        (1, True, False),
        ("1", 1, False),
        ({}, [], False),
    ],
)
def test_a_fixed_value_is_the_whole_value(stated, value, same):
    assert equal(stated, value) is same


@pytest.mark.parametrize(
    "pattern, value, held",
    [
        (CODING, {**CODING, "display": "d"}, True),
        ({"coding": [CODING]}, {"coding": [{"code": "x"}, dict(CODING)], "text": "t"}, True),
        ({"coding": [CODING, {"code": "y"}]}, {"coding": [dict(CODING)]}, False),
        ({"coding": [CODING]}, {"text": "t"}, False),
        (CODING, None, False),
        ([CODING], CODING, False),
    ],
)
def test_a_pattern_is_held_when_all_of_it_is_somewhere_in_the_value(pattern, value, held):
    assert matches(pattern, value) is held


@pytest.mark.parametrize(
    "value, limit, order",
    [
        (1, 2, -1),
        (Decimal("2.0"), 2, 0),
        ("2024-03", "2024-02-28", 1),
        ("2024", "2024-06-01", 0),
        ("2020-01-01T00:30:00+01:00", "2020-01-01T00:00:00Z", -1),
        ("2020-01-01T01:00:00+01:00", "2020-01-01T00:00:00Z", 0),
        ("2020-01-01T01:00:00", "2020-01-01T00:00:00Z", 1),
        ("a", 1, None),
        ({"value": 5, "code": "g"}, {"value": 4, "code": "g"}, 1),
        ({"value": 5, "code": "g"}, {"value": 1, "code": "kg"}, -1),
        ({"value": 5, "code": "g"}, {"value": 1, "code": "m"}, None),
        ({"value": 5, "code": "g"}, {"value": 1}, None),
        ({"value": 5, "unit": "g"}, {"value": 4, "unit": "g"}, 1),
        ({"value": 5, "unit": "g"}, {"value": 4}, None),
        ({"value": 5, "code": "g", "system": "s"}, {"value": 4, "code": "g", "system": "t"}, None),
        ({"value": "5"}, {"value": 1}, None),
    ],
)
def test_values_are_compared_where_they_can_be(value, limit, order):
    assert compare(value, limit) == order


@pytest.mark.parametrize(
    "code, seconds, tolerance",
    [
        ("s", 2, 0),
        ("min", 120, 0),
        ("h", 7200, 0),
        ("d", 2 * 86400, 0),
        ("wk", 14 * 86400, 0),
        ("mo", 61 * 86400, 86400),
        ("a", 730.5 * 86400, 86400),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_duration_limits_a_date_that_far_from_now(code, seconds, tolerance, sign):
    now = dt.datetime.now(dt.UTC)
    found = dt.datetime.fromisoformat(_limit("2026-01-01", {"value": 2, "code": code}, sign))
    minute = 60
    assert abs((found - now).total_seconds() - sign * seconds) <= tolerance + minute


@pytest.mark.parametrize("stated", [{"value": 2, "code": "m"}, {"code": "d"}, {"value": "2"}])
def test_what_is_no_duration_limits_no_date(stated):
    assert _limit("2026-01-01", stated, 1) is None
