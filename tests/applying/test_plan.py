"""PlanDefinition/$apply: what the result holds, what is left out, and what is reported of it."""

import base64

import pytest

from fhirpkg.applying.application import apply, parameter_values
from fhirpkg.errors import ConfigError, DefinitionError, ResolutionError
from fhirpkg.repository import MemoryRepository

PATIENT = {
    "resourceType": "Patient",
    "id": "x",
    "gender": "female",
    "birthDate": "1960-02-01",
    "name": [{"given": ["Ann"]}],
}
BASE = "http://example.org"


def plan(*actions, **more):
    made = {"resourceType": "PlanDefinition", "id": "p", "url": f"{BASE}/PlanDefinition/p"}
    return made | {"version": "1", "status": "active", "action": list(actions)} | more


def activity(name="a", **more):
    made = {"resourceType": "ActivityDefinition", "id": name, "kind": "ServiceRequest"}
    made["url"] = f"{BASE}/ActivityDefinition/{name}"
    return made | {"code": {"text": "Do it"}} | more


def orders(name="a", **more):
    return {"definitionCanonical": f"{BASE}/ActivityDefinition/{name}"} | more


def condition(text, kind="applicability", language="text/fhirpath"):
    return {"kind": kind, "expression": {"language": language, "expression": text}}


def applied(definition, *others, dialect="complete", form="careplan", **options):
    repository = MemoryRepository([PATIENT, definition, *others])
    return apply(definition, "Patient/x", repository, dialect=dialect, form=form, **options)


def group_of(result):
    return next(r for r in result.resources if r["resourceType"] == "RequestGroup")


def messages(result):
    return [issue["diagnostics"] for outcome in result.outcomes for issue in outcome["issue"]]


# -- the frame --------------------------------------------------------------------------------


def test_a_care_plan_contains_the_group_and_its_requests():
    result = applied(plan(orders(id="one")), activity()).result
    assert result["resourceType"] == "CarePlan"
    assert result["activity"] == [{"reference": {"reference": "#p"}}]
    assert result["instantiatesCanonical"] == [f"{BASE}/PlanDefinition/p|1"]
    assert [r["resourceType"] for r in result["contained"]] == ["RequestGroup", "ServiceRequest"]
    assert result["contained"][0]["action"][0]["resource"] == {"reference": "#one-a"}


def test_the_form_of_r5_is_a_bundle_that_begins_with_the_group():
    result = applied(plan(orders(id="one")), activity(), form="bundle").result
    assert (result["resourceType"], result["type"]) == ("Bundle", "collection")
    group, request = (entry["resource"] for entry in result["entry"])
    assert group["action"][0]["resource"] == {"reference": "ServiceRequest/one-a"}
    assert request["id"] == "one-a"
    assert result["entry"][1]["fullUrl"] == f"{BASE}/ServiceRequest/one-a"


def test_parties_stand_in_group_plan_and_request():
    result = applied(plan(orders()), activity(), encounter="e", practitioner="d", organization="o")
    request = result.result["contained"][1]
    assert result.result["encounter"] == {"reference": "Encounter/e"}
    assert group_of(result)["author"] == {"reference": "Practitioner/d"}
    assert request["requester"] == {"reference": "Practitioner/d"}
    assert request["subject"] == {"reference": "Patient/x"}


def test_knowledge_extensions_stay_with_the_definition_and_others_go_along():
    kept = {"url": f"{BASE}/kept", "valueString": "x"}
    knowledge = "http://hl7.org/fhir/StructureDefinition/cqf-knowledgeCapability"
    definition = plan(extension=[kept, {"url": knowledge, "valueCode": "shareable"}])
    assert group_of(applied(definition))["extension"] == [kept]


def test_the_definitions_of_a_call_are_not_changed_by_it():
    dynamic = {"path": "code.text", "expression": condition("'other'")["expression"]}
    definition, does = plan(orders(dynamicValue=[dynamic])), activity()
    result = applied(definition, does)
    assert result.result["contained"][1]["code"] == {"text": "other"}
    assert does["code"] == {"text": "Do it"}


# -- actions ----------------------------------------------------------------------------------

ACTION = {
    "id": "one",
    "prefix": "1.",
    "title": "Title",
    "description": "What",
    "textEquivalent": "Words",
    "priority": "urgent",
    "code": [{"text": "first"}, {"text": "second"}],
    "documentation": [{"type": "citation", "display": "Source"}],
    "timingDuration": {"value": 2, "unit": "h"},
    "type": {"text": "create"},
    "groupingBehavior": "logical-group",
    "selectionBehavior": "any",
    "requiredBehavior": "could",
    "precheckBehavior": "yes",
    "cardinalityBehavior": "multiple",
}


def test_complete_carries_every_element_that_a_group_has_a_place_for():
    made = group_of(applied(plan(ACTION)))["action"][0]
    assert made == ACTION | {"resource": {"display": "Title"}}


def test_an_action_has_a_resource_or_actions_and_never_both():
    child = {"id": "part", "title": "Part"}
    both = orders(id="one", title="One", selectionBehavior="any", prefix="1.", action=[child])
    made = group_of(applied(plan(both), activity()))["action"][0]
    order, parts = made["action"]
    assert (made["prefix"], made["selectionBehavior"]) == ("1.", "all")
    assert order == {"id": "one-order", "title": "One", "resource": {"reference": "#one-a"}}
    assert (parts["id"], parts["selectionBehavior"]) == ("one-parts", "any")
    assert parts["action"] == [child | {"resource": {"display": "Part"}}]
    kept = group_of(applied(plan(both), activity(), dialect="reference"))["action"][0]
    assert (kept["resource"], kept["action"]) == ({"reference": "#one-a"}, [child])


def test_reference_loses_what_the_engine_of_hapi_loses():
    made = group_of(applied(plan(ACTION), dialect="reference"))["action"][0]
    lost = set(ACTION) - set(made)
    assert lost == {
        "prefix",
        "groupingBehavior",
        "requiredBehavior",
        "precheckBehavior",
        "cardinalityBehavior",
    }
    assert made["code"] == [{"text": "first"}]


def test_participants_are_persons_when_they_are_known_and_roles_in_words_else():
    participants = [
        {"type": "patient"},
        {"type": "practitioner", "role": {"text": "Radiologist"}},
    ]
    action = {"participant": participants}
    made = group_of(applied(plan(action), practitioner="d"))["action"][0]["participant"]
    assert made == [
        {"reference": "Patient/x"},
        {"reference": "Practitioner/d", "display": "Radiologist"},
    ]
    unknown = group_of(applied(plan(action)))["action"][0]["participant"][1]
    assert unknown == {"display": "Radiologist"}


def test_reasons_and_goals_of_an_action_stand_on_its_request():
    goal = {"id": "g", "description": {"text": "Better"}}
    definition = plan(orders(reason=[{"text": "Pain"}], goalId=["g"]), goal=[goal])
    result = applied(definition, activity(), form="bundle")
    request = result.resources[-1]
    assert request["reasonCode"] == [{"text": "Pain"}]
    assert request["extension"][0]["valueReference"] == {"reference": "Goal/1"}


def test_what_has_no_place_is_told():
    action = {"title": "Only words", "reason": [{"text": "Pain"}]}
    assert messages(applied(plan(action))) == [
        "PlanDefinition.action[0].reason has no place in a RequestGroup: Pain"
    ]


def test_goals_become_goals_of_the_patient():
    goal = {
        "category": {"text": "safety"},
        "description": {"text": "No bleeding"},
        "addresses": [{"text": "Bleeding"}],
        "start": {"text": "now"},
        "target": [{"measure": {"text": "Pain"}, "due": {"value": 8}}],
    }
    result = applied(plan(goal=[goal]))
    assert result.result["goal"] == [{"reference": "#1"}]
    assert result.result["contained"][1] == {
        "resourceType": "Goal",
        "id": "1",
        "lifecycleStatus": "proposed",
        "category": [{"text": "safety"}],
        "description": {"text": "No bleeding"},
        "subject": {"reference": "Patient/x"},
        "startCodeableConcept": {"text": "now"},
        "target": [{"measure": {"text": "Pain"}, "dueDuration": {"value": 8}}],
        "note": [{"text": "Addresses: Bleeding"}],
    }


def test_one_activity_in_two_actions_gives_two_requests_with_two_ids():
    result = applied(plan(orders(), orders()), activity(), form="bundle")
    assert [r["id"] for r in result.resources[1:]] == ["a", "a2"]


def test_a_task_has_the_id_of_its_action_and_is_based_on_the_group():
    does = activity(kind="Task")
    result = applied(plan(orders(id="one")), does, form="bundle")
    task = result.resources[1]
    assert task["id"] == "one"
    assert task["basedOn"] == [{"reference": "RequestGroup/p"}]


def test_a_contained_definition_is_applied():
    inner = activity("inner")
    result = applied(plan({"definitionCanonical": "#inner"}, contained=[inner]))
    assert result.result["contained"][1]["id"] == "inner"


def test_a_nested_plan_becomes_a_nested_group_whose_requests_join_the_others():
    inner = plan(orders(), id="q", url=f"{BASE}/PlanDefinition/q")
    outer = plan({"id": "go", "definitionCanonical": f"{BASE}/PlanDefinition/q"})
    result = applied(outer, inner, activity(), form="bundle")
    found = [(r["resourceType"], r["id"]) for r in result.resources]
    assert found == [("RequestGroup", "p"), ("ServiceRequest", "a"), ("RequestGroup", "go-q")]


def test_plans_that_call_each_other_end_with_an_error():
    definition = plan({"definitionCanonical": f"{BASE}/PlanDefinition/p"})
    result = applied(definition)
    assert not result
    assert any("call each other" in message for message in messages(result))


def test_a_questionnaire_is_taken_into_the_result():
    form = {"resourceType": "Questionnaire", "id": "q", "url": f"{BASE}/Questionnaire/q"}
    for canonical in (form["url"], "Questionnaire/q"):
        result = applied(plan({"definitionCanonical": canonical}), form, form="bundle")
        assert result.resources[1]["id"] == "q"


def test_a_definition_that_is_not_there_is_an_error_and_the_action_stays():
    result = applied(plan(orders("nowhere", title="Order"), {"title": "Other"}))
    assert not result
    assert [a["title"] for a in group_of(result)["action"]] == ["Order", "Other"]
    assert "nowhere could not be applied" in messages(result)[0]


def test_a_uri_is_kept_as_it_is():
    made = group_of(applied(plan({"definitionUri": "http://example.org/else"})))["action"][0]
    assert made["resource"] == {"reference": "http://example.org/else"}


def test_a_timing_that_the_request_has_no_element_for_stands_on_the_action():
    duration = {"value": 2, "unit": "h"}
    result = applied(plan(orders()), activity(timingDuration=duration))
    assert group_of(result)["action"][0]["timingDuration"] == duration
    (told,) = messages(result)
    assert "a ServiceRequest has no element for 'timingDuration'" in told
    assert told.endswith("it is on the action")


CONTAINED_LOGIC = {
    "resourceType": "Library",
    "id": "logic",
    "content": [
        {
            "contentType": "text/cql",
            "data": base64.b64encode(b'library L define "Yes": true').decode(),
        }
    ],
}


@pytest.mark.parametrize("text", ["Yes", "Yes and true"])
def test_logic_that_a_plan_contains_is_found(text):
    asked = condition(text, language="text/cql")
    result = applied(plan({"condition": [asked]}, contained=[CONTAINED_LOGIC], library=["#logic"]))
    assert [why.verdict for why in result.why] == ["applicable"]


def test_of_all_that_a_plan_contains_only_the_library_of_that_id_is_its_logic():
    others = [
        {"resourceType": "Questionnaire", "id": "logic"},
        CONTAINED_LOGIC | {"id": "other", "content": []},
    ]
    asked = condition("Yes", language="text/cql-identifier")
    contained = [*others, CONTAINED_LOGIC]
    (why,) = applied(plan({"condition": [asked]}, contained=contained, library=["#logic"])).why
    assert (why.verdict, why.reason) == ("applicable", "Yes")


@pytest.mark.parametrize("text", ["3", "'routine'", "true", "1 + 1"])
def test_without_a_library_the_text_of_cql_is_an_expression(text):
    value = {"path": "description", "expression": {"language": "text/cql", "expression": text}}
    made = group_of(applied(plan({"dynamicValue": [value]})))["action"][0]
    expected = {"3": "3", "'routine'": "routine", "true": "true", "1 + 1": "2"}
    assert made["description"] == expected[text]


def test_a_library_whose_logic_is_elsewhere_says_where():
    url = "http://example.org/logic.cql"
    library = {"resourceType": "Library", "id": "l", "content": [{"url": url}]}
    asked = condition("Yes", language="text/cql-identifier")
    (why,) = applied(plan({"condition": [asked]}, contained=[library], library=["#l"])).why
    assert (why.verdict, url in why.reason) == ("not evaluated", True)


def test_a_relation_to_an_action_that_is_left_out_goes_and_is_told():
    one = {"id": "one", "condition": [condition("false")]}
    two = {"id": "two", "relatedAction": [{"actionId": "one", "relationship": "after"}]}
    result = applied(plan(one, two))
    assert "relatedAction" not in group_of(result)["action"][0]
    assert "action two: no relation to one, which is left out" in messages(result)
    kept = group_of(applied(plan(one, two), dialect="reference"))["action"][0]
    assert kept["relatedAction"] == two["relatedAction"]


def test_only_the_first_child_that_applies_is_taken_when_any_will_do():
    url = "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior"
    children = [{"title": "no", "condition": [condition("false")]}, {"title": "a"}, {"title": "b"}]
    parent = {"extension": [{"url": url, "valueCode": "any"}], "action": children}
    made = group_of(applied(plan(parent)))["action"][0]
    assert [child["title"] for child in made["action"]] == ["a"]


def test_those_that_were_not_looked_at_then_are_told():
    url = "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior"
    children = [{"title": "no", "condition": [condition("false")]}, {"title": "a"}, {"title": "b"},
                {"title": "c", "condition": [condition("1 +")]}]  # fmt: skip
    result = applied(
        plan({"extension": [{"url": url, "valueCode": "any"}], "action": children}, {"title": "d"})
    )
    verdicts = [(why.title, why.verdict, why.place[-9:]) for why in result.why[1:]]
    assert verdicts == [
        ("no", "not applicable", "action[0]"),
        ("a", "applicable", "action[1]"),
        ("b", "skipped", "action[2]"),
        ("c", "skipped", "action[3]"),
        ("d", "applicable", "action[1]"),
    ]
    assert result, "what nobody needs to know is not a failure"
    assert sum("skipped" in message for message in messages(result)) == 2


def test_one_that_applies_first_is_not_itself_among_those_that_were_not_looked_at():
    url = "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior"
    children = [{"title": "a"}, {"title": "b"}]
    parent = {"extension": [{"url": url, "valueCode": "any"}], "action": children}
    verdicts = [(why.title, why.verdict) for why in applied(plan(parent)).why[1:]]
    assert verdicts == [("a", "applicable"), ("b", "skipped")]


@pytest.mark.parametrize(
    "codes, more", [("", None), ("a", None), ("abc", None), ("abcd", 1), ("abcdefgh", 5)]
)
@pytest.mark.parametrize("wanted", ["exists [Observation]", "not exists [Observation]"])
def test_three_findings_and_how_many_more_stand_beside_a_verdict(wanted, codes, more):
    data = [observation(code, {"code": code, "display": f"Test {code}"}) for code in codes]
    asked = condition(wanted, language="text/cql-expression")
    (why,) = applied(plan({"title": "A", "condition": [asked]}), *data).why
    assert len(why.evidence) == min(len(codes), 3) + bool(more)
    assert all(words.startswith("Test ") for words in why.evidence[:3])
    assert not more or f" {more} " in why.evidence[3]


UNUSED = {
    "trigger": ([{"type": "named-event", "name": "patient-view"}], "patient-view"),
    "input": ([{"type": "Observation", "profile": [f"{BASE}/Bmi"]}], f"Observation ({BASE}/Bmi)"),
    "output": ([{"type": "ServiceRequest"}], "ServiceRequest"),
    "transform": (f"{BASE}/StructureMap/m", f"{BASE}/StructureMap/m"),
    "subjectCodeableConcept": ({"coding": [{"code": "Group"}]}, "Group"),
    "subjectReference": ({"reference": "Group/g"}, "Group/g"),
}


@pytest.mark.parametrize("key", UNUSED)
def test_what_an_action_says_and_no_result_is_made_of_is_told(key):
    value, words = UNUSED[key]
    result = applied(plan({"action": [{"title": "Act", key: value}]}))
    element = "subject" if key.startswith("subject") else key
    told = f"PlanDefinition.action[0].action[0].{element} is not used: {words}"
    assert told in messages(result)
    assert not messages(applied(plan({key: value}), dialect="reference"))


def test_an_input_that_a_condition_names_is_used():
    named = {"id": "bmi", "type": "Observation"}
    action = {"input": [named], "condition": [condition("%bmi.empty()")]}
    assert messages(applied(plan(action))) == []


@pytest.mark.parametrize("text", ["true | false", "%subject.name.exists() | true.not()"])
def test_a_condition_with_several_values_is_not_evaluated(text):
    (why,) = applied(plan({"condition": [condition(text)]})).why
    assert (why.verdict, "2 values" in why.reason) == ("not evaluated", True)


# -- conditions -------------------------------------------------------------------------------

VERDICTS = [
    ("%subject.gender = 'female'", "applicable", ""),
    ("%patient.gender = 'female'", "applicable", ""),
    (
        "%subject.gender = 'male'",
        "not applicable",
        "only if: %subject.gender = 'male' (which is false)",
    ),
    ("%subject.deceased", "not applicable", "has no value"),
    ("%subject.gender", "not evaluated", "neither true nor false"),
    ("%encounter.exists()", "not evaluated", "no encounter was given"),
    ("%subject.gender =", "not evaluated", ""),
    ("%nobody.exists()", "not evaluated", "nobody"),
]


@pytest.mark.parametrize("text, verdict, words", VERDICTS)
def test_a_condition_has_three_results(text, verdict, words):
    result = applied(plan({"title": "Act", "condition": [condition(text)]}))
    (why,) = result.why
    assert why.verdict == verdict
    assert words in why.reason
    assert bool(result) == (verdict != "not evaluated")
    assert ("action" in group_of(result)) == (verdict == "applicable")


def test_all_conditions_must_hold_and_the_first_that_does_not_is_the_reason():
    conditions = [condition("true"), condition("1 = 2"), condition("2 = 3")]
    (why,) = applied(plan({"condition": conditions})).why
    assert (why.verdict, why.expression) == ("not applicable", "1 = 2")


def test_conditions_to_start_and_stop_are_carried_and_not_evaluated():
    start = condition("1 +", kind="start")
    made = group_of(applied(plan({"condition": [start]})))["action"][0]
    assert made["condition"] == [start]


def test_children_of_an_action_that_does_not_apply_go_with_it():
    parent = {"condition": [condition("false")], "action": [orders()]}
    result = applied(plan(parent), activity())
    assert [r["resourceType"] for r in result.resources] == [
        "CarePlan",
        "RequestGroup",
        "OperationOutcome",
    ]
    assert len(result.why) == 1


def test_what_is_left_out_is_told_with_its_place():
    (outcome,) = applied(plan({"title": "Act", "condition": [condition("false")]})).outcomes
    (issue,) = outcome["issue"]
    assert issue["severity"] == "information"
    assert issue["expression"] == ["PlanDefinition.action[0]"]
    assert issue["diagnostics"] == "Act: not applicable: only if: false (which is false)"
    assert issue["details"]["coding"] == [{"code": "apply-left-out"}]


def test_messages_are_contained_and_an_extension_leads_to_them():
    result = applied(plan({"condition": [condition("1 +")]}))
    url = "http://hl7.org/fhir/StructureDefinition/cqf-messages"
    wanted = {"url": url, "valueReference": {"reference": "#apply-outcome-p"}}
    assert result.result["extension"] == [wanted]
    assert result.result["contained"][-1]["id"] == "apply-outcome-p"


def test_the_reference_dialect_tells_failures_only():
    actions = [{"condition": [condition("false")]}, {"condition": [condition("1 +")]}]
    told = messages(applied(plan(*actions), dialect="reference"))
    assert len(told) == 1
    assert told[0].startswith("Condition expression 1 + encountered exception")


def test_an_unknown_language_is_not_evaluated():
    (why,) = applied(plan({"condition": [condition("x", language="text/x-basic")]})).why
    assert why.reason == "the language text/x-basic is not supported"


def test_a_name_in_cql_without_a_library_is_not_evaluated():
    (why,) = applied(plan({"condition": [condition("A", language="text/cql-identifier")]})).why
    assert "no library is given" in why.reason


def test_a_missing_library_is_not_evaluated():
    named = condition("A", language="text/cql-identifier")
    definition = plan({"condition": [named]}, library=[f"{BASE}/Library/none"])
    (why,) = applied(definition).why
    assert (why.verdict, "not in the package" in why.reason) == ("not evaluated", True)


def test_the_focus_and_context_of_an_expression_are_the_definition():
    texts = ["id = 'p'", "%context.id = 'p'", "%resource.id = 'p'"]
    result = applied(plan({"condition": [condition(text) for text in texts]}))
    assert result.why[0].verdict == "applicable"


def test_parameters_are_variables():
    parameters = {"parameter": [{"name": "limit", "valueInteger": 3}]}
    definition = plan({"condition": [condition("%limit > 2")]})
    assert (
        applied(definition, parameters=parameter_values(parameters)).why[0].verdict == "applicable"
    )


def test_a_parameter_that_stands_twice_is_a_list():
    parts = [{"name": "n", "valueInteger": 1}, {"name": "n", "valueInteger": 2}]
    assert parameter_values({"parameter": parts}) == {"n": [1, 2]}


def test_data_of_the_call_go_before_the_repository():
    male = PATIENT | {"gender": "male"}
    definition = plan({"condition": [condition("%subject.gender = 'male'")]})
    assert applied(definition, data=[male]).why[0].verdict == "applicable"


# -- wrong use --------------------------------------------------------------------------------


def test_a_call_without_subject_is_refused():
    with pytest.raises(ConfigError, match="subject"):
        apply(plan(), "", MemoryRepository([]))


def test_an_unknown_subject_is_an_error_never_an_empty_patient():
    with pytest.raises(ResolutionError, match="Patient/nobody: the subject is not in the data"):
        apply(plan(), "nobody", MemoryRepository([PATIENT]))


def test_an_unknown_definition_is_an_error():
    with pytest.raises(ResolutionError, match="no such definition"):
        apply("PlanDefinition/none", "x", MemoryRepository([PATIENT]))


def test_a_resource_that_is_no_definition_is_refused():
    with pytest.raises(DefinitionError, match="a Patient cannot be applied"):
        apply(PATIENT, "x", MemoryRepository([PATIENT]))


def test_an_unknown_dialect_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'complete'"):
        apply(plan(), "x", MemoryRepository([PATIENT]), dialect="complet")


MISSHAPEN = [
    {"action": {"title": "not in a list"}},
    {"action": ["text"]},
    {"action": [{"condition": [{"kind": "applicability", "expression": "true"}]}]},
    {"goal": [[]]},
]


@pytest.mark.parametrize("change", MISSHAPEN, ids=str)
def test_a_definition_that_is_no_fhir_is_told_as_such(change):
    with pytest.raises(DefinitionError, match="the content is not FHIR: PlanDefinition/p: "):
        applied(plan() | change)


CQF_EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"


def computed(text):
    expression = condition(text)["expression"]
    inner = {"url": CQF_EXPRESSION, "valueExpression": expression}
    return {"url": f"{BASE}/computed", "_valueString": {"extension": [inner]}}


def test_a_computed_extension_has_its_value():
    definition = plan({"extension": [computed("%subject.id")]}, extension=[computed("%context.id")])
    group = group_of(applied(definition))
    assert group["extension"] == [{"url": f"{BASE}/computed", "valueString": "p"}]
    action = group["action"][0]
    assert action["extension"] == [{"url": f"{BASE}/computed", "valueString": "x"}]


def test_a_computed_extension_that_fails_is_told_and_left_out():
    result = applied(plan(extension=[computed("1 +")]))
    assert not result
    assert "encountered exception" in messages(result)[0]


def test_the_language_of_the_user_is_that_of_the_result():
    result = applied(plan(orders()), activity(), language="de")
    assert result.result["language"] == "de"
    assert [r.get("language") for r in result.result["contained"]] == ["de", "de"]


def test_a_plan_without_url_is_applied_and_told():
    definition = plan({"title": "Act"})
    del definition["url"]
    result = applied(definition, form="bundle")
    assert "instantiatesCanonical" not in group_of(result)
    assert messages(result) == ["PlanDefinition p is missing a canonical url."]
    assert result
    assert not applied(definition, form="bundle", dialect="reference")


def test_contained_resources_of_requests_are_lifted_into_the_care_plan():
    place = {"resourceType": "Location", "id": "suite"}
    does = activity(location={"reference": "#suite"}, contained=[place])
    contained = applied(plan(orders()), does).result["contained"]
    assert [r["resourceType"] for r in contained] == ["RequestGroup", "ServiceRequest", "Location"]
    assert contained[1]["locationReference"] == [{"reference": "#suite"}]


def test_a_request_never_shares_its_id_with_the_group_that_contains_it():
    result = applied(plan(orders("p")), activity("p"))
    ids = [r["id"] for r in result.result["contained"]]
    assert ids == ["p", "p2"]


def failing():
    expression = {"language": "text/fhirpath", "expression": "1 +"}
    return activity(dynamicValue=[{"path": "code.text", "expression": expression}])


@pytest.mark.parametrize("form", ["careplan", "bundle"])
def test_the_reference_dialect_tells_on_the_request_what_failed_in_its_activity(form):
    result = applied(plan(orders()), failing(), dialect="reference", form=form)
    request = next(r for r in result.resources if r["resourceType"] == "ServiceRequest")
    wanted = {"reference": "#apply-outcome-a"}
    assert [e["valueReference"] for e in request["extension"]] == [wanted]
    holder = request if form == "bundle" else result.result
    assert [r["id"] for r in holder["contained"]][-1] == "apply-outcome-a"
    assert "extension" not in group_of(result)


def test_the_complete_dialect_tells_on_the_plan_what_failed_in_an_activity():
    result = applied(plan(orders()), failing())
    assert [outcome["id"] for outcome in result.outcomes] == ["apply-outcome-p"]


AUTHORS = [
    ("reference", {"organization": "o"}, None),
    ("reference", {"organization": "o", "practitioner": "d"}, {"reference": "Organization/o"}),
    ("complete", {"organization": "o"}, {"reference": "Organization/o"}),
]


@pytest.mark.parametrize("dialect, parties, author", AUTHORS)
def test_the_author_of_a_care_plan(dialect, parties, author):
    result = applied(plan(), dialect=dialect, **parties)
    assert result.result.get("author") == author
    found = group_of(result).get("author", {}).get("reference")
    assert found == ("Organization/o" if dialect == "reference" else None)  # R4 has it in CarePlan


def test_an_applicability_behavior_that_is_none_is_told_and_all_children_are_taken():
    url = "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior"
    parent = {
        "extension": [{"url": url, "valueCode": "some"}],
        "action": [{"title": "a"}, {"title": "b"}],
    }
    result = applied(plan(parent))
    assert not result
    assert "'some', not all or any" in messages(result)[0]
    assert len(group_of(result)["action"][0]["action"]) == 2


ALTERNATIVE = "http://hl7.org/fhir/us/ecr/StructureDefinition/us-ph-alternativeExpression"
ALTERNATIVES = [
    ("text/fhirpath", "%subject.deceased", "applicable"),
    ("text/x-basic", "anything", "applicable"),
    ("text/fhirpath", "%subject.gender = 'male'", "not applicable"),
    ("text/fhirpath", "1 +", "not evaluated"),
]


@pytest.mark.parametrize("language, text, verdict", ALTERNATIVES)
def test_an_alternative_is_asked_when_the_expression_has_no_value(language, text, verdict):
    asked = condition(text, language=language)
    other = condition("%subject.gender = 'female'")["expression"]
    asked["expression"]["extension"] = [{"url": ALTERNATIVE, "valueExpression": other}]
    assert applied(plan({"condition": [asked]})).why[0].verdict == verdict


def test_a_nested_or_complex_extension_is_computed_too():
    concept = condition("'final'")["expression"]
    inner = {"url": CQF_EXPRESSION, "valueExpression": concept}
    nested = {"url": "n", "extension": [computed("%subject.gender")]}
    deep = {"url": "c", "valueCodeableConcept": {"extension": [inner]}}
    group = group_of(applied(plan(extension=[nested, deep, computed("%subject.deceased")])))
    assert group["extension"] == [
        {"url": "n", "extension": [{"url": f"{BASE}/computed", "valueString": "female"}]},
        {"url": "c", "valueCodeableConcept": {"coding": [{"code": "final"}]}},
    ]


def library(name, text):
    data = base64.b64encode(text.encode()).decode()
    made = {"resourceType": "Library", "id": name, "name": name, "url": f"{BASE}/Library/{name}"}
    return made | {"content": [{"contentType": "text/cql", "data": data}]}


@pytest.mark.parametrize("language", ["text/cql", "text/cql-expression"])
@pytest.mark.parametrize("text", ['First."Yes"', 'Second."Yes" and "Yes"'])
def test_an_expression_names_the_definitions_of_all_libraries(language, text):
    libraries = [
        library(name, f'library {name}\ndefine "Yes": true') for name in ("First", "Second")
    ]
    named = plan({"condition": [condition(text, language=language)]})
    named["library"] = [made["url"] for made in libraries]
    (why,) = applied(named, *libraries).why
    assert (why.verdict, why.reason) == ("applicable", text)


@pytest.mark.parametrize(
    "name, verdict",
    [("Which", "applicable"), ("First.Which", "applicable"), ("Second.Which", "not applicable")],
)
def test_a_name_without_library_is_of_the_first_and_one_with_it_of_that(name, verdict):
    libraries = [
        library(title, f'library {title}\ndefine "Which": {value}')
        for title, value in (("First", "true"), ("Second", "false"))
    ]
    named = plan({"condition": [condition(name, language="text/cql-identifier")]})
    named["library"] = [made["url"] for made in libraries]
    (why,) = applied(named, *libraries).why
    assert why.verdict == verdict
    named["action"] = [{"condition": [condition("Which and true", language="text/cql-expression")]}]
    assert applied(named, *libraries).why[0].verdict == "applicable"


def test_an_expression_of_cql_needs_no_library():
    asked = condition("Patient.gender = 'female'", language="text/cql")
    assert applied(plan({"condition": [asked]})).why[0].verdict == "applicable"


def test_items_that_only_made_room_do_not_stay():
    expression = condition("'x'")["expression"]
    dynamic = {"path": "input[2].valueString", "expression": expression}
    does = activity(kind="Task", dynamicValue=[dynamic])
    (task,) = applied(plan(orders()), does, form="bundle").resources[1:]
    assert task["input"] == [{"valueString": "x"}]


def observation(name, code, patient="x"):
    made = {"resourceType": "Observation", "id": name, "code": {"coding": [code]}}
    return made | {"subject": {"reference": f"Patient/{patient}"}}


INR = {"system": "http://loinc.org", "code": "6301-6"}
MEASURED = {
    "resourceType": "ValueSet",
    "url": f"{BASE}/ValueSet/measured",
    "compose": {"include": [{"system": INR["system"], "concept": [{"code": INR["code"]}]}]},
}
BY_CODE = {"path": "code", "code": [INR]}
INPUTS = [
    ([], "%given.count() = 2", "applicable"),
    ([BY_CODE], "%given.count() = 1 and %given.id = 'a'", "applicable"),
    ([{"path": "code", "valueSet": MEASURED["url"]}], "%given.count() = 1", "applicable"),
    ([{"path": "code", "code": [{"code": "1"}]}], "%given.empty()", "applicable"),
    ([BY_CODE, {"path": "category", "code": [INR]}], "%given.exists()", "not applicable"),
    ([{"path": "code", "valueSet": f"{BASE}/none"}], "%given.exists()", "not evaluated"),
    ([{"searchParam": "code"}], "%given.exists()", "not evaluated"),
    ([{"searchParam": "code"}], "%subject.exists()", "applicable"),
]


@pytest.mark.parametrize("filters, text, verdict", INPUTS)
def test_the_inputs_of_an_action_are_variables_of_its_conditions(filters, text, verdict):
    given = {"id": "given", "type": "Observation", "codeFilter": filters}
    definition = plan({"input": [given], "condition": [condition(text)]})
    data = [observation("a", INR), observation("b", {"system": "s", "code": "c"})]
    data += [observation("of-another", INR, "y"), MEASURED]
    (why,) = applied(definition, *data).why
    assert why.verdict == verdict


def test_an_input_is_a_variable_of_cql_and_its_date_filter_is_not_passed_over():
    given = {"id": "given", "type": "Observation"}
    asked = condition("Count(%given) = 1", language="text/cql-expression")
    one = observation("a", INR)
    verdict = applied(plan({"input": [given], "condition": [asked]}), one).why[0].verdict
    assert verdict == "applicable"
    dated = given | {"dateFilter": [{"path": "effective"}]}
    (why,) = applied(plan({"input": [dated], "condition": [asked]}), one).why
    assert (why.verdict, "dateFilter" in why.reason) == ("not evaluated", True)


OF_THE_PATIENT = [
    ("Patient.gender = 'female'", "applicable"),
    ("(Patient.birthDate < @1970-01-01) and Patient.active.empty()", "applicable"),
    ("%context.name = 'Patient.gender'", "not applicable"),
    ("id = 'p' and %subject is Patient", "applicable"),
]


@pytest.mark.parametrize("text, verdict", OF_THE_PATIENT)
def test_paths_that_begin_with_the_type_of_the_subject_are_about_the_subject(text, verdict):
    assert applied(plan({"condition": [condition(text)]})).why[0].verdict == verdict


@pytest.mark.parametrize("text", ["AgeInYears() >= 18", "not exists([Condition])"])
def test_only_the_reference_dialect_takes_cql_for_fhirpath(text):
    asked = plan({"condition": [condition(text)]})
    assert applied(asked).why[0].verdict == "not evaluated"
    assert applied(asked, dialect="reference").why[0].verdict == "applicable"


def test_what_is_neither_fhirpath_nor_cql_tells_what_is_wrong_as_fhirpath():
    strict, lenient = (
        applied(plan({"condition": [condition("1 +")]}), dialect=dialect).why[0].reason
        for dialect in ("complete", "reference")
    )
    assert strict == lenient
