import datetime as dt
from decimal import Decimal

import pytest

from fhirpkg.releases import R4, R5
from fhirpkg.validation.elements.primitives import (
    PREDICATES,
    cut,
    kind,
    predicates,
    problem,
    shorten,
)

GOOD = {
    "base64Binary": ["aGk=", "aGVs bG8h", "aGVs\nbG8h"],
    "boolean": [True, False],
    "canonical": ["http://example.org/x|1.0", "#inner", "urn:oid:X.Y.Z"],
    "code": ["a", "two words", "a-b/c"],
    "date": ["2024", "2024-02", "2024-02-29", "2000-02-29", "0001-01-01"],
    "dateTime": ["2024", "2024-12-31T23:59:60Z", "2024-01-01T00:00:00.123+14:00"],
    "decimal": [1, Decimal("1.50"), 0.5, -3],
    "id": ["a", "A.b-9", "x" * 64],
    "instant": ["2024-01-01T00:00:00Z", "2024-02-29T12:00:00.5-03:30"],
    "integer": [0, -2147483648, 2147483647],
    "markdown": ["# x\n\n* y", "a\tb"],
    "oid": ["urn:oid:2.16.840", "urn:oid:1.3"],
    "positiveInt": [1, 2147483647],
    "string": ["a", "a\nb", " x", "\u00e9\u4e2d", "x" * 1048576],
    "time": ["00:00:00", "23:59:59.999"],
    "unsignedInt": [0, 7],
    "uri": [
        "x",
        "a\u00a0b",
        "urn:uuid:9e7ff1a5-5b0b-4d6e-9e0b-0c6a6c9b9a11",
        "urn:uuid:9e7ff1a5-5b0b-4d6e-9e0b-0c6a6c9b9a11#part",
        "urn:oid:1.2.840.1|4.0",
    ],
    "uuid": ["urn:uuid:9e7ff1a5-5b0b-4d6e-9e0b-0c6a6c9b9a11"],
    "xhtml": ["<div/>"],
}
BAD = {
    "base64Binary": ["", "a", "aG=k", "a*==", 1],
    "boolean": ["true", 1, None],
    "canonical": ["", "a b", 1, "https://", "oid:1.2.840", "urn:uuid:x|1"],
    "code": ["", " a", "a ", "a  b", "a\tb", "a\nb", "a\u00a0", 1],
    "date": ["", "24", "2024-13", "2024-00-01", "2023-02-29", "1900-02-29", "2024-04-31", "0000"],
    "dateTime": ["2024-01-01T00:00", "2024-01-01T24:00:00Z", "2024-02-30", "2024-01-01T00:00:00"],
    "decimal": ["1", True, None],
    "id": ["", "a_b", "x" * 65, 1],
    "instant": ["2024", "2024-01-01T00:00:00", "2023-02-29T00:00:00Z"],
    "integer": [2147483648, -2147483649, Decimal("1.0"), True, "1"],
    "markdown": ["", "  ", 5],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1.2.3"],
    "positiveInt": [0, -1, Decimal(1)],
    "string": ["", " ", "\n", "a\x00b", "x" * 1048577, 1, ["a"]],
    "time": ["24:00:00", "12:00", "12:00:00Z"],
    "unsignedInt": [-1, "0"],
    "uri": ["", "a b", "http://", "a\tb", "urn:uuid:1", "urn:oid:a.b", "uuid:1", "oid:1.2.840"],
    "uuid": ["9e7ff1a5-5b0b-4d6e-9e0b-0c6a6c9b9a11", "urn:uuid:x"],
    "xhtml": [1, {}, "", "  "],
}


@pytest.mark.parametrize("name, value", [(n, v) for n, values in GOOD.items() for v in values])
def test_a_good_value_passes(name, value):
    assert PREDICATES[name](value)


@pytest.mark.parametrize("name, value", [(n, v) for n, values in BAD.items() for v in values])
def test_a_bad_value_fails_and_its_problem_has_a_rule(name, value):
    assert not PREDICATES[name](value)
    rule, _ = problem(name, value)
    assert rule.id.startswith("primitive-")


@pytest.mark.parametrize("year", [1896, 1900, 1999, 2000, 2023, 2024])
def test_days_are_those_of_the_calendar(year):
    for month in range(1, 13):
        for day in range(28, 32):
            try:
                dt.date(year, month, day)
                real = True
            except ValueError:
                real = False
            assert bool(PREDICATES["date"](f"{year}-{month:02}-{day:02}")) is real


@pytest.mark.parametrize(
    "name, value, rule",
    [
        ("string", None, "primitive-empty"),
        ("string", "  ", "primitive-blank"),
        ("code", "  ", "primitive-empty"),
        ("integer", "1", "primitive-kind"),
        ("string", 1, "primitive-kind"),
        ("boolean", "true", "primitive-kind"),
        ("integer", Decimal("1.5"), "primitive-kind"),
        ("positiveInt", 0, "primitive-range"),
        ("date", "x", "primitive-format"),
        ("string", "x" * 1048577, "primitive-length"),
        ("markdown", "\x01", "primitive-characters"),
        ("uri", "oid:1.2.840", "primitive-scheme"),
        ("canonical", "uuid:1", "primitive-scheme"),
        ("uri", "urn:oid:1.2.3", "primitive-oid-root"),
        ("uri", "urn:oid:a.b", "primitive-format"),
    ],
)
def test_the_rule_says_what_kind_of_mistake_it_is(name, value, rule):
    assert problem(name, value)[0].id == rule


@pytest.mark.parametrize("digits, is_good", [(17, True), (18, True), (19, False)])
def test_a_decimal_of_r5_has_eighteen_digits_at_most(digits, is_good):
    value = Decimal("9" * digits)
    assert predicates(R5)["decimal"](value) is is_good
    assert predicates(R4)["decimal"](value)


def test_each_kind_of_json_has_its_word():
    values = ["a", 1, True, False, None, {}, []]
    words = [kind(value) for value in values]
    assert len(set(words)) == len(values)
    assert words[2:] == ["true", "false", "null", "an object", "a list"]


def test_values_are_shown_on_one_short_line():
    assert shorten("a\nb") == "'a\\nb'"
    assert shorten("x" * 100) == "'" + "x" * 80 + "…'"
    assert cut("abc", 2) == "ab…"


@pytest.mark.parametrize("text", ["   ", "\x07", "a\x0bb"])
def test_text_that_only_should_not_be_is_a_warning(validator, text):
    outcome = validator.validate({"resourceType": "Patient", "name": [{"text": text}]})
    found = [issue.rule for issue in outcome.issues if issue.expression.endswith(".text")]
    assert found in (["primitive-blank"], ["primitive-characters"])
    assert not outcome.errors
