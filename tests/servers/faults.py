"""Scripted faults for the proxy: what networks, gateways and busy servers do to one request."""

import gzip
import itertools
import time
from email.utils import formatdate

from tests.servers.scripted import Reply, is_reading

HTML = "<html><body>Bad Gateway</body></html>"
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "diagnostics": "made up"}],
}


def is_write(request):
    return request.method != "GET" and not is_reading(request)


def at(number, fault, matches=is_write):
    """The fault for the matching request of this number, from 1; all others pass."""
    turn = itertools.count(1)

    def script(request, forward):
        if matches(request) and next(turn) == number:
            return fault(request, forward)
        return forward(request)

    return script


def always(fault, matches=is_write, after=0):
    """The fault for every matching request but the first ones."""
    turn = itertools.count(1)

    def script(request, forward):
        if matches(request) and next(turn) > after:
            return fault(request, forward)
        return forward(request)

    return script


def reset_before(request, forward):
    return Reply(lost=True)


def lost_after(request, forward):
    forward(request)
    return Reply(lost=True)


def cut_after(request, forward):
    return forward(request).but(cut=20)


def half_json(request, forward):
    reply = forward(request)
    return reply.but(body=reply.body[: len(reply.body) // 2])


def broken_gzip(request, forward):
    reply = forward(request)
    packed = gzip.compress(reply.bytes())
    headers = reply.headers | {"content-encoding": "gzip"}
    return reply.but(body=packed[: len(packed) // 2] + b"\0" * 40, headers=headers)


def slow_drip(request, forward):
    return forward(request).but(drip=0.001)


def in_chunks(request, forward):
    return forward(request).but(chunked=True)


def cut_in_a_chunk(request, forward):
    return forward(request).but(chunked=True, cut=20)


def http_1_0(request, forward):
    return forward(request).but(version="HTTP/1.0")


def redirected(status):
    """A gateway that sends each request elsewhere on the same host first."""

    def fault(request, forward):
        if request.path.startswith("/moved/"):
            path = request.path.removeprefix("/moved")
            return forward(type(request)(request.method, path, request.headers, request.body))
        return Reply(status, headers={"location": f"/moved{request.path}"})

    return fault


def wrong_type(request, forward):
    reply = forward(request)
    return reply.but(headers=reply.headers | {"content-type": "text/plain"})


def html_502(request, forward):
    return Reply(502, HTML, {"content-type": "text/html"})


def html_502_after(request, forward):
    forward(request)
    return Reply(502, HTML, {"content-type": "text/html"})


def empty_503(request, forward):
    return Reply(503)


def outcome_500_after(request, forward):
    forward(request)
    return Reply(500, OUTCOME)


def outcome_with_200(request, forward):
    return Reply(200, OUTCOME)


def no_content_after(request, forward):
    forward(request)
    return Reply(204)


def throttled(**headers):
    return lambda request, forward: Reply(429, headers=headers)


def throttled_by_date(request, forward):
    return Reply(429, headers={"retry-after": formatdate(time.time() + 2, usegmt=True)})


def healthlake_throttled(request, forward):
    return Reply(400, '{"__type": "ThrottlingException", "message": "Rate exceeded"}')


ONE_REQUEST = {
    "reset before": reset_before,
    "answer lost after commit": lost_after,
    "answer cut after commit": cut_after,
    "half an answer after commit": half_json,
    "gzip broken after commit": broken_gzip,
    "chunk cut after commit": cut_in_a_chunk,
    "wrong content type": wrong_type,
    "502 with HTML": html_502,
    "502 with HTML after commit": html_502_after,
    "503 empty": empty_503,
    "500 after commit": outcome_500_after,
    "200 with an outcome that is an error": outcome_with_200,
    "204 without a body after commit": no_content_after,
    "429 with seconds": throttled(**{"retry-after": "1"}),
    "429 with a date": throttled_by_date,
    "429 in milliseconds": throttled(**{"x-ms-retry-after-ms": "500"}),
    "429 with RateLimit": throttled(ratelimit='"fhir";r=0;t=1'),
    "429 plain": throttled(),
    "400 of HealthLake": healthlake_throttled,
}
