import pytest

from fhirpkg.client.response import Response
from fhirpkg.client.retry import RetryPolicy, asked_wait, is_throttled, is_transient


def outcome(code):
    issue = {"severity": "error", "code": code}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


class Clock:
    def __init__(self):
        self.now = 0.0
        self.waits = []

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds

    def policy(self, patience=60.0, random=1.0):
        return RetryPolicy(patience, lambda: self.now, self.sleep, lambda: random)


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({"retry-after": "7"}, 7.0),
        ({"x-ms-retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"ratelimit": '"fhirInteractions";r=0;t=30'}, 30.0),
        (
            {
                "retry-after": "Mon, 23 Nov 2026 12:00:10 GMT",
                "date": "Mon, 23 Nov 2026 12:00:00 GMT",
            },
            10.0,
        ),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_a_server_asks_for_is_read_in_every_dialect(headers, seconds):
    assert asked_wait(headers) == seconds


def test_a_date_is_compared_with_the_servers_clock_not_with_ours():
    headers = {"retry-after": "Sat, 01 Jan 2000 00:10:05 GMT"}
    headers["date"] = "Sat, 01 Jan 2000 00:10:00 GMT"
    assert asked_wait(headers) == 5.0


@pytest.mark.parametrize(
    "response, transient",
    [
        (Response(0), True),
        (Response(429), True),
        (Response(503), True),
        (Response(500), True),
        (Response(500, resource=outcome("not-supported")), False),
        (Response(500, resource=outcome("exception")), True),
        (Response(400, text='{"__type": "ThrottlingException"}'), True),
        (Response(400), False),
        (Response(409, resource=outcome("lock-error")), True),
        (Response(409, resource=outcome("conflict")), False),
        (Response(412), False),
        (Response(200, resource=outcome("timeout")), False),
    ],
)
def test_what_may_go_away_is_told_by_status_and_outcome(response, transient):
    assert is_transient(response) is transient


def test_only_a_refusal_before_reading_counts_as_throttled():
    assert is_throttled(Response(429))
    assert is_throttled(Response(400, text='{"__type": "ThrottlingException"}'))
    assert not is_throttled(Response(503))


def test_waits_grow_and_are_spread_over_their_whole_range():
    slow, quick = Clock(), Clock()
    for clock, random in ((slow, 1.0), (quick, 0.0)):
        attempts = clock.policy(random=random).attempts()
        assert all(attempts.again(Response(503)) for _ in range(4))
    assert slow.waits == [0.5, 1.0, 2.0, 4.0]
    assert quick.waits == [0.0, 0.0, 0.0, 0.0]


def test_patience_ends_and_progress_renews_it():
    clock = Clock()
    attempts = clock.policy(patience=10).attempts()
    while attempts.again(Response(503)):
        pass
    assert 5 < clock.now <= 10
    attempts.progress()
    assert attempts.again(Response(503))


def test_the_servers_wish_is_a_minimum():
    clock = Clock()
    assert clock.policy(random=0.0).attempts().again(Response(429, {"retry-after": "8"}))
    assert clock.waits == [8.0]


def test_a_wish_beyond_our_patience_ends_at_once():
    clock = Clock()
    assert not clock.policy(patience=10).attempts().again(Response(429, {"retry-after": "11"}))
    assert clock.waits == []


def test_a_plain_500_is_tried_few_times_only():
    clock = Clock()
    attempts = clock.policy().attempts()
    assert [attempts.again(Response(500)) for _ in range(4)] == [True, True, True, False]
