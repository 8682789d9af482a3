"""A push to a server with odd habits ends complete or refused, never wrong."""

import pytest

from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.proving.verify import verify
from fhirpkg.publishing.prune import prune
from fhirpkg.publishing.survey import Change
from fhirpkg.publishing.writing.strategy import alternative
from tests.publishing.sample import (
    canonical,
    client,
    document,
    publish,
    release,
    resources,
    state,
)
from tests.servers import habits, vendors
from tests.servers.habits import server_like
from tests.servers.scripted import Reply, scripted

SERVERS = {
    "HAPI": vendors.HAPI,
    "Helios": vendors.HELIOS,
    "Medplum": vendors.MEDPLUM,
    "Helios without search parameters": vendors.HELIOS_WITHOUT_PARAMETERS,
    "Azure": vendors.AZURE,
    "Azure without transactions": vendors.AZURE_WITHOUT_TRANSACTIONS,
    "Google": vendors.GOOGLE,
    "Google without bundles": (
        *vendors.GOOGLE,
        habits.without_system("transaction"),
        habits.without_system("batch"),
    ),
    "HealthLake": vendors.HEALTHLAKE,
    "Firely": vendors.FIRELY,
    "Blaze": vendors.BLAZE,
    "Medplum, throttled": vendors.MEDPLUM_THROTTLED,
    "lenient": vendors.LENIENT,
    "no client ids": (habits.refuses_client_ids,),
    "no client ids, batch only": (
        habits.refuses_client_ids,
        habits.without_system("transaction"),
    ),
    "ignores If-Match": (habits.ignores_if_match,),
    "batch only": (habits.without_system("transaction"),),
    "neither": (habits.without_system("transaction"), habits.without_system("batch")),
    "claims bundles, takes none": (habits.no_bundles,),
    "two entries at most": (habits.at_most(2),),
    "one entry at most": (habits.at_most(1),),
    "small pages": (habits.pages_of_two,),
    "stale searches": (habits.stale_searches(60, obeys_no_cache=True),),
    "searches stale whatever is asked": (habits.stale_searches(60, obeys_no_cache=False),),
    "an index behind": (habits.finds_late(12),),
    "another host in links": (habits.names_another_host,),
    "no Library": (habits.without_type("Library"),),
    "no List": (habits.without_type("List"),),
}


@pytest.mark.parametrize("played", SERVERS.values(), ids=SERVERS)
def test_a_push_ends_complete_and_a_second_one_writes_nothing(server, played):
    with scripted(server_like(*played), server) as proxy:
        assert publish(proxy.base_url).is_complete
        contents = {r.get("url") or r["identifier"][0]["value"] for _, r in state(server).values()}
        assert len(contents) == len(state(server)) == 4
        written = len(proxy.writes)
        report = publish(proxy.base_url)
        assert (report.unchanged, len(proxy.writes)) == (4, written)


@pytest.mark.parametrize("played", SERVERS.values(), ids=SERVERS)
def test_an_update_reaches_it_and_is_proven(server, played):
    with scripted(server_like(*played), server) as proxy:
        publish(proxy.base_url)
        changed = release(*resources("Running"))
        report = publish(proxy.base_url, changed)
        assert (report.updated, report.unchanged) == (2, 2)
        found = verify(changed, client(proxy.base_url))
        assert (found.missing, found.altered, found.damaged) == ({}, {}, {})


def test_references_follow_the_ids_that_the_server_gives(server):
    with scripted(server_like(habits.refuses_client_ids), server) as proxy:
        publish(proxy.base_url)
    stored = {r["identifier"][0]["value"]: r for _, r in state(server).values() if "content" in r}
    target = stored["aftercare"]["relatesTo"][0]["target"]["reference"]
    assert target == f"DocumentReference/{stored['leaflet']['id']}"
    assert stored["leaflet"]["id"] != "leaflet"


@pytest.mark.parametrize("played", [vendors.EPIC, vendors.ORACLE], ids=["Epic", "Oracle Health"])
def test_a_server_of_patient_records_is_refused_with_reasons_and_the_way_out(server, played):
    with scripted(server_like(*played), server) as proxy:
        connected = client(proxy.base_url)
        plan = make_plan(release(), connected)
        reasons = {item.local: item.why for item in plan.of(Change.UNSUPPORTED)}
        assert reasons["PlanDefinition/course"] == "the server does not know this type"
        assert reasons["DocumentReference/leaflet"] == "the server does not offer: update"
        assert "CDS Hooks" in alternative(connected.capabilities(), ["PlanDefinition"])
        report = publish(proxy.base_url)
        assert len(report.refused) == 4
        assert proxy.writes == []


def test_what_a_server_drops_is_altered_not_missing_and_not_pushed_for_ever(server):
    given = release(canonical("PlanDefinition", "course", copyright="ours"))
    with scripted(server_like(habits.drops_copyright), server) as proxy:
        assert publish(proxy.base_url, given).is_complete
        found = verify(given, client(proxy.base_url))
        assert list(found.altered) == ["PlanDefinition/course"]
        assert found.altered["PlanDefinition/course"][0].startswith("copyright: server has nothing")
        assert found.missing == {}
        written = len(proxy.writes)
        assert publish(proxy.base_url, given).unchanged == 1
        assert len(proxy.writes) == written


def test_a_search_that_cannot_be_trusted_is_told(server):
    publish(server)
    with client(server) as other:
        more = canonical("ActivityDefinition", "another")
        other.request("PUT", "ActivityDefinition/another", body=more)
    with scripted(server_like(habits.ignores_parameter("url")), server) as proxy:
        plan = make_plan(release(), client(proxy.base_url))
        assert any("ActivityDefinition?url= is unreliable" in note for note in plan.notes)


@pytest.mark.parametrize(
    "given",
    [
        Reply(200, "<html></html>", {"content-type": "text/html"}),
        Reply(200, {"resourceType": "Patient"}),
        Reply(200, {"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}),
        Reply(406),
        Reply(401, {"error": "no"}),
    ],
)
def test_what_is_no_r4_server_is_one_line_and_nothing_is_sent(given, capfd):
    from fhirpkg.cli import _run

    with scripted(lambda *_: given) as server:
        assert _run(["push", "--server", server.base_url]) == 2
        assert server.writes == []
    assert capfd.readouterr().err.count("\n") == 1


def test_an_id_that_a_server_gives_only_once_is_refused_in_its_words(server):
    with scripted(server_like(*vendors.FIRELY), server) as proxy:
        publish(proxy.base_url)
        with client(server) as other:
            other.request("DELETE", "PlanDefinition/course")
        report = publish(proxy.base_url)
    assert list(report.refused) == ["PlanDefinition/course"]
    assert "cannot be used again" in report.refused["PlanDefinition/course"]
    assert not report.is_complete


def test_a_reference_that_leads_nowhere_is_refused_and_the_rest_is_written(server):
    later = {"code": "appends", "target": {"reference": "DocumentReference/nowhere"}}
    listed = resources()
    listed[3]["relatesTo"] = [later]
    with scripted(server_like(*vendors.BLAZE), server) as proxy:
        report = publish(proxy.base_url, release(*listed))
    assert list(report.refused) == ["DocumentReference/aftercare"]
    assert "DocumentReference/nowhere does not exist" in next(iter(report.refused.values()))
    assert report.created == 3


def test_what_a_server_holds_together_is_not_pruned(server):
    with scripted(server_like(*vendors.BLAZE), server) as proxy:
        publish(proxy.base_url)
        with client(server) as other:
            ours = {"code": "appends", "target": {"reference": "DocumentReference/aftercare"}}
            other.request(
                "PUT", "DocumentReference/theirs", body=document("theirs", relatesTo=[ours])
            )
        with client(proxy.base_url) as connected:
            plan = make_plan(release(*resources()[:3]), connected)
            found = prune(plan, connected, delete=True)
    assert "DocumentReference/aftercare is still used" in next(iter(found.refused.values()))
    assert found.deleted == []


def test_without_its_condition_a_creation_goes_by_identifier_where_the_server_wants_that(server):
    with scripted(server_like(*vendors.GOOGLE), server) as proxy:
        publish(proxy.base_url)
        sent = [r.resource["entry"] for r in proxy.writes if r.resource.get("entry")]
    conditions = [[e["request"].get("ifNoneExist") for e in entries] for entries in sent]
    assert conditions[0][0].startswith("url=")
    assert conditions[-1] == [
        None,
        None,
        "identifier=urn%3Aexample%3Adocuments%7Cleaflet",
        "identifier=urn%3Aexample%3Adocuments%7Caftercare",
    ]
