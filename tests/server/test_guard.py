"""Who may call: no page from elsewhere, no name that is not the server's, nobody without end."""

import contextlib
import socket
import time

import pytest

from fhirpkg.server.web import formats, guard, listening
from tests.server.client import Client, rules_of
from tests.servers.embedded import running

BASIC = {"resourceType": "Basic", "id": "b"}
APP = "https://app.example.org"


@pytest.fixture(scope="module")
def guarded():
    with running(origins=[APP]) as base:
        yield Client(base)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "localhost.evil.example", "",
             "127.0.0.1.evil.example", "x@evil.example", "[::1].evil.example"]
)  # fmt: skip
@pytest.mark.parametrize("path", ["metadata", "Basic/b", "../", "../cds-services"])
def test_a_name_that_is_not_the_servers_is_refused(guarded, host, path):
    refused = guarded.get(path, Host=host)
    assert (refused.status_code, rules_of(refused)) == (421, ["server-host"])


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:80", "10.1.2.3", "app.example.org"]
)
def test_an_address_and_the_names_of_this_machine_are_the_servers(guarded, host):
    assert guarded.get("metadata", Host=host).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://app.example.org", f"{APP}:444",
               f"{APP}.evil.example", "http://localhost:1", "file://"]
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "OPTIONS", "DELETE"])
def test_a_page_from_elsewhere_can_neither_read_nor_write(guarded, origin, method):
    refused = guarded(method, "Basic/foreign", BASIC | {"id": "foreign"}, Origin=origin)
    assert (refused.status_code, rules_of(refused)) == (403, ["server-origin"])
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert guarded.get("Basic/foreign").status_code == 404


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_page_from_elsewhere_embeds_is_refused_but_a_link_is_followed(guarded, site):
    embedded = guarded.get("metadata", Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors")
    assert (embedded.status_code, rules_of(embedded)) == (403, ["server-origin"])
    followed = guarded.get("metadata", Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate")
    assert followed.status_code == 200


def test_a_page_of_an_origin_that_was_named_may_call(guarded):
    asked = guarded("OPTIONS", "Basic/b", Origin=APP, Access_Control_Request_Method="PUT")
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == APP
    assert "PUT" in asked.headers["Access-Control-Allow-Methods"]
    assert "If-Match" in asked.headers["Access-Control-Allow-Headers"]
    made = guarded.put(BASIC, Origin=APP)
    assert made.ok
    assert made.headers["Access-Control-Allow-Origin"] == APP
    assert "ETag" in made.headers["Access-Control-Expose-Headers"]
    assert made.headers["Vary"] == "Origin"


def test_the_servers_own_pages_may_call_it(guarded):
    own = guarded.base.removesuffix("/fhir")
    assert guarded.put(BASIC, Origin=own).ok


def test_a_client_that_never_sends_a_request_is_let_go(monkeypatch):
    monkeypatch.setattr(listening, "_SLOWEST_HEAD", 0.3)
    with running() as base:
        host, port = base.split("/")[2].split(":")
        for start in (b"", b"GET /fhir/metadata HTT"):
            with socket.create_connection((host, int(port)), timeout=5) as silent:
                silent.sendall(start)
                assert silent.recv(100) == b"", "closed"
        assert Client(base).get("metadata").ok


def drip(slow, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        slow.sendall(b"X-A: b\r\n")
        time.sleep(0.05)


def test_a_client_that_never_ends_its_head_is_let_go(monkeypatch):
    monkeypatch.setattr(listening, "_SLOWEST_HEAD", 0.5)
    with running() as base:
        host, port = base.split("/")[2].split(":")
        with socket.create_connection((host, int(port)), timeout=5) as slow:
            slow.sendall(b"GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\n")
            with pytest.raises(OSError):
                drip(slow, seconds=5)


def test_a_body_that_never_ends_is_refused(monkeypatch):
    monkeypatch.setattr(formats, "SLOWEST_BODY", 0.3)
    with running() as base:
        host, port = base.split("/")[2].split(":")
        with socket.create_connection((host, int(port)), timeout=5) as slow:
            slow.sendall(
                b"PUT /fhir/Basic/b HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n{"
            )
            answer = slow.recv(10_000)
            assert answer.startswith(b"HTTP/1.1 408"), answer
            assert b"server-slow" in answer + slow.recv(10_000)


def test_more_requests_than_the_server_takes_at_once_are_told_to_wait(monkeypatch):
    monkeypatch.setattr(guard, "_MOST_AT_ONCE", 0)
    with running() as base:
        refused = Client(base).get("metadata")
        assert (refused.status_code, rules_of(refused)) == (429, ["server-busy"])
        assert refused.headers["Retry-After"]


def test_bodies_are_bounded_over_all_connections(monkeypatch):
    monkeypatch.setattr(guard, "_MOST_HELD", 4000)
    head = b"PUT /fhir/Basic/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n"
    with running() as base:
        client = Client(base)
        host, port = base.split("/")[2].split(":")
        with contextlib.ExitStack() as connections:

            def put_beside_a_slow_one():
                """Of two at the same moment the slow one may be refused: then comes another."""
                slow = connections.enter_context(socket.create_connection((host, int(port))))
                slow.sendall(head + b" " * 3500)
                return client.put(BASIC | {"text": {"div": "x" * 600}})

            refused = until(put_beside_a_slow_one, 429)
            assert rules_of(refused) == ["server-busy"]
            assert refused.headers["Retry-After"]
            assert client.get("metadata").status_code == 200
        assert until(lambda: client.put(BASIC), 201).ok


def until(ask, status):
    """The first answer with a status; what was sent before needs a moment to arrive."""
    for _ in range(100):
        answer = ask()
        if answer.status_code == status:
            break
        time.sleep(0.02)
    return answer
