"""Criteria on records in the forms that hospitals send: the same states from CQL and from ELM."""

import base64
import json
import pathlib
from datetime import UTC, datetime

import pytest

from fhirpkg import fhirjson
from fhirpkg.applying.application import apply
from fhirpkg.repository import Layers, MemoryRepository, in_bundle, open_repository
from tests.applying.made_records import cases, record, wanted

CONTENT = open_repository(pathlib.Path(__file__).parents[2] / "resources" / "cpt-20983" / "fhir")
PLAN = "PlanDefinition/BoneTumorCryoablationPlan"
CASES = cases()


def only(content_type):
    """The content with one form of the logic, the other taken out."""
    resources = []
    for resource in CONTENT:
        parts = resource.get("content", ()) if resource["resourceType"] == "Library" else ()
        kept = [part for part in parts if part["contentType"] == content_type]
        resources.append(resource | {"content": kept} if parts else resource)
    return MemoryRepository(resources)


FORMS = {kind: only(kind) for kind in ("text/cql", "application/elm+json")}


def applied(case, content=CONTENT, **options):
    data, _ = fhirjson.read(json.dumps(record(case)).encode())
    return apply(PLAN, "Patient/p1", Layers(MemoryRepository(data), content), **options)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_record_gives_the_state_that_a_careful_reader_finds(case, form):
    result = applied(case, FORMS[form])
    assert result, result.outcomes
    assert {found["id"]: found["state"] for found in result.criteria} == wanted(case)
    noticed = any(w.action_id == "noticed-inr" and w.verdict == "applicable" for w in result.why)
    assert noticed == case.get("noticed", False)


def test_a_site_sets_how_old_a_result_may_be():
    """The parameter has no value of its own: without it no age is too old."""
    now = datetime(2026, 11, 30, tzinfo=UTC)
    case = {"name": "old", "inr": [{"loinc": "6301-6", "value": 1.1, "at": "2026-11-02"}]}
    for days, state in ((None, "met"), (30, "met"), (28, "met"), (27, "unusable")):
        parameters = {} if days is None else {"INR days": days}
        found = {c["id"]: c for c in applied(case, parameters=parameters, now=now).criteria}
        assert found["inr"]["state"] == state, days
        assert found["platelets"]["state"] == "met"
    assert "too old" in found["inr"]["why"]


def test_what_cannot_be_compared_is_shown_with_the_last_value_that_can():
    case = {"name": "x", "more": [{"loinc": "6301-6", "text": "see comment", "at": "2026-11-20"}]}
    found = {c["id"]: c for c in applied(case).criteria}["inr"]
    assert (found["value"], found["date"]) == ('"see comment"', "2026-11-20")
    assert "last usable: 1.1 on 2 Nov 2026" in found["why"]


def test_a_criterion_that_cannot_be_evaluated_is_neither_met_nor_missing():
    """Its value set is nowhere: that is not an empty one."""
    resources = []
    for resource in FORMS["text/cql"]:
        parts = resource.get("content", ()) if resource["resourceType"] == "Library" else ()
        for part in parts:
            text = base64.b64decode(part["data"]).replace(b"CryoablationInr'", b"NowhereInr'")
            moved = [part | {"data": base64.b64encode(text).decode()}]
            resource = resource | {"content": moved}  # noqa: PLW2901 - a library has one part here
        resources.append(resource)
    result = applied({"name": "x"}, MemoryRepository(resources))
    assert not result
    states = {c["id"]: c["state"] for c in result.criteria}
    assert states["inr"] == "not evaluated"
    assert states["platelets"] == "met"


def test_a_record_whose_references_are_names_inside_of_its_bundle_is_read_as_one():
    name = "urn:uuid:7e1b6c1e-1111-4c1e-9a55-0d7b6f0c7a01"
    entries = []
    for resource in record({"name": "x"}):
        is_patient = resource["resourceType"] == "Patient"
        moved = resource if is_patient else resource | {"subject": {"reference": name}}
        entries.append({"resource": moved} | ({"fullUrl": name} if is_patient else {}))
    data = in_bundle({"resourceType": "Bundle", "type": "collection", "entry": entries})
    result = apply(PLAN, "Patient/p1", Layers(MemoryRepository(data), CONTENT))
    assert {c["state"] for c in result.criteria} == {"met"}


def test_a_result_by_a_code_that_is_not_known_is_shown_and_does_not_count():
    local = {"coding": [{"system": "http://example.org/lab", "code": "PLT"}], "text": "Platelets"}
    case = {"platelets": [{"code": local, "value": 40, "unit": "10*9/L", "at": "2026-11-20"}]}
    found = {c["id"]: c for c in applied(case).criteria}["platelets"]
    assert found["state"] == "missing"
    assert "Platelets 40 10*9/L on 20 Nov 2026" in found["why"]
    case["platelets"][0]["status"] = "entered-in-error"
    assert "40" not in {c["id"]: c for c in applied(case).criteria}["platelets"]["why"]


@pytest.mark.parametrize(
    "value, shown",
    [
        ({"valueRatio": {"numerator": {"value": 2.4}, "denominator": {"value": 1}}}, "2.4 to 1"),
        ({"valueBoolean": True}, "true"),
        ({"valueCodeableConcept": {"text": "high"}}, '"high"'),
    ],
)
def test_a_value_that_is_no_number_is_shown_as_it_is(value, shown):
    case = {"inr": [{"loinc": "6301-6", "at": "2026-11-20", **value}]}
    found = {c["id"]: c for c in applied(case).criteria}["inr"]
    assert (found["state"], found["value"]) == ("unusable", shown)
