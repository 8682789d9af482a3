"""YAML as authors write it: values, places, and what is refused."""

from decimal import Decimal

import pytest

from fhirpkg.authoring.source import read


def data(text):
    source = read(text.encode(), "a.yaml")
    assert source.issues == []
    return source.data


@pytest.mark.parametrize(
    "text, value",
    [
        ("no", "no"),
        ("yes", "yes"),
        ("true", True),
        ("'true'", "true"),
        ("12", 12),
        ("1.10", Decimal("1.10")),
        ("1e3", Decimal("1e3")),
        ("2026-11-23", "2026-11-23"),
        ("012", 12),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("~", None),
        ("12:30", "12:30"),
        ("'12'", "12"),
        (".inf", ".inf"),
    ],
)
def test_scalars_are_those_of_the_core_schema(text, value):
    found = data(f"key: {text}")["key"]
    assert found == value
    assert type(found) is type(value)


def test_decimals_keep_their_digits():
    assert str(data("key: 1.10")["key"]) == "1.10"


def test_each_value_and_key_has_its_place():
    source = read(b"a:\n  - b: 1\n    c: text\n", "a.yaml")
    assert source.place(("a", 0, "c")) == (3, 8)
    assert source.place(("a", 0, "c"), key=True) == (3, 5)


def test_a_path_that_is_not_there_has_the_place_of_what_is_above_it():
    source = read(b"a:\n  - b: 1\n", "a.yaml")
    assert source.place(("a", 0, "missing")) == (2, 5)


def test_a_key_that_is_no_word_is_refused():
    (issue,) = read(b"? [a, b]\n: c\n", "a.yaml").issues
    assert (issue.rule, issue.line) == ("source-key", 1)


def test_aliases_may_be_used():
    assert data("a: &x [1]\nb: *x\n") == {"a": [1], "b": [1]}


def test_aliases_that_multiply_are_refused_in_bounded_time():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (issue,) = read("\n".join(lines).encode(), "a.yaml").issues
    assert issue.rule == "source-aliases"


def test_an_alias_of_what_is_around_it_is_refused():
    (issue,) = read(b"a: &a\n  b: *a\n", "a.yaml").issues
    assert issue.rule == "source-aliases"


def test_deep_nesting_is_refused():
    issues = read(b"a: " + b"[" * 5000, "a.yaml").issues
    assert {issue.rule for issue in issues} <= {"source-yaml", "source-aliases"}
    assert issues


def test_text_that_is_not_utf_8_is_told_with_its_line():
    (issue,) = read(b"a: b\nc: \xff\n", "a.yaml").issues
    assert (issue.rule, issue.line) == ("source-yaml", 2)


def test_a_second_document_is_refused():
    (issue,) = read(b"a: b\n---\nc: d\n", "a.yaml").issues
    assert issue.rule == "source-yaml"
