"""`$apply` and `$r5.apply` over HTTP, and the refusals with their reasons."""

import pytest

from tests.server.client import Client
from tests.servers.embedded import running

URL = "http://example.org/PlanDefinition/p"
GENDER = {"language": "text/fhirpath", "expression": "%subject.gender = 'female'"}
PLAN = {
    "resourceType": "PlanDefinition",
    "id": "p",
    "url": URL,
    "version": "1",
    "status": "active",
    "action": [
        {"title": "For women", "condition": [{"kind": "applicability", "expression": GENDER}]},
        {"title": "Order", "definitionCanonical": "http://example.org/ActivityDefinition/a"},
    ],
}
ACTIVITY = {
    "resourceType": "ActivityDefinition",
    "id": "a",
    "url": "http://example.org/ActivityDefinition/a",
    "status": "active",
    "kind": "ServiceRequest",
    "code": {"text": "Do it"},
}
PATIENT = {"resourceType": "Patient", "id": "x", "gender": "female"}


@pytest.fixture(scope="module")
def server():
    with running() as base:
        client = Client(base)
        for resource in (PLAN, ACTIVITY, PATIENT, PATIENT | {"id": "y", "gender": "male"}):
            assert client.put(resource).status_code == 201
        yield client


def titles(resource):
    groups = [r for r in resource["contained"] if r["resourceType"] == "RequestGroup"]
    return [action["title"] for action in groups[0]["action"]]


def posted(*parts):
    return {"resourceType": "Parameters", "parameter": list(parts)}


CALLS = [
    ("GET", "PlanDefinition/p/$apply?subject=Patient/x", None),
    ("GET", f"PlanDefinition/$apply?subject=x&canonical={URL}|1", None),
    ("GET", f"PlanDefinition/$apply?subject=x&url={URL}&version=1", None),
    ("POST", "PlanDefinition/p/$apply", posted({"name": "subject", "valueString": "x"})),
    (
        "POST",
        "PlanDefinition/$apply",
        posted(
            {"name": "subject", "valueReference": {"reference": "Patient/x"}},
            {"name": "planDefinition", "resource": PLAN},
        ),
    ),
]


@pytest.mark.parametrize("method, path, body", CALLS)
def test_a_plan_is_applied_by_id_canonical_or_itself(server, method, path, body):
    answer = server(method, path, body)
    assert answer.status_code == 200
    assert titles(answer.json()) == ["For women", "Order"]


def test_an_activity_is_applied(server):
    answer = server.get("ActivityDefinition/a/$apply?subject=x&practitioner=d").json()
    assert answer["resourceType"] == "ServiceRequest"
    assert answer["requester"] == {"reference": "Practitioner/d"}


def test_the_form_of_r5_gives_a_bundle_for_each_subject(server):
    answer = server.get("PlanDefinition/p/$r5.apply?subject=x&subject=y").json()
    bundles = [part["resource"] for part in answer["parameter"]]
    counts = [len(bundle["entry"][0]["resource"]["action"]) for bundle in bundles]
    assert counts == [2, 1]


def test_data_of_the_call_count_and_can_stand_alone(server):
    bundle = {"resourceType": "Bundle", "type": "collection"}
    entry = [{"resource": PATIENT | {"id": "z"}}]
    parts = [
        {"name": "subject", "valueString": "z"},
        {"name": "data", "resource": bundle | {"entry": entry}},
        {"name": "useServerData", "valueBoolean": False},
    ]
    assert (
        titles(server("POST", "PlanDefinition/p/$apply", posted(*parts)).json())[0] == "For women"
    )
    prefetch = [
        {"name": "key", "valueString": "k"},
        {"name": "data", "resource": parts[1]["resource"]},
    ]
    parts[1] = {"name": "prefetchData", "part": prefetch}
    assert server("POST", "PlanDefinition/p/$apply", posted(*parts)).status_code == 200


def test_without_data_of_the_server_its_patients_are_unknown(server):
    answer = server.get("PlanDefinition/p/$apply?subject=x&useServerData=false")
    assert (answer.status_code, "not in the data" in answer.text) == (422, True)


REFUSED = [
    ("PlanDefinition/p/$apply", 400, "name the subject"),
    ("PlanDefinition/none/$apply?subject=x", 404, "PlanDefinition/none"),
    ("PlanDefinition/$apply?subject=x", 400, "it needs a PlanDefinition"),
    ("PlanDefinition/$apply?subject=x&canonical=http://none", 404, "http://none"),
    ("PlanDefinition/p/$apply?subject=nobody", 422, "the subject is not in the data"),
    ("Patient/x/$apply?subject=x", 404, "apply"),
    ("ActivityDefinition/a/$r5.apply?subject=x", 404, "r5.apply"),
]


@pytest.mark.parametrize("path, status, words", REFUSED)
def test_a_call_that_cannot_be_answered_says_why(server, path, status, words):
    answer = server.get(path)
    assert answer.status_code == status
    assert words in answer.json()["issue"][0]["details"]["text"]


IGNORED = [
    ("subject=x&subject=y", "2 are named"),
    ("subject=x&pratitioner=d", "did you mean 'practitioner'"),
    ("subject=x&dataEndpoint=http://e.org/fhir", "no parameter 'dataEndpoint'"),
]


@pytest.mark.parametrize("query, words", IGNORED)
def test_what_would_be_ignored_is_a_400(server, query, words):
    answer = server.get(f"PlanDefinition/p/$apply?{query}")
    assert (answer.status_code, words in answer.text) == (400, True)


def test_user_and_setting_are_variables_of_expressions(server):
    where = {"language": "text/fhirpath", "expression": "%setting.coding.code = 'IMP'"}
    action = {"title": "Inside", "condition": [{"kind": "applicability", "expression": where}]}
    setting = {"name": "setting", "valueCodeableConcept": {"coding": [{"code": "IMP"}]}}
    parts = [{"name": "subject", "valueString": "x"}, setting]
    plan = PLAN | {"action": [action, {"title": "Any"}]}
    given = posted(*parts, {"name": "planDefinition", "resource": plan})
    answer = server("POST", "PlanDefinition/$apply", given)
    assert titles(answer.json()) == ["Inside", "Any"]


def test_the_operations_are_in_the_capability_statement(server):
    (rest,) = server.get("metadata").json()["rest"]
    offered = {r["type"]: {o["name"] for o in r["operation"]} for r in rest["resource"]}
    assert {"apply", "r5.apply"} <= offered["PlanDefinition"]
    assert "apply" in offered["ActivityDefinition"]
    assert "apply" not in offered["Patient"]


@pytest.mark.parametrize("more, verdict", [({"total": 2}, False), ({"total": 1}, True), ({}, True)])
def test_a_part_of_a_search_that_comes_with_a_call_decides_nothing(server, more, verdict):
    expression = {"language": "text/fhirpath", "expression": "%seen.exists()"}
    asked = {"kind": "applicability", "expression": expression}
    action = {"title": "A", "input": [{"id": "seen", "type": "Observation"}], "condition": [asked]}
    plan = {"resourceType": "PlanDefinition", "id": "parts", "status": "active", "action": [action]}
    observation = {"resourceType": "Observation", "id": "o", "status": "final"}
    observation |= {"code": {"text": "x"}, "subject": {"reference": "Patient/x"}}
    entry = [{"resource": {"resourceType": "Patient", "id": "x"}}, {"resource": observation}]
    link = [{"relation": "self", "url": "Observation?patient=x"}]
    found = {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entry}
    for sent in entry:
        sent["search"] = {"mode": "match" if sent["resource"] is observation else "include"}
    parts = [
        {"name": "planDefinition", "resource": plan},
        {"name": "subject", "valueString": "Patient/x"},
        {"name": "data", "resource": found | more},
    ]
    body = {"resourceType": "Parameters", "parameter": parts}
    answer = server("POST", "PlanDefinition/$apply", body).json()
    (group,) = [r for r in answer["contained"] if r["resourceType"] == "RequestGroup"]
    assert ("action" in group) == verdict
    assert ("not all Observation resources are known" in str(answer)) != verdict


@pytest.mark.parametrize("entry", [5, [5], [{"resource": 5}]])
def test_data_that_are_no_bundle_are_a_400(server, entry):
    plan = {"resourceType": "PlanDefinition", "id": "parts", "status": "active"}
    parts = [
        {"name": "planDefinition", "resource": plan},
        {"name": "subject", "valueString": "Patient/x"},
        {
            "name": "data",
            "resource": {"resourceType": "Bundle", "type": "searchset", "entry": entry},
        },
    ]
    body = {"resourceType": "Parameters", "parameter": parts}
    assert server("POST", "PlanDefinition/$apply", body).status_code in {400, 422}


# -- criteria ------------------------------------------------------------------------------------

FHIRPKG = "https://w3id.org/fhirpkg/StructureDefinition"


def computed(url, text):
    return {"url": url, "valueExpression": {"language": "text/fhirpath", "expression": text}}


INNER = {
    "resourceType": "PlanDefinition",
    "id": "inner",
    "url": "http://example.org/PlanDefinition/inner",
    "status": "active",
    "extension": [
        {
            "url": f"{FHIRPKG}/criterion",
            "extension": [
                {"url": "id", "valueString": "inr"},
                {"url": "limit", "valueString": "at most 1.8"},
                computed("state", "iif(%subject.gender = 'female', 'exceeded', 'met')"),
                computed("number", "2.4"),
                computed("unit", "'INR'"),
                computed("date", "'2026-11-02'"),
                computed("resource", "'Observation/o'"),
                computed("why", "'INR 2.4 is above 1.8'"),
                computed("value", "{}"),
            ],
        },
        {
            "url": f"{FHIRPKG}/criterion",
            "extension": [
                {"url": "id", "valueString": "platelets"},
                computed("state", "%nobody"),
            ],
        },
    ],
    "action": [{"title": "Prepare"}],
}
OUTER = {
    "resourceType": "PlanDefinition",
    "id": "outer",
    "url": "http://example.org/PlanDefinition/outer",
    "status": "active",
    "action": [{"title": "Inner", "definitionCanonical": INNER["url"]}],
}


def criteria(resources):
    """The parts of each criterion in the results of these resources, by url and value."""
    found = [
        extension
        for resource in resources
        for extension in resource.get("extension", ())
        if extension["url"] == f"{FHIRPKG}/criterion-result"
    ]
    return [
        {part["url"]: next(v for k, v in part.items() if k.startswith("value"))
         for part in extension["extension"]}
        for extension in found
    ]  # fmt: skip


@pytest.mark.parametrize("plan", ["inner", "outer"])
@pytest.mark.parametrize("subject, state", [("x", "exceeded"), ("y", "met")])
@pytest.mark.parametrize("operation", ["$apply", "$r5.apply"])
def test_the_states_of_criteria_come_with_the_group_of_their_plan(
    server, plan, subject, state, operation
):
    for definition in (INNER, OUTER):
        assert server.put(definition).status_code in {200, 201}
    answer = server.get(f"PlanDefinition/{plan}/{operation}?subject={subject}").json()
    if operation == "$apply":
        resources = answer["contained"]
    else:
        resources = [e["resource"] for p in answer["parameter"] for e in p["resource"]["entry"]]
    groups = [r for r in resources if r["resourceType"] == "RequestGroup"]
    of_inner = [g for g in groups if g["instantiatesCanonical"] == [INNER["url"]]]
    inr, platelets = criteria(of_inner)
    assert inr == {
        "id": "inr",
        "state": state,
        "number": 2.4,
        "unit": "INR",
        "date": "2026-11-02",
        "resource": "Observation/o",
        "why": "INR 2.4 is above 1.8",
    }
    assert (platelets["id"], platelets["state"]) == ("platelets", "not evaluated")
    assert "nobody" in platelets["why"]
    assert not criteria([g for g in groups if g not in of_inner])
