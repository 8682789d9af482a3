"""What a hook asks of a client: all that the logic of a plan may retrieve, declared or not.

The plans of the CDC's opioid guidance are made so: their libraries declare the patient only, their
logic looks at orders, and the orders that are being signed are a parameter.
"""

import base64

import pytest

from fhirpkg.applying.hooks.needs import retrieved_types
from fhirpkg.applying.hooks.requests import HookError
from fhirpkg.applying.hooks.responses import WHY, respond
from fhirpkg.applying.hooks.services import discovery, services
from fhirpkg.repository import MemoryRepository
from tests.applying.test_hooks import request

BASE = "http://example.org"
SYSTEM = f"{BASE}/drugs"


def library(name, text, **more):
    content = {"contentType": "text/cql", "data": base64.b64encode(text.encode()).decode()}
    found = {"resourceType": "Library", "id": name, "name": name, "content": [content]}
    return found | {"url": f"{BASE}/Library/{name}", "status": "active"} | more


COMMON = library(
    "Common",
    """library Common
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1'
codesystem "Drugs": 'http://example.org/drugs'
code "Sedative": 'sedative' from "Drugs"
code "Opioid": 'opioid' from "Drugs"
context Patient
define "Sedatives": [MedicationRequest: Sedative] R where R.status = 'active'
define "Not asked": [Coverage]
define fluent function opioids(orders List<MedicationRequest>): orders R where R.medication ~ Opioid
define fluent function recent(period Interval<DateTime>):
  exists ([Encounter] E where E.period during period)
""",
)
RULES = library(
    "Rules",
    """library Rules
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1'
include Common called Common
parameter ContextPrescriptions List<MedicationRequest>
context Patient
define "Is Applicable":
  exists ContextPrescriptions.opioids() and exists Common."Sedatives"
define "Detail": 'Sedatives: ' + ToString(Count(Common."Sedatives"))
define "Unused": [Claim]
""",
    dataRequirement=[{"type": "Patient"}],
)
PLAN = {
    "resourceType": "PlanDefinition",
    "id": "caution",
    "url": f"{BASE}/PlanDefinition/caution",
    "title": "Caution",
    "status": "active",
    "library": [RULES["url"]],
    "action": [
        {
            "title": "Use caution",
            "trigger": [{"type": "named-event", "name": "order-sign"}],
            "condition": [
                {
                    "kind": "applicability",
                    "expression": {
                        "language": "text/cql-identifier",
                        "expression": "Is Applicable",
                    },
                }
            ],
        }
    ],
}
REPOSITORY = MemoryRepository([PLAN, RULES, COMMON])
PATIENT = {"resourceType": "Patient", "id": "x"}


def order(code, status):
    drug = {"coding": [{"system": SYSTEM, "code": code}]}
    made = {"resourceType": "MedicationRequest", "id": code, "status": status, "intent": "order"}
    return made | {"medicationCodeableConcept": drug, "subject": {"reference": "Patient/x"}}


def bundle(*resources):
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def asked(drafted, prefetch):
    context = {"userId": "Practitioner/p", "patientId": "x", "draftOrders": bundle(*drafted)}
    request = {"hook": "order-sign", "hookInstance": "h", "context": context}
    offered = services([PLAN], REPOSITORY)
    return respond("order-sign", request | {"prefetch": prefetch}, offered, REPOSITORY)


def test_discovery_asks_for_what_included_logic_retrieves():
    (service,) = discovery(services([PLAN], REPOSITORY))["services"]
    assert service["prefetch"] == {
        "patient": "Patient/{{context.patientId}}",
        "medicationRequest": "MedicationRequest?patient={{context.patientId}}",
    }


@pytest.mark.parametrize(
    "drafted, known, is_card",
    [
        ([order("opioid", "draft")], [order("sedative", "active")], True),
        ([order("opioid", "draft")], [order("sedative", "stopped")], False),
        ([order("opioid", "draft")], [], False),
        ([order("sedative", "draft")], [order("sedative", "active")], False),
        ([], [order("sedative", "active"), order("opioid", "active")], False),
    ],
)
def test_a_card_comes_of_the_order_and_of_what_the_patient_has(drafted, known, is_card):
    found = asked(drafted, {"patient": PATIENT, "medicationRequest": bundle(*known)})
    assert [card["summary"] for card in found["cards"]] == (["Use caution"] if is_card else [])
    assert is_card or "not applicable" in found["extension"][WHY][0]


def test_what_the_logic_needs_and_nobody_sends_is_not_taken_for_nothing():
    with pytest.raises(HookError, match="medicationRequest") as error:
        asked([order("opioid", "draft")], {"patient": PATIENT})
    assert error.value.status == 412


def expression(text, language="text/cql-expression", **more):
    return {"condition": [{"expression": {"language": language, "expression": text} | more}]}


@pytest.mark.parametrize(
    "action, types",
    [
        (expression("Is Applicable", "text/cql-identifier"), {"MedicationRequest"}),
        (expression("Unused", "text/cql-identifier"), {"Claim"}),
        (expression('Common."Not asked"'), {"Coverage"}),
        (expression("exists [Condition]"), {"Condition"}),
        (expression("Interval[Now(), Now()].recent()"), {"Encounter"}),
        (expression("Sedatives", "text/cql-identifier", reference=COMMON["url"]),
         {"MedicationRequest"}),
        ({"dynamicValue": [{"expression": {"language": "text/cql-identifier",
                                           "expression": "Detail"}}]}, {"MedicationRequest"}),
        ({"action": [expression("exists [Flag]")]}, {"Flag"}),
        ({"definitionCanonical": f"{BASE}/ActivityDefinition/a"}, {"Device"}),
        ({"definitionCanonical": f"{BASE}/PlanDefinition/around"}, {"Goal"}),
        (expression("%subject.name", "text/fhirpath"), set()),
        (expression("no such thing"), set()),
    ],
)  # fmt: skip
def test_the_types_that_logic_may_retrieve(action, types):
    activity = {
        "resourceType": "ActivityDefinition",
        "url": f"{BASE}/ActivityDefinition/a",
        "library": [RULES["url"]],
        "dynamicValue": [
            {
                "path": "note",
                "expression": {"language": "text/cql-expression", "expression": "Count([Device])"},
            }
        ],
    }
    around = PLAN | {"url": f"{BASE}/PlanDefinition/around"}
    around["action"] = [
        {"definitionCanonical": around["url"], **expression("exists [Goal]")},
    ]
    repository = MemoryRepository([RULES, COMMON, activity, around])
    assert retrieved_types(PLAN | {"action": [action]}, repository) == types


# -- types that are of no patient -------------------------------------------------------------


def places(expression):
    """The services and answers of a plan that looks at locations."""
    condition = {"kind": "applicability"}
    condition["expression"] = {"language": "text/cql", "expression": expression}
    event = {"type": "named-event", "name": "patient-view"}
    action = {"title": "A", "trigger": [event], "condition": [condition]}
    made = {"resourceType": "PlanDefinition", "id": "p", "action": [action]}
    repository = MemoryRepository([made])
    return services([made], repository), repository


def test_of_what_is_of_no_patient_all_is_asked_for():
    (service,) = places("exists [Location] or exists [Observation]")[0]
    assert set(service.prefetch.values()) == {
        "Patient/{{context.patientId}}",
        "Location?_count=1000",
        "Observation?patient={{context.patientId}}",
    }


def test_what_is_referred_to_and_sent_along_is_enough():
    offered, repository = places("exists [Location]")
    body = request("patient-view", prefetch={"patient": PATIENT})
    entries = [{"resource": PATIENT}, {"resource": {"resourceType": "Location", "id": "l"}}]
    body["prefetch"]["patient"] = {"resourceType": "Bundle", "entry": entries}
    (card,) = respond("patient-view", body, offered, repository)["cards"]
    assert (card["summary"], "not all" in card.get("detail", "")) == ("A", False)


@pytest.mark.parametrize("sent, cards", [(["l"], 1), ([], 0), (None, 1)])
def test_without_what_is_of_no_patient_its_logic_is_not_evaluated(sent, cards):
    offered, repository = places("exists [Location]")
    body = request("patient-view", prefetch={"patient": PATIENT})
    if sent is not None:
        entries = [{"resource": {"resourceType": "Location", "id": name}} for name in sent]
        body["prefetch"]["location"] = {"resourceType": "Bundle", "entry": entries}
    found = respond("patient-view", body, offered, repository)["cards"]
    assert len(found) == cards
    if sent is None:
        assert "not all Location resources are known" in found[0]["detail"]
