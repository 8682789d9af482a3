"""Nothing that is accepted cannot be read, and one bad row fails no other."""

import gzip
import tracemalloc

import pytest

from fhirpkg.server.exchange import Refused
from fhirpkg.server.web import formats
from tests.server.client import FHIR, rules_of

XML = "application/fhir+xml"
BASIC = {"resourceType": "Basic", "id": "b"}


def nested(depth):
    inner = {"url": "x"}
    for _ in range(depth):
        inner = {"extension": [inner]}
    return BASIC | inner


@pytest.mark.parametrize(
    ("resource", "status", "rule"),
    [
        (nested(60), 400, "server-depth"),
        (BASIC | {"language": "a\u0000b"}, 400, "server-text"),
        (BASIC | {"code": {"text": "\ufffe"}}, 400, "server-text"),
        (BASIC | {"code": {"coding": [{"code": "\u001b"}]}}, 400, "server-text"),
        (BASIC | {"a b": 1}, 400, "server-text"),
        (BASIC | {"code": {"<x>": 1}}, 400, "server-text"),
        (BASIC | {"text": {"div": "<div>"}}, 422, "server-value"),
        (BASIC | {"text": {"div": "no element"}}, 422, "server-value"),
    ],
)
def test_what_could_not_be_read_again_is_refused_on_the_way_in(server, resource, status, rule):
    refused = server.put(resource)
    assert (refused.status_code, rules_of(refused)) == (status, [rule])
    assert server.get("Basic/b").status_code == 404


@pytest.mark.parametrize(
    "resource",
    [nested(40), BASIC | {"language": "a\tb\r\nc \\u0000 é \U0001f600"},
     BASIC | {"code": {"coding": [{"code": "\u0085"}]}}],
)  # fmt: skip
@pytest.mark.parametrize("media", [FHIR, XML])
def test_what_is_accepted_is_read(server, resource, media):
    assert server.put(resource).status_code == 201
    assert server.get("Basic/b", Accept=media).status_code == 200
    assert server.get("Basic", Accept=media).status_code == 200


@pytest.mark.parametrize("stated", ["text/html\r\nX-Evil: 1", "é/x", "x" * 100, "", "a/b;\u2028"])
def test_a_media_type_that_no_header_can_hold_is_not_put_into_one(server, stated):
    server.put({"resourceType": "Binary", "id": "b", "contentType": stated, "data": "aGk="})
    answer = server.get("Binary/b")
    assert (answer.content, answer.headers["Content-Type"]) == (b"hi", "application/octet-stream")
    assert "X-Evil" not in answer.headers


def test_one_bad_row_fails_no_search_and_no_history(server, endpoint):
    for identity in ("a", "b", "c"):
        server.put(BASIC | {"id": identity})
    bad = '{"resourceType":"Basic","id":"b","meta":{},"text":{"div":"<div>"}}'
    with endpoint.store.transaction():
        endpoint.store.query("UPDATE version SET content = ? WHERE id = 'b'", (bad,))
    found = server.get("Basic", Accept=XML)
    assert found.status_code == 200
    assert '<id value="a"/>' in found.text
    assert '<id value="c"/>' in found.text
    assert "server-unreadable" in found.text
    assert server.get("_history", Accept=XML).status_code == 200
    alone = server.get("Basic/b", Accept=XML)
    assert (alone.status_code, "server-unreadable" in alone.text) == (406, True)
    with endpoint.store.transaction():
        endpoint.store.query("UPDATE version SET content = '{' WHERE id = 'b'")
    summary = server.get("Basic?_summary=true")
    assert [e["search"]["mode"] for e in summary.json()["entry"]] == ["match", "outcome", "match"]
    assert server.get("Basic/a").status_code == 200


@pytest.mark.parametrize("value", [10**400, float("1e300")])
def test_a_number_beyond_all_bounds_is_refused_or_kept(server, value):
    resource = {"resourceType": "Observation", "id": "o", "valueQuantity": {"value": value}}
    assert server.put(resource).status_code in {201, 422}


@pytest.mark.parametrize("kind", ["PUT", "transaction"])
def test_a_conditional_update_that_does_not_fit_its_own_criteria_is_refused(server, kind):
    patient = {"resourceType": "Patient", "identifier": [{"system": "s", "value": "2"}]}
    url = "Patient?identifier=s|1"
    if kind == "PUT":
        refused = server("PUT", url, patient)
    else:
        refused = server.bundle({"request": {"method": "PUT", "url": url}, "resource": patient})
    assert (refused.status_code, rules_of(refused)) == (400, ["server-conditions"])
    assert server.get("Patient").json().get("entry", []) == []


def test_preconditions_that_exclude_each_other_are_refused(server):
    refused = server.put(BASIC, If_Match='W/"1"', If_None_Match="*")
    assert (refused.status_code, rules_of(refused)) == (400, ["server-conditions"])


@pytest.mark.parametrize(
    "path", ["Basic/%00", "Basic?_id=%1B", "Basic/b%EF%BF%BE", "Basic/_search"]
)
@pytest.mark.parametrize("media", [FHIR, XML])
def test_a_refusal_never_fails_on_what_it_repeats(server, path, media):
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    method = "POST" if path.endswith("_search") else "GET"
    refused = server(method, path, b"_id=%07" if form else None, Accept=media, **form)
    assert refused.status_code == 400
    assert "control character" in refused.text
    patched = server("PATCH", "Basic/b", "[]", Content_Type="\u00e9\u0085", Accept=XML)
    assert patched.status_code == 415


def test_a_bomb_never_stands_in_memory():
    bomb = gzip.compress(b" " * 100_000_000, 9)
    tracemalloc.start()
    try:
        with pytest.raises(Refused) as told:
            formats.unpacked(bomb, "gzip", 64 * 2**20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told.value.status == 413
    assert peak < 2**20
