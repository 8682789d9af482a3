import pytest

from fhirpkg.publishing.proving.verify import apply_on_server, read_back, verify
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import client, document, publish, release, resources
from tests.servers import habits
from tests.servers.habits import server_like
from tests.servers.scripted import Reply, scripted


def put(server, resource):
    with client(server) as other:
        place = f"{resource['resourceType']}/{resource['id']}"
        assert other.request("PUT", place, body=resource).ok


def test_everything_is_read_searched_and_hashed(server):
    publish(server)
    found = verify(release(), client(server))
    assert found
    assert (found.checked, found.attachments) == (4, 2)
    assert found.searches == 2 + 3  # two canonicals; context, topic and event of the code


def test_what_is_gone_is_missing_not_altered(server):
    publish(server)
    with client(server) as other:
        other.request("DELETE", "PlanDefinition/course")
    found = verify(release(), client(server))
    assert list(found.missing) == ["PlanDefinition/course"]
    assert found.altered == {}
    assert any("context=http://www.ama-assn.org/go/cpt|20983" in s for s in found.not_found)


def test_an_edit_is_altered_and_shown_by_place(server):
    publish(server)
    edited = resources("Edited")[0]
    put(server, edited | {"meta": {"tag": [release().owner]}})
    found = verify(release(), client(server))
    assert found.altered == {
        "ActivityDefinition/walk": ["title: server has 'Edited', content has 'Walking'"]
    }


def test_a_mark_that_is_not_kept_is_told(server):
    publish(server)
    put(server, resources()[0])
    found = verify(release(), client(server))
    assert found.altered == {
        "ActivityDefinition/walk": ["meta.tag: the mark of this package is not kept"]
    }


@pytest.mark.parametrize(
    "key, value, problem", [("size", 3, "15 bytes, not 3"), ("hash", "AAAA", "its SHA-1 is")]
)
def test_an_attachment_that_is_not_what_it_promises_is_damaged(server, key, value, problem):
    wrong = document("leaflet")
    wrong["content"][0]["attachment"][key] = value
    publish(server, release(wrong))
    found = verify(release(wrong), client(server))
    assert found.damaged["DocumentReference/leaflet"].startswith(problem)


def test_an_attachment_behind_a_url_is_fetched(server):
    put(server, {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": "aGk="})
    linked = document("leaflet")
    linked["content"][0]["attachment"] = {"url": "Binary/b", "size": 2}
    publish(server, release(linked))
    found = verify(release(linked), client(server))
    assert (found.attachments, found.damaged) == (1, {})


def test_an_attachment_in_a_bundle_leads_to_one_of_its_entries(server):
    def bundle(data, url="Binary/b"):
        binary = {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": data}
        attached = document("d")
        attachment = attached["content"][0]["attachment"]
        del attachment["data"]
        attachment["url"] = url
        entries = [{"fullUrl": f"http://example.org/fhir/{r['resourceType']}/{r['id']}",
                    "resource": r} for r in (attached, binary)]  # fmt: skip
        return {"resourceType": "Bundle", "id": "x", "type": "collection", "entry": entries}

    kept = document("d")["content"][0]["attachment"]["data"]
    for given, damaged, notes in (
        (bundle(kept), False, ""),
        (bundle("AAAA"), True, ""),
        (bundle(kept, "leaflet.pdf"), False, "leaflet.pdf is elsewhere"),
    ):
        publish(server, release(given), overwrite=(Change.DRIFT, Change.IMMUTABLE))
        found = verify(release(given), client(server))
        assert (found.attachments, bool(found.damaged)) == (1, damaged)
        assert notes in " ".join(found.notes)


def test_a_second_resource_of_a_canonical_is_one_too_many(server):
    publish(server)
    put(server, resources()[0] | {"id": "twin"})
    found = verify(release(), client(server))
    assert [s for s in found.not_found if s.endswith("also finds twin")]


def test_a_search_that_lags_is_asked_again(server):
    publish(server)
    with scripted(server_like(habits.finds_late(8)), server) as proxy:
        assert verify(release(), client(proxy.base_url))


def test_what_the_servers_own_validation_says_is_told(server):
    publish(server)

    def script(request, forward):
        if not request.path.endswith("$validate"):
            return forward(request)
        if "PlanDefinition" in request.path:
            return habits.outcome(200, "goal: minimum is 1")
        if "ActivityDefinition" in request.path:
            return Reply(404)
        return Reply(200, {"resourceType": "OperationOutcome", "issue": []})

    with scripted(script, server) as proxy:
        found = verify(release(), client(proxy.base_url), validate=True)
    assert found.invalid == {"PlanDefinition/course": "goal: minimum is 1"}
    assert found.notes == ["ActivityDefinition/walk: $validate was not carried out (HTTP 404)"]


def test_what_the_server_makes_of_a_plan_is_told(server):
    publish(server)
    plan = {"resourceType": "CarePlan", "id": "x"}
    for reply, invalid, notes in (
        (Reply(200, plan), {}, ["PlanDefinition/course: $apply gives a CarePlan"]),
        (
            habits.outcome(404, "no such operation"),
            {"PlanDefinition/course": "$apply: HTTP 404: no such operation"},
            [],
        ),
    ):

        def script(request, forward, reply=reply):
            return reply if "$apply" in request.path else forward(request)

        with scripted(script, server) as proxy, client(proxy.base_url) as connected:
            found = verify(release(), connected)
            apply_on_server(release(), connected, "Patient/a", found)
        assert (found.invalid, found.notes) == (invalid, notes)


def test_a_large_package_is_counted_and_what_is_missing_still_named(server):
    many = [document(f"d{n}", "x") for n in range(1001)]
    given = release(*many)
    places = publish(server, given).places
    with client(server) as connected:
        assert read_back(given, connected, places, written=True)
        connected.request("DELETE", "DocumentReference/d7")
        found = read_back(given, connected, places, written=True)
    assert list(found.missing) == ["DocumentReference/d7"]


def test_a_large_package_that_nobody_touched_is_not_read_again_but_an_edit_is_seen(server):
    many = [document(f"d{n}", "x") for n in range(1001)]
    publish(server, release(*many))

    def forwarding(request, forward):
        return forward(request)

    with scripted(forwarding, server) as proxy:
        assert publish(proxy.base_url, release(*many)).unchanged == 1001
        assert len(proxy.seen) < 12
    put(server, many[3] | {"description": "edited", "meta": {"tag": [release().owner]}})
    assert publish(server, release(*many)).conflicts == {"DocumentReference/d3"}
