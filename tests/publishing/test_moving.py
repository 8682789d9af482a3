"""Content that stands on one server, pushed to another: releases, and what no release holds."""

import json
from dataclasses import replace

import pytest

from fhirpkg.bundling.reading import Selection
from fhirpkg.canonical import PackageId
from fhirpkg.cli import _run
from fhirpkg.errors import ConfigError
from fhirpkg.publishing.bookkeeping.head import read_head, read_inventory, write_inventory
from fhirpkg.publishing.moving import packages_there, release_there, releases_there, unreleased
from tests.publishing.sample import canonical, client, publish, release, state
from tests.servers.embedded import running
from tests.servers.scripted import scripted

REST = Selection(identity=PackageId("demo.rest", "1.0.0"))


@pytest.fixture
def other():
    with running() as base_url:
        yield base_url


def put(base_url, *listed):
    with client(base_url) as connected:
        for resource in listed:
            local = f"{resource['resourceType']}/{resource['id']}"
            assert connected.request("PUT", local, body=resource).worked


TYPES = ("ActivityDefinition", "PlanDefinition", "DocumentReference", "ValueSet", "CodeSystem",
         "Patient")  # fmt: skip


def content(base_url):
    """What stands on a server, but for records: each resource without what servers set."""
    with client(base_url) as connected:
        return {
            f"{name}/{each['id']}": {k: v for k, v in each.items() if k != "meta"}
            for name in TYPES
            for each in connected.search(name, [])
        }


def test_every_release_of_a_server_is_moved_and_the_rest_by_a_name(server, other):
    publish(server, release())
    publish(server, release(canonical("ValueSet", "two"), name="demo.two"))
    mine = [canonical("CodeSystem", "own"), canonical("ValueSet", "own")]
    put(server, *mine, {"resourceType": "Patient", "id": "p"})
    assert _run(["push", "--from-server", server, "--server", other]) == 0
    with client(server) as source, client(other) as target:
        assert packages_there(target) == ["demo.two", "demo.walking"] == packages_there(source)
        for name in packages_there(source):
            digests = {read_head(each, name).digest for each in (source, target)}
            assert len(digests) == 1
        (*_, last), problems = releases_there(source)
        assert not problems
        assert "1 CodeSystem, 1 ValueSet" in last.notes[-1]
    assert (
        _run(["push", "--as", "demo.rest#1.0.0", "--from-server", server, "--server", other]) == 0
    )
    there = content(server)
    del there["Patient/p"]
    assert content(other) == there
    assert _run(["push", "--as", "demo.p#1", "--type", "Patient", "--from-server", server,
                 "--server", other]) == 0  # fmt: skip
    assert content(other) == content(server)
    before = state(other)
    assert _run(["push", "--from-server", server, "--server", other]) == 0
    assert state(other) == before  # in the versions that they had


def test_a_release_is_taken_as_it_was_published_whatever_was_changed_since(server, other):
    publish(server, release())
    put(server, canonical("PlanDefinition", "course", title="Somebody else's"))
    with client(server) as source:
        found = release_there(source, "demo.walking", "1.0.0")
    assert "PlanDefinition/course" in found.notes[0]
    assert "ActivityDefinition/walk" not in found.notes[0]
    (plan,) = (r for r in found.resources if r["resourceType"] == "PlanDefinition")
    assert plan["title"] == "Walking"
    assert _run(["push", "demo.walking", "--from-server", server, "--server", other]) == 0
    assert content(other)["PlanDefinition/course"]["title"] == "Walking"


@pytest.mark.parametrize(
    "asked, words",
    [
        (("demo.none", ""), "no push of demo.none"),
        (("demo.walking", "9.0.0"), "has demo.walking 1.0.0, not 9.0.0"),
    ],
)
def test_a_release_that_is_not_there_is_told(server, asked, words):
    publish(server, release())
    with client(server) as source, pytest.raises(ConfigError, match=words):
        release_there(source, *asked)


def unfinished(base_url, package, phase="incomplete"):
    """Leave the record of a release as a push leaves it that did not write everything."""
    with client(base_url) as source:
        head = read_head(source, package)
        body = source.read("List", head.id)
        for each in body["identifier"]:
            each["value"] = phase if each["value"] == "complete" else each["value"]
        assert source.request("PUT", f"List/{head.id}", body=body).worked


@pytest.mark.parametrize("phase", ["incomplete", "pushing"])
def test_a_release_that_is_not_whole_is_not_moved(server, other, phase, capfd):
    publish(server, release())
    unfinished(server, "demo.walking", phase)
    assert _run(["push", "--from-server", server, "--server", other]) == 2
    assert "demo.walking 1.0.0" in capfd.readouterr().err
    assert _run(["push", "demo.walking", "--from-server", server, "--server", other]) == 2
    assert content(other) == {}


def lost(base_url, package):
    """Let the record of a release name a version that its server does not have."""
    with client(base_url) as source:
        head = read_head(source, package)
        inventory = read_inventory(source, head.manifest)
        (local, line), *_ = inventory.members.items()
        inventory.members[local] = replace(line, version="99")
        write_inventory(source, inventory, head.manifest)


@pytest.mark.parametrize("damage", [unfinished, lost])
def test_a_release_that_cannot_be_moved_keeps_no_other_back(server, other, damage, capfd):
    names = ["demo.a", "demo.b", "demo.c"]
    for name in names:
        publish(server, release(canonical("ValueSet", name), name=name))
    damage(server, "demo.b")
    put(server, canonical("CodeSystem", "own"))
    at = ["--from-server", server, "--server", other, "--output-format", "json"]
    assert _run(["push", *at]) == 1
    told = json.loads(capfd.readouterr().out)
    assert [each["package"] for each in told["releases"]] == ["demo.a", "demo.c"]
    assert [each["exitCode"] for each in told["releases"]] == [0, 0]
    assert [each.partition(" ")[0] for each in told["problems"]] == ["demo.b"]
    notes = " ".join(told["releases"][-1]["notes"])
    assert "no release: 1 CodeSystem;" in notes  # and nothing of what demo.b holds
    assert content(other).keys() == {"ValueSet/demo.a", "ValueSet/demo.c"}
    assert _run(["push", "demo.c", *at]) == 0


def test_a_release_that_the_target_refuses_keeps_no_other_back(server, other, capfd):
    for name in ("demo.a", "demo.b"):
        publish(server, release(canonical("ValueSet", name), name=name))
    taken = canonical("ValueSet", "demo.a", title="Somebody else's")
    publish(other, release(taken, name="demo.first"))
    assert _run(["push", "--from-server", server, "--server", other]) == 4
    assert "demo.first" in capfd.readouterr().out
    assert content(other).keys() == {"ValueSet/demo.a", "ValueSet/demo.b"}
    assert content(other)["ValueSet/demo.a"]["title"] == "Somebody else's"


def test_what_was_deleted_of_a_release_hides_nothing_that_belongs_to_none(server):
    publish(server, release(canonical("ValueSet", "a")))
    with client(server) as source:
        assert source.request("DELETE", "ValueSet/a").worked
        put(server, canonical("ValueSet", "own"))
        releases, _ = releases_there(source)
    assert "1 ValueSet" in releases[-1].notes[-1]


def test_a_server_without_releases_says_how_to_name_what_it_has(server, other, capfd):
    put(server, canonical("ValueSet", "own"))
    assert _run(["push", "--from-server", server, "--server", other]) == 2
    assert "--as" in capfd.readouterr().err
    assert content(other) == {}


def test_all_pages_of_a_type_are_read_each_resource_once(server):
    put(server, *(canonical("ValueSet", f"v{number}") for number in range(450)))
    with client(server) as source:
        found = unreleased(source, REST)
    assert len(found.resources) == 450


def test_a_server_that_gives_fewer_than_it_counts_is_not_believed(server, other):
    put(server, *(canonical("ValueSet", f"v{number}") for number in range(3)))

    def forgetful(request, forward):
        reply = forward(request)
        entries = (reply.resource or {}).get("entry", [])
        if "ValueSet?_count=200" in request.path and entries:
            return reply.but(body=reply.resource | {"entry": entries[1:]})
        return reply

    with scripted(forgetful, server) as proxy:
        at = ["--from-server", proxy.base_url, "--server", other]
        assert _run(["push", "--as", "demo.rest#1.0.0", *at]) == 2
    assert content(other) == {}


@pytest.mark.parametrize(
    "options",
    [
        ["demo.walking", "--as", "a.b#1"],
        ["demo.walking", "--type", "ValueSet"],
        ["--exclude", "ValueSet"],
        ["--with-dependencies"],
    ],
)
def test_options_that_make_no_sense_with_a_server_are_refused(server, other, options):
    publish(server, release())
    assert _run(["push", *options, "--from-server", server, "--server", other]) == 2
    assert content(other) == {}


def test_a_token_for_the_source_goes_there_only(server, other, monkeypatch):
    publish(server, release())
    monkeypatch.setenv("SOURCE_TOKEN", "secret")
    with scripted(_passed, server) as first, scripted(_passed, other) as second:
        at = ["--from-server", first.base_url, "--server", second.base_url]
        assert _run(["push", *at, "--from-token", "env:SOURCE_TOKEN"]) == 0
        assert {r.headers.get("authorization") for r in first.seen} == {"Bearer secret"}
        assert {r.headers.get("authorization") for r in second.seen} == {None}


def _passed(request, forward):
    return forward(request)
