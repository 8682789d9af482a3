"""Expressions in Python: what goes in, what comes out, what is kept."""

import contextlib
import inspect
from decimal import Decimal

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath import Environment, compile_expression

MODEL = Definitions.core().types


def on(focus, expression, focus_type=None, sibling=None, **environment):
    compiled = compile_expression(expression, MODEL, focus_type)
    return compiled.evaluate(focus, Environment(**environment), sibling)


def is_true(focus, expression, focus_type=None, sibling=None):
    return compile_expression(expression, MODEL, focus_type).is_true(focus, None, sibling)


def test_an_expression_is_compiled_once():
    assert compile_expression("a.b", MODEL) is compile_expression("a.b", MODEL)
    assert compile_expression("a.b", MODEL) is not compile_expression("a.b", MODEL, "Patient")


def test_true_is_exactly_true():
    assert is_true({"resourceType": "Patient", "active": True}, "active")
    assert is_true({"resourceType": "Patient"}, "active.empty()")
    assert not is_true({"resourceType": "Patient", "active": False}, "active")
    assert not is_true({"resourceType": "Patient"}, "active")
    assert not is_true({"resourceType": "Patient", "id": "a"}, "id")
    assert not is_true({"resourceType": "Patient"}, "true | false")
    assert not is_true({"resourceType": "Patient"}, "1")


def test_a_focus_that_is_no_resource_has_the_type_that_is_told():
    assert on({"value": 5, "code": "mg"}, "code is code", "Quantity") == [True]
    assert on({"text": "a"}, "text.length()", "PlanDefinition.action") == []
    assert on("2020-01-01", "$this < @2021", "date") == [True]
    assert on("2020-01-01", "($this as dateTime).toString().length() >= 8", "dateTime") == [True]


def test_a_primitive_focus_has_what_lies_beside_it():
    beside = {"id": "x", "extension": [{"url": "u", "valueString": "v"}]}
    assert on(None, "extension('u').value", "date", beside) == ["v"]
    assert on("2020", "id", "date", beside) == ["x"]
    assert on(None, "hasValue() or (children().count() > id.count())", "date", beside) == [True]
    assert on(None, "hasValue() or (children().count() > id.count())", "date", {"id": "x"}) == [
        False
    ]
    assert on(None, "$this", "date", beside) == [beside]


def test_numbers_come_back_as_they_are():
    focus = {"resourceType": "Observation", "valueQuantity": {"value": Decimal("1.50")}}
    assert str(on(focus, "value.value")[0]) == "1.50"
    assert on(
        {"resourceType": "Observation", "valueQuantity": {"value": 0.1}}, "value.value * 3"
    ) == [Decimal("0.3")]


def test_a_quantity_without_a_number_is_an_element():
    focus = {"resourceType": "Observation", "valueQuantity": {"value": "x", "unit": "mg"}}
    assert on(focus, "value.unit | (value = 1 'mg')") == ["mg", False]


def test_without_an_environment_the_focus_is_the_resource():
    assert compile_expression("%resource.id", MODEL).evaluate(
        {"resourceType": "Patient", "id": "a"}
    ) == ["a"]


def test_contained_resources_see_their_container_as_root():
    outer = {"resourceType": "Patient", "id": "outer"}
    inner = {"resourceType": "Patient", "id": "inner"}
    found = on(inner, "%resource.id | %rootResource.id", resource=inner, root_resource=outer)
    assert found == ["inner", "outer"]


def test_trace_is_told_to_who_listens():
    told = []
    focus = {"resourceType": "Patient", "name": [{"given": ["a"], "family": "b"}]}
    on(focus, "name.trace('n', given).family.trace('f')", trace=lambda *call: told.append(call))
    assert told == [("n", ["a"]), ("f", ["b"])]


def test_trace_prints_nothing(capsys):
    on({"resourceType": "Patient"}, "trace('x')")
    assert capsys.readouterr() == ("", "")


def test_an_error_tells_the_expression():
    with pytest.raises(FhirPathError) as caught:
        on({"resourceType": "Patient"}, "(1 | 2).single()")
    assert caught.value.expression == "(1 | 2).single()"
    assert "there are 2" in caught.value.problem


def test_a_service_that_is_missing_is_told_not_guessed():
    for expression in ("id.memberOf('x')", "conformsTo('x')", "text.div.htmlChecks()"):
        focus = {"resourceType": "Patient", "id": "a", "text": {"div": "<div/>"}}
        with pytest.raises(FhirPathError, match="is unknown here"):
            on(focus, expression)


def test_types_the_model_does_not_know_are_walked_by_their_keys():
    focus = {"resourceType": "Alien", "a": [{"b": 1}, {"b": [2, 3]}], "_c": {"id": "x"}}
    assert on(focus, "a.b") == [1, 2, 3]
    assert on(focus, "c.id") == ["x"]
    assert on(focus, "children().count()") == [3]


@pytest.mark.parametrize(
    "focus",
    [
        None, 5, "x", [], [1], {}, {"resourceType": 5}, {"resourceType": "Patient", "name": "x"},
        {"resourceType": "Patient", "name": {"given": {"a": 1}}},
        {"resourceType": "Patient", "name": [None, [], [{}], 5], "_birthDate": "x"},
        {"resourceType": "Patient", "birthDate": ["2020"], "_birthDate": [5, None]},
        {"resourceType": "Patient", "extension": [5, {"url": 7}], "contained": ["x", {}]},
        {"resourceType": "Patient", "maritalStatus": {"coding": {"code": []}}},
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "expression",
    ["name.given.first()", "descendants().count()", "birthDate.extension.value",
     "birthDate < today()", "extension('x').value.empty()", "contained.id",
     "maritalStatus.coding.code = 'x'", "children().distinct().count()", "name.given.hasValue()",
     "descendants().resolve().count()"],
)  # fmt: skip
def test_malformed_content_gives_something_or_a_clear_error(focus, expression):
    with contextlib.suppress(FhirPathError):
        assert isinstance(on(focus, expression), list)


def test_no_text_of_an_expression_becomes_python_source():
    from fhirpkg.fhirpath import calls, code, compiler, operators

    sources = "".join(inspect.getsource(module) for module in (calls, code, compiler, operators))
    assert "exec(" not in sources
    assert "eval(" not in sources
