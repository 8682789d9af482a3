"""ELM of statements is made once and taken again: never for statements that mean something else."""

import json
from itertools import permutations

import pytest

from fhirpkg.cql.reading import elm
from fhirpkg.errors import FhirpkgError

HEAD = "library A version '1'\nusing FHIR version '4.0.1'\n"
SHARED = """context Patient
define "All": [Observation]
define "One": First("All")
define function "Twice"(number Integer): number * 2
define Asked: "Twice"(2) > 3 and exists "One" // 'not "closed'
"""
LIBRARIES = {
    "plain": HEAD + SHARED,
    "further down": HEAD + "// more words before it\n\n" + SHARED,
    "another type": HEAD + SHARED.replace("[Observation]", "[Condition]"),
    "another function": HEAD + SHARED.replace("number * 2", "number + number"),
    "a name of a value set": HEAD
    + "valueset Seen: 'http://example.org/v'\ncontext Patient\ndefine A: Seen\n",
    "a name of a parameter": HEAD
    + "parameter Seen Integer default 3\ncontext Patient\ndefine A: Seen\n",
    "a name of a definition": HEAD + "context Patient\ndefine A: Seen\ndefine Seen: 4\n",
    "a comment before a name": HEAD
    + SHARED.replace('function "Twice"', 'function /* 2 */ "Twice"'),
    "another model": HEAD.replace("FHIR version '4.0.1'", "QICore version '4.1.1'") + SHARED,
    "the same name twice": HEAD
    + SHARED
    + 'define function "Twice"(words String): words + words\ndefine B: "Twice"(\'a\')\n',
}


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch):
    monkeypatch.setattr(elm, "_known", {})


def test_what_is_made_is_the_same_after_any_other_library(monkeypatch):
    alone = {}
    for name, text in LIBRARIES.items():
        monkeypatch.setattr(elm, "_known", {})
        alone[name] = elm.elm_text(text)
        json.loads(alone[name])
    assert len(set(alone.values())) == len(LIBRARIES) - 1, "a comment makes no difference"
    monkeypatch.setattr(elm, "_known", {})
    for pair in permutations(LIBRARIES, 2):
        for name in pair:
            assert elm.elm_text(LIBRARIES[name]) == alone[name], pair


def test_a_statement_that_stands_elsewhere_is_not_read_again(monkeypatch):
    elm.elm_text(LIBRARIES["plain"])
    monkeypatch.setattr(elm, "read_statements", None)
    assert "Observation" in elm.elm_text(LIBRARIES["further down"])


def test_what_calls_a_function_is_not_read_again_for_its_body(monkeypatch):
    elm.elm_text(LIBRARIES["plain"])
    learnt, learn = [], elm._statement
    monkeypatch.setattr(elm, "_statement", lambda one: learnt.append(one.name) or learn(one))
    made = elm.elm_text(LIBRARIES["another function"])
    assert learnt == ["Twice"]
    assert '"type":"Add"' in made


def test_what_calls_a_function_is_read_again_for_its_head(monkeypatch):
    elm.elm_text(LIBRARIES["plain"])
    other = SHARED.replace("number Integer", "number Integer, more Integer")
    with pytest.raises(FhirpkgError, match="Twice"):
        elm.elm_text(HEAD + other)


def test_a_name_in_another_context_is_read_again(monkeypatch):
    text = HEAD + "context Unfiltered\ndefine Two: 2\ndefine Four: Two + 2\n"
    elm.elm_text(text)
    with pytest.raises(FhirpkgError, match="'Two'"):
        elm.elm_text(
            text.replace("Unfiltered\ndefine Two: 2", "Patient\ndefine Two: 2\ncontext Unfiltered")
        )


def test_offsets_are_those_of_the_text():
    elm.elm_text(HEAD + "context Patient\ndefine A: First([Patient]).birthDate.value\n")
    text = HEAD + "/* before */context Patient\ndefine A: First([Patient]).birthDate.value\n"
    made = json.loads(elm.elm_text(text))["library"]["statements"]["def"][1]
    assert text[made["expression"]["offset"] :].startswith("value")


def test_an_error_is_told_each_time_and_nothing_is_kept():
    for _ in range(2):
        with pytest.raises(FhirpkgError, match="Nowhere"):
            elm.elm_text(HEAD + "context Patient\ndefine A: Nowhere\n")
    assert not elm._known
