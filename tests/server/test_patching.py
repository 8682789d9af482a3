"""JSON Patch (RFC 6902) of a resource."""

import json

import pytest

from tests.server.client import FHIR, rules_of

PATCH = "application/json-patch+json"
PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "name": [{"family": "A", "given": ["B", "C"]}],
}


def patch(server, *steps, path="Patient/p", **headers):
    return server("PATCH", path, json.dumps(steps), **({"Content_Type": PATCH} | headers))


def stored(server):
    return {k: v for k, v in server.get("Patient/p").json().items() if k != "meta"}


@pytest.mark.parametrize(
    ("steps", "changes"),
    [
        ([{"op": "replace", "path": "/active", "value": False}], {"active": False}),
        ([{"op": "add", "path": "/gender", "value": "male"}], {"gender": "male"}),
        ([{"op": "remove", "path": "/name/0/given/0"}],
         {"name": [{"family": "A", "given": ["C"]}]}),
        ([{"op": "add", "path": "/name/-", "value": {"family": "D"}}],
         {"name": [*PATIENT["name"], {"family": "D"}]}),
        ([{"op": "add", "path": "/name/0", "value": {"family": "D"}}],
         {"name": [{"family": "D"}, *PATIENT["name"]]}),
        ([{"op": "copy", "from": "/name/0", "path": "/name/-"},
          {"op": "replace", "path": "/name/1/family", "value": "E"}],
         {"name": [*PATIENT["name"], PATIENT["name"][0] | {"family": "E"}]}),
        ([{"op": "move", "from": "/name/0/given/1", "path": "/name/0/given/0"}],
         {"name": [{"family": "A", "given": ["C", "B"]}]}),
        ([{"op": "test", "path": "/active", "value": True},
          {"op": "add", "path": "/extension", "value": []},
          {"op": "add", "path": "/extension/0", "value": {"url": "http://x.org/a~b"}},
          {"op": "test", "path": "/extension/0/url", "value": "http://x.org/a~b"}],
         {"extension": [{"url": "http://x.org/a~b"}]}),
    ],
)  # fmt: skip
def test_a_patch_changes_what_its_steps_say(server, steps, changes):
    server.put(PATIENT)
    answer = patch(server, *steps)
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert stored(server) == PATIENT | changes


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([{"op": "remove", "path": "/gender"}], 422),
        ([{"op": "replace", "path": "/gender", "value": "male"}], 422),
        ([{"op": "test", "path": "/active", "value": 1}], 422),
        ([{"op": "add", "path": "/name/5", "value": {}}], 422),
        ([{"op": "add", "path": "/name/01", "value": {}}], 400),
        ([{"op": "add", "path": "/name/x", "value": {}}], 400),
        ([{"op": "add", "path": "/active/x", "value": {}}], 422),
        ([{"op": "move", "from": "/name", "path": "/name/0"}], 400),
        ([{"op": "replace", "path": "", "value": 5}], 400),
        ([{"op": "remove", "path": ""}], 400),
        ([{"op": "replace", "path": "/id", "value": "q"}], 400),
        ([{"op": "replace", "path": "/resourceType", "value": "Group"}], 400),
        ([{"op": "explode", "path": "/id"}], 400),
        ([{"op": "add", "path": "/id"}], 400),
        ([{"op": "add", "path": "id", "value": "p"}], 400),
        ([5], 400),
        ([{"op": "add", "path": "/~2", "value": 1}], 400),
        ([{"op": "add", "path": "/name/0/a b", "value": 1}], 400),
        ([{"op": "add", "path": "/a", "value": {}}]
         + [{"op": "copy", "from": "/a", "path": "/a/a"}] * 10
         + [{"op": "move", "from": "/a", "path": "/b"},
            {"op": "add", "path": "/a", "value": {}},
            {"op": "move", "from": "/b", "path": "/a/b"}] * 100, 400),
        ([{"op": "add", "path": "/x", "value": "\u0000"}], 400),
        ([{"op": "add", "path": "/a", "value": ["x" * 1000]}]
         + [{"op": "copy", "from": "/a", "path": "/a/-"}] * 40, 400),
        ([{"op": "test", "path": "/active", "value": True}] * 1001, 400),
    ],
)  # fmt: skip
def test_a_patch_that_cannot_be_done_leaves_all_as_it_was(server, steps, status):
    server.put(PATIENT)
    first = {"op": "add", "path": "/gender", "value": "male"}
    for tried in (steps, [*steps[:0], {**first, "path": "/language", "value": "de"}, *steps]):
        assert patch(server, *tried).status_code == status
    assert stored(server) == PATIENT
    assert server.get("Patient/p").headers["ETag"] == 'W/"1"'


def test_a_patch_keeps_preconditions_and_may_be_conditional(server):
    server.put(PATIENT)
    step = {"op": "replace", "path": "/active", "value": False}
    assert patch(server, step, If_Match='W/"9"').status_code == 412
    assert patch(server, step, If_Match='W/"1"').status_code == 200
    again = {"op": "replace", "path": "/active", "value": True}
    assert patch(server, again, path="Patient?family=A").status_code == 200
    assert patch(server, again, path="Patient?family=Z").status_code == 404
    assert patch(server, step, path="Patient/q").status_code == 404


@pytest.mark.parametrize("media", [FHIR, "application/xml-patch+xml", "text/plain"])
def test_another_kind_of_patch_is_refused_in_words(server, media):
    refused = patch(server, Content_Type=media)
    assert (refused.status_code, rules_of(refused)) == (415, ["server-patch-type"])
    assert PATCH in refused.text
