"""Texts of SNOMED CT's expression constraint language, and texts that are not of it."""

import pytest

from fhirpkg.validation.terminology.expression_constraints import problem_of


@pytest.mark.parametrize(
    "text",
    [
        "404684003 |Clinical finding|",
        "<! 404684003",
        "^ (< 700043003)",
        "^ [targetComponentId, mapTarget] 447562003",
        "^ [*] 700043003",
        "*",
        "descendantOrSelfOf 404684003 AND memberOf 700043003",
        "< 404684003: {363698007 = << 39057004, 116676008 = *}, {[1..3] 363698007 != << 53085002}",
        "< 91723000: R 363698007 = < 125605004",
        "125605004 . 363698007",
        "(< 19829001 OR < 301867009) MINUS ^ 700043003",
        '< 27658006: 1142135004 >= #-5.5, 1142142004 = "PANADOL", 859999999102 = true',
        '< 373873005: 1142142004 = ("A" "B")',
        '< 64572001 {{ term = "heart att", language = en }}',
        "/* any */ << LOINC#54486-6",
        "<< ^ 700043003",
    ],
)
def test_an_expression_constraint_is_understood(text):
    assert problem_of(text) == ""


@pytest.mark.parametrize(
    "text, problem",
    [
        ("", "an operand is missing at the end"),
        ("<<", "an operand is missing at the end"),
        ("404684003 AND", "'AND' is not understood"),
        ("234234 << 234234", "'<<' follows an operand without AND, OR or MINUS"),
        ("< < 404684003", "'<' follows another one of its kind"),
        ("<<<404684003", "'<' follows another one of its kind"),
        ("< (404684003", "'(' is not closed"),
        ("404684003)", "')' closes nothing"),
        ("< 404684003 : = 5", "an operand is missing before '='"),
        ("abc", "'abc' is not understood"),
    ],
)
def test_what_keeps_a_text_from_being_one_is_told(text, problem):
    assert problem_of(text) == problem
