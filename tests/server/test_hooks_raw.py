"""Hook calls that no library would send: headers twice, compressed, other encodings, old tokens."""

import contextlib
import gzip
import json
import socket
import time

import pytest
import requests

from fhirpkg.server.cds.keys import KeySet
from fhirpkg.server.cds.tokens import HookClients
from fhirpkg.server.hooks import HookAccess
from tests.applying.test_hooks import ITEM, request
from tests.server.conversation import call, filled
from tests.server.test_hooks_tokens import ADDRESS, ISSUER, KEY, by_hand, jwks, signed
from tests.servers.embedded import running


@pytest.fixture(scope="module")
def services():
    with running(hook_access=HookAccess(None, ("http://127.0.0.1:9/fhir",))) as base:
        yield filled(base)


def sent(url, head, body=b""):
    """The status of what a socket is sent."""
    host, port = url.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        path = "/" + url.split("/", 3)[3]
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}:{port}", "Connection: close", *head]
        with contextlib.suppress(OSError):  # it has answered and hung up
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        answer = connection.makefile("rb").readline()
    return int(answer.split()[1])


BODY = json.dumps(request()).encode()
JSON = "Content-Type: application/json"
LENGTH = f"Content-Length: {len(BODY)}"
HEADS = {
    "as it should be": ([JSON, LENGTH], BODY, 200),
    "two media types, the wrong one first": (["Content-Type: text/plain", JSON, LENGTH], BODY, 400),
    "two media types, the right one first": ([JSON, "Content-Type: text/plain", LENGTH], BODY, 400),
    "two tokens": ([JSON, LENGTH, "Authorization: Bearer a", "Authorization: Bearer b"], BODY, 400),
    "two lengths": ([JSON, LENGTH, "Content-Length: 1"], BODY, 400),
    "length and chunks": ([JSON, LENGTH, "Transfer-Encoding: chunked"], b"0\r\n\r\n", 400),
    "chunks that lie": ([JSON, "Transfer-Encoding: chunked"], b"ZZ\r\nx\r\n0\r\n\r\n", 400),
    "a length below zero": ([JSON, "Content-Length: -1"], BODY, 400),
    "a token of a megabyte": ([JSON, LENGTH, f"Authorization: Bearer {'x' * 2**20}"], BODY, 400),
    "another host": ([JSON, LENGTH, "Host: evil.example"], BODY, 421),
    "compressed": (
        [JSON, "Content-Encoding: gzip", f"Content-Length: {len(gzip.compress(BODY))}"],
        gzip.compress(BODY),
        415,
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_that_could_be_read_otherwise_is_refused(services, name):
    head, body, status = HEADS[name]
    assert sent(f"{services}/Plan-order-sign", head, body) == status


ENCODED = {
    "UTF-16": json.dumps(request()).encode("utf-16"),
    "UTF-16 without mark": json.dumps(request()).encode("utf-16-le"),
    "UTF-7": b"+AHs-" + BODY[1:],
    "NaN": BODY.replace(b'"i-1"', b"NaN"),
    "infinite": BODY.replace(b'"i-1"', b"-Infinity"),
    "half a surrogate": BODY.replace(b'"i-1"', b'"\\ud800"'),
    "a key twice, deep down": BODY.replace(b'"userId"', b'"patientId": "y", "userId"'),
    "a comment": b"/* */" + BODY,
    "more behind": BODY + b"{}",
    "numbers as ids": BODY.replace(b'"patientId": "x"', b'"patientId": 1'),
}


@pytest.mark.parametrize("name", ENCODED)
def test_a_body_in_another_encoding_or_dialect_is_a_400(services, name):
    answer = call(f"{services}/Plan-order-sign", ENCODED[name])
    assert (answer.status_code, "Traceback" in answer.text) == (400, False)


@pytest.mark.parametrize("language", ["en;q=nan", ",,;;", "x" * 60_000, "en;q=1e999, *", "\xff"])
def test_a_language_that_is_none_is_ignored(services, language):
    headers = {"Accept-Language": language.encode("latin-1")}
    assert call(f"{services}/Plan-order-sign", request(), **headers).status_code == 200


PATHS = ["%2e%2e", "Plan-order-sign%00", "Plan-order-sign%0d%0aX:1", "..%2fPlan-order-sign", "é"]


@pytest.mark.parametrize("path", PATHS)
def test_a_service_that_does_not_exist_is_a_404(services, path):
    assert call(f"{services}/{path}", request()).status_code == 404


def test_feedback_that_was_taken_can_be_shown(services):
    odd = {"reason": {"code": [1], "display": {}}, "userComment": ["x"]}
    item = ITEM | {"outcome": "overridden", "overrideReason": odd, "acceptedSuggestions": None}
    assert call(f"{services}/Plan-order-sign/feedback", {"feedback": [item]}).status_code == 200
    item = item | {"acceptedSuggestions": 5}
    assert call(f"{services}/Plan-order-sign/feedback", {"feedback": [item]}).status_code == 400
    page = requests.get(services.replace("/cds-services", "/feedback"), timeout=9)
    assert page.status_code == 200


# -- tokens -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    file = tmp_path_factory.mktemp("keys") / "jwks.json"
    file.write_text(jwks(one=KEY))
    clients = HookClients({ISSUER: KeySet(str(file))}, ADDRESS)
    with running(hook_access=HookAccess(clients)) as base:
        yield filled(base)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


HEADERS = {
    "kid a list": {"kid": ["one"]},
    "kid an object": {"kid": {"one": 1}},
    "kid a path": {"kid": "../../dev/null"},
    "kid another case": {"kid": "ONE"},
    "kid with a blank": {"kid": "one "},
    "no kid": {},
    "keys of the sender": {"kid": "two", "jku": "http://127.0.0.1:1/jwks"},
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_key_goes_by_its_exact_name(guarded, name):
    header = {"alg": "ES384", "typ": "JWT"} | HEADERS[name]
    token = by_hand(header)
    assert call(f"{guarded}/Plan-order-sign", request(), **bearer(token)).status_code == 401


TIMES = {"nbf": float("nan"), "iat": float("nan"), "exp": -1}


@pytest.mark.parametrize("claim", TIMES)
def test_a_claim_that_is_no_moment_is_a_401(guarded, claim):
    header = {"alg": "ES384", "typ": "JWT", "kid": "one"}
    token = by_hand(header, **{claim: TIMES[claim]})
    status = call(f"{guarded}/Plan-order-sign", request(), **bearer(token)).status_code
    assert status == 401


def test_a_token_from_before_the_service_started_is_refused(guarded):
    """Which of them were used already is not known any more."""
    now = int(time.time())
    old = signed(headers={"kid": "one"}, iat=now - 3000, exp=now + 300)
    answer = call(f"{guarded}/Plan-order-sign", request(), **bearer(old))
    assert (answer.status_code, "before" in answer.json()["error"]) == (401, True)
    new = signed(headers={"kid": "one"})
    assert call(f"{guarded}/Plan-order-sign", request(), **bearer(new)).status_code == 200
