"""Two pushes of one package at once: one wins, the other says so, and nothing appears twice."""

import threading
from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime

import pytest

from fhirpkg.errors import FhirpkgError
from fhirpkg.publishing.bookkeeping.head import ConflictError, read_head, write_head
from fhirpkg.publishing.bookkeeping.state import Phase, head_id, head_of
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.proving.verify import verify
from fhirpkg.publishing.push import push
from tests.publishing.sample import canonical, client, publish, release, resources, state
from tests.servers import faults, habits, vendors
from tests.servers.habits import server_like
from tests.servers.scripted import scripted

PLAYED = {"FHIR": (), "HAPI": vendors.HAPI, "server's ids": (habits.refuses_client_ids,)}


def at_once(base_url, *subjects):
    """Push each in a thread of its own; what each gave or raised."""
    ends = [None] * len(subjects)
    ready = threading.Barrier(len(subjects))

    def run(place, given):
        with client(base_url) as connected:
            plan = make_plan(given, connected)
            ready.wait()
            try:
                ends[place] = push(plan, connected)
            except FhirpkgError as error:
                ends[place] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(subjects)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.mark.parametrize("played", PLAYED.values(), ids=PLAYED)
def test_the_same_content_twice_at_once_stands_once(server, played):
    with scripted(server_like(*played), server) as proxy:
        at_once(proxy.base_url, release(), release())
        assert publish(proxy.base_url).is_complete
        assert len(state(server)) == 4
        assert verify(release(), client(proxy.base_url))


@pytest.mark.parametrize("played", PLAYED.values(), ids=PLAYED)
def test_of_two_contents_at_once_no_mixture_is_called_complete(server, played):
    one, two = release(), release(*resources("Running"))
    with scripted(server_like(*played), server) as proxy:
        ends = at_once(proxy.base_url, one, two)
        complete = [
            given
            for given, end in zip((one, two), ends, strict=True)
            if not isinstance(end, Exception) and end.is_complete
        ]
        assert len(complete) <= 1
        with client(proxy.base_url) as connected:
            head = read_head(connected, "demo.walking")
            for given in complete:
                assert head.digest == given.digest
                assert verify(given, connected)


@pytest.mark.parametrize("played", PLAYED.values(), ids=PLAYED)
def test_of_two_first_pushes_the_later_writes_nothing(server, played):
    """The other one has written its head, and its content comes at any moment."""
    begun = []

    def another_begins(request, forward):
        if request.method == "PUT" and request.path.endswith(head_id("demo.walking")) and not begun:
            begun.append(request)
            with client(server) as other:
                write_head(other, replace(head_of(request.resource, 0), owner="x:1", id=""))
        return forward(request)

    with (
        scripted(server_like(another_begins, *played), server) as proxy,
        pytest.raises(ConflictError, match="by x:1"),
    ):
        publish(proxy.base_url)
    assert begun
    assert state(server) == {}


@pytest.mark.parametrize("minutes", [-10, 0, 10])
def test_the_lease_is_kept_by_the_servers_clock_whatever_ours_says(server, minutes):
    with scripted(server_like(habits.clock_off_by(60 * minutes)), server) as proxy:
        publish(proxy.base_url)
        with client(proxy.base_url) as other:
            head = read_head(other, "demo.walking")
            write_head(other, head.next(phase=Phase.PUSHING, digest="f" * 64, owner="x:1"))
        with pytest.raises(ConflictError, match="is being pushed by x:1"):
            publish(proxy.base_url)


def test_a_lease_that_ran_out_by_the_servers_clock_is_taken_over(server):
    publish(server)
    with client(server) as other:
        head = read_head(other, "demo.walking")
        write_head(other, head.next(phase=Phase.PUSHING, digest="f" * 64, owner="dead:1"))

    def a_minute_later(request, forward):
        reply = forward(request)
        now = parsedate_to_datetime(reply.headers["date"]).timestamp() + 62
        return reply.but(headers=reply.headers | {"date": formatdate(now, usegmt=True)})

    with scripted(a_minute_later, server) as proxy:
        assert publish(proxy.base_url, release(*resources("Running"))).is_complete
    with client(server) as reader:
        assert read_head(reader, "demo.walking").phase is Phase.COMPLETE


def test_two_of_a_kind_that_somebody_planted_meanwhile_are_a_conflict_not_a_third(server):
    """A conditional create meets two matches (412), where the server gives the ids."""

    def somebody_is_quicker(request, forward):
        if habits.is_transaction(request):
            with client(server) as other:
                for place in ("one", "two"):
                    theirs = canonical("PlanDefinition", "course", title="Theirs") | {"id": place}
                    other.request("PUT", f"PlanDefinition/{place}", body=theirs)
        return forward(request)

    played = server_like(somebody_is_quicker, habits.refuses_client_ids)
    with scripted(played, server) as proxy:
        report = publish(proxy.base_url)
        assert report.conflicts == {"PlanDefinition/course"}
        assert not report.is_complete
        assert len([place for place in state(server) if place.startswith("Plan")]) == 2
        assert publish(proxy.base_url).conflicts == {"PlanDefinition/course"}


def test_what_somebody_created_meanwhile_is_not_lost_without_a_word(server):
    """HAPI lets a PUT that should create write over what came in between."""

    def somebody_is_quicker(request, forward):
        if habits.is_transaction(request):
            with client(server) as other:
                theirs = canonical("PlanDefinition", "course", title="Theirs")
                other.request("PUT", "PlanDefinition/course", body=theirs)
        return forward(request)

    played = server_like(somebody_is_quicker, habits.ignores_if_none_match)
    with scripted(played, server) as proxy:
        report = publish(proxy.base_url)
    assert report.conflicts == {"PlanDefinition/course"}
    assert "PlanDefinition/course/_history/1" in report.refused["PlanDefinition/course"]
    assert not report.is_complete


def test_where_preconditions_hold_it_is_not_overwritten_at_all(server):
    def somebody_is_quicker(request, forward):
        if habits.is_transaction(request):
            with client(server) as other:
                theirs = canonical("PlanDefinition", "course", title="Theirs")
                other.request("PUT", "PlanDefinition/course", body=theirs)
        return forward(request)

    with scripted(somebody_is_quicker, server) as proxy:
        report = publish(proxy.base_url)
    assert report.conflicts == {"PlanDefinition/course"}
    assert state(server)["PlanDefinition/course"][1]["title"] == "Theirs"


def test_what_somebody_wrote_meanwhile_is_found_by_its_version_as_a_whole(server):
    """Version 10 is another one than 9, though as text it is the lesser."""
    publish(server)
    for number in range(2, 10):
        publish(server, release(*resources(f"Walking {number}")))
    assert state(server)["PlanDefinition/course"][0] == "9"

    def somebody_is_quicker(request, forward):
        if not habits.is_transaction(request):
            return forward(request)
        with client(server) as other:
            theirs = canonical("PlanDefinition", "course", title="Theirs")
            other.request("PUT", "PlanDefinition/course", body=theirs)
        return faults.reset_before(request, forward)

    with scripted(faults.at(1, somebody_is_quicker, habits.is_transaction), server) as proxy:
        report = publish(proxy.base_url, release(*resources("Running")))
    assert report.conflicts == {"PlanDefinition/course"}
    assert "version 10 " in report.refused["PlanDefinition/course"]
    assert state(server)["PlanDefinition/course"][1]["title"] == "Theirs"


def test_a_ring_that_a_server_cannot_take_at_once_is_refused_not_half_written(server):
    ring = [
        canonical("Library", f"r{n}", subjectReference={"reference": f"Library/r{(n + 1) % 3}"})
        for n in range(3)
    ]
    with scripted(server_like(habits.at_most(2)), server) as proxy:
        report = publish(proxy.base_url, release(*ring))
    assert len(report.refused) == 3
    assert state(server) == {}
