"""Who may read and write: one token, or SMART scopes."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fhirpkg.server.cds.keys import KeySet
from fhirpkg.server.web.access import Access, Issuer
from tests.server.client import Client, entry, rules_of
from tests.servers.embedded import running

ISSUER, AUDIENCE = "https://auth.example.org", "https://fhir.example.org/fhir"
TOKEN_URL = f"{ISSUER}/token"
KEY, OTHER = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "A"}]}
OBSERVATION = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p"}}


def token(scope, key=KEY, *, algorithm="ES384", kid="k", **claims):
    given = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 300, "scope": scope} | claims
    given = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture(scope="module")
def smart(tmp_path_factory):
    """A server with a token for all and a SMART issuer."""
    path = tmp_path_factory.mktemp("keys") / "jwks.json"
    public = jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "k"}
    path.write_text(json.dumps({"keys": [public]}))
    access = Access("whole", Issuer(KeySet(str(path)), ISSUER, AUDIENCE, TOKEN_URL))
    with running(access=access) as base:
        client = Client(base)
        for resource in (PATIENT, OBSERVATION):
            assert client.put(resource, Authorization="Bearer whole").ok
        yield client


def ask(client, scope, method, path, body=None, **headers):
    return client(method, path, body, Authorization=f"Bearer {token(scope)}", **headers)


PATHS = ["Patient/p", "Patient", "_history", "../", "../show/Patient/p"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic d2hvbGU=", "Bearer who"])
@pytest.mark.parametrize("path", [*PATHS, ""])
def test_without_a_token_nothing_is_read(smart, header, path):
    refused = smart.get(path, **({"Authorization": header} if header else {}))
    assert (refused.status_code, rules_of(refused)) == (401, ["server-login"])
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert "wrong" not in refused.text


def test_the_statement_is_for_all_and_the_token_for_everything(smart):
    assert smart.get("metadata").status_code == 200
    for path in PATHS:
        assert smart.get(path, Authorization="Bearer whole").status_code == 200


def test_the_statement_and_the_smart_configuration_say_where_tokens_come_from(smart):
    security = smart.get("metadata").json()["rest"][0]["security"]
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    assert security["extension"][0]["extension"] == [{"url": "token", "valueUri": TOKEN_URL}]
    assert security["cors"] is False
    told = smart.get(".well-known/smart-configuration")
    assert told.headers["Content-Type"] == "application/json"
    assert told.json()["token_endpoint"] == TOKEN_URL
    assert {"permission-v1", "permission-v2"} <= set(told.json()["capabilities"])


def test_without_smart_there_is_no_configuration_and_the_statement_says_who_may_do_what():
    with running() as base, running(access=Access("whole")) as closed:
        for each, words in ((base, "Anybody"), (closed, "bearer token")):
            security = Client(each).get("metadata").json()["rest"][0]["security"]
            assert words in security["description"]
            assert "service" not in security
            assert Client(each).get(".well-known/smart-configuration").status_code in {401, 404}


@pytest.mark.parametrize(
    "bad",
    [
        token("system/*.*", OTHER),
        token("system/*.*", iss="https://evil.example"),
        token("system/*.*", aud="https://other.example"),
        token("system/*.*", exp=time.time() - 100),
        token("system/*.*", exp=None),
        token("system/*.*", kid="unknown"),
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 99, "scope": "system/*.*"},
                   None, algorithm="none"),
        "x.y.z",
    ],
    ids=["key", "issuer", "audience", "expired", "endless", "kid", "none", "text"],
)  # fmt: skip
def test_a_token_that_cannot_be_proven_is_refused(smart, bad):
    refused = smart.get("Patient/p", Authorization=f"Bearer {bad}")
    assert (refused.status_code, rules_of(refused)) == (401, ["server-login"])


BASIC = {"resourceType": "Basic", "id": "b"}


@pytest.mark.parametrize(
    ("scope", "method", "path", "body", "allowed"),
    [
        ("system/Patient.read", "GET", "Patient/p", None, True),
        ("system/Patient.rs", "GET", "Patient?family=A", None, True),
        ("user/*.read", "GET", "Observation", None, True),
        ("system/Patient.r", "GET", "Patient", None, False),
        ("system/Patient.read", "GET", "Observation/o", None, False),
        ("patient/*.read", "GET", "Patient/p", None, False),
        ("system/Patient.rs?family=A", "GET", "Patient/p", None, False),
        ("openid", "GET", "Patient/p", None, False),
        ("system/Patient.read", "GET", "Patient?_revinclude=Observation:patient", None, False),
        ("system/Observation.read", "GET", "Observation?patient.family=A", None, False),
        ("system/Patient.read", "GET", "Patient?_has:Observation:patient:_id=o", None, False),
        ("system/Patient.read", "GET", "_history", None, False),
        ("system/*.read", "GET", "_history", None, True),
        ("system/Patient.read", "GET", "Patient/p/_history", None, True),
        ("system/Basic.read", "PUT", "Basic/b", BASIC, False),
        ("system/Basic.write", "PUT", "Basic/b", BASIC, True),
        ("system/Basic.cu", "PUT", "Basic/b", BASIC, True),
        ("system/Basic.write", "DELETE", "Basic/b", None, True),
        ("system/Basic.cru", "DELETE", "Basic/b", None, False),
        ("system/Patient.read", "POST", "Patient/$validate", PATIENT, True),
        ("system/Patient.read", "GET", "../", None, False),
        ("system/*.read", "GET", "../", None, True),
    ],
)
def test_scopes_say_what_is_allowed(smart, scope, method, path, body, allowed):
    answer = ask(smart, scope, method, path, body)
    assert answer.ok is allowed, answer.text
    if not allowed:
        assert (answer.status_code, rules_of(answer)) == (403, ["server-scope"])


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_each_entry_of_a_bundle_needs_its_scope(smart, kind):
    header = {"Authorization": f"Bearer {token('system/Basic.write')}"}
    for method, url, resource in (
        ("PUT", "Patient/p", PATIENT | {"active": True}),
        ("DELETE", "Patient/p", None),
        ("DELETE", "Patient?family=A", None),
        ("GET", "Patient/p", None),
        ("PUT", "Patient?family=A", PATIENT | {"active": True}),
        ("POST", "Patient", PATIENT),
    ):
        answer = smart.bundle(entry(method, url, resource), kind=kind, **header)
        status = str(answer.status_code)
        if kind == "batch":
            status = answer.json()["entry"][0]["response"]["status"]
        assert status == "403"
    done = smart.bundle(entry("PUT", "Basic/c", BASIC | {"id": "c"}), kind=kind, **header)
    assert done.ok
    assert smart.get("Patient/p", Authorization="Bearer whole").headers["ETag"] == 'W/"1"'
