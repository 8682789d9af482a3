"""Few requests for slow servers, and creations proven where versions are not numbers."""

import uuid

import pytest

from fhirpkg.cli import _run
from fhirpkg.errors import ServerError
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.proving.verify import read_back, verify
from fhirpkg.publishing.push import push
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import CPT, canonical, client, focus, publish, release, state
from tests.servers import habits, vendors
from tests.servers.habits import server_like, with_body
from tests.servers.scripted import Reply, scripted


def thirty_one():
    types = ("ValueSet", "PlanDefinition", "ActivityDefinition", "Questionnaire")
    listed = [canonical(types[n % 4], f"r{n}") for n in range(30)]
    topic = [{"coding": [CPT]}]
    return release(*listed, canonical("PlanDefinition", "r30", useContext=focus(), topic=topic))


def pushed(base_url, given):
    """What `push` does, without the command line."""
    with client(base_url) as connected:
        plan = make_plan(given, connected)
        report = push(plan, connected)
        found = read_back(plan.release, connected, report.places, written=report.writes)
        return report, found


@pytest.mark.parametrize("server_of", [(), vendors.HAPI], ids=["FHIR", "HAPI"])
def test_thirty_one_resources_are_pushed_and_proven_in_twelve_requests(server, server_of):
    with scripted(server_like(*server_of), server) as proxy:
        report, found = pushed(proxy.base_url, thirty_one())
        assert (report.created, bool(found), found.searches) == (31, True, 33)
        assert len(proxy.seen) <= 12
        before = len(proxy.seen)
        report, found = pushed(proxy.base_url, thirty_one())
        assert (report.unchanged, bool(found)) == (31, True)
        assert len(proxy.seen) - before <= 6


def test_a_server_without_bundles_gets_the_same_one_by_one(server):
    with scripted(server_like(habits.no_bundles), server) as proxy:
        report, found = pushed(proxy.base_url, thirty_one())
    assert (report.created, bool(found)) == (31, True)


def test_what_a_server_finds_only_by_search_is_there(server):
    with scripted(server_like(habits.reads_its_own("PlanDefinition/course")), server) as proxy:
        report, found = pushed(proxy.base_url, release())
        assert (report.created, found.missing) == (4, {})
        report, found = pushed(proxy.base_url, release())
        assert (report.unchanged, found.missing) == (4, {})


def test_what_was_asked_ahead_does_not_outlive_a_write(server):
    with client(server) as connected:
        place = "PlanDefinition/x"
        connected.ask_ahead([(place, ()), ("PlanDefinition/y", ())])
        assert connected.is_ahead(place)
        connected.request("PUT", place, body=canonical("PlanDefinition", "x"))
        assert not connected.is_ahead(place)
        assert connected.read("PlanDefinition", "x") is not None


UUID = uuid.UUID(int=7)


def version_ids_are_uuids(request, forward):
    """Medplum: versions are UUIDs, and a PUT that creates answers 200 as an update does."""
    reply = forward(request)
    if reply.status == 201 and request.method == "PUT":
        reply = reply.but(status=200)
    return renamed(reply)


def renamed(reply):
    if reply.bytes()[:1] != b"{":
        return reply
    resource = reply.resource
    for each in [resource, *(e.get("resource") or {} for e in resource.get("entry", []))]:
        version = (each.get("meta") or {}).get("versionId")
        if version and "-" not in version:
            each["meta"]["versionId"] = str(uuid.uuid5(UUID, version))
    for entry in resource.get("entry", []):
        told = entry.get("response") or {}
        if told.get("etag"):
            told["etag"] = f'W/"{uuid.uuid5(UUID, told["etag"].strip(chr(34) + "W/"))}"'
        if str(told.get("status", "")).startswith("201"):
            told["status"] = "200 OK"
        told.pop("location", None)
    headers = {k: v for k, v in reply.headers.items() if k.lower() not in {"location", "etag"}}
    etag = next((v for k, v in reply.headers.items() if k.lower() == "etag"), "")
    if etag:
        headers["ETag"] = f'W/"{uuid.uuid5(UUID, etag.strip(chr(34) + "W/"))}"'
    return reply.but(body=resource, headers=headers)


def knows_no_uuid(request, forward):
    """The conditions of the one behind, which knows its own versions only."""
    headers = {k: v for k, v in request.headers.items() if k not in {"if-match", "if-none-match"}}
    if habits.is_transaction(request):
        bundle = request.resource
        for entry in bundle["entry"]:
            entry["request"].pop("ifMatch", None)
            entry["request"].pop("ifNoneMatch", None)
        request = with_body(request, bundle)
    return forward(type(request)(request.method, request.path, headers, request.body))


MEDPLUM = (version_ids_are_uuids, knows_no_uuid)


def test_creations_are_counted_right_where_versions_are_uuids(server):
    with scripted(server_like(*MEDPLUM), server) as proxy:
        report = publish(proxy.base_url)
        assert (report.created, report.updated) == (4, 0)
        assert any("every creation was checked" in note for note in report.notes)


def test_a_creation_that_answers_201_needs_no_look_at_the_history(server):
    def honest(request, forward):
        return renamed(forward(request))

    with scripted(server_like(habits.no_bundles, honest, knows_no_uuid), server) as proxy:
        assert publish(proxy.base_url).created == 4
        asked = [request.path for request in proxy.seen if "_history" in request.path]
    assert not [path for path in asked if "/List/" not in path]  # the release's own record


def test_what_came_in_between_is_found_where_versions_are_uuids(server):
    other = canonical("PlanDefinition", "course", title="Somebody else's")

    def meanwhile(request, forward):
        if habits.is_transaction(request):
            with client(server) as somebody:
                somebody.request("PUT", "PlanDefinition/course", body=other)
        return forward(request)

    with scripted(server_like(meanwhile, *MEDPLUM), server) as proxy:
        report = publish(proxy.base_url)
    assert report.conflicts == {"PlanDefinition/course"}
    assert "/_history/" in report.refused["PlanDefinition/course"]
    assert report.created == 3


def test_a_creation_of_which_nothing_is_told_is_called_unproven(server):
    def no_history(request, forward):
        is_history = "_history" in request.path
        return (
            habits.outcome(404, "no history here", "not-found") if is_history else forward(request)
        )

    with scripted(server_like(no_history, *MEDPLUM), server) as proxy:
        report = publish(proxy.base_url)
    assert report.created == 4
    assert any(note.startswith("unproven: 4 creations") for note in report.notes)
    assert not any("every creation was checked" in note for note in report.notes)


def test_a_verify_asks_again_only_for_what_a_recent_push_explains(server):
    given = thirty_one()
    publish(server, given)
    with client(server) as other:
        edited = canonical("PlanDefinition", "r30", title="x")
        other.request("PUT", "PlanDefinition/r30", body=edited)
        other.request("DELETE", "ValueSet/r0")

    def loses_a_search(request, forward):
        if "r4&version" in request.path:
            return Reply(200, {"resourceType": "Bundle", "type": "searchset", "total": 0})
        return forward(request)

    with scripted(server_like(loses_a_search), server) as proxy:
        found = verify(given, client(proxy.base_url))
        assert list(found.missing) == ["ValueSet/r0"]
        assert list(found.altered) == ["PlanDefinition/r30"]
        assert sum("r4" in search for search in found.not_found) == 1
        assert len(proxy.seen) < 30  # the searches that fail are not all asked again and again


def test_a_server_that_leads_reads_to_another_is_named_before_anything_is_judged(server):
    def elsewhere(request, forward):
        return Reply(307, b"", {"Location": f"http://127.0.0.1:9{request.path}"})

    with (
        scripted(server_like(elsewhere), server) as proxy,
        pytest.raises(ServerError, match=r"name that server instead"),
    ):
        make_plan(release(), client(proxy.base_url, stays=True))
    with scripted(server_like(elsewhere), server) as proxy:
        assert _run(["plan", "--server", proxy.base_url]) == 2


def test_conditional_references_that_were_resolved_are_the_same(server):
    organization = {
        "resourceType": "Organization",
        "id": "o",
        "identifier": [{"system": "urn:example:o", "value": "1"}],
    }
    author = {"reference": "Organization?identifier=urn:example:o|1"}
    with_author = canonical("Library", "l") | {"subjectReference": author}
    with client(server) as other:
        other.request("PUT", "Organization/o", body=organization)
    given = release(with_author)
    report, found = pushed(server, given)
    assert (report.created, found.altered) == (1, {})
    assert "Organization/o" in str(state_of(server, "Library/l"))
    with client(server) as connected:
        assert [i.change for i in make_plan(given, connected).items] == [Change.UNCHANGED]


def state_of(base_url, place):
    with client(base_url) as connected:
        return connected.read(*place.split("/"))


def test_the_order_of_profiles_is_the_servers_choice(server):
    profiles = ["http://example.org/b", "http://example.org/a"]
    given = release(canonical("PlanDefinition", "p", meta={"profile": profiles}))

    def sorts_profiles(request, forward):
        if habits.is_transaction(request):
            bundle = request.resource
            for entry in bundle["entry"]:
                meta = entry["resource"].get("meta", {})
                meta["profile"] = sorted(meta.get("profile", []))
            request = with_body(request, bundle)
        return forward(request)

    with scripted(server_like(sorts_profiles), server) as proxy:
        report, found = pushed(proxy.base_url, given)
        assert (report.created, found.altered) == (1, {})
        assert pushed(proxy.base_url, given)[0].unchanged == 1
    assert state(server)["PlanDefinition/p"][1]["meta"]["profile"] == sorted(profiles)


def test_a_package_beyond_a_hundred_resources_is_searched_for_in_portions(server):
    given = release(*(canonical("ValueSet", f"v{number}") for number in range(150)))
    with scripted(server_like(), server) as proxy:
        publish(proxy.base_url, given)
        before = len(proxy.seen)
        with client(proxy.base_url) as connected:
            found = verify(given, connected)
        assert (found.searches, bool(found)) == (150, True)
        assert len(proxy.seen) - before <= 12
