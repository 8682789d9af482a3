"""History of a resource, of a type and of the server."""

import pytest

from tests.server.client import rules_of

LIBRARY = {"resourceType": "Library", "id": "l", "status": "draft"}


def versions(answer):
    return [
        (entry["request"]["method"], entry["request"]["url"], entry["response"]["etag"])
        for entry in answer.json()["entry"]
    ]


@pytest.fixture
def written(server):
    server.put(LIBRARY)
    server.put(LIBRARY | {"title": "new"})
    server.delete("Library/l")
    server.put({"resourceType": "Basic", "id": "b"})
    return server


def test_the_history_of_a_resource_tells_each_version_the_newest_first(written):
    answer = written.get("Library/l/_history")
    assert versions(answer) == [
        ("DELETE", "Library/l", 'W/"3"'),
        ("PUT", "Library/l", 'W/"2"'),
        ("PUT", "Library/l", 'W/"1"'),
    ]
    entries = answer.json()["entry"]
    assert ["resource" in entry for entry in entries] == [False, True, True]
    assert [entry["response"]["status"] for entry in entries] == ["204", "200", "201"]
    assert entries[0]["fullUrl"] == f"{written.base}/Library/l"


def test_the_history_of_a_type_and_of_the_server_hold_theirs(written):
    assert written.get("Library/_history").json()["total"] == 3
    assert written.get("Basic/_history").json()["total"] == 1
    assert versions(written.get("_history"))[0] == ("PUT", "Basic/b", 'W/"1"')
    assert written.get("_history").json()["total"] == 4


def test_a_history_comes_in_pages(written):
    first = written.get("_history?_count=3").json()
    links = {link["relation"]: link["url"] for link in first["link"]}
    assert len(first["entry"]) == 3
    second = written.get(links["next"].removeprefix(written.base + "/"))
    assert versions(second) == [("PUT", "Library/l", 'W/"1"')]


def test_since_leaves_out_what_is_older(written):
    moment = written.get("Basic/b").json()["meta"]["lastUpdated"]
    assert versions(written.get(f"_history?_since={moment}")) == [("PUT", "Basic/b", 'W/"1"')]
    assert rules_of(written.get("_history?_since=then")) == ["server-search-value"]


def test_what_never_was_has_no_history(written):
    assert written.get("Library/x/_history").status_code == 404


def test_a_parameter_that_a_history_does_not_know_is_refused(written):
    refused = written.get("_history?_sincee=2020")
    assert (refused.status_code, rules_of(refused)) == (400, ["server-search-parameter"])
    assert "did you mean '_since'?" in refused.text
