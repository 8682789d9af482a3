import json

import pytest

from fhirpkg.cli import _run
from fhirpkg.errors import ConfigError, ResolutionError
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.proving.verify import verify
from fhirpkg.publishing.prune import prune
from fhirpkg.publishing.rollback import check_package, content_before, previous_inventory
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import (
    canonical,
    client,
    content,
    publish,
    release,
    resources,
    rolled_back,
)
from tests.servers import habits, vendors
from tests.servers.habits import server_like
from tests.servers.scripted import Reply, scripted


@pytest.mark.parametrize(
    "played", [(), vendors.HAPI, (habits.refuses_client_ids,)], ids=["FHIR", "HAPI", "server's ids"]
)
def test_the_previous_state_comes_back_and_the_way_forward_stays_open(server, played):
    with scripted(server_like(*played), server) as proxy:
        base_url = proxy.base_url
        publish(base_url)
        publish(base_url, release(*resources("Running")))
        assert rolled_back(base_url).updated == 2
        assert verify(release(), client(base_url))
        assert rolled_back(base_url).updated == 2
        assert verify(release(*resources("Running")), client(base_url))


def test_what_the_newer_state_added_becomes_an_orphan(server):
    publish(server)
    publish(server, release(*resources(), canonical("PlanDefinition", "more")))
    rolled_back(server)
    with client(server) as connected:
        plan = make_plan(release(), connected)
    assert [i.place for i in plan.of(Change.ORPHAN)] == ["PlanDefinition/more"]


@pytest.mark.parametrize("played", [(), vendors.HAPI], ids=["FHIR", "HAPI"])
@pytest.mark.parametrize("delete", [False, True], ids=["retired", "deleted"])
def test_what_was_pruned_comes_back_too(server, played, delete):
    with scripted(server_like(*played), server) as proxy:
        base_url = proxy.base_url
        publish(base_url)
        fewer = release(*resources()[:3])
        publish(base_url, fewer)
        with client(base_url) as connected:
            found = prune(make_plan(fewer, connected), connected, delete=delete)
            assert found.is_complete
        assert rolled_back(base_url).is_complete
        assert verify(release(), client(base_url))


def test_what_was_edited_after_a_prune_is_drift(server):
    publish(server)
    fewer = release(*resources()[:3])
    publish(server, fewer)
    with client(server) as connected:
        prune(make_plan(fewer, connected), connected)
        edited = connected.read("DocumentReference", "aftercare") | {"description": "by hand"}
        connected.request("PUT", "DocumentReference/aftercare", body=edited)
    assert rolled_back(server).conflicts == {"DocumentReference/aftercare"}


def test_without_a_previous_state_there_is_no_way_back(server):
    with client(server) as connected:
        with pytest.raises(ConfigError, match=r"no push of demo\.walking is on record"):
            previous_inventory(connected, "demo.walking")
        publish(server)
        with pytest.raises(ConfigError, match="no previous state"):
            previous_inventory(connected, "demo.walking")


def test_a_server_without_history_needs_the_package_itself(server, tmp_path, capfd):
    publish(server)
    publish(server, release(*resources("Running")))

    def without_history(request, forward):
        return Reply(404) if "_history" in request.path else forward(request)

    with (
        scripted(server_like(without_history), server) as proxy,
        client(proxy.base_url) as connected,
    ):
        inventory = previous_inventory(connected, "demo.walking")
        with pytest.raises(ResolutionError, match="no longer has this version"):
            content_before(connected, inventory)
        walking = canonical("ValueSet", "w")
        (tmp_path / "w.json").write_text(json.dumps(walking))
        at = [str(tmp_path), "--as", "demo.walking#1.0.0", "--server", proxy.base_url]
        assert _run(["rollback", *at]) == 2
        assert "--package" in capfd.readouterr().err
        check_package(content(), inventory)
        with pytest.raises(ConfigError, match="is not what was published before"):
            check_package(content(*resources("Other")), inventory)
