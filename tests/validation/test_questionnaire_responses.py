"""Responses against their Questionnaires; the cases stand in a table of their own."""

import pathlib
from decimal import Decimal

import pytest
import yaml

from fhirpkg import fhirjson, rules
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.validation.questionnaires.responses import check_questionnaire_response
from fhirpkg.validation.run import Run

CORE = Definitions.core()
URL = "http://example.org/Questionnaire/q"
TABLE = pathlib.Path(__file__).parents[1] / "cases" / "validation" / "questionnaire_responses.yaml"
CASES = [
    pytest.param(form, case, id=f"{form['title']}: {case['title']}")
    for form in yaml.safe_load(TABLE.read_text())
    for case in form["cases"]
]


def questionnaire(items, **more):
    return {"resourceType": "Questionnaire", "url": URL, "item": defined(items), **more}


def defined(items):
    made = []
    for link, kind, *more in items:
        item = {"linkId": link, "type": kind} | (more[0] if more else {})
        if "item" in item:
            item["item"] = defined(item["item"])
        made.append(item)
    return made


def answered(value):
    """``{a: [answers]}`` as an item; the same inside items and answers."""
    if isinstance(value, list):
        return [answered(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: answered(inner) for key, inner in value.items()}
    if len(made) == 1 and isinstance(next(iter(made.values())), list):
        key, inner = next(iter(made.items()))
        if key not in {"item", "answer"}:
            return {"linkId": key, "answer": inner}
    return made


def respond(items, status="completed", **more):
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": URL, "status": status}
    return response | {"item": items} | more


def check(form, response):
    resources, _ = fhirjson.read(fhirjson.dump([form, response]))  # decimals as from a file
    definitions = CORE.with_resources([resources[0]] if form else [])
    run = Run(resources[1], definitions, Terminology(definitions))
    check_questionnaire_response(resources[1], (), run)
    assert all(rules.issue(f.rule, **f.found).text for f in run.findings)
    return run.findings


def place(path):
    return "/".join(map(str, path)) or "."


@pytest.mark.parametrize("form, case", CASES)
def test_what_is_found_in_a_response(form, case):
    made = questionnaire(form["items"], contained=form.get("contained", []))
    found = check(made, respond(answered(case["response"])))
    assert sorted(f"{f.rule.id} {place(f.path)}" for f in found) == sorted(case.get("found", []))


@pytest.mark.parametrize("status, severity", [("completed", "error"), ("in-progress", "warning")])
def test_what_is_required_may_be_missing_until_the_response_is_complete(status, severity):
    form = questionnaire([["r", "string", {"required": True}]])
    (found,) = check(form, respond([], status))
    assert (found.rule.id, found.severity) == ("response-required", severity)


def test_a_questionnaire_that_is_not_loaded_is_said():
    (found,) = check(None, respond([{"linkId": "x"}]))
    assert (found.rule.id, found.found) == ("not-checked-questionnaire", {"questionnaire": URL})


def test_a_response_that_names_no_questionnaire_is_said():
    (found,) = check(None, {"resourceType": "QuestionnaireResponse"})
    assert found.rule.id == "response-without-questionnaire"


def test_a_contained_questionnaire_is_found_with_its_value_sets():
    value_set = {
        "resourceType": "ValueSet",
        "id": "vs",
        "compose": {"include": [{"system": "http://x.org", "concept": [{"code": "a"}]}]},
    }
    form = questionnaire([["c", "choice", {"answerValueSet": "#vs"}]], id="q")
    items = answered([{"c": [{"valueCoding": {"system": "http://x.org", "code": "b"}}]}])
    response = respond(items, questionnaire="#q", contained=[form, value_set])
    assert [f.rule.id for f in check(None, response)] == ["response-option"]


def test_an_item_that_is_nearly_right_is_told_the_right_one():
    (found,) = check(questionnaire([["smoking", "boolean"]]), respond([{"linkId": "smokin"}]))
    assert "'smoking'" in found.found["near"]


@pytest.mark.parametrize(
    "authored, count", [("2019-12-31", 1), ("2020", 0), ("2021-02-03T00:00:00Z", 1)]
)
def test_a_response_is_authored_while_the_questionnaire_is_in_use(authored, count):
    form = questionnaire([], effectivePeriod={"start": "2020-01", "end": "2021-01"})
    found = check(form, respond([], authored=authored))
    assert [f.rule.id for f in found] == ["response-not-effective"] * count


def test_many_conditions_are_evaluated_in_time_linear_in_the_items():
    when = [{"question": "i0", "operator": "exists", "answerBoolean": True}]
    items = [[f"i{n}", "string", {"enableWhen": when} if n else {}] for n in range(5000)]
    answers = [{f"i{n}": [{"valueString": "x"}]} for n in range(5000)]
    assert check(questionnaire(items), respond(answered(answers))) == []


@pytest.mark.parametrize(
    "response",
    [
        respond("x"),
        respond([5, {"linkId": 5}, {"answer": "x"}]),
        respond([{"linkId": "a", "answer": "x", "item": "y"}]),
        respond([{"linkId": "a", "answer": [5, {"valueQuantity": "x"}]}]),
        respond([{"linkId": "a", "answer": [{"valueQuantity": {"value": "x"}}]}]),
    ],
)
def test_content_of_the_wrong_shape_is_left_to_the_structure(response):
    assert check(questionnaire([["a", "quantity", {"repeats": True}]]), response) == []


EMPTY_GROUP = {"linkId": "g", "text": "x"}


@pytest.mark.parametrize("status", ["completed", "in-progress"])
def test_a_required_group_that_is_there_is_not_empty(status):
    form = questionnaire(
        [["g", "group", {"required": True, "text": "x", "item": [["a", "string"]]}]]
    )
    found = check(form, respond([EMPTY_GROUP], status=status))
    assert [(f.rule.id, place(f.path), f.severity) for f in found] == [
        ("response-required", "item/0", None)
    ]


@pytest.mark.parametrize(
    "operator, answers, is_enabled",
    [
        ("!=", [], False),
        ("!=", [1], False),
        ("!=", [1, 2], True),
        ("=", [1, 2], True),
    ],
)
def test_one_answer_that_fits_enables_an_item(operator, answers, is_enabled):
    condition = {"question": "a", "operator": operator, "answerInteger": 1}
    items = [["a", "integer", {"repeats": True}], ["b", "string", {"enableWhen": [condition]}]]
    response = [{"a": [{"valueInteger": n} for n in answers]}] if answers else []
    found = check(
        questionnaire(items), respond(answered([*response, {"b": [{"valueString": "x"}]}]))
    )
    assert ("response-not-enabled" in [f.rule.id for f in found]) is not is_enabled


NOON = "2020-06-15T12:00:00+02:00"


@pytest.mark.parametrize(
    "kind, operator, wanted, answer, found",
    [
        ("dateTime", "=", NOON, "2020-06-15T10:00:00Z", []),
        ("dateTime", "!=", NOON, "2020-06-15T10:00:00Z", ["response-not-enabled"]),
        ("dateTime", ">=", NOON, "2020-06-15T10:00:00Z", []),
        ("dateTime", "<", NOON, "2020-06-15T10:00:00Z", ["response-not-enabled"]),
        ("date", "<", "2020-06-15", "2019", []),
        ("date", "<", "2020-06-15", "2021", ["response-not-enabled"]),
        ("date", "<", "2020-06-15", "2020", ["not-checked-enabling"]),
        ("boolean", ">", False, True, ["not-checked-enabling"]),
        ("boolean", "~", False, True, ["not-checked-enabling"]),
    ],
)
def test_answers_are_compared_as_what_they_are(kind, operator, wanted, answer, found):
    suffix = f"{kind[0].upper()}{kind[1:]}"
    condition = {"question": "a", "operator": operator, f"answer{suffix}": wanted}
    form = questionnaire([["a", kind], ["b", "string", {"enableWhen": [condition]}]])
    answers = [{"a": [{f"value{suffix}": answer}]}, {"b": [{"valueString": "x"}]}]
    assert [f.rule.id for f in check(form, respond(answered(answers)))] == found


@pytest.mark.parametrize(
    "behavior, values, found",
    [
        ("any", [1, True], []),
        ("any", [2, True], ["not-checked-enabling"]),
        ("all", [1, True], ["not-checked-enabling"]),
        ("all", [2, True], ["response-not-enabled"]),
    ],
)
def test_what_cannot_be_compared_matters_only_when_nothing_else_decides(behavior, values, found):
    conditions = [
        {"question": "a", "operator": "=", "answerInteger": 1},
        {"question": "b", "operator": ">", "answerBoolean": False},
    ]
    more = {"enableWhen": conditions, "enableBehavior": behavior}
    form = questionnaire([["a", "integer"], ["b", "boolean"], ["c", "string", more]])
    one, two = values
    answers = [{"a": [{"valueInteger": one}]}, {"b": [{"valueBoolean": two}]}]
    response = respond(answered([*answers, {"c": [{"valueString": "x"}]}]))
    assert [f.rule.id for f in check(form, response)] == found


def test_a_code_without_its_system_is_not_the_code_asked_for():
    condition = {"question": "a", "operator": "=", "answerCoding": {"system": "s:s", "code": "x"}}
    items = [["a", "choice"], ["b", "string", {"enableWhen": [condition]}]]
    answers = [{"a": [{"valueCoding": {"code": "x"}}]}, {"b": [{"valueString": "x"}]}]
    found = check(questionnaire(items), respond(answered(answers)))
    assert "response-not-enabled" in [f.rule.id for f in found]


@pytest.mark.parametrize(
    "kind, severity", [("string", None), ("text", "warning"), ("choice", "warning")]
)
def test_a_text_that_is_no_code_of_a_value_set_is_wrong_only_for_a_string(kind, severity):
    value_set = "http://hl7.org/fhir/ValueSet/administrative-gender"
    form = questionnaire([["a", kind, {"answerValueSet": value_set}]])
    (found,) = check(form, respond(answered([{"a": [{"valueString": "man"}]}])))
    assert (found.rule.id, found.severity) == ("response-option", severity)


@pytest.mark.parametrize("number, count", [("1.25", 0), ("1.250", 1), ("125", 0)])
def test_zeros_at_the_end_are_decimal_places_as_well(number, count):
    url = "http://hl7.org/fhir/StructureDefinition/maxDecimalPlaces"
    form = questionnaire([["d", "decimal", {"extension": [{"url": url, "valueInteger": 2}]}]])
    found = check(form, respond(answered([{"d": [{"valueDecimal": Decimal(number)}]}])))
    assert [f.rule.id for f in found] == ["response-limit"] * count


@pytest.mark.parametrize(
    "subject, count",
    [
        ({"reference": "Patient/1"}, 0),
        ({"reference": "Group/1"}, 1),
        ({"reference": "#g"}, 1),
        ({"type": "Group"}, 1),
        ({"display": "somebody"}, 0),
    ],
)
def test_the_subject_is_of_a_type_that_the_questionnaire_is_about(subject, count):
    form = questionnaire([], subjectType=["Patient", "Device"])
    group = {"resourceType": "Group", "id": "g"}
    found = check(form, respond([], subject=subject, contained=[group]))
    assert [(f.rule.id, f.path) for f in found] == [("response-subject", ("subject",))] * count


def test_an_answer_that_leads_to_a_contained_resource_has_its_type():
    url = "http://hl7.org/fhir/StructureDefinition/questionnaire-referenceResource"
    extension = [{"url": url, "valueCode": "Patient"}]
    form = questionnaire([["r", "reference", {"extension": extension}]])
    items = answered([{"r": [{"valueReference": {"reference": "#g"}}]}])
    group = {"resourceType": "Group", "id": "g"}
    assert [f.rule.id for f in check(form, respond(items, contained=[group]))] == [
        "response-reference"
    ]


def test_a_pattern_that_cannot_be_evaluated_is_said():
    url = "http://hl7.org/fhir/StructureDefinition/regex"
    extension = [{"url": url, "valueString": "[a-z"}]
    form = questionnaire([["s", "string", {"extension": extension}]])
    (found,) = check(form, respond(answered([{"s": [{"valueString": "x"}]}])))
    assert found.rule.id == "not-checked-answer"


def test_each_of_many_groups_is_enabled_by_its_own_answer():
    condition = {"question": "on", "operator": "=", "answerBoolean": True}
    group = [["on", "boolean"], ["then", "string", {"enableWhen": [condition]}]]
    form = questionnaire([["g", "group", {"repeats": True, "item": group}]])
    answers = [[{"on": [{"valueBoolean": n % 2 == 0}]}] for n in range(40)]
    for inner in answers:
        inner.append({"then": [{"valueString": "x"}]})
    found = check(form, respond(answered([{"linkId": "g", "item": each} for each in answers])))
    assert [f.path[1] for f in found] == list(range(1, 40, 2))
