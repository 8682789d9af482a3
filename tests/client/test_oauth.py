import base64
import json
import time
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fhirpkg.client.client import FhirClient
from fhirpkg.client.oauth import Registration, client_credentials
from fhirpkg.client.retry import RetryPolicy
from fhirpkg.errors import ConfigError, ServerError
from tests.servers.scripted import Reply, scripted

PATIENT = {"resourceType": "Patient", "id": "a"}
QUICK = RetryPolicy(5.0, sleep=lambda _: None)
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP384R1())


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def key_file(tmp_path, data):
    file = tmp_path / "key"
    file.write_bytes(data)
    file.chmod(0o600)
    return file


class TokenServer:
    """A FHIR server with SMART discovery that gives tokens which last for two requests."""

    def __init__(self, key=None, now=time.time, capabilities=("permission-v2",)):
        self.key = key
        self.now = now
        self.forms = []
        self.claims = []
        self.uses = 0
        self.capabilities = list(capabilities)

    def __call__(self, request, _):
        date = {"date": _http_date(self.now())}
        if request.path.endswith("/.well-known/smart-configuration"):
            endpoint = f"http://{request.headers['host']}/token"
            found = {"token_endpoint": endpoint, "capabilities": self.capabilities}
            return Reply(200, found, date)
        if request.path == "/token":
            return self.token(request).but(headers=date)
        token = request.headers.get("authorization")
        self.uses += 1
        if token != f"Bearer token-{len(self.forms)}" or self.uses > 2:
            self.uses = 0
            return Reply(401)
        return Reply(200, PATIENT)

    def token(self, request):
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if self.key is not None:
            claims = jwt.decode(
                form["client_assertion"],
                self.key,
                algorithms=["RS384", "ES384"],
                audience=f"http://{request.headers['host']}/token",
                options={"verify_exp": False, "verify_iat": False},
            )
            if not 0 < claims["exp"] - self.now() <= 300:
                return Reply(400, {"error": "invalid_client", "error_description": "expired"})
            self.claims.append(claims)
        elif request.headers.get("authorization") != _basic("me", "sesame"):
            return Reply(401, {"error": "invalid_client"})
        self.forms.append(form)
        return Reply(200, {"access_token": f"token-{len(self.forms)}", "expires_in": 3600})


def _http_date(seconds):
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(seconds))


def _basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def connected(server, **registration):
    known = Registration("me", **registration)
    auth = client_credentials(server.base_url, known, retry=QUICK)
    return FhirClient(server.base_url, auth=auth, retry=QUICK)


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS384", "ES384"])
def test_smart_backend_services_signs_a_fresh_assertion_for_each_token(tmp_path, key):
    fake = TokenServer(key.public_key())
    with scripted(fake) as server:
        client = connected(server, private_key=key_file(tmp_path, pem_of(key)), key_id="k1")
        assert [client.read("Patient", "a") for _ in range(3)] == [PATIENT] * 3
    assert len(fake.forms) == 2
    assert fake.claims[0]["iss"] == fake.claims[0]["sub"] == "me"
    assert fake.claims[0]["jti"] != fake.claims[1]["jti"]
    header = jwt.get_unverified_header(fake.forms[0]["client_assertion"])
    assert (header["alg"], header["kid"]) == ("RS384" if key is RSA else "ES384", "k1")


def test_a_key_may_be_a_jwk_that_names_itself(tmp_path):
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA)) | {"kid": "mine"}
    fake = TokenServer(RSA.public_key())
    with scripted(fake) as server:
        file = key_file(tmp_path, json.dumps(jwk).encode())
        assert connected(server, private_key=file).read("Patient", "a") == PATIENT
    assert jwt.get_unverified_header(fake.forms[0]["client_assertion"])["kid"] == "mine"


@pytest.mark.parametrize("minutes", [-10, 10])
def test_an_assertion_is_dated_by_the_servers_clock(tmp_path, minutes):
    fake = TokenServer(RSA.public_key(), now=lambda: time.time() + minutes * 60)
    with scripted(fake) as server:
        client = connected(server, private_key=key_file(tmp_path, pem_of(RSA)))
        assert client.read("Patient", "a") == PATIENT


@pytest.mark.parametrize(
    "capabilities, scope",
    [(["permission-v2"], "system/*.cruds"), (["permission-v1"], "system/*.*")],
)
def test_the_scope_is_in_the_words_that_the_server_speaks(monkeypatch, capabilities, scope):
    monkeypatch.setenv("DEMO_SECRET", "sesame")
    fake = TokenServer(capabilities=capabilities)
    with scripted(fake) as server:
        assert connected(server, secret="env:DEMO_SECRET").read("Patient", "a") == PATIENT
    assert fake.forms[0]["scope"] == scope


def test_a_refusal_is_told_without_the_secret(monkeypatch):
    monkeypatch.setenv("DEMO_SECRET", "wrong")
    with scripted(TokenServer()) as server:
        with pytest.raises(
            ServerError, match=r"did not issue a token \(invalid_client; does it know"
        ) as caught:
            connected(server, secret="env:DEMO_SECRET").read("Patient", "a")
        assert "wrong" not in str(caught.value)


def test_a_server_without_discovery_needs_the_token_url(monkeypatch):
    monkeypatch.setenv("DEMO_SECRET", "sesame")
    with (
        scripted(lambda *_: Reply(404, "no")) as server,
        pytest.raises(ServerError, match="give it with --token-url"),
    ):
        connected(server, secret="env:DEMO_SECRET").read("Patient", "a")


@pytest.mark.parametrize(
    "registration, problem",
    [
        (Registration("me"), "needs either"),
        (Registration("me", "env:S", token_url="http://example.org/token"), "must be https"),
    ],
)
def test_a_registration_that_cannot_be_used_is_refused(registration, problem):
    with pytest.raises(ConfigError, match=problem):
        client_credentials("http://127.0.0.1:1/fhir", registration).header()


def test_a_key_that_smart_does_not_take_is_refused_without_showing_it(tmp_path):
    small = pem_of(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(ConfigError, match="SMART takes RSA and EC P-384"):
        client_credentials("http://x/fhir", Registration("me", None, key_file(tmp_path, small)))


def test_a_key_that_is_encrypted_is_told_as_that(tmp_path):
    hidden = serialization.BestAvailableEncryption(b"sesame")
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = key_file(tmp_path, RSA.private_bytes(pem, pkcs8, hidden))
    with pytest.raises(ConfigError, match="this key is encrypted; decrypt it"):
        client_credentials("http://x/fhir", Registration("me", None, file))


def test_a_token_endpoint_that_is_busy_is_asked_again(monkeypatch):
    monkeypatch.setenv("DEMO_SECRET", "sesame")
    fake = TokenServer()
    failures = [Reply(503), Reply(lost=True), Reply(429, headers={"retry-after": "0"})]

    def script(request, forward):
        return failures.pop() if request.path == "/token" and failures else fake(request, forward)

    with scripted(script) as server:
        assert connected(server, secret="env:DEMO_SECRET").read("Patient", "a") == PATIENT
    assert len(fake.forms) == 1


@pytest.mark.parametrize(
    "reply, words",
    [
        (Reply(503), "did not issue a token (HTTP 503)"),
        (Reply(lost=True), "did not issue a token (the connection was "),
        (Reply(200, "<html></html>"), "did not issue a token (HTTP 200)"),
        (Reply(200, {"token_type": "bearer"}), "did not issue a token (HTTP 200)"),
        (Reply(302, headers={"location": "/login"}), "did not issue a token (HTTP 302)"),
        (Reply(400, {"error": "invalid_scope"}), "invalid_scope; ask for what it grants with"),
        (Reply(400, {"error": {"code": 1}}), "did not issue a token ({'code': 1})"),
    ],
)
def test_a_token_endpoint_that_gives_none_is_told_in_one_line(monkeypatch, reply, words):
    monkeypatch.setenv("DEMO_SECRET", "sesame")
    fake = TokenServer()

    def script(request, forward):
        return reply if request.path == "/token" else fake(request, forward)

    with scripted(script) as server, pytest.raises(ServerError) as raised:
        connected(server, secret="env:DEMO_SECRET").read("Patient", "a")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert fake.uses == 0


def test_a_key_that_the_server_no_longer_knows_is_told_with_what_to_do(tmp_path):
    rotated = TokenServer(rsa.generate_private_key(65537, 2048).public_key())

    def script(request, forward):
        try:
            return rotated(request, forward)
        except jwt.InvalidSignatureError:
            return Reply(401, {"error": "invalid_client"})

    with (
        scripted(script) as server,
        pytest.raises(
            ServerError, match=r"does it know --client-id with this secret, or with this key"
        ),
    ):
        connected(server, private_key=key_file(tmp_path, pem_of(RSA))).read("Patient", "a")
