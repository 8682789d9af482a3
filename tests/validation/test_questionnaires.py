"""Questionnaires in themselves."""

import pytest

from fhirpkg import rules
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.validation.questionnaires.questionnaires import check_questionnaire
from fhirpkg.validation.run import Run

CORE = Definitions.core()


def check(*items):
    made = {"resourceType": "Questionnaire", "item": list(items)}
    run = Run(made, CORE, Terminology(CORE))
    check_questionnaire(made, (), run)
    assert all(rules.issue(f.rule, **f.found).text for f in run.findings)
    return [(f.rule.id, f.path, f.found.get("problem", "")) for f in run.findings]


def item(link, *inner, when=None, kind="boolean", operator="=", **answer):
    made = {"linkId": link, "type": kind, "item": list(inner)}
    if when:
        answer = answer or {"answerBoolean": True}
        made["enableWhen"] = [{"question": when, "operator": operator, **answer}]
    return made


def test_a_condition_may_refer_to_an_earlier_question_or_one_around():
    assert check(item("a", item("b", when="a")), item("c", when="b")) == []


@pytest.mark.parametrize(
    "items, problem",
    [
        ([item("a", when="x")], "is not in the Questionnaire"),
        ([item("a", when="a")], "is the item itself"),
        ([item("a", item("b", item("c")), when="c")], "is inside the item that it enables"),
    ],
)
def test_a_condition_refers_to_another_question_outside(items, problem):
    assert check(*items) == [("questionnaire-enable-target", ("item", 0, "enableWhen", 0), problem)]


def test_a_condition_on_a_later_question_is_told():
    found = check(item("g", item("a", when="b")), item("b"))
    place = ("item", 0, "item", 0, "enableWhen", 0)
    assert found == [("questionnaire-enable-order", place, "")]


@pytest.mark.parametrize(
    "kind, answer, count",
    [
        ("integer", {"answerInteger": 1}, 0),
        ("integer", {"answerString": "1"}, 1),
        ("choice", {"answerCoding": {"code": "a"}}, 0),
        ("quantity", {"answerBoolean": True}, 1),
        ("group", {"answerBoolean": True}, 0),
    ],
)
def test_a_condition_compares_values_of_the_question_s_type(kind, answer, count):
    found = check(item("a", kind=kind), item("b", when="a", **answer))
    assert [rule for rule, *_ in found] == ["questionnaire-enable-type"] * count


@pytest.mark.parametrize(
    "kind, key, count",
    [
        ("integer", "valueInteger", 0),
        ("integer", "valueString", 1),
        ("url", "valueUri", 0),
        ("dateTime", "valueDate", 1),
        ("choice", "valueReference", 0),
        ("choice", "valueBoolean", 1),
        ("open-choice", "valueString", 0),
        ("group", "valueString", 0),
    ],
)
@pytest.mark.parametrize("name", ["initial", "answerOption"])
def test_options_and_initial_values_are_of_the_item_s_type(kind, name, key, count):
    made = {"linkId": "a", "type": kind, name: [{key: {"x": 1}}, {"extension": []}]}
    found = [(rule, path) for rule, path, _ in check(made)]
    assert found == [("questionnaire-value-type", ("item", 0, name, 0, key))] * count


def test_whether_a_question_is_answered_at_all_can_be_asked_of_any_type():
    assert check(item("a", kind="quantity"), item("b", when="a", operator="exists")) == []


@pytest.mark.parametrize(
    "bad", [[5], [{"item": "x"}], [{"linkId": 5, "enableWhen": [{"question": 5}]}]]
)
def test_content_of_the_wrong_shape_is_left_to_the_structure(bad):
    assert check(*bad) == []


def test_a_value_set_with_parameters_is_used_with_all_of_them():
    tools = "http://hl7.org/fhir/tools/StructureDefinition"

    def parameter(kind, name):
        return {"url": f"{tools}/{kind}", "extension": [{"url": "name", "valueCode": name}]}

    value_set = {"resourceType": "ValueSet", "url": "http://example.org/vs"}
    value_set["extension"] = [parameter("valueset-parameter", name) for name in ("p-a", "p-b")]
    asked = {"linkId": "a", "type": "choice", "answerValueSet": "http://example.org/vs"}
    asked["_answerValueSet"] = {"extension": [parameter("binding-parameter", "p-a")]}
    made = {"resourceType": "Questionnaire", "item": [asked]}
    run = Run(made, CORE.with_resources([value_set]), Terminology(CORE))
    check_questionnaire(made, (), run)
    (found,) = run.findings
    assert (found.rule.id, found.path) == ("questionnaire-parameter", ("item", 0, "answerValueSet"))
    assert found.found["name"] == "p-b"
