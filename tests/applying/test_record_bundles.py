"""One record in the Bundles that servers and exports give: the same states, whatever the form."""

import copy
import json
import pathlib
import uuid

import pytest

from fhirpkg.applying.application import apply
from fhirpkg.repository import Layers, open_repository
from tests.applying.made_records import record

CONTENT = open_repository(pathlib.Path(__file__).parents[2] / "resources" / "cpt-20983" / "fhir")
PLAN = "PlanDefinition/BoneTumorCryoablationPlan"
BASE = "https://ehr.example.org/fhir"
CASE = {"more": [{"loinc": "6301-6", "value": 3.0, "at": "2026-11-20"}]}
WANTED = {"indication": "met", "inr": "exceeded", "platelets": "met", "images": "met"}


def entries(**more):
    """The resources by their places on a server."""
    return [
        {"fullUrl": f"{BASE}/{r['resourceType']}/{r['id']}", "resource": r} | more
        for r in record(CASE)
    ]


def named_by_uuid():
    """All but the patient without an id, each by a urn:uuid that the others refer to."""
    made = []
    name = f"urn:uuid:{uuid.UUID(int=1)}"
    for number, resource in enumerate(record(CASE), 1):
        moved = copy.deepcopy(resource)
        if moved["resourceType"] != "Patient":
            moved["subject"] = {"reference": name}
            del moved["id"]
        made.append({"fullUrl": f"urn:uuid:{uuid.UUID(int=number)}", "resource": moved})
    return made


def absolute():
    """References by the whole address."""
    text = json.dumps(entries()).replace('"Patient/p1"', f'"{BASE}/Patient/p1"')
    return json.loads(text)


def versioned():
    """References to a version of the patient at its whole address."""
    text = json.dumps(entries()).replace('"Patient/p1"', f'"{BASE}/Patient/p1/_history/4"')
    return json.loads(text)


def posted():
    """New resources by their urn:uuid, the patient looked for by its identifier."""
    number = {"system": "http://hospital.example.org/mrn", "value": "17"}
    made = named_by_uuid()
    for entry in made:
        kind = entry["resource"]["resourceType"]
        entry["request"] = {"method": "POST", "url": kind}
        if kind == "Patient":
            entry["resource"]["identifier"] = [number]
            entry["request"]["ifNoneExist"] = "identifier={system}|{value}".format(**number)
        elif kind == "Observation":
            entry["resource"]["subject"] = {
                "reference": "Patient?identifier={system}|{value}".format(**number)
            }
    return made


def of_another():
    """A second patient who is included, with a record that is worse."""
    worse = record({"platelets": [{"loinc": "777-3", "value": 4, "unit": "10*9/L"}]}, "p2")
    return [
        {
            "fullUrl": f"{BASE}/{r['resourceType']}/{r['id']}",
            "resource": r,
            "search": {"mode": "include"},
        }
        for r in worse
    ]


def bundle(kind, found, **more):
    return {"resourceType": "Bundle", "type": kind, **more, "entry": found}


def put(entry):
    at = entry["resource"]
    return entry | {"request": {"method": "PUT", "url": f"{at['resourceType']}/{at['id']}"}}


def answered(entry):
    return entry | {"response": {"status": "200", "etag": 'W/"1"'}}


def searches():
    """The answer to a batch of searches: a Bundle for each type."""
    kinds = {}
    for entry in entries(search={"mode": "match"}):
        kinds.setdefault(entry["resource"]["resourceType"], []).append(entry)
    return [
        {"resource": bundle("searchset", found, total=len(found)), "response": {"status": "200"}}
        for found in kinds.values()
    ]


def first(resource):
    return [{"fullUrl": f"urn:uuid:{uuid.UUID(int=99)}", "resource": resource}]


COMPOSITION = {"resourceType": "Composition", "status": "final", "type": {"text": "Summary"}}
HEADER = {"resourceType": "MessageHeader", "source": {"endpoint": "urn:x"}}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "x"}]}
FORMS = {
    "collection": lambda: bundle("collection", entries()),
    "collection of urn:uuid": lambda: bundle("collection", named_by_uuid()),
    "collection without fullUrl": lambda: bundle(
        "collection", [{"resource": e["resource"]} for e in entries()]
    ),
    "searchset": lambda: bundle("searchset", entries(search={"mode": "match"}), total=6),
    "searchset with an outcome": lambda: bundle(
        "searchset",
        [*entries(search={"mode": "match"}), *first(OUTCOME)],
    ),
    "searchset of absolute references": lambda: bundle("searchset", absolute()),
    "searchset of versioned references": lambda: bundle("searchset", versioned()),
    "searchset with another patient": lambda: bundle(
        "searchset", [*entries(search={"mode": "match"}), *of_another()]
    ),
    "transaction of new resources": lambda: bundle("transaction", posted()),
    "transaction": lambda: bundle("transaction", [put(e) for e in entries()]),
    "transaction-response": lambda: bundle(
        "transaction-response", [answered(e) for e in entries()]
    ),
    "batch-response": lambda: bundle("batch-response", [answered(e) for e in entries()]),
    "batch-response of searches": lambda: bundle("batch-response", searches()),
    "document": lambda: bundle("document", [*first(COMPOSITION), *named_by_uuid()]),
    "message": lambda: bundle("message", [*first(HEADER), *entries()]),
}


def states(tmp_path, data, suffix="json"):
    text = data if isinstance(data, str) else json.dumps(data)
    (tmp_path / f"record.{suffix}").write_text(text)
    found = apply(PLAN, "Patient/p1", Layers(open_repository(tmp_path), CONTENT))
    return {c["id"]: c["state"] for c in found.criteria}


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_a_bundle_changes_no_state(tmp_path, form):
    assert states(tmp_path, FORMS[form]()) == WANTED


def test_lines_of_an_export_are_a_record(tmp_path):
    lines = "\n".join(json.dumps(r) for r in record(CASE))
    assert states(tmp_path, lines, "ndjson") == WANTED


def test_the_newest_version_of_a_history_counts_and_what_was_deleted_does_not(tmp_path):
    newest = record(CASE)
    high = newest[-1]
    older = high | {"meta": {"versionId": "1"}, "valueQuantity": {"value": 1.0}}
    found = [put({"resource": r}) for r in newest]
    found[-1]["resource"]["meta"] = {"versionId": "2"}
    assert states(tmp_path, bundle("history", [*found, put({"resource": older})])) == WANTED
    gone = {"request": {"method": "DELETE", "url": f"Observation/{high['id']}"}}
    gone |= {"fullUrl": f"{BASE}/Observation/{high['id']}", "response": {"status": "204"}}
    assert states(tmp_path, bundle("history", [gone, *found]))["inr"] == "met"


@pytest.mark.parametrize(
    "written, state", [("24e-1", "exceeded"), ("1.1E0", "met"), ("0.11e+1", "met")]
)
def test_a_number_with_an_exponent_is_a_number(tmp_path, written, state):
    text = json.dumps(bundle("collection", entries())).replace(
        '"value": 3.0', f'"value": {written}'
    )
    assert states(tmp_path, text)["inr"] == state


def test_a_number_in_quotes_is_not_guessed(tmp_path):
    text = json.dumps(bundle("collection", entries())).replace('"value": 3.0', '"value": "1.1"')
    assert states(tmp_path, text)["inr"] != "met"
