"""The three made-up patients of CPT 20983, and what applying its plan to them gives.

The result beside each patient is what `fhirpkg apply PlanDefinition/BoneTumorCryoablationPlan
--subject Patient/example-NAME --data NAME.json --output-format fhir` prints.
"""

import base64
import pathlib

import pytest

from fhirpkg import fhirjson
from fhirpkg.applying.application import apply
from fhirpkg.applying.hooks.responses import WHY, respond
from fhirpkg.applying.hooks.services import services
from fhirpkg.bundling.reading import read_content
from fhirpkg.issues import Severity
from fhirpkg.repository import Layers, MemoryRepository, in_bundle, open_repository
from fhirpkg.validation.validator import Validator
from tests.applying.cds_hooks_rules import broken_in_response

FOLDER = pathlib.Path(__file__).parents[2] / "resources" / "cpt-20983"
EXAMPLES = FOLDER / "examples"
CONTENT = open_repository(FOLDER / "fhir")
PLAN = "PlanDefinition/BoneTumorCryoablationPlan"
NAMES = ["eligible", "inr-above-limit", "no-images"]
OPEN = {
    "eligible": {},
    "inr-above-limit": {"inr": "exceeded"},
    "no-images": {"images": "missing"},
}


def read(file):
    value, issues = fhirjson.read(file.read_bytes())
    assert issues == []
    return value


def applied(name, content=CONTENT, **changes):
    data = [resource | changes.get(resource["resourceType"], {}) for resource in patient(name)]
    return apply(PLAN, f"Patient/example-{name}", Layers(MemoryRepository(data), content))


def patient(name):
    return in_bundle(read(EXAMPLES / f"{name}.json"))


def still_open(result):
    """The criteria that are not met; each has just one action that tells it."""
    found = {c["id"]: c["state"] for c in result.criteria if c["state"] != "met"}
    told = [w.action_id for w in result.why[:10] if w.verdict == "applicable"]
    assert told == [f"{state}-{name}" for name, state in found.items()]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_patient_gets_what_the_criteria_say(name):
    result = applied(name)
    assert result
    assert still_open(result) == OPEN[name]


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_excluded_from_the_procedure(name):
    orders = {r["id"] for r in applied(name).resources if r["resourceType"] == "ServiceRequest"}
    assert "procedure-BoneTumorCryoablation" in orders


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_result_is_what_applying_gives(name):
    assert applied(name).result == read(EXAMPLES / f"{name}.applied.json")


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.json")), ids=lambda file: file.name)
def test_an_example_is_valid_and_marked_as_one(file):
    resource = read(file)
    worst = [i for i in Validator().validate(resource).issues if i.severity is Severity.ERROR]
    assert worst == []
    if not file.name.endswith(".applied.json"):
        for part in [resource, *in_bundle(resource)]:
            assert part["meta"]["security"][0]["code"] == "HTEST"
            assert part["id"].startswith("example-")


def test_whoever_signs_the_order_sees_what_is_to_be_corrected_first():
    offered = services([CONTENT.read(*PLAN.split("/"))], CONTENT)
    service = next(s for s in offered if s.hook == "order-sign")
    assert "combo-code=http://loinc.org|6301-6," in service.prefetch["observation"]
    coding = {"system": "http://www.ama-assn.org/go/cpt", "code": "20983"}
    order = {"resourceType": "ServiceRequest", "id": "o", "code": {"coding": [coding]}}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    context = {"userId": "Practitioner/d", "patientId": "example-inr-above-limit"}
    found = {
        "resourceType": "Bundle",
        "entry": [{"resource": r} for r in patient("inr-above-limit")],
    }
    request = {
        "hook": "order-sign",
        "hookInstance": "i",
        "context": context | {"draftOrders": bundle},
        "prefetch": dict.fromkeys(service.prefetch) | {"patient": found},
    }
    answer = respond(service.id, request, offered, CONTENT)
    assert list(broken_in_response(answer)) == []
    card = answer["cards"][0]
    assert card["summary"] == "INR 2.4 on 2 Nov 2026: above 1.8 (SIR 2019)"
    assert card["indicator"] == "warning"
    assert any("Images: missing: not applicable" in line for line in answer["extension"][WHY])


def test_examples_are_no_content():
    types = {resource["resourceType"] for resource in read_content(FOLDER.parent).resources}
    assert types.isdisjoint({"Patient", "Observation", "CarePlan", "Bundle"})


def only(content_type):
    """The content with one form of the logic, the other taken out."""
    resources = []
    for resource in CONTENT:
        parts = resource.get("content", ()) if resource["resourceType"] == "Library" else ()
        kept = [part for part in parts if part["contentType"] == content_type]
        resources.append(resource | {"content": kept} if parts else resource)
    return MemoryRepository(resources)


CHANGES = [
    {},
    {"Condition": {"code": {"text": "Something else"}}},
    {"Condition": {"verificationStatus": {"coding": [{"code": "refuted"}]}}},
    {"Observation": {"status": "entered-in-error"}},
    {"Observation": {"valueQuantity": {"value": 40, "code": "10*9/L"}}},
    {"Observation": {"valueQuantity": {"value": 40, "code": "kg"}}},
    {"Observation": {"effectiveDateTime": "2026"}},
    {"DiagnosticReport": {"status": "cancelled"}},
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_cql_and_elm_say_the_same(name, changes):
    cql = applied(name, only("text/cql"), **changes)
    elm = applied(name, only("application/elm+json"), **changes)
    assert [str(why) for why in cql.why] == [str(why) for why in elm.why]
    assert bool(cql)


UCUM = "http://unitsofmeasure.org"
REASONS = [
    ({"Condition": {"code": {"text": "Something else"}}}, {"indication": "missing"}),
    (
        {"Condition": {"verificationStatus": {"coding": [{"code": "refuted"}]}}},
        {"indication": "missing"},
    ),
    ({"Observation": {"status": "preliminary"}}, {"inr": "unusable", "platelets": "unusable"}),
    (
        {"Observation": {"valueQuantity": {"value": 40, "system": UCUM, "code": "10*9/L"}}},
        {"inr": "unusable", "platelets": "exceeded"},
    ),
    (
        {"Observation": {"valueQuantity": {"value": 1, "system": UCUM, "code": "kg"}}},
        {"inr": "unusable", "platelets": "unusable"},
    ),
    ({"DiagnosticReport": {"status": "entered-in-error"}}, {"images": "missing"}),
]


@pytest.mark.parametrize("changes, wanted", REASONS, ids=str)
def test_what_is_missing_or_beyond_its_limit_is_shown(changes, wanted):
    assert still_open(applied("eligible", **changes)) == wanted


def test_the_logic_is_readable_as_cql():
    (library,) = [r for r in CONTENT if r["id"] == "BoneTumorCryoablationLogic"]
    text = base64.b64decode(library["content"][0]["data"]).decode()
    assert "Coalesce(lowest > 1.8 or (lowest = 1.8 and R.comparator = '>'), false)" in text
    assert library["content"][0]["contentType"] == "text/cql"
