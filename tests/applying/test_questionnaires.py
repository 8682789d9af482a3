"""A Questionnaire made of the inputs of a plan: what it asks, what is known, what is reported."""

import pytest

from fhirpkg.applying.application import apply
from fhirpkg.repository import MemoryRepository
from fhirpkg.validation.validator import Validator

BASE = "http://example.org"
CPG = "http://hl7.org/fhir/uv/cpg/StructureDefinition"
PATIENT = {"resourceType": "Patient", "id": "x"}
CODE = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
PROFILE = {
    "resourceType": "StructureDefinition",
    "id": "Weight",
    "url": f"{BASE}/StructureDefinition/Weight",
    "name": "Weight",
    "title": "Weight",
    "status": "draft",
    "kind": "resource",
    "abstract": False,
    "type": "Observation",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
    "derivation": "constraint",
    "differential": {
        "element": [
            {"id": "Observation", "path": "Observation"},
            {"id": "Observation.code", "path": "Observation.code", "patternCodeableConcept": CODE},
            {
                "id": "Observation.value[x]",
                "path": "Observation.value[x]",
                "short": "Weight in kg",
                "min": 1,
                "type": [{"code": "Quantity"}],
            },
            {"id": "Observation.note", "path": "Observation.note", "max": "0"},
            {
                "id": "Observation.bodySite",
                "path": "Observation.bodySite",
                "label": "Where",
                "binding": {"strength": "preferred", "valueSet": f"{BASE}/ValueSet/sites"},
            },
        ]
    },
}
WEIGHT = {
    "resourceType": "Observation",
    "id": "w",
    "meta": {"profile": [f"{PROFILE['url']}|1.0"]},
    "status": "final",
    "code": CODE,
    "subject": {"reference": "Patient/x"},
    "valueQuantity": {"value": 70, "unit": "kg"},
}
INPUT = {"type": "Observation", "profile": [PROFILE["url"]]}


def plan(*inputs, generate=True, **more):
    extension = [{"url": f"{CPG}/cpg-questionnaire-generate", "valueBoolean": generate}]
    made = {"resourceType": "PlanDefinition", "id": "p", "url": f"{BASE}/PlanDefinition/p"}
    made |= {"extension": extension, "title": "Plan", "status": "draft"}
    return made | {"action": [{"title": "Act", "input": list(inputs)}]} | more


def applied(definition, *others, form="bundle"):
    repository = MemoryRepository([PATIENT, definition, *others])
    return apply(definition, "Patient/x", repository, form=form)


def made(result):
    """The Questionnaire and its response."""
    kinds = {r["resourceType"]: r for r in result.resources}
    return kinds.get("Questionnaire"), kinds.get("QuestionnaireResponse")


def items(questionnaire):
    (group,) = questionnaire["item"]
    return {item["definition"].partition("#")[2]: item for item in group["item"]}


def messages(result):
    return [issue["diagnostics"] for outcome in result.outcomes for issue in outcome["issue"]]


@pytest.mark.parametrize("form", ["bundle", "careplan"])
def test_an_input_becomes_a_group_of_what_its_profile_speaks_of(form):
    result = applied(plan(INPUT), PROFILE, form=form)
    questionnaire, response = made(result)
    assert questionnaire["url"] == f"{BASE}/Questionnaire/p"
    assert response["questionnaire"] == questionnaire["url"]
    assert questionnaire["item"][0]["text"] == "Weight"
    found = items(questionnaire)
    assert set(found) == {
        "Observation.status",
        "Observation.code",
        "Observation.value[x]",
        "Observation.bodySite",
    }
    assert found["Observation.status"]["type"] == "choice"
    assert found["Observation.status"]["required"] is True
    assert found["Observation.value[x]"]["type"] == "quantity"
    assert found["Observation.value[x]"]["text"] == "Weight in kg"
    where = found["Observation.bodySite"]
    assert (where["type"], where["text"]) == ("open-choice", "Where")
    assert where["answerValueSet"] == f"{BASE}/ValueSet/sites"
    assert "required" not in where
    assert messages(result) == []


def test_what_a_profile_fixes_is_answered_and_hidden():
    code = items(made(applied(plan(INPUT), PROFILE))[0])["Observation.code"]
    assert code["initial"] == [{"valueCoding": CODE["coding"][0]}]
    assert code["extension"][0]["valueBoolean"] is True


def test_data_that_claim_the_profile_answer():
    other = WEIGHT | {"id": "o", "meta": {"profile": [f"{BASE}/StructureDefinition/Other"]}}
    strange = WEIGHT | {"id": "s", "subject": {"reference": "Patient/y"}}
    _, response = made(applied(plan(INPUT), PROFILE, WEIGHT, other, strange))
    (group,) = response["item"]
    found = {i["definition"].partition("#")[2]: i["answer"] for i in group["item"]}
    assert found["Observation.value[x]"] == [{"valueQuantity": {"value": 70, "unit": "kg"}}]
    assert found["Observation.status"] == [{"valueCoding": {"code": "final"}}]


def test_each_of_several_resources_answers_in_a_group_of_its_own():
    second = WEIGHT | {"id": "v", "valueQuantity": {"value": 71}}
    _, response = made(applied(plan(INPUT), PROFILE, WEIGHT, second))
    assert [group["linkId"] for group in response["item"]] == ["1", "1"]


def test_an_expression_of_the_input_says_what_is_known():
    expression = {"language": "text/fhirpath", "expression": "%weight"}
    feature = [{"url": f"{CPG}/cpg-featureExpression", "valueExpression": expression}]
    definition = plan(INPUT | {"extension": feature})
    repository = MemoryRepository([PATIENT, definition, PROFILE])
    given = {"weight": WEIGHT | {"meta": {}}}
    result = apply(definition, "Patient/x", repository, form="bundle", parameters=given)
    assert made(result)[1]["item"][0]["item"]


def test_the_text_of_an_input_is_the_heading():
    heading = [{"url": f"{CPG}/cpg-input-text", "valueString": "Your weight"}]
    questionnaire, _ = made(applied(plan(INPUT | {"extension": heading}), PROFILE))
    assert questionnaire["item"][0]["text"] == "Your weight"


def test_a_profile_that_is_not_there_is_told_and_named_where_its_items_would_stand():
    result = applied(plan(INPUT))
    questionnaire, response = made(result)
    (note,) = questionnaire["item"][0]["item"]
    assert note["type"] == "display"
    assert PROFILE["url"] in note["text"]
    assert "item" not in response
    assert PROFILE["url"] in messages(result)[0]
    assert not result


def test_an_expression_that_fails_is_told_and_the_questions_stay():
    expression = {"language": "text/fhirpath", "expression": "%nobody"}
    feature = [{"url": f"{CPG}/cpg-featureExpression", "valueExpression": expression}]
    result = applied(plan(INPUT | {"extension": feature}), PROFILE)
    assert made(result)[0]["item"][0]["item"]
    assert "nobody" in messages(result)[0]


NONE = {
    "not wanted": plan(INPUT, generate=False),
    "not said": plan(INPUT, extension=[]),
    "no profile": plan({"type": "Observation"}),
    "no input": plan(),
}


@pytest.mark.parametrize("name", NONE)
def test_without_wish_or_profile_there_is_no_questionnaire(name):
    result = applied(NONE[name], PROFILE)
    assert made(result) == (None, None)
    unused = any("input is not used: Observation" in message for message in messages(result))
    assert unused == (name != "no input")


def test_inputs_are_asked_for_whether_or_not_the_action_applies():
    expression = {"language": "text/fhirpath", "expression": "false"}
    action = {"condition": [{"kind": "applicability", "expression": expression}], "input": [INPUT]}
    nested = {"title": "Outer", "action": [action]}
    assert made(applied(plan(action=[nested]), PROFILE))[0]["item"][0]["item"]


def test_questionnaire_and_response_are_valid():
    for resource in made(applied(plan(INPUT, INPUT), PROFILE, WEIGHT)):
        issues = Validator().validate(resource).issues
        assert [i.text for i in issues if i.severity == "error"] == []
