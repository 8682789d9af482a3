"""The cards of the first procedure over HTTP: one a problem, none where nothing is open."""

import json
import pathlib

import pytest
import requests

from tests.applying.cds_hooks_rules import broken_in_discovery, broken_in_response
from tests.applying.made_records import record
from tests.server.client import Client
from tests.servers.embedded import running

CONTENT = pathlib.Path(__file__).parents[2] / "resources" / "cpt-20983" / "fhir"
UCUM = "http://unitsofmeasure.org"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
INR = {"loinc": "6301-6", "at": "2026-11-20"}
UNUSABLE = (
    "Platelets 40 K/uL on 20 Nov 2026: its unit cannot be compared with 10*9/L; "
    "the limit is below 50 10*9/L (SIR 2019)"
)
NO_DIAGNOSIS = (
    "No active diagnosis for which the procedure is considered is on record. "
    "Record the reason for it."
)
CARDS = [
    # record, the cards of order-sign: indicator, summary, label of the suggestion
    ({}, []),
    (
        {"more": [INR | {"value": 2.4}]},
        [("warning", "INR 2.4 on 20 Nov 2026: above 1.8 (SIR 2019)", "Coagulation tests")],
    ),
    (
        {
            "platelets": [
                {
                    "loinc": "777-3",
                    "at": "2026-11-20",
                    "valueQuantity": {"value": 40, "unit": "K/uL"},
                }
            ]
        },
        [
            (
                "warning",
                UNUSABLE,
                "Blood count",
            )
        ],
    ),
    (
        {"inr": [INR | {"value": 1.6}]},
        [("info", "INR 1.6 on 20 Nov 2026, not above 1.8 (SIR 2019)", None)],
    ),
    (
        {"images": []},
        [
            (
                "info",
                "No images by CT or MRI are on record. Order the planning images or record them.",
                "Planning images",
            )
        ],
    ),
    (
        {"images": [], "inr": [INR | {"value": 8, "comparator": ">"}], "indication": []},
        [
            ("warning", "INR > 8 on 20 Nov 2026: above 1.8 (SIR 2019)", "Coagulation tests"),
            (
                "info",
                NO_DIAGNOSIS,
                None,
            ),
            (
                "info",
                "No images by CT or MRI are on record. Order the planning images or record them.",
                "Planning images",
            ),
        ],
    ),
]


@pytest.fixture(scope="module")
def server():
    with running() as base:
        client = Client(base)
        for file in sorted(CONTENT.glob("*.json")):
            resource = json.loads(file.read_text())
            assert client.put(resource).status_code == 201
        yield base


def answer(base, hook, changes, service=""):
    discovery = requests.get(base.removesuffix("/fhir") + "/cds-services", timeout=30).json()
    assert list(broken_in_discovery(discovery)) == []
    (offered,) = [s for s in discovery["services"] if s["hook"] == hook]
    order = {
        "resourceType": "ServiceRequest",
        "id": "o",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "20983"}]},
    }
    entries = [{"resource": resource} for resource in record({"name": "x", **changes})]
    found = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    context = {"userId": "Practitioner/d", "patientId": "p1"}
    context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    if hook == "order-select":
        context["selections"] = ["ServiceRequest/o"]
    body = {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
        "prefetch": dict.fromkeys(offered["prefetch"]) | {"patient": found},
    }
    address = base.removesuffix("/fhir") + f"/cds-services/{service or offered['id']}"
    answered = requests.post(address, json=body, timeout=60)
    assert answered.status_code == 200, answered.text
    assert list(broken_in_response(answered.json())) == []
    return answered.json()["cards"]


def shown(cards):
    return [
        (c["indicator"], c["summary"], c["suggestions"][0]["label"] if "suggestions" in c else None)
        for c in cards
    ]


def links_that_open(cards):
    links = [link["url"] for card in cards for link in card.get("links", ())]
    for link in links:
        assert requests.get(link, timeout=30).status_code == 200, link
    return links


@pytest.mark.parametrize("changes, wanted", CARDS)
def test_a_card_for_each_problem_and_none_where_nothing_is_open(server, changes, wanted):
    cards = answer(server, "order-sign", changes)
    assert shown(cards) == wanted
    for card in cards:
        assert "Percutaneous cryoablation of bone tumors" in card["detail"]
        assert len(card.get("suggestions", ())) <= 1
    links_that_open(cards)


@pytest.mark.parametrize("changes, wanted", CARDS)
def test_while_the_order_is_written_a_short_card_leads_to_the_plan(server, changes, wanted):
    cards = answer(server, "order-select", changes)
    if wanted:
        assert shown(cards) == wanted
        return
    (card,) = cards
    assert card["indicator"] == "info"
    assert "nothing is open" in card["summary"]
    assert links_that_open(cards) == [f"{server}/PlanDefinition/BoneTumorCryoablationPlan"]


def test_the_suggestion_is_the_order_that_helps_as_a_draft(server):
    (card,) = answer(server, "order-sign", {"inr": [INR | {"value": 2.4}]})
    (action,) = card["suggestions"][0]["actions"]
    assert action["resource"]["code"]["coding"][0]["code"] == "34528-0"
    assert action["resource"]["status"] == "draft"
    assert action["resource"]["subject"] == {"reference": "Patient/p1"}


def test_a_single_plan_answers_under_its_own_id(server):
    changes = {"inr": [INR | {"value": 2.4}]}
    service = "BoneTumorCryoablationPlan-order-sign"
    assert shown(answer(server, "order-sign", changes, service)) == CARDS[1][1]
