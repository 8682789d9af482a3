"""The law of `test_faults` for every kind of write, and for what gateways make of an answer."""

import pytest

from fhirpkg.publishing.proving.verify import verify
from tests.publishing.sample import client, publish, release, resources, state
from tests.publishing.test_faults import disturbed
from tests.servers import faults, habits
from tests.servers.habits import is_transaction, server_like
from tests.servers.scripted import scripted

NO_BUNDLES = (habits.without_system("transaction"), habits.without_system("batch"))
KINDS = {
    "PUT": NO_BUNDLES,
    "POST": (habits.refuses_client_ids, *NO_BUNDLES),
    "batch of PUT": (habits.without_system("transaction"),),
    "transaction of POST": (habits.refuses_client_ids,),
}
FAULTS = {
    "reset before": faults.reset_before,
    "answer lost after commit": faults.lost_after,
    "answer cut after commit": faults.cut_after,
    "502 with HTML after commit": faults.html_502_after,
    "gzip broken after commit": faults.broken_gzip,
    "204 without a body after commit": faults.no_content_after,
    "200 with an outcome that is an error": faults.outcome_with_200,
}


def is_of_content(request):
    """A write of the package's own resources, in whatever portion."""
    if is_transaction(request):
        return True
    return faults.is_write(request) and not {"Library", "List"} & set(request.path.split("/"))


def contents(server):
    """What stands there, whatever ids and versions it has."""
    found = []
    for _, resource in state(server).values():
        name = resource.get("url") or resource["identifier"][0]["value"]
        found.append((name, resource.get("title"), resource.get("description")))
    return sorted(found, key=str)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("played", KINDS.values(), ids=KINDS)
def test_nothing_is_lost_nor_doubled_by_a_fault_in_any_kind_of_write(server, played, fault):
    with scripted(server_like(*played), server) as proxy:
        report = disturbed(proxy.base_url, faults.at(1, fault, is_of_content))
        if report is not None and report.is_complete:
            assert len(state(server)) == 4
        assert publish(proxy.base_url).is_complete
        assert len(contents(server)) == len({name for name, *_ in contents(server)}) == 4
        assert verify(release(), client(proxy.base_url))
        written = len(proxy.writes)
        assert publish(proxy.base_url).unchanged == 4
        assert len(proxy.writes) == written


@pytest.mark.parametrize("played", KINDS.values(), ids=KINDS)
def test_an_update_whose_answer_is_lost_makes_no_version_too_many(server, played):
    with scripted(server_like(*played), server) as proxy:
        publish(proxy.base_url)
        changed = release(*resources("Running"))
        disturbed(proxy.base_url, faults.at(1, faults.lost_after, is_of_content), changed)
        assert publish(proxy.base_url, changed).is_complete
        assert sorted(version for version, _ in state(server).values()) == ["1", "1", "2", "2"]


ALWAYS = {
    "in drops": faults.slow_drip,
    "in chunks": faults.in_chunks,
    "by HTTP/1.0": faults.http_1_0,
    "after a redirect 307": faults.redirected(307),
    "after a redirect 308": faults.redirected(308),
    "with a wrong content type": faults.wrong_type,
}


@pytest.mark.parametrize("gateway", ALWAYS.values(), ids=ALWAYS)
def test_an_answer_may_come_in_any_way_that_http_allows(server, gateway):
    with scripted(gateway, server) as proxy:
        assert publish(proxy.base_url).created == 4
        assert verify(release(), client(proxy.base_url))
        assert publish(proxy.base_url).unchanged == 4
    assert len(state(server)) == 4


def test_a_token_that_is_refused_for_good_ends_a_push_at_once(server):
    def refuse(request, forward):
        return habits.outcome(401, "the token ended", "login")

    with scripted(faults.at(1, refuse, is_transaction), server) as proxy:
        report = publish(proxy.base_url)
        assert sum(map(is_transaction, proxy.writes)) == 1
    assert len(report.failed) == 4
    assert "the token ended" in report.failed["PlanDefinition/course"]
    assert publish(server).created == 4


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_that_never_ends_is_the_fault_of_one_and_the_others_are_written(server, status):
    def refuse(request, forward):
        if is_of_content(request) and b"PlanDefinition/course" in request.body:
            return habits.outcome(status, "a rule of this server is against it", "conflict")
        return forward(request)

    with scripted(refuse, server) as proxy:
        report = publish(proxy.base_url)
    assert list(report.refused) == ["PlanDefinition/course"]
    assert "a rule of this server" in report.refused["PlanDefinition/course"]
    assert (report.created, len(state(server))) == (3, 3)
