"""What a server makes of content: told as altered, never as missing, and not pushed forever."""

import pytest

from fhirpkg.publishing.proving.verify import verify
from tests.publishing.sample import canonical, client, document, publish, release, state
from tests.servers import habits
from tests.servers.habits import is_transaction, server_like, with_body
from tests.servers.scripted import scripted

EXTENSION = {"url": "http://example.org/added", "valueBoolean": True}
ACTION = [{"title": "a"}, {"title": "b"}]


def altering(change):
    """A server that changes each resource of the content when it is written."""

    def habit(request, forward):
        if is_transaction(request):
            bundle = request.resource
            for entry in bundle["entry"]:
                change(entry["resource"])
            return forward(with_body(request, bundle))
        return forward(request)

    return habit


ALTERATIONS = {
    "adds an extension": (lambda r: r.update(extension=[EXTENSION]), "extension: server has"),
    "drops the narrative": (lambda r: r.pop("text", None), "text: server has nothing"),
    "turns a list round": (lambda r: r.get("action", []).reverse(), "action[0].title: server has"),
    "cuts a date": (lambda r: r.update(date="2026"), "date: server has '2026'"),
    "drops an element": (lambda r: r.pop("title", None), "title: server has nothing"),
    "sets an element": (lambda r: r.update(language="en"), "language: server has 'en'"),
}


@pytest.mark.parametrize("change, words", ALTERATIONS.values(), ids=ALTERATIONS)
def test_an_alteration_is_told_and_a_second_push_writes_nothing(server, change, words):
    given = canonical("PlanDefinition", "course", title="t", date="2026-01-02", action=ACTION)
    with scripted(server_like(altering(change)), server) as proxy:
        assert publish(proxy.base_url, release(given)).is_complete
        found = verify(release(given), client(proxy.base_url))
        assert found.missing == {}
        assert any(place.startswith(words) for place in found.altered["PlanDefinition/course"])
        written = len(proxy.writes)
        assert publish(proxy.base_url, release(given)).unchanged == 1
        assert len(proxy.writes) == written
        changed = given | {"description": "new"}
        assert publish(proxy.base_url, release(changed)).updated == 1


def test_an_id_of_digits_is_refused_by_name_and_the_rest_is_written(server):
    def no_digits(request, forward):
        entries = request.resource["entry"] if is_transaction(request) else []
        if any(entry["resource"].get("id", "").isdigit() for entry in entries):
            return habits.outcome(400, "HAPI-0960: ids need a letter", "processing")
        return forward(request)

    given = release(canonical("PlanDefinition", "20983"), document("leaflet"))
    with scripted(server_like(no_digits), server) as proxy:
        report = publish(proxy.base_url, given)
    assert report.refused == {"PlanDefinition/20983": "HTTP 400: HAPI-0960: ids need a letter"}
    assert list(state(server)) == ["DocumentReference/leaflet"]


def at_most_bytes(request, forward):
    if len(request.body) > 4000:
        return habits.outcome(413, "request entity too large", "too-long")
    return forward(request)


def test_a_request_that_is_too_large_in_bytes_is_halved_until_it_fits(server):
    listed = [canonical("PlanDefinition", f"p{n}", description="x" * 900) for n in range(8)]
    with scripted(server_like(at_most_bytes), server) as proxy:
        assert publish(proxy.base_url, release(*listed)).created == 8
        assert publish(proxy.base_url, release(*listed)).unchanged == 8


def test_one_resource_that_is_too_large_is_refused_by_name(server):
    large = canonical("PlanDefinition", "large", description="x" * 5000)
    with scripted(server_like(at_most_bytes), server) as proxy:
        report = publish(proxy.base_url, release(large, document("leaflet")))
    assert list(report.refused) == ["PlanDefinition/large"]
    assert report.created == 1
