import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.publishing.orphans import RETIRED
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.prune import foreseen, prune
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import canonical, client, publish, release, resources, state
from tests.servers import habits, vendors
from tests.servers.habits import server_like
from tests.servers.scripted import scripted


def pruned(base_url, *listed, **more):
    with client(base_url) as connected:
        plan = make_plan(release(*listed), connected)
        found = prune(plan, connected, **more)
        return found, make_plan(release(*listed), connected)


@pytest.mark.parametrize("played", [(), vendors.HAPI], ids=["FHIR", "HAPI"])
def test_an_orphan_is_retired_and_no_longer_ours(server, played):
    publish(server)
    before = state(server)
    with scripted(server_like(*played), server) as proxy:
        found, after = pruned(proxy.base_url, *resources()[:3])
    assert found.retired == ["DocumentReference/aftercare"]
    assert after.of(Change.ORPHAN) == []
    now = state(server)
    _, retired = now.pop("DocumentReference/aftercare")
    assert retired["status"] == "superseded"
    assert "tag" not in retired.get("meta", {})
    before.pop("DocumentReference/aftercare")
    assert now == before


@pytest.mark.parametrize("delete", [False, True], ids=["retire", "delete"])
def test_an_orphan_that_a_server_finds_only_by_search_is_not_left_out(server, delete):
    publish(server)
    own = habits.reads_its_own("DocumentReference/aftercare")
    with scripted(server_like(own, *vendors.HAPI), server) as proxy:
        found, after = pruned(proxy.base_url, *resources()[:3], delete=delete)
        assert (found.deleted if delete else found.retired) == ["DocumentReference/aftercare"]
        assert after.of(Change.ORPHAN) == []


@pytest.mark.parametrize(
    "left",
    [
        {"resourceType": "Encounter", "id": "left", "status": "finished",
         "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
        {"resourceType": "Observation", "id": "left", "status": "final", "code": {"text": "a"}},
        {"resourceType": "Basic", "id": "left", "code": {"text": "a"}},
    ],
    ids=["finished", "final", "none"],
)  # fmt: skip
def test_an_orphan_that_no_status_takes_out_of_use_is_left_and_named(server, left):
    publish(server, release(*resources(), left))
    before = state(server)
    place = f"{left['resourceType']}/left"
    with client(server) as connected:
        plan = make_plan(release(*resources()), connected)
        assert list(foreseen(plan, delete=False).refused) == [place]
        assert list(prune(plan, connected).refused) == [place]
    assert state(server) == before
    found, _ = pruned(server, *resources(), delete=True)
    assert found.deleted == [place]


def test_the_status_that_retires_is_one_of_the_type():
    definitions = Definitions.core()
    for resource_type in definitions.types.resource_types():
        structure = definitions.find(
            f"http://hl7.org/fhir/StructureDefinition/{resource_type}", "StructureDefinition"
        )
        bound = next(
            (element["binding"]["valueSet"].partition("|")[0].rpartition("/")[2]
             for element in structure["snapshot"]["element"]
             if element["path"] == f"{resource_type}.status" and "binding" in element), ""
        )  # fmt: skip
        known = {"publication-status": "retired", "list-status": "retired",
                 "document-reference-status": "superseded"}  # fmt: skip
        assert RETIRED.get(resource_type) == known.get(bound), resource_type


def test_an_orphan_is_deleted_only_when_told(server):
    publish(server)
    found, after = pruned(server, *resources()[:3], delete=True)
    assert found.deleted == ["DocumentReference/aftercare"]
    assert after.of(Change.ORPHAN) == []
    assert "DocumentReference/aftercare" not in state(server)


def test_what_refers_is_deleted_before_what_it_refers_to(server):
    publish(server)
    keep = resources()[:2]
    found, _ = pruned(server, *keep, delete=True)
    assert found.deleted == ["DocumentReference/aftercare", "DocumentReference/leaflet"]


def test_what_others_still_use_is_not_deleted(server):
    publish(server)
    with client(server) as other:
        url = "http://example.org/fhir/ActivityDefinition/walk"
        action = [{"title": "Go", "definitionCanonical": url}]
        user = canonical("PlanDefinition", "user", action=action)
        other.request("PUT", "PlanDefinition/user", body=user)
    found, _ = pruned(server, *resources()[1:], delete=True)
    assert found.refused == {"ActivityDefinition/walk": "still used by PlanDefinition/user"}
    assert "ActivityDefinition/walk" in state(server)


def test_what_somebody_wrote_since_the_plan_is_not_touched(server):
    publish(server)
    with client(server) as connected:
        plan = make_plan(release(*resources()[1:]), connected)
        edited = connected.read("ActivityDefinition", "walk") | {"title": "Edited"}
        connected.request("PUT", "ActivityDefinition/walk", body=edited)
        found = prune(plan, connected, delete=True)
    assert "somebody else wrote version 2" in found.refused["ActivityDefinition/walk"]


def test_what_was_pruned_can_be_published_again(server):
    publish(server)
    pruned(server, *resources()[:3], delete=True)
    report = publish(server)
    assert (report.created, report.unchanged) == (1, 3)
