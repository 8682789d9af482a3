"""FHIR JSON in and out: digits kept, trouble told with its place."""

import itertools
import json
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirpkg import fhirjson, positions


def issues_of(text):
    return [(i.rule, i.line, i.column) for i in fhirjson.read(text)[1]]


@pytest.mark.parametrize("number", ["1.0", "1.50", "0.000001", "1e2", "1E-7", "-0.0", "3"])
def test_numbers_come_back_as_they_were_written(number):
    value, issues = fhirjson.read(f'{{"a":{number}}}')
    assert not issues
    assert fhirjson.dump(value) == f'{{"a":{number}}}'


def test_a_number_with_an_exponent_counts_as_what_it_is():
    assert fhirjson.read("1e2")[0] == Decimal(100)


def test_both_of_two_equal_keys_are_told_by_the_later_ones_place():
    text = '{\n "a": 1,\n "b": {"x": 1, "y": 2, "x": 3},\n "a": 2}'
    assert issues_of(text) == [("parse-duplicate-key", 3, 24), ("parse-duplicate-key", 4, 2)]


def test_equal_keys_in_different_objects_are_fine():
    assert issues_of('{"a": {"a": [{"a": 1}, {"a": "a"}]}}') == []


def test_a_key_spelled_with_an_escape_is_the_same_key():
    assert issues_of('{"a": 1, "\\u0061": 2}') == [("parse-duplicate-key", 1, 10)]


@pytest.mark.parametrize(
    "text, place",
    [
        ('{"a": }', (1, 7)),
        ('{"a": 1,\n}', (1, 8) if sys.version_info >= (3, 13) else (2, 1)),  # the comma, from 3.13
        ("", (1, 1)),
        ('{"a": "x\n"}', (1, 9)),
    ],
)
def test_malformed_text_is_told_with_line_and_column(text, place):
    value, [issue] = fhirjson.read(text)
    assert value is None
    assert (issue.rule, (issue.line, issue.column)) == ("parse-json", place)


def test_bytes_that_are_no_utf8_are_told_with_their_place():
    [issue] = fhirjson.read(b'{\n"a": "\xff"}')[1]
    assert (issue.line, issue.column) == (2, 7)
    assert "0xff" in issue.text


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "9" * 1001, "1." + "0" * 1000, "1e5000"])
def test_numbers_that_fhir_cannot_hold_are_refused(number):
    value, [issue] = fhirjson.read(f'{{"a": {number}}}')
    assert value is None
    assert issue.rule == "parse-number"
    assert len(issue.text) < 200


def test_half_a_surrogate_pair_is_told_and_a_whole_one_is_fine():
    assert issues_of('{"a": "\\ud83d\\ude00"}') == []
    assert issues_of('{"a":\n "x\\ud800"}') == [("parse-surrogate", 2, 2)]


def test_a_long_text_full_of_escapes_is_read_in_linear_time():
    text = json.dumps('\u00e9"' * 200_000)
    assert issues_of(text) == []


def test_a_byte_order_mark_is_a_warning_and_the_rest_is_read():
    value, [issue] = fhirjson.read(b"\xef\xbb\xbf{}")
    assert value == {}
    assert str(issue.severity) == "warning"


def test_absurd_nesting_is_told_and_not_a_crash():
    assert [i.rule for i in fhirjson.read("[" * 100_000)[1]] == ["parse-depth"]


def test_paths_are_located_by_key_and_item_and_missing_ones_by_their_parent():
    text = '{"a": 1,\n "b": [{"c": "{"}, {\n  "d": [10, 20]}]}'
    paths = [("b", 1, "d", 1), ("b", 0, "c"), ("b", 7), ("zz",), ()]
    assert positions.locate(text, paths) == {
        ("b", 1, "d", 1): (3, 13),
        ("b", 0, "c"): (2, 9),
        ("b", 7): (2, 2),
        ("zz",): (1, 1),
        (): (1, 1),
    }


PLACED = '{"a": {"b": [1, {"c": 2}], "d": "}"}, "e": [[3], {"f": {}}], "g": 4}'
PLACES = [("a",), ("a", "b", 1, "c"), ("a", "d"), ("e", 0, 0), ("e", 1, "f"), ("g",), ("h",)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_text_without_repeated_keys_is_read_as_far_as_is_needed(count):
    for paths in itertools.combinations(PLACES, count):
        found = positions.locate(PLACED, paths, may_repeat=False)
        assert found == positions.locate(PLACED, paths)


def test_what_follows_the_last_place_is_not_read():
    text = '{"a": [{"b": 1}, here it is no JSON'
    assert positions.locate(text, [("a", 0, "b")], may_repeat=False) == {("a", 0, "b"): (1, 9)}


def test_of_a_repeated_key_the_last_counts():
    text = '{"a": 1, "b": 2, "a": 3}'
    assert positions.locate(text, [("a",)]) == {("a",): (1, 18)}


def test_indented_text_is_what_the_standard_library_writes():
    value = {"a": [1, {"b": "é\n"}], "c": {}, "d": [], "e": None, "f": True}
    assert fhirjson.dump(value, indent=2) == json.dumps(value, indent=2, ensure_ascii=False)


def test_what_is_no_json_is_not_written():
    with pytest.raises(TypeError, match="set"):
        fhirjson.dump({"a": {1}})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=6),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_reading_what_was_written_gives_the_same_bytes(value):
    text = fhirjson.dump(value)
    again, issues = fhirjson.read(text)
    assert not issues
    assert fhirjson.dump(again) == text
    assert again == value
