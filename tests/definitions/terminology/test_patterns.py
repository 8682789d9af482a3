"""Patterns from content cannot make us hang."""

import pytest

from fhirpkg.definitions.terminology.patterns import matches


@pytest.mark.parametrize(
    "pattern, text, answer",
    [
        ("[A-Z]{2}", "DE", True),
        ("[A-Z]{2}", "DEU", False),
        (r"[^@\s]+@[^@\s]+\.[^@\s]+", "someone@example.org", True),
        ("(foo|bar)?", "bar", True),
        (r"\(a+\)", "(aa)", True),
        (r"[)(]+", "()", True),
        (r"\d{4}-\d{2}", "2026-11", True),
    ],
)
def test_ordinary_patterns_match_the_whole_text(pattern, text, answer):
    assert matches(pattern, text) is answer


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|a)*b", "(?:a*)*", "((a)*b)*", "(a{1,9}){9}c", "(a|aa){30}c", "(?:(?:a|b))+"],
)
def test_patterns_that_may_take_exponential_time_are_not_run(pattern):
    assert matches(pattern, "a" * 40) is None


def test_many_repetitions_are_not_run_on_long_text():
    assert matches("a*a*a*a*b", "a" * 1000) is None
    assert matches("a*a*a*a*b", "a" * 20) is False


@pytest.mark.parametrize("pattern", ["(", "[", "a)", "*", "x" * 2000])
def test_what_is_no_usable_pattern_is_unknown(pattern):
    assert matches(pattern, "x") is None
