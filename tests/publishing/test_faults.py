"""The law of publishing: whatever happens to one request, the next push ends as an undisturbed one.

Nothing is lost, nothing doubled, and a push that left something out never calls itself complete.
"""

import contextlib

import pytest

from fhirpkg.errors import FhirpkgError
from fhirpkg.publishing.proving.verify import verify
from tests.publishing.sample import client, publish, release, resources, state
from tests.servers import faults
from tests.servers.embedded import running
from tests.servers.scripted import Reply, scripted

WRITES_OF_A_PUSH = 6
"""Inventory, head, probe of If-Match, the transaction, inventory again, head again."""


@pytest.fixture(scope="module")
def undisturbed():
    with running() as server:
        publish(server)
        first = state(server)
        publish(server, changed())
        return first, state(server)


def changed():
    listed = resources("Running")
    listed[2]["description"] = "Read this first"
    return release(*listed)


def disturbed(server, script, given=None, patience=60.0):
    """Push through a fault; the report, or None when the push ended with an error."""
    with scripted(script, server) as proxy, contextlib.suppress(FhirpkgError):
        return publish(proxy.base_url, given, patience=patience)
    return None


TRANSACTION = 4
EVERYWHERE = {"reset before", "answer lost after commit", "204 without a body after commit"}
CASES = [
    pytest.param(fault, number, id=f"{name}, write {number}")
    for name, fault in faults.ONE_REQUEST.items()
    for number in range(1, WRITES_OF_A_PUSH + 1)
    if number == TRANSACTION or name in EVERYWHERE
]


@pytest.mark.parametrize("fault, number", CASES)
def test_a_push_through_one_fault_and_the_next_one_end_as_if_nothing_had_been(
    server, fault, number, undisturbed
):
    report = disturbed(server, faults.at(number, fault))
    if report is not None and report.is_complete:
        assert state(server) == undisturbed[0]
    assert publish(server).is_complete
    assert state(server) == undisturbed[0]


@pytest.mark.parametrize("number", range(1, WRITES_OF_A_PUSH + 1))
@pytest.mark.parametrize("fault", [faults.lost_after])
def test_so_does_an_update_and_it_makes_no_version_too_many(server, fault, number, undisturbed):
    publish(server)
    disturbed(server, faults.at(number, fault), changed())
    assert publish(server, changed()).is_complete
    assert state(server) == undisturbed[1]


@pytest.mark.parametrize("number", [1, 9, 12, 14, 16, 18])
def test_a_server_that_dies_for_good_leaves_a_push_that_the_next_one_ends(
    server, number, undisturbed
):
    dead = faults.always(faults.reset_before, lambda _: True, after=number)
    report = disturbed(server, dead, patience=2.0)
    assert report is None or not report.is_complete or state(server) == undisturbed[0]
    assert publish(server).is_complete
    assert state(server) == undisturbed[0]


def test_a_read_that_fails_for_a_while_changes_nothing(server, undisturbed):
    def is_read(request):
        return request.method == "GET" and "metadata" not in request.path

    for number in (1, 4, 7):
        for fault in (faults.html_502, faults.half_json, faults.cut_after):
            report = disturbed(server, faults.at(number, fault, is_read))
            assert report is not None
            assert report.is_complete
    assert state(server) == undisturbed[0]


def test_what_could_not_be_sent_is_counted_as_failed(server):
    def is_bundle(request):
        return request.method == "POST"

    report = disturbed(server, faults.always(faults.empty_503, is_bundle))
    assert len(report.failed) == 4
    assert not report.is_complete
    assert state(server) == {}


def test_entries_of_a_batch_that_were_throttled_are_sent_again(server, undisturbed):
    """Microsoft's server marks every entry after a throttled one 429."""

    def throttle_later_entries(request, forward):
        bundle = request.resource
        kept = bundle | {"entry": bundle["entry"][:1]}
        answer = forward(type(request)(request.method, request.path, request.headers, b(kept)))
        entries = answer.resource["entry"]
        late = [{"response": {"status": "429"}}] * (len(bundle["entry"]) - 1)
        return Reply(200, answer.resource | {"entry": entries + late})

    import json

    def b(resource):
        return json.dumps(resource).encode()

    def is_bundle(request):
        return request.method == "POST"

    report = disturbed(server, faults.at(1, throttle_later_entries, is_bundle))
    assert report.is_complete
    assert state(server) == undisturbed[0]


def replaced(place, value):
    """What is asked for once with a wrong value at a place of the answer."""

    def fault(request, forward):
        reply = forward(request)
        part = body = reply.resource
        for step in place[:-1]:
            part = part[step]
        part[place[-1]] = value
        return reply.but(body=body)

    return fault


@pytest.mark.parametrize("value", [None, ["x"], {"a": 1}])
@pytest.mark.parametrize(
    "place",
    [
        ("link",),
        ("entry",),
        ("entry", 0, "resource"),
        ("entry", 0, "resource", "id"),
        ("entry", 0, "resource", "meta"),
        ("entry", 0, "resource", "status"),
    ],
    ids=str,
)
def test_an_answer_that_is_no_fhir_inside_is_no_fault_of_ours(server, place, value, undisturbed):
    publish(server)

    def is_search(request):
        return request.path.startswith("/fhir/PlanDefinition?")

    disturbed(server, faults.at(1, replaced(place, value), is_search), changed())
    assert publish(server, changed()).is_complete
    assert state(server) == undisturbed[1]


def test_a_renewed_push_is_verified(server):
    disturbed(server, faults.at(4, faults.lost_after), patience=1.0)
    publish(server)
    assert verify(release(), client(server))
