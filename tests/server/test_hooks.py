"""CDS Hooks at /cds-services over HTTP: discovery, calls, feedback, tokens, refusals."""

import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fhirpkg.server.hooks import HookClients
from tests.applying.cds_hooks_rules import broken_in_discovery, broken_in_response
from tests.applying.test_hooks import BLOOD, ITEM, ITSELF, PATIENT, PLAN, request
from tests.server.client import Client
from tests.servers.embedded import running

AUDIENCE = "https://cds.example.org/cds-services"
KEY = ec.generate_private_key(ec.SECP384R1())
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def filled(base):
    client = Client(base)
    for resource in (PLAN | {"status": "active"}, BLOOD, ITSELF, PATIENT):
        assert client.put({"status": "active"} | resource).status_code == 201
    return base.removesuffix("/fhir") + "/cds-services"


@pytest.fixture(scope="module")
def server():
    with running() as base:
        yield base, filled(base)


@pytest.fixture(scope="module")
def guarded():
    clients = HookClients({"https://ehr.example.org": PUBLIC.decode()}, AUDIENCE)
    with running(hook_clients=clients) as base:
        yield filled(base)


def call(url, body, **headers):
    if isinstance(body, (bytes, str)):
        return requests.post(url, data=body, headers=headers, timeout=10)
    return requests.post(url, json=body, headers=headers, timeout=10)


def test_discovery_lists_the_services_for_every_origin(server):
    answer = requests.get(server[1], timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert list(broken_in_discovery(answer.json())) == []
    assert len(answer.json()["services"]) == 3


def test_a_browser_may_ask_first(server):
    answer = requests.options(f"{server[1]}/Plan-order-sign", timeout=10)
    assert answer.status_code == 204
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_a_call_is_answered_with_cards(server):
    answer = call(f"{server[1]}/Plan-order-sign", request())
    assert answer.status_code == 200
    assert list(broken_in_response(answer.json())) == []
    assert len(answer.json()["cards"]) == 3


def test_missing_data_are_fetched_from_a_server_on_this_machine(server):
    body = request(prefetch={}, fhirServer=server[0])
    assert len(call(f"{server[1]}/Plan-order-sign", body).json()["cards"]) == 3


def test_a_stranger_cannot_send_requests_through_us(server):
    body = request(prefetch={}, fhirServer="http://192.0.2.1/fhir")
    answer = call(f"{server[1]}/Plan-order-sign", body)
    assert (answer.status_code, "on this machine" in answer.text) == (412, True)


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


def token(key=KEY, **claims):
    now = int(time.time())
    standard = {"iss": "https://ehr.example.org", "aud": AUDIENCE, "iat": now, "exp": now + 300}
    return "Bearer " + jwt.encode(standard | {"jti": "1"} | claims, key, algorithm="ES384")


def test_with_clients_configured_a_call_with_their_token_is_answered(guarded):
    url = f"{guarded}/Plan-order-sign"
    assert call(url, request(), Authorization=token()).status_code == 200


BAD_TOKENS = [
    ("", "needs the client's JWT"),
    ("Bearer x", "not accepted"),
    (token(iss="https://else.example.org"), "is not known here"),
    (token(aud="https://other.example.org"), "not accepted"),
    (token(exp=int(time.time()) - 60), "not accepted"),
    (token(key=ec.generate_private_key(ec.SECP384R1())), "not accepted"),
]


@pytest.mark.parametrize("authorization, words", BAD_TOKENS, ids=range(len(BAD_TOKENS)))
def test_another_token_is_a_401_with_the_reason(guarded, authorization, words):
    answer = call(f"{guarded}/Plan-order-sign", request(), Authorization=authorization)
    assert answer.status_code == 401
    assert words in answer.json()["error"]


def test_discovery_needs_no_token(guarded):
    assert requests.get(guarded, timeout=10).status_code == 200
