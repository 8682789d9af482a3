"""The automaton agrees with Python's matcher, and does not slow down where that one does."""

import math
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fhirpkg.fhirpath.automaton import Automaton, NoAutomatonError, effort

ATOMS = ["a", "b", "[ab]", "[^a]", ".", r"\d", "(?:a|b)", "(a)", "^", "$", r"\w", r"\s", "1", "\n"]
PARTS = st.builds(
    lambda atom, times: atom if atom in "^$" else atom + times,
    st.sampled_from(ATOMS),
    st.sampled_from(["", "*", "+", "?", "{1,2}", "{2}", "*?", "{0,12}", "{3,}"]),
)
SEQUENCES = st.lists(PARTS, min_size=1, max_size=4).map("".join)
PATTERNS = st.one_of(
    SEQUENCES,
    st.builds(lambda p, times: f"({p}){times}", SEQUENCES, st.sampled_from("*+?")),
    st.builds(lambda p, q: f"{p}|{q}", SEQUENCES, SEQUENCES),
)


@settings(max_examples=400, deadline=None)
@given(PATTERNS, st.text("ab1 \n", max_size=6))
def test_it_finds_what_pythons_matcher_finds(pattern, text):
    try:
        expected = re.compile(pattern, re.DOTALL)
    except re.error:
        assume(condition=False)
    automaton = Automaton(pattern)
    assert automaton.search(text) == bool(expected.search(text))
    assert automaton.fullmatch(text) == bool(expected.fullmatch(text))


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(.*)*x", "a*a*a*a*b", "(a{0,20}){0,20}b"]
)
def test_a_long_text_takes_no_more_than_linear_time(pattern):
    assert not Automaton(pattern).fullmatch("a" * 20_000 + "c")


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)a", "(?!a)b", r"\ba", "(?i)a", "(?i:a)"])
def test_what_needs_memory_or_flags_has_no_automaton(pattern):
    with pytest.raises(NoAutomatonError):
        Automaton(pattern)


def test_a_pattern_that_would_need_too_many_states_has_none():
    with pytest.raises(NoAutomatonError):
        Automaton("((a{100}){100}){100}")


@pytest.mark.parametrize(
    "pattern, takes_long",
    [
        ("[A-Z]([A-Za-z0-9_]){0,254}", False),
        ("^[a-z]+$", False),
        (r"\d{4}-\d{2}", False),
        (".*x.*", False),
        ("(a+)+", True),
        ("(a|(b+))*", True),
        ("(?=a+)b+c+d*", True),
        ("a?" * 30, True),
        ("(a?){30}", True),
        ("(a|aa){30}", True),
    ],
)
def test_the_effort_counts_the_ways_to_match(pattern, takes_long):
    assert (effort(pattern, 60) > math.log(1_000_000)) is takes_long
