"""What no client library sends: requests whose end is in doubt, heads and trailers without end."""

import contextlib
import re
import socket

import pytest

from tests.server.client import Client
from tests.servers.embedded import running

PUT = b"PUT /fhir/Basic/b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\n"
GET = b"GET /fhir/Basic HTTP/1.1\r\nHost: localhost\r\n"
BODY = b'{"resourceType":"Basic","id":"b","code":{"text":"x"}}'
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def base():
    with running() as base:
        yield base


def sent(base, data):
    """The statuses of all answers to some bytes."""
    host, port = base.split("/")[2].split(":")
    heard = b""
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        with contextlib.suppress(OSError):  # it may be closed before all is sent
            raw.sendall(data)
        with contextlib.suppress(OSError):
            while part := raw.recv(100_000):
                heard += part
                raw.settimeout(2)
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", heard)]


@pytest.mark.parametrize(
    "data",
    [
        PUT + b"Content-Length: 5\r\n" + CHUNKED + b"0\r\n\r\n",
        PUT + b"Content-Length: 5\r\nContent-Length: 53\r\n\r\n" + BODY,
        PUT + b"Content-Length: 53, 53\r\n\r\n" + BODY,
        PUT + b"Content-Length: +53\r\n\r\n" + BODY,
        PUT + b"Content-Length: -1\r\n\r\n" + BODY,
        PUT + b"Content-Length : 53\r\n\r\n" + BODY,
        PUT + b"Transfer-Encoding: identity, xchunked\r\n\r\n" + BODY,
        PUT + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        PUT + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        PUT + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        GET + b"X: a\r\n b\r\n\r\n",
        GET + b"X: a\rY: b\r\n\r\n",
        GET + b"X: a\x00\r\n\r\n",
        b"GET /fhir/Basic\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_a_request_whose_end_or_meaning_is_in_doubt_is_refused(base, data):
    smuggled = GET + b"\r\n"
    assert sent(base, data + smuggled) == [400], "and what follows is not taken for a request"


@pytest.mark.parametrize(
    "data",
    [
        GET + b"X: " + b"a" * 600_000,
        GET + b"X: a\r\n" * 100_000,
        b"GET /fhir/" + b"a" * 600_000,
        b"GET /fhir/Basic?_id=" + b"a" * 600_000,
        PUT + CHUNKED + b"0\r\n" + b"X: a\r\n" * 100_000,
        PUT + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"a" * 600_000,
    ],
    ids=["a header", "headers", "a path", "a query", "trailers", "a chunk's extension"],
)
def test_what_never_ends_is_bounded(base, data):
    assert sent(base, data)[-1:] in ([400], []), "told, unless the client was still sending"
    assert Client(base).get("metadata").ok


@pytest.mark.parametrize(
    "hosts", [(b"localhost", b"evil.example"), (b"evil.example", b"localhost")]
)
def test_two_hosts_are_none_of_the_servers(base, hosts):
    head = b"".join(b"Host: %s\r\n" % host for host in hosts)
    assert sent(base, b"GET /fhir/Basic HTTP/1.1\r\n" + head + b"\r\n") == [421]


def test_requests_one_behind_the_other_are_answered_in_their_order(base):
    length = b"Content-Length: %d\r\n\r\n" % len(BODY)
    assert sent(base, (PUT + length + BODY) + (GET + b"\r\n") * 3)[1:] == [200] * 3
    assert sent(base, PUT + b"Expect: 100-continue\r\n" + length + BODY) == [100, 200]
    assert sent(base, PUT + CHUNKED + b"0\r\nX: trailer\r\n\r\n") == [200]
