"""`$expand`, `$lookup`, `$validate-code`, and how changed definitions are learned."""

import pytest

from fhirpkg.server.operations import learning
from tests.server.client import rules_of

SYSTEM = "http://x.org/cs"
CODES = {
    "resourceType": "CodeSystem", "id": "cs", "url": SYSTEM, "version": "1", "name": "Colours",
    "status": "active", "content": "complete",
    "concept": [{"code": "r", "display": "Red", "concept": [{"code": "rr", "display": "Rose"}]},
                {"code": "g", "display": "Green"}],
}  # fmt: skip
SET = {
    "resourceType": "ValueSet", "id": "vs", "url": "http://x.org/vs", "status": "active",
    "compose": {"include": [{"system": SYSTEM, "filter": [
        {"property": "concept", "op": "is-a", "value": "r"}]}]},
}  # fmt: skip
OPEN = SET | {
    "id": "open",
    "url": "http://x.org/open",
    "compose": {"include": [{"system": "http://snomed.info/sct"}]},
}


@pytest.fixture
def stored(server):
    for resource in (CODES, SET, OPEN):
        assert server.put(resource).ok
    return server


def values_of(answer):
    assert answer.status_code == 200, answer.text
    parts = answer.json()["parameter"]
    return {p["name"]: next(v for k, v in p.items() if k.startswith("value")) for p in parts}


@pytest.mark.parametrize("path", ["ValueSet/vs/$expand", "ValueSet/$expand?url=http://x.org/vs"])
def test_a_value_set_is_expanded_with_its_displays(stored, path):
    expansion = stored.get(path).json()["expansion"]
    found = [(c["system"], c["code"], c["display"]) for c in expansion["contains"]]
    assert found == [(SYSTEM, "r", "Red"), (SYSTEM, "rr", "Rose")]
    assert expansion["total"] == 2


def test_an_expansion_comes_in_pages_and_filtered(stored):
    page = stored.get("ValueSet/vs/$expand?count=1&offset=1").json()["expansion"]
    assert ([c["code"] for c in page["contains"]], page["total"]) == (["rr"], 2)
    found = stored.get("ValueSet/vs/$expand?filter=ros").json()["expansion"]
    assert [c["code"] for c in found["contains"]] == ["rr"]
    assert "contains" not in stored.get("ValueSet/vs/$expand?filter=x").json()["expansion"]


def test_a_value_set_in_the_call_is_expanded(stored):
    inline = {"name": "valueSet", "resource": SET | {"id": "x", "url": "http://x.org/other"}}
    call = {"resourceType": "Parameters", "parameter": [inline]}
    assert stored("POST", "ValueSet/$expand", call).json()["expansion"]["total"] == 2


def test_all_codes_of_a_system_are_a_value_set_without_a_resource(stored):
    url = f"ValueSet/$expand?url={SYSTEM}%3Ffhir_vs"
    assert stored.get(url).json()["expansion"]["total"] == 3
    found = stored.get(f"{url}&filter=rose%20r").json()["expansion"]["contains"]
    assert [c["code"] for c in found] == ["rr"]
    valid = f"ValueSet/$validate-code?url={SYSTEM}%3Ffhir_vs&system={SYSTEM}&code="
    assert values_of(stored.get(f"{valid}g"))["result"] is True
    assert values_of(stored.get(f"{valid}x"))["result"] is False
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    assert stored.get(f"ValueSet/$expand?url={system}%3Ffhir_vs").json()["expansion"]["total"] == 6


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://snomed.info/sct?fhir_vs", 422),
        ("http://loinc.org/vs", 422),
        ("http://x.org/none?fhir_vs", 404),
        ("http://x.org/cs?fhir_vs=isa/r", 404),
        ("http://x.org/cs?fhir_vs&valueSetVersion=9", 422),
    ],
)
def test_a_system_that_is_not_held_is_not_listed(stored, url, status):
    refused = stored.get(
        f"ValueSet/$expand?url={url.replace('?', '%3F').replace('=isa', '%3Disa')}"
    )
    assert (refused.status_code, rules_of(refused)) == (status, ["server-operation-input"])


def test_what_cannot_be_listed_whole_is_refused(stored):
    refused = stored.get("ValueSet/open/$expand")
    assert (refused.status_code, rules_of(refused)) == (422, ["server-operation-input"])
    many = {"system": SYSTEM, "concept": [{"code": f"c{n}"} for n in range(1001)]}
    stored.put(SET | {"id": "many", "url": "http://x.org/many", "compose": {"include": [many]}})
    assert stored.get("ValueSet/many/$expand").status_code == 422
    page = stored.get("ValueSet/many/$expand?count=1000&offset=1000").json()["expansion"]
    assert (len(page["contains"]), page["total"]) == (1, 1001)


def test_a_code_is_looked_up(stored):
    found = values_of(stored.get(f"CodeSystem/$lookup?system={SYSTEM}&code=g"))
    assert found == {"name": "Colours", "version": "1", "display": "Green"}
    assert stored.get(f"CodeSystem/$lookup?system={SYSTEM}&code=x").status_code == 404
    assert stored.get("CodeSystem/$lookup?system=http://y.org&code=x").status_code == 422
    assert stored.get("CodeSystem/$lookup?code=x").status_code == 400


@pytest.mark.parametrize(
    ("path", "result"),
    [
        (f"ValueSet/vs/$validate-code?system={SYSTEM}&code=rr", True),
        (f"ValueSet/vs/$validate-code?system={SYSTEM}&code=g", False),
        (f"ValueSet/$validate-code?url=http://x.org/vs&system={SYSTEM}&code=r&display=Red", True),
        (f"ValueSet/$validate-code?url=http://x.org/vs&system={SYSTEM}&code=r&display=Blue", False),
        ("CodeSystem/cs/$validate-code?code=g", True),
        (f"CodeSystem/$validate-code?url={SYSTEM}&code=x", False),
    ],
)
def test_whether_a_code_is_valid(stored, path, result):
    found = values_of(stored.get(path))
    assert found["result"] is result
    assert ("message" in found) is not result


OWN = SET | {
    "id": "own", "url": "http://x.org/own",
    "compose": {"include": [
        {"system": SYSTEM, "concept": [{"code": "r", "display": "Signal"}, {"code": "g"}]},
        {"system": "http://y.org", "concept": [{"code": "y", "display": "Yellow"}]}]},
}  # fmt: skip
USES = SET | {"id": "uses", "url": "http://x.org/uses",
              "compose": {"include": [{"valueSet": ["http://x.org/own"]}]}}  # fmt: skip


@pytest.mark.parametrize("name", ["own", "uses"])
def test_the_display_that_a_value_set_gives_comes_before_the_systems(stored, name):
    stored.put(OWN)
    stored.put(USES)
    contains = stored.get(f"ValueSet/{name}/$expand").json()["expansion"]["contains"]
    shown = {one["code"]: one["display"] for one in contains}
    assert shown == {"r": "Signal", "g": "Green", "y": "Yellow"}
    call = f"ValueSet/{name}/$validate-code?system={SYSTEM}&code=r"
    assert values_of(stored.get(call)) == {"result": True, "display": "Signal"}
    for display, is_right in (("signal", True), ("Red", True), ("Green", False)):
        assert values_of(stored.get(f"{call}&display={display}"))["result"] is is_right


def test_inactive_codes_are_marked_and_left_out_if_that_is_asked(stored):
    old = {"code": "o", "display": "Old", "property": [{"code": "inactive", "valueBoolean": True}]}
    stored.put(CODES | {"concept": [*CODES["concept"], old]})
    stored.put(SET | {"compose": {"include": [{"system": SYSTEM}]}})
    contains = stored.get("ValueSet/vs/$expand").json()["expansion"]["contains"]
    assert [one["code"] for one in contains if one.get("inactive")] == ["o"]
    active = stored.get("ValueSet/vs/$expand?activeOnly=true").json()["expansion"]
    assert ([one["code"] for one in active["contains"]], active["total"]) == (["g", "r", "rr"], 3)


def test_another_version_of_a_system_is_not_given_for_the_one_that_is_asked(stored):
    call = f"CodeSystem/$lookup?system={SYSTEM}&code=g&version="
    assert values_of(stored.get(f"{call}1"))["version"] == "1"
    assert stored.get(f"{call}2").status_code == 422


def test_a_unit_has_a_display_as_lookup_demands(stored):
    found = values_of(stored.get("CodeSystem/$lookup?system=http://unitsofmeasure.org&code=mg"))
    assert found["display"] == "mg"


def test_a_code_without_a_system_is_judged_only_if_that_is_asked(stored):
    assert stored.get("ValueSet/vs/$validate-code?code=r").status_code == 400
    assert values_of(stored.get("ValueSet/vs/$validate-code?code=r&inferSystem=true"))["result"]


@pytest.mark.parametrize(
    "path",
    [
        f"ValueSet/vs/$validate-code?system={SYSTEM}&code=r&date=2020",
        "ValueSet/vs/$expand?includeDesignations=true",
        "ValueSet/vs/$expand?excludeNotForUI=true",
        "ValueSet/vs/$expand?activeOnly=perhaps",
        "ValueSet/vs/$expand?fitler=x",
        f"CodeSystem/$lookup?system={SYSTEM}&code=g&property=parent",
        "ValueSet/$expand",
        "ValueSet/vs/$validate-code",
        "ValueSet/vs/$expand?count=x",
    ],
)
def test_a_parameter_that_is_missing_or_not_done_is_refused(stored, path):
    refused = stored.get(path)
    assert (refused.status_code, rules_of(refused)) == (400, ["server-operation-input"])


def test_a_code_that_cannot_be_judged_here_is_not_judged(stored):
    refused = stored.get("ValueSet/open/$validate-code?system=http://snomed.info/sct&code=73211009")
    assert (refused.status_code, rules_of(refused)) == (422, ["server-unknown-code"])


def test_a_changed_definition_is_learned_and_the_others_are_not_read_again(stored, monkeypatch):
    assert stored.get("ValueSet/vs/$expand").json()["expansion"]["total"] == 2
    checked = []
    is_new = learning._is_new
    monkeypatch.setattr(learning, "_is_new", lambda r, e: checked.append(r["id"]) or is_new(r, e))
    stored.put(SET | {"compose": {"include": [{"system": SYSTEM}]}})
    assert stored.get("ValueSet/vs/$expand").json()["expansion"]["total"] == 3
    assert checked == ["vs"]
    stored.delete("CodeSystem/cs")
    assert stored.get("ValueSet/vs/$expand").status_code == 422
    assert checked == ["vs"]
    stored.put(CODES)
    assert stored.get("ValueSet/vs/$expand").json()["expansion"]["total"] == 3
