"""Mermaid text: every line has the form that Mermaid's own parser takes, whatever plans say.

The forms were checked with the parser of mermaid 11 over all these plans and 72 published ones.
"""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings

from fhirpkg.course import mermaid
from tests.course.plans import EXAMPLES, ODD_PLANS, OURS, PLANS, after, plan, step

LABEL = r'"(?:[^"#<>&`\\*_%]|#(?:\d+|[a-z]+);|<br/>)+"'
LINE = re.compile(
    r"\s+(?:"
    rf"subgraph s[\d_]+\[{LABEL}\]|end|s[\d_]+(?:\(\[{LABEL}\]\)|\[\[{LABEL}\]\]|\[{LABEL}\])"
    r"|s[\d_]+ --> s[\d_]+|class s[\d_]+ optional|classDef optional [\w:\- ]+"
    rf"|none\[{LABEL}\]|%% [^%{{}}]*)"
)


def odd(text):
    """The lines that are none of Mermaid."""
    head, title, foot, kind, *lines = text.splitlines()
    assert (head, foot, kind) == ("---", "---", "flowchart TD")
    assert "%" not in title
    assert isinstance(json.loads(title.removeprefix("title: ")), str)
    depth = 0
    for line in lines:
        depth += line.strip().startswith("subgraph")
        depth -= line.strip() == "end"
        assert depth >= 0
    assert depth == 0
    return [line for line in lines if not LINE.fullmatch(line)]


@given(PLANS | ODD_PLANS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_plan_becomes_lines_of_mermaid(made):
    assert odd(mermaid(made)) == []


@pytest.mark.parametrize(
    "words",
    [
        '"`x`"',
        "end",
        "%%{init: {}}%%",
        "#quot;",
        "a\nsubgraph b",
        "<script>",
        "**x** _y_",
        "x" * 999,
    ],
)
def test_words_of_a_plan_are_only_words(words):
    text = mermaid(plan(step(words, **after(words)), title=words))
    assert odd(text) == []
    assert len(text.splitlines()) == 6 + ("%% " in text)


@pytest.mark.examples
@pytest.mark.skipif(not EXAMPLES, reason="no official examples here: scripts/examples")
def test_official_examples_become_lines_of_mermaid():
    assert not [f.stem for f in EXAMPLES if odd(mermaid(json.loads(f.read_text())))]


def test_arrows_choices_options_and_people_are_there():
    text = mermaid(OURS)
    lines = [line.strip() for line in text.splitlines()]
    assert "s14 --> s15" in lines
    assert "class s14_6 optional" in lines
    assert any(line.startswith("s14_3_1([") for line in lines)
    assert any(line.startswith("s14_6[[") for line in lines)
    assert "By: Patient, Practitioner" in text
    assert "exactly one of these" in text


def test_a_plan_without_actions_says_so():
    assert "No actions" in mermaid(plan())
