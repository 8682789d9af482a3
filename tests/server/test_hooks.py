"""CDS Hooks at /cds-services over HTTP: discovery, calls, feedback, refusals."""

import pytest
import requests

from tests.applying.cds_hooks_rules import broken_in_discovery, broken_in_response
from tests.applying.test_hooks import BLOOD, ITEM, request
from tests.server.conversation import call, filled
from tests.servers.embedded import running

APP = "https://app.example.org"


@pytest.fixture(scope="module")
def server():
    with running(origins=[APP]) as base:
        yield base, filled(base)


def test_discovery_lists_the_services(server):
    answer = requests.get(server[1], timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert list(broken_in_discovery(answer.json())) == []
    hooks = [service["id"] for service in answer.json()["services"]]
    assert hooks == ["order-select", "order-sign", "patient-view"]


def test_the_service_of_a_hook_answers_for_all_plans_and_that_of_a_plan_under_its_own_id(server):
    (listed,) = [
        s for s in requests.get(server[1], timeout=10).json()["services"] if s["id"] == "order-sign"
    ]
    prefetch = dict.fromkeys(listed["prefetch"])
    joined = call(f"{server[1]}/order-sign", request(prefetch=prefetch | request()["prefetch"]))
    alone = call(f"{server[1]}/Plan-order-sign", request())
    assert joined.status_code == 200, joined.text
    assert joined.json()["cards"] == alone.json()["cards"]


def test_only_pages_of_an_origin_that_was_named_may_ask_first_discover_and_call(server):
    url = f"{server[1]}/Plan-order-sign"
    asking = {"Origin": APP, "Access-Control-Request-Method": "POST"}
    answer = requests.options(url, headers=asking, timeout=10)
    assert answer.status_code == 204
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    discovered = requests.get(server[1], headers={"Origin": APP}, timeout=10)
    assert discovered.headers["Access-Control-Allow-Origin"] == APP
    for origin in ("https://evil.example", "null"):
        refused = requests.options(url, headers=asking | {"Origin": origin}, timeout=10)
        assert refused.status_code == 403
        refused = requests.post(url, json=request(), headers={"Origin": origin}, timeout=10)
        assert refused.status_code == 403
        assert "Access-Control-Allow-Origin" not in refused.headers


def test_a_call_is_answered_with_cards(server):
    answer = call(f"{server[1]}/Plan-order-sign", request())
    assert answer.status_code == 200
    assert list(broken_in_response(answer.json())) == []
    assert len(answer.json()["cards"]) == 3


REFUSED = [
    ("Plan-order-sign", b"{", 400, "not JSON"),
    ("Plan-order-sign", b'{"hook": 1, "hook": 2}', 400, "second time"),
    ("Plan-order-sign", {"hook": "order-sign"}, 400, "hookInstance"),
    ("Plan-patient-view", request(), 400, "answers 'patient-view'"),
    ("nowhere", request(), 404, "no CDS service 'nowhere'"),
    ("Plan-order-sign", request(prefetch={}), 412, "prefetch 'patient' is missing"),
    ("Plan-order-sign/feedback", {}, 400, "feedback"),
    ("nowhere/feedback", {"feedback": [ITEM]}, 404, "nowhere"),
]


@pytest.mark.parametrize("path, body, status, words", REFUSED)
def test_a_refusal_has_a_status_and_a_reason(server, path, body, status, words):
    answer = call(f"{server[1]}/{path}", body)
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_feedback_is_accepted(server):
    assert call(f"{server[1]}/Plan-order-sign/feedback", {"feedback": [ITEM]}).status_code == 200


def test_a_plan_is_offered_as_soon_as_it_is_written_changed_or_deleted():
    with running() as base:
        url = base.replace("/fhir", "/cds-services")

        def offered():
            return [s["title"] for s in requests.get(url, timeout=10).json()["services"]]

        def put(kind, identity, **more):
            resource = {"resourceType": kind, "id": identity, **more}
            answer = requests.put(f"{base}/{kind}/{identity}", json=resource, timeout=10)
            assert answer.ok, answer.text

        trigger = [{"type": "named-event", "name": "patient-view"}]
        action = [{"title": "Look", "trigger": trigger}]
        assert offered() == []
        put("PlanDefinition", "p", status="active", title="First", action=action)
        assert offered() == ["First"]
        put("Patient", "x", active=True)
        put("PlanDefinition", "p", status="active", title="Second", action=action)
        assert offered() == ["Second"]
        library = {"type": {"text": "logic"}, "url": "http://example.org/Library/l"}
        asked = [{"type": "Condition"}]
        put(
            "PlanDefinition",
            "p",
            status="active",
            title="Third",
            action=action,
            library=[library["url"]],
        )
        put("Library", "l", status="active", **library, dataRequirement=asked)
        (service,) = requests.get(url, timeout=10).json()["services"]
        assert "Condition?patient={{context.patientId}}" in service["prefetch"].values()
        requests.delete(f"{base}/PlanDefinition/p", timeout=10)
        assert offered() == []


def test_what_a_plan_refers_to_is_taken_as_it_is_stored_now():
    with running() as base:
        url = f"{filled(base)}/Plan-order-sign"
        for words in ("Count of the blood", "Count of cells"):
            changed = {"status": "active"} | BLOOD | {"code": {"text": words}}
            address = f"{base}/{BLOOD['resourceType']}/{BLOOD['id']}"
            assert requests.put(address, json=changed, timeout=10).ok
            answers = {call(url, request()).text for _ in range(2)}
            assert all(words in answer for answer in answers)
