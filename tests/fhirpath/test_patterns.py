"""Patterns from content cannot make us hang."""

import pytest

from fhirpkg.fhirpath.patterns import fits


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
        ("", "", True),
    ],
)
def test_ordinary_patterns_match_the_whole_text(pattern, text, answer):
    assert fits(text, pattern) is answer


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|a)*b", "((a)*b)*", "(a{1,9}){9}c", "(a|aa){30}c", "a?" * 40 + "b", "(a?){40}b"],
)
def test_patterns_that_may_take_exponential_time_are_answered_at_once(pattern):
    assert fits("a" * 40, pattern) is False


@pytest.mark.parametrize("pattern", [r"(a*)*\1b", "(?=(a+)+b)a", "((a{1,90}){1,90})*"])
def test_patterns_that_may_take_for_ever_are_not_run(pattern):
    assert fits("a" * 40, pattern) is None


@pytest.mark.parametrize("pattern", ["(", "[", "a)", "*", "x" * 3000])
def test_what_is_no_usable_pattern_is_unknown(pattern):
    assert fits("x", pattern) is None
