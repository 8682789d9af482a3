"""Additions of FHIRPath 3.0 seen from outside: static checks, results in Python, who may reuse."""

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.fhirpath import compile_expression
from fhirpkg.fhirpath.checker import static_errors

MODEL = Definitions.core().types
RIGHT = [
    "defineVariable('n', name.first()).select(%n.given)",
    "name.defineVariable('n').given",
    "name.select(Coding { code: use })",
    "coalesce(name.where(use = 'official'), name).given",
    "birthDate.yearOf() > 1970",
    "contact.repeatAll(name)",
    "multipleBirth.ofType(integer).sum()",
]
WRONG = [
    ("name.defineVariable('n').gven", "no 'gven'"),
    ("coalesce(nam, name)", "no 'nam'"),
    ("Coding { code: gendr }", "no 'gendr'"),
    ("Coding { code: gender }.cde", "no 'cde'"),
    ("Coding { cde: gender }", "no 'cde'"),
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_has_no_static_error(text):
    assert static_errors(text, MODEL, "Patient") == []


@pytest.mark.parametrize("text, words", WRONG)
def test_what_is_wrong_has_one(text, words):
    assert words in str(static_errors(text, MODEL, "Patient")[0])


def test_an_expression_that_defines_variables_can_be_evaluated_again():
    expression = compile_expression("name.select(defineVariable('n').select(%n.family))", MODEL)
    for family in ("A", "B"):
        patient = {"resourceType": "Patient", "name": [{"family": family}, {"family": "C"}]}
        assert expression.evaluate(patient) == [family, "C"]


def test_what_an_expression_makes_is_its_own():
    expression = compile_expression("CodeableConcept { coding: Coding { code: 'a' } }", MODEL)
    (one,), (two,) = expression.evaluate({}), expression.evaluate({})
    one["coding"].append({"code": "b"})
    assert two == {"coding": [{"code": "a"}]}
