"""Expressions and content made to hang or exhaust: each ends in a result or a clear error."""

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath import Environment, compile_expression, static_errors

MODEL = Definitions.core().types
WIDE = {"resourceType": "Patient", "name": [{"family": str(i)} for i in range(3000)]}


def deep_patient(levels):
    extension = {"url": "x"}
    for _ in range(levels):
        extension = {"url": "x", "extension": [extension]}
    return {"resourceType": "Patient", "extension": [extension]}


@pytest.mark.parametrize(
    "expression, problem",
    [
        ("(" * 200 + "1" + ")" * 200, "levels deep"),
        ("(" * 100_000, "levels deep"),
        ("-" * 1000 + "1", "levels deep"),
        ("iif(true, " * 200 + "1" + ")" * 200, "levels deep"),
        (".".join(["a"] * 10_000), "a chain of more than"),
        ("+".join(["1"] * 10_000), "a chain of more than"),
        ("a" + "[0]" * 10_000, "a chain of more than"),
        ("9" * 5000, "a number of more than"),
        ("1." + "9" * 5000, "a number of more than"),
        ("'" + "\\u00" * 1000, "a string without its closing quote"),
    ],
)
def test_text_without_end_is_refused_when_it_is_parsed(expression, problem):
    with pytest.raises(FhirPathError, match=problem):
        compile_expression(expression, MODEL)
    assert problem in static_errors(expression, MODEL, "Patient")[0].problem


def test_what_is_nested_as_deeply_as_allowed_is_evaluated():
    nested = "(" * 50 + "1" + ")" * 50
    assert compile_expression(nested, MODEL).evaluate({}) == [1]
    chained = "id" + ".first()" * 140
    patient = {"resourceType": "Patient", "id": "x"}
    assert compile_expression(chained, MODEL).evaluate(patient) == ["x"]
    assert compile_expression("+".join(["1"] * 140), MODEL).evaluate({}) == [140]


@pytest.mark.parametrize(
    "expression",
    [
        "name.select(%resource.name.select(%resource.name.select(%resource.name)))",
        "name.where(%resource.name.where(%resource.name.where(true).exists()).exists()).exists()",
        "name.aggregate($total.combine($total), 1)",
        "name.aggregate($total & $total, 'x')",
        "name.aggregate($total + $total, 'x')",
        "name.aggregate($total.replace('x', 'xx'), 'x')",
        "(1).repeat($this + 1)",
        "name.select(%resource.descendants()).select(%resource.descendants())",
        "name.sort(%resource.name.sort(%resource.name.count()).count())",
        "name.family.join('').toChars().select(%resource.name.family.join('').toChars())",
    ],
)
def test_work_without_end_is_broken_off(expression):
    compiled = compile_expression(expression, MODEL)
    with pytest.raises(FhirPathError):
        compiled.evaluate(WIDE, Environment(resource=WIDE))


@pytest.mark.parametrize(
    "expression",
    [
        "2.power(1000000000)",
        "2.0.power(1000000000)",
        "10.0.power(999999999)",
        "1000000000.exp()",
        "(2147483647 * 2147483647)",
        "0.0000000001.power(-2147483647)",
    ],
)
def test_numbers_too_large_are_nothing(expression):
    assert compile_expression(expression, MODEL).evaluate({}) == []


def test_content_is_walked_however_deep_it_is():
    found = compile_expression("descendants().count()", MODEL).evaluate(deep_patient(900))
    assert found == [900 * 2 + 2]


def test_content_too_deep_to_compare_is_an_error():
    compiled = compile_expression(
        "extension.isDistinct() and (extension | extension).count() = 1", MODEL
    )
    with pytest.raises(FhirPathError, match="too deeply"):
        compiled.evaluate(deep_patient(5000))


def test_a_pattern_that_can_take_for_ever_does_not():
    compiled = compile_expression(
        "family.matches('^(a+)+$') or family.matches('(x|x)*y')", MODEL, "HumanName"
    )
    assert compiled.evaluate({"family": "a" * 50_000 + "b"}) == [False]


@pytest.mark.parametrize(
    "call",
    ["matches('(a)\\\\1+b*c*')", "replaceMatches('(a+)+$', 'b')", "matches('((a{1,90}){1,90})*')"],
)
def test_a_pattern_that_no_automaton_can_follow_is_refused_on_long_texts(call):
    compiled = compile_expression(f"family.{call}", MODEL, "HumanName")
    compiled.evaluate({"family": "a"})
    with pytest.raises(FhirPathError, match="tried on short texts only"):
        compiled.evaluate({"family": "a" * 5000})


def test_a_pattern_may_not_be_endless():
    compiled = compile_expression("family.matches(%pattern)", MODEL, "HumanName")
    with pytest.raises(FhirPathError, match="a pattern of more than"):
        compiled.evaluate({"family": "a"}, Environment(variables={"pattern": "a" * 5000}))
