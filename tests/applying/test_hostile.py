"""Logic and paths made to hurt end in an error that is reported, soon, and never in a fault."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirpkg.applying.application import apply
from fhirpkg.applying.paths import set_path
from fhirpkg.cql.evaluating.library import Library
from fhirpkg.cql.reading import xml
from fhirpkg.cql.reading.library import read_expression, read_library
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.repository import MemoryRepository

TYPES = Definitions.core().types
PATIENT = {"resourceType": "Patient", "id": "x"}


def why(text):
    expression = {"language": "text/cql-expression", "expression": text}
    action = {"condition": [{"kind": "applicability", "expression": expression}]}
    plan = {"resourceType": "PlanDefinition", "id": "p", "action": [action]}
    (found,) = apply(plan, "x", MemoryRepository([PATIENT])).why
    return found


HURTING = [
    ("(" * 2000 + "1" + ")" * 2000, "nested too deeply"),
    ("not " * 5000 + "true", "nested too deeply"),
    ("10 ^ 999999999 > 1", "too large a power"),
    ("'unfinished", "unexpected"),
    ("@2026-99-99 = Today()", "is not a Date"),
    ("\x00", "unexpected"),
]


@pytest.mark.parametrize("text, words", HURTING, ids=[words for _, words in HURTING])
def test_hostile_cql_is_not_evaluated_and_says_why(text, words):
    found = why(text)
    assert (str(found.verdict), words in found.reason) == ("not evaluated", True)


ENDLESS = ["Matches('{text}', '(a+)+b')", "ReplaceMatches('{text}', '(a+)+b', 'x') = 'x'"]


@pytest.mark.parametrize("text", ENDLESS)
def test_a_pattern_that_could_run_for_ever_ends(text):
    assert str(why(text.format(text="a" * 60 + "!")).verdict) in {"not applicable", "not evaluated"}


WORDS = [
    "define", "A", '"B c"', "(", ")", "[", "]", "{", "}", ",", ".", ":", "and", "or", "not", "is",
    "null", "Interval", "1", "2.5", "'t'", "@2026-01-01", "days", "during", "before", "in", "of",
    "where", "return", "sort", "by", "exists", "from", "if", "then", "else", "case", "end", "same",
    "as", "with", "such", "that", "start", "<", "=", "~", "+", "-", "Condition", "Code", "let",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join))
def test_any_words_are_read_or_refused(text):
    try:
        read_expression(text, Library("X"))
    except FhirpkgError:
        return
    assert text


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["library X", "define", "A", ":", "1", *WORDS])).map(" ".join))
def test_any_library_is_read_or_refused(text):
    try:
        library = read_library(text)
        for statements in library.statements.values():
            for statement in statements:
                _ = statement.tree
    except FhirpkgError:
        return
    assert isinstance(library, Library)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_no_elm_or_refused(text):
    try:
        found = xml.read(text)
    except FhirpkgError:
        return
    assert "library" in found


@pytest.mark.parametrize("path", ["input[999999999].type", "input[1001]"])
def test_an_index_beyond_reason_is_refused(path):
    with pytest.raises(FhirpkgError, match="at most 1000"):
        set_path({}, "Task", path, ["x"], TYPES)
