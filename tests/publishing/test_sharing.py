"""What several packages hold in common, and versions that replace each other or stand beside."""

import pytest

from fhirpkg.publishing.bookkeeping.state import Versions
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.proving.verify import verify
from fhirpkg.publishing.prune import foreseen, prune
from fhirpkg.publishing.push import push
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import canonical, client, publish, release, state
from tests.servers import vendors
from tests.servers.habits import server_like
from tests.servers.scripted import scripted

SHARED = canonical("PlanDefinition", "shared")
MARKS = ["demo.one", "demo.two"]


@pytest.fixture(params=[(), vendors.HAPI], ids=["FHIR", "HAPI"])
def played(request, server):
    """A server that replaces tags, and one that keeps every tag it was ever given."""
    with scripted(server_like(*request.param), server) as proxy:
        yield proxy.base_url


def package(name, *listed, version="1.0.0"):
    own = canonical("PlanDefinition", name.replace(".", "-"))
    return release(own, *listed, name=name, version=version)


def pruned(base_url, given, **options):
    with client(base_url) as connected:
        plan = make_plan(given, connected)
        told = foreseen(plan, delete=options.get("delete", False))
        found = prune(plan, connected, **options)
        assert told.tables == found.tables
        return found


def marks(base_url, local="PlanDefinition/shared"):
    _, resource = state(base_url)[local]
    return sorted(tag["code"] for tag in resource["meta"].get("tag", []))


def test_what_two_packages_hold_alike_belongs_to_both(played):
    one, two = package("demo.one", SHARED), package("demo.two", SHARED)
    assert publish(played, one).created == 2
    report = publish(played, two)
    assert (report.created, report.updated, report.conflicts) == (1, 1, frozenset())
    assert marks(played) == MARKS
    for each in (one, two):
        assert publish(played, each).unchanged == 2
        with client(played) as connected:
            assert verify(each, connected)


@pytest.mark.parametrize("delete", [False, True], ids=["retire", "delete"])
def test_a_prune_takes_from_what_another_package_holds_only_its_own_mark(played, delete):
    publish(played, package("demo.one", SHARED))
    publish(played, package("demo.two", SHARED))
    found = pruned(played, package("demo.one"), delete=delete)
    assert list(found.released) == ["PlanDefinition/shared"]
    assert "also held by demo.two 1.0.0" in found.released["PlanDefinition/shared"]
    assert (found.retired, found.deleted, found.refused) == ([], [], {})
    assert marks(played) == ["demo.two"]
    with client(played) as connected:
        assert verify(package("demo.two", SHARED), connected)
    assert publish(played, package("demo.two", SHARED)).unchanged == 2
    found = pruned(played, package("demo.two"), delete=delete)
    assert found.places == ["PlanDefinition/shared"]
    assert found.released == {}


def test_other_content_under_one_identity_is_a_conflict_that_names_both(played):
    publish(played, package("demo.one", SHARED))
    report = publish(played, package("demo.two", SHARED | {"title": "Other"}, version="3.0.0"))
    (why,) = (report.refused[local] for local in report.conflicts)
    assert "demo.one 1.0.0" in why
    assert "demo.two 3.0.0" in why
    assert marks(played) == ["demo.one"]


def test_what_is_shared_does_not_change_under_the_other_package(played):
    publish(played, package("demo.one", SHARED))
    publish(played, package("demo.two", SHARED))
    changed = package("demo.one", SHARED | {"title": "New"}, version="1.1.0")
    report = publish(played, changed)
    assert report.conflicts == {"PlanDefinition/shared"}
    assert "is also held by demo.two 1.0.0" in report.refused["PlanDefinition/shared"]
    assert publish(played, changed, overwrite=[Change.FOREIGN]).updated == 1
    assert marks(played) == ["demo.one"]
    assert publish(played, changed).unchanged == 2
    assert publish(played, package("demo.two", SHARED)).conflicts == {"PlanDefinition/shared"}


def test_a_mark_in_content_from_elsewhere_does_not_make_it_the_others(server):
    system = "https://w3id.org/fhirpkg/package"
    exported = SHARED | {"meta": {"tag": [{"system": system, "code": "demo.one"}]}}
    assert publish(server, package("demo.two", exported)).created == 2
    assert marks(server) == ["demo.two"]


def versioned(version, *more):
    link = {"type": "depends-on", "resourceReference": {"reference": "PlanDefinition/x"}}
    return release(
        canonical("PlanDefinition", "x", version=version),
        canonical("ActivityDefinition", "y", version=version, extension=[uses(link)]),
        *more,
        version=version,
    )


def uses(link):
    return {"url": "http://example.org/uses", "valueReference": link["resourceReference"]}


def push_as(base_url, given, versions=None):
    with client(base_url) as connected:
        return push(make_plan(given, connected, versions=versions), connected)


def test_a_new_version_replaces_the_one_before_and_the_plan_says_so(played):
    push_as(played, versioned("1.0.0"))
    with client(played) as connected:
        items = make_plan(versioned("2.0.0"), connected).items
    assert {(i.change, i.why) for i in items} == {(Change.UPDATE, "it replaces version 1.0.0")}
    push_as(played, versioned("2.0.0"))
    assert {r["version"] for _, r in state(played).values()} == {"2.0.0"}


def test_versions_stand_side_by_side_and_refer_to_their_own(played):
    assert push_as(played, versioned("1.0.0"), Versions.MULTIPLE).created == 2
    assert push_as(played, versioned("2.0.0")).created == 2  # as it was published before
    there = state(played)
    assert sorted(there) == [
        "ActivityDefinition/y-1.0.0", "ActivityDefinition/y-2.0.0",
        "PlanDefinition/x-1.0.0", "PlanDefinition/x-2.0.0",
    ]  # fmt: skip
    for version in ("1.0.0", "2.0.0"):
        (used,) = there[f"ActivityDefinition/y-{version}"][1]["extension"]
        assert used["valueReference"]["reference"] == f"PlanDefinition/x-{version}"
    with client(played) as connected:
        assert verify(versioned("2.0.0"), connected)
        assert verify(versioned("1.0.0"), connected)
    assert push_as(played, versioned("2.0.0")).unchanged == 2
    assert pruned(played, versioned("2.0.0")).places == []


def test_what_left_a_version_is_an_orphan_and_other_versions_only_one_at_a_time(server):
    dropped = canonical("PlanDefinition", "dropped", version="2.0.0")
    push_as(server, versioned("1.0.0"), Versions.MULTIPLE)
    push_as(server, versioned("2.0.0", dropped))
    with client(server) as connected:
        orphans = make_plan(versioned("2.0.0"), connected).of(Change.ORPHAN)
        assert [i.place for i in orphans] == ["PlanDefinition/dropped-2.0.0"]
        single = make_plan(versioned("2.0.0"), connected, versions=Versions.SINGLE)
    assert "PlanDefinition/x-1.0.0" in {i.place for i in single.of(Change.ORPHAN)}
