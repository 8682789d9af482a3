"""`$validate` and `$meta-delete`."""

import pytest

from tests.server.client import entry, rules_of

PLAN = {"resourceType": "PlanDefinition", "id": "p", "status": "draft"}
PROFILE = {
    "resourceType": "StructureDefinition",
    "id": "titled",
    "url": "http://x.org/sd/titled",
    "name": "Titled",
    "status": "draft",
    "kind": "resource",
    "abstract": False,
    "type": "PlanDefinition",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/PlanDefinition",
    "derivation": "constraint",
    "differential": {
        "element": [
            {"id": "PlanDefinition", "path": "PlanDefinition"},
            {"id": "PlanDefinition.title", "path": "PlanDefinition.title", "min": 1},
        ]
    },
}


def parameters(**values):
    found = [{"name": name} | value for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": found}


def errors(answer):
    assert answer.status_code == 200, answer.text
    issues = answer.json()["issue"]
    return [i.get("expression") for i in issues if i["severity"] in {"error", "fatal"}]


def test_validate_tells_what_is_wrong_and_answers_200(server):
    bad = PLAN | {"status": "colourful"}
    assert errors(server("POST", "PlanDefinition/$validate", bad)) == [["PlanDefinition.status"]]
    assert errors(server("POST", "PlanDefinition/$validate", PLAN)) == []
    assert errors(server("POST", "$validate", bad)) == [["PlanDefinition.status"]]


def test_validate_takes_the_resource_from_parameters(server):
    wrapped = parameters(resource={"resource": PLAN | {"status": "colourful"}})
    assert errors(server("POST", "PlanDefinition/$validate", wrapped)) == [
        ["PlanDefinition.status"]
    ]


def test_validate_looks_at_what_is_stored(server):
    server.put(PLAN | {"status": "colourful"})
    assert errors(server.get("PlanDefinition/p/$validate")) == [["PlanDefinition.status"]]
    missing = server.get("PlanDefinition/q/$validate")
    assert (missing.status_code, rules_of(missing)) == (404, ["server-unknown-resource"])


@pytest.mark.parametrize("in_body", [True, False])
def test_validate_uses_the_profiles_that_the_server_holds(server, in_body):
    server.put(PROFILE)
    asked = f"PlanDefinition/$validate?profile={PROFILE['url']}"
    body = PLAN
    if in_body:
        body = parameters(resource={"resource": PLAN}, profile={"valueUri": PROFILE["url"]})
        asked = "PlanDefinition/$validate"
    assert errors(server("POST", asked, body)) != []
    server.put(PROFILE | {"differential": {"element": PROFILE["differential"]["element"][:1]}})
    assert errors(server("POST", asked, body)) == []


@pytest.mark.parametrize(
    "broken",
    [
        PROFILE | {"differential": {"element": [{"id": "PlanDefinition"}]}},
        PROFILE | {"differential": 5},
        PROFILE | {"url": "http://hl7.org/fhir/StructureDefinition/PlanDefinition"},
        PROFILE | {"baseDefinition": PROFILE["url"]},
        PROFILE | {"baseDefinition": "http://x.org/none"},
    ],
)
def test_a_stored_definition_that_is_broken_does_not_break_validation(server, broken):
    assert server.put(broken).status_code == 201
    assert errors(server("POST", "PlanDefinition/$validate", PLAN)) == []
    asked = server("POST", f"PlanDefinition/$validate?profile={PROFILE['url']}", PLAN)
    assert asked.status_code in {200, 422}


@pytest.mark.parametrize(
    ("path", "body", "rule"),
    [
        ("PlanDefinition/$validate", None, "server-operation-input"),
        ("$validate", parameters(), "server-operation-input"),
        ("Library/$validate", PLAN, "server-body-type"),
        ("PlanDefinition/p/$meta-delete", parameters(), "server-operation-input"),
        ("PlanDefinition/p/$meta-delete", None, "server-no-body"),
    ],
)
def test_an_operation_without_its_input_is_refused(server, path, body, rule):
    server.put(PLAN)
    refused = server("POST", path, body)
    assert (refused.status_code, rules_of(refused)) == (400, [rule])


def test_meta_delete_takes_tags_and_profiles_away_without_a_new_version(server):
    tags = [{"system": "http://x.org", "code": code} for code in ("a", "b")]
    server.put(PLAN | {"meta": {"tag": tags, "profile": ["http://x.org/sd"]}})
    gone = {"tag": [tags[0] | {"display": "A"}], "profile": ["http://x.org/sd"]}
    answer = server("POST", "PlanDefinition/p/$meta-delete", parameters(meta={"valueMeta": gone}))
    assert answer.json()["parameter"][0]["valueMeta"]["tag"] == tags[1:]
    stored = server.get("PlanDefinition/p")
    assert stored.headers["ETag"] == 'W/"1"'
    assert stored.json()["meta"].keys() == {"versionId", "lastUpdated", "tag"}
    assert server.found("PlanDefinition?_tag=http://x.org|a") == []
    assert server.found("PlanDefinition?_tag=http://x.org|b") == ["p"]
    assert server.put(PLAN | {"meta": {"tag": tags[1:]}}).headers["ETag"] == 'W/"1"'


def test_meta_delete_of_what_is_not_there_is_told(server):
    meta = parameters(meta={"valueMeta": {"tag": []}})
    assert server("POST", "PlanDefinition/p/$meta-delete", meta).status_code == 404


def test_what_changes_something_can_be_part_of_a_transaction(server):
    server.put(PLAN | {"meta": {"tag": [{"code": "a"}]}})
    meta = parameters(meta={"valueMeta": {"tag": [{"code": "a"}]}})
    answer = server.bundle(entry("POST", "PlanDefinition/p/$meta-delete", meta))
    assert answer.status_code == 200
    assert "tag" not in server.get("PlanDefinition/p").json()["meta"]
