"""What a server keeps of a package may be edited, deleted or taken over: nothing gets lost."""

import pytest

from fhirpkg.publishing.bookkeeping.head import ConflictError, head_id, read_head
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.prune import prune
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import canonical, client, publish, release, resources, state
from tests.servers import habits, vendors
from tests.servers.habits import server_like
from tests.servers.scripted import scripted

PLAYED = {"FHIR": (), "HAPI": vendors.HAPI, "server's ids": (habits.refuses_client_ids,)}
HEAD = f"List/{head_id('demo.walking')}"


@pytest.fixture(params=PLAYED.values(), ids=PLAYED)
def played(request, server):
    with scripted(server_like(*request.param), server) as proxy:
        yield proxy


def edited(server, place, change):
    with client(server) as other:
        resource = other.read(*place.split("/"))
        change(resource)
        assert other.request("PUT", place, body=resource).ok


def deleted(server, place):
    with client(server) as other:
        assert other.request("DELETE", place).ok


def inventory_of(server):
    with client(server) as reader:
        return read_head(reader, "demo.walking").manifest


def settled(proxy, server):
    """A push of the same that mends the record, a second one that has nothing to do."""
    before = state(server)
    report = publish(proxy.base_url)
    assert (report.unchanged, report.is_complete) == (4, True)
    assert state(server) == before
    written = len(proxy.writes)
    assert publish(proxy.base_url).is_complete
    assert len(proxy.writes) == written


def test_an_inventory_that_is_gone_is_written_again(played, server):
    publish(played.base_url)
    deleted(server, inventory_of(server))
    settled(played, server)


def test_an_inventory_that_is_damaged_is_written_again(played, server):
    publish(played.base_url)
    edited(server, inventory_of(server), lambda r: r["content"][0].update(data="AAAA"))
    settled(played, server)


def test_a_head_that_names_no_inventory_is_mended(played, server):
    publish(played.base_url)
    with client(server) as reader:
        head = read_head(reader, "demo.walking")
    named = next(i for i in head.resource()["identifier"] if i["system"].endswith("/manifest"))
    wrong = named | {"value": "Library/nowhere"}
    edited(
        server,
        f"List/{head.id}",
        lambda r: r.update(identifier=[wrong if i == named else i for i in r["identifier"]]),
    )
    settled(played, server)


def test_a_head_that_is_gone_is_made_anew(played, server):
    publish(played.base_url)
    with client(server) as reader:
        head = read_head(reader, "demo.walking")
    deleted(server, f"List/{head.id}")
    settled(played, server)


def test_a_head_that_somebody_made_something_else_of_is_told_with_the_way_out(server):
    publish(server)
    edited(server, HEAD, lambda r: r.pop("identifier"))
    with pytest.raises(ConflictError, match=f"{HEAD} keeps the state .* delete it there, then"):
        publish(server)
    deleted(server, HEAD)
    assert publish(server).is_complete


def taken_over(base_url):
    """The sample as demo.walking's, then as another package's that takes it over."""
    publish(base_url)
    other = release(*(r | {"language": "en"} for r in resources()), name="demo.other")
    assert len(publish(base_url, other).conflicts) == 4
    assert publish(base_url, other, overwrite=[Change.FOREIGN]).updated == 4
    return other


def test_what_another_package_took_over_is_its_own_whatever_tags_a_server_keeps(played, server):
    other = taken_over(played.base_url)
    written = len(played.writes)
    assert publish(played.base_url, other).unchanged == 4
    assert len(played.writes) == written
    report = publish(played.base_url)
    assert len(report.conflicts) == 4
    assert all("belongs to demo.other 1.0.0" in why for why in report.refused.values())


@pytest.mark.parametrize("delete", [False, True], ids=["retire", "delete"])
def test_what_another_package_took_over_is_no_orphan_of_the_first(played, server, delete):
    taken_over(played.base_url)
    before = state(server)
    with client(played.base_url) as connected:
        plan = make_plan(release(canonical("PlanDefinition", "new")), connected)
        assert plan.of(Change.ORPHAN) == []
        found = prune(plan, connected, delete=delete)
    assert (found.retired, found.deleted) == ([], [])
    assert state(server) == before


def test_what_was_taken_over_after_the_plan_is_not_pruned(server):
    publish(server)
    with client(server) as connected:
        plan = make_plan(release(*resources()[:3]), connected)
        publish(server, release(name="demo.other"), overwrite=[Change.FOREIGN])
        found = prune(plan, connected, delete=True)
    assert "somebody else wrote version 2" in found.refused["DocumentReference/aftercare"]


def test_two_packages_on_one_server_leave_each_other_alone(played, server):
    publish(played.base_url)
    before = state(server)
    theirs = [canonical("PlanDefinition", "other"), canonical("ActivityDefinition", "others")]
    publish(played.base_url, release(*theirs, name="demo.other"))
    with client(played.base_url) as connected:
        plan = make_plan(release(theirs[0], name="demo.other"), connected)
        assert len(prune(plan, connected, delete=True).deleted) == 1
    assert publish(played.base_url).unchanged == 4
    now = state(server)
    assert before.items() <= now.items()
    assert len(now) == 5
