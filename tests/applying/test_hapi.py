"""The same plan for the same patients on a real HAPI server: the same actions apply."""

import json
import time
import urllib.parse
import urllib.request

import pytest

from fhirpkg.bundling.reading import read_content
from fhirpkg.bundling.writing import transaction_bundle
from fhirpkg.client.client import FhirClient
from fhirpkg.errors import ServerError
from tests.applying.made_records import cases, record, wanted
from tests.applying.test_examples import NAMES, PLAN, applied, patient
from tests.servers.hapi_running import hapi

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def server():
    """A server that holds our content and the three patients."""
    # records refer to what they do not hold, as those of hospitals do
    settings = {"HAPI_SEARCH_CACHE_MS": "0", "HAPI_INTEGRITY_ON_WRITE": "false"}
    with hapi(**settings) as base_url, FhirClient(base_url) as client:
        client.transaction(transaction_bundle(read_content(None)))
        for name in NAMES:
            for resource in patient(name):
                path = f"{resource['resourceType']}/{resource['id']}"
                assert client.request("PUT", path, body=resource).ok
        yield base_url


def actions_of(parent):
    for action in parent.get("action", ()):
        yield action["id"]
        yield from actions_of(action)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_actions_apply_as_on_our_engine(server, name):
    url = f"{server}/{PLAN}/$apply?subject=Patient/example-{name}"
    with urllib.request.urlopen(url, timeout=300) as answer:
        care_plan = json.load(answer)
    messages = [r for r in care_plan["contained"] if r["resourceType"] == "OperationOutcome"]
    assert [issue["diagnostics"] for m in messages for issue in m["issue"]] == []
    (group,) = [r for r in care_plan["contained"] if r["resourceType"] == "RequestGroup"]
    ours = [why.action_id for why in applied(name).why if why.verdict == "applicable"]
    assert sorted(actions_of(group)) == sorted(ours)


LOGIC = "Library/BoneTumorCryoablationLogic"
NAMES_IN_LOGIC = {"indication": "Indication", "inr": "INR", "platelets": "Platelets"} | {
    "images": "Images"
}


def asked(client, method, path, body=None):
    answer = client.request(method, path, body=body)
    assert answer.ok, (path, answer.status)
    return answer.expect()


def test_the_states_of_the_criteria_are_those_of_our_engine(server):
    """Every made-up record, under a patient of its own."""
    expressions = "&".join(
        f"expression={urllib.parse.quote(f'{name} state')}" for name in NAMES_IN_LOGIC.values()
    )
    differing = {}
    with FhirClient(server, timeout=(5, 120)) as client:
        asked(client, "PUT", "Patient/p2", {"resourceType": "Patient", "id": "p2"})
        for number, case in enumerate(cases()):
            patient_id = f"record-{number}"
            entries = [
                {
                    "resource": r,
                    "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"},
                }
                for r in record(case, patient_id)
            ]
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            try:
                client.transaction(bundle)
            except ServerError as error:
                if case.get("hapi") != "refused":
                    differing[case["name"]] = str(error)
                continue
            path = f"{LOGIC}/$evaluate?subject=Patient/{patient_id}&{expressions}"
            found = {
                p["name"]: p.get("valueString") for p in asked(client, "GET", path)["parameter"]
            }
            states = {key: found.get(f"{name} state") for key, name in NAMES_IN_LOGIC.items()}
            known = case.get("hapi", {})
            if known == "refused" or states != wanted(case) | known:
                differing[case["name"]] = states
    assert differing == {}


SITE = {"text": "left femur"}
BONE = {"coding": [{"system": "http://snomed.info/sct", "code": "272673000"}]}
METASTASIS = {"sct": "94222008", "clinical": "active"}


@pytest.mark.parametrize(
    "patient_id, problems, reason, site",
    [
        ("no-problem", [], {"text": "No diagnosis for it is on record"}, BONE),
        ("two-problems", [METASTASIS | {"bodySite": [SITE]}, METASTASIS], None, SITE),
    ],
)
def test_an_order_says_why_and_where_whatever_the_record_holds(
    server, patient_id, problems, reason, site
):
    """Of a value that is nothing HAPI would make a boolean, and its answer would be no JSON."""
    case = {"indication": problems, "images": []}
    with FhirClient(server, timeout=(5, 300)) as client:
        for resource in record(case, patient_id):
            path = f"{resource['resourceType']}/{resource['id']}"
            assert client.request("PUT", path, body=resource).ok
        care_plan = asked(client, "GET", f"{PLAN}/$apply?subject=Patient/{patient_id}")
    orders = {r["id"]: r for r in care_plan["contained"] if r["resourceType"] == "ServiceRequest"}
    image = orders["planning-ct-BoneTumorCryoablationPlanningCt"]
    first = problems and {"coding": [{"system": "http://snomed.info/sct", "code": "94222008"}]}
    assert image["reasonCode"][0] == (reason or first)
    assert site.items() <= image["bodySite"][0].items()


def test_its_cds_hooks_list_the_plan_and_its_cards_hold_the_alarm(server):
    services = server.removesuffix("/fhir") + "/cds-services"
    plan_id = PLAN.partition("/")[2]
    for _ in range(30):  # a stored plan is listed after some seconds
        with urllib.request.urlopen(services, timeout=60) as answer:
            listed = [s["id"] for s in json.load(answer).get("services", ())]
        if plan_id in listed:
            break
        time.sleep(1)
    assert plan_id in listed
    order = {
        "resourceType": "ServiceRequest",
        "id": "o",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/example-inr-above-limit"},
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "20983"}]},
    }
    context = {"userId": "Practitioner/d", "patientId": "Patient/example-inr-above-limit"}
    context["draftOrders"] = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": order}],
    }
    body = {"hook": "order-sign", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"}
    body |= {"fhirServer": server, "context": context}
    request = urllib.request.Request(
        f"{services}/{plan_id}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        cards = json.load(answer)["cards"]
    alarms = [c for c in cards if c["summary"].startswith("INR 2.4 on 2 Nov 2026: above 1.8")]
    assert [card["indicator"] for card in alarms] == ["warning"]
