"""Through a web proxy, as the environment names it: tunnels, passwords, exceptions, redirects."""

import base64

import pytest

from fhirpkg.client.auth import Authorization, Grant
from fhirpkg.client.client import FhirClient
from fhirpkg.client.oauth import Registration, client_credentials
from fhirpkg.client.retry import RetryPolicy
from fhirpkg.client.transport import tls_context
from fhirpkg.errors import ServerError
from tests.servers.certificates import authority, server_context
from tests.servers.proxy import web_proxy
from tests.servers.scripted import Reply, scripted

PATIENT = {"resourceType": "Patient", "id": "a"}
QUICK = RetryPolicy(1.0, sleep=lambda _: None)
SESAME = Authorization(lambda: Grant("Bearer sesame"))
PASSWORD = "Basic " + base64.b64encode(b"ann:open").decode()


@pytest.fixture(autouse=True)
def named(monkeypatch):
    """Name a proxy (and exceptions) for plain and secure requests; none by default."""
    for name in ("http", "https", "no", "all"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)

    def name_it(url, exceptions=""):
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.setenv("NO_PROXY", exceptions)

    return name_it


def patients(request, forward):
    return Reply(200, PATIENT)


def secure(tmp_path, script=patients, clients=None):
    issuer = authority(tmp_path)
    certificate, key = issuer.issue("client")
    context = server_context(*issuer.issue("server"), clients=issuer if clients else None)
    return scripted(script, tls=context), tls_context(issuer.file, certificate, key)


def read_from(server, **options):
    with FhirClient(server.base_url, retry=QUICK, **options) as client:
        return client.read("Patient", "a")


def with_password(proxy, pair="ann:open"):
    return proxy.url.replace("http://", f"http://{pair}@")


def test_a_plain_request_goes_through_the_proxy(named):
    with web_proxy() as proxy, scripted(patients) as server:
        named(proxy.url)
        assert read_from(server, auth=SESAME) == PATIENT
        assert proxy.seen[0][:2] == ("GET", f"{server.base_url}/Patient/a")
        assert server.seen[0].headers["authorization"] == "Bearer sesame"


def test_a_secure_request_is_tunnelled_with_our_certificate_and_out_of_the_proxys_sight(
    named, tmp_path
):
    serving, tls = secure(tmp_path, clients=True)
    with web_proxy() as proxy, serving as server:
        named(proxy.url)
        assert read_from(server, tls=tls, auth=SESAME) == PATIENT
        ((method, target, headers),) = proxy.seen
        assert (method, target) == ("CONNECT", server.base_url.split("/")[2])
        assert "authorization" not in headers


def test_an_exception_is_reached_without_the_proxy(named):
    with web_proxy() as proxy, scripted(patients) as server:
        named(proxy.url, "elsewhere.example,127.0.0.1")
        assert read_from(server) == PATIENT
        assert proxy.seen == []


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "CONNECT"])
def test_the_proxys_password_is_for_the_proxy_alone(named, tmp_path, is_secure):
    serving, tls = secure(tmp_path) if is_secure else (scripted(patients), None)
    with web_proxy(PASSWORD) as proxy, serving as server:
        named(with_password(proxy))
        assert read_from(server, tls=tls) == PATIENT
        assert "proxy-authorization" not in server.seen[0].headers
        assert "authorization" not in server.seen[0].headers


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "CONNECT"])
@pytest.mark.parametrize("pair", ["", "ann:wrong"])
def test_a_proxy_that_refuses_the_password_is_told_with_what_to_do(
    named, tmp_path, is_secure, pair
):
    serving, tls = secure(tmp_path) if is_secure else (scripted(patients), None)
    with web_proxy(PASSWORD) as proxy, serving as server:
        named(with_password(proxy, pair) if pair else proxy.url)
        with pytest.raises(ServerError, match="the proxy asks for a password") as raised:
            read_from(server, tls=tls)
        assert "wrong" not in str(raised.value)
        assert server.seen == []
        assert len(proxy.seen) == 1


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "CONNECT"])
def test_a_proxy_that_is_not_there_is_told_apart_from_the_server(named, tmp_path, is_secure):
    serving, tls = secure(tmp_path) if is_secure else (scripted(patients), None)
    with web_proxy() as gone:
        named(gone.url)
    with serving as server, pytest.raises(ServerError, match="proxy that HTTPS_PROXY or HTTP_"):
        read_from(server, tls=tls)


def test_a_redirect_inside_a_proxy_carries_no_credentials_to_another_host(named):
    with web_proxy() as proxy, scripted(patients) as other:
        moved = Reply(302, headers={"location": f"{other.base_url}/Patient/a"})
        with scripted(lambda *_: moved) as server:
            named(proxy.url)
            assert read_from(server, auth=SESAME) == PATIENT
        assert "authorization" not in other.seen[0].headers
        assert len(proxy.seen) == 2


def test_tokens_are_fetched_through_the_proxy_too(named, monkeypatch):
    monkeypatch.setenv("DEMO_SECRET", "sesame")

    def script(request, forward):
        if request.path == "/token":
            return Reply(200, {"access_token": "t", "expires_in": 60})
        return Reply(200 if request.headers.get("authorization") == "Bearer t" else 401, PATIENT)

    with web_proxy() as proxy, scripted(script) as server:
        named(proxy.url)
        token_url = server.base_url.replace("/fhir", "/token")
        registration = Registration("me", "env:DEMO_SECRET", token_url=token_url)
        auth = client_credentials(server.base_url, registration, retry=QUICK)
        assert read_from(server, auth=auth) == PATIENT
        assert [target for _, target, _ in proxy.seen] == [
            token_url,
            f"{server.base_url}/Patient/a",
        ]
