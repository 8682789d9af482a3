"""Publishing against a real HAPI FHIR server, in the settings that change what a push must do."""

import contextlib
import json
import urllib.request

import pytest

from fhirpkg import fhirjson
from fhirpkg.bundling.reading import read_content
from fhirpkg.bundling.writing import transaction_bundle
from fhirpkg.errors import FhirpkgError
from fhirpkg.publishing.members import release_of
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.proving.verify import verify
from fhirpkg.publishing.prune import prune
from fhirpkg.publishing.rollback import content_before, previous_inventory
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import canonical, client, content, publish, resources
from tests.servers import faults
from tests.servers.hapi_running import hapi
from tests.servers.scripted import scripted

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def server():
    with hapi() as base_url:
        yield base_url


def renamed(listed, name):
    """The sample under other identities, so that tests on one server do not meet."""
    text = json.dumps(listed)
    for old in ("walk", "course", "leaflet", "aftercare"):
        text = text.replace(f'/{old}"', f'/{name}-{old}"').replace(f'"{old}"', f'"{name}-{old}"')
    return json.loads(text)


def package(name, title="Walking"):
    version = "1.0.0" if title == "Walking" else "1.1.0"  # what was published stays as it is
    listed = renamed(resources(title), name)
    return release_of(content(*listed, name=f"demo.{name}", version=version))


def versions(base_url, name):
    with client(base_url) as reader:
        return {
            member.local: reader.read(member.type, member.id)["meta"]["versionId"]
            for member in package(name).members
        }


def test_the_content_is_published_verified_and_a_second_push_writes_nothing(server):
    given = release_of(read_content(None))
    assert publish(server, given).created == len(given.members)
    with client(server) as connected:
        assert verify(given, connected)

    def forwarding(request, forward):
        return forward(request)

    with scripted(forwarding, server) as proxy:
        assert publish(proxy.base_url, given).unchanged == len(given.members)
        assert proxy.writes == []


def test_drift_foreign_and_duplicate_are_found_and_nothing_is_written(server):
    publish(server, package("conflict"))
    with client(server) as other:
        edited = other.read("PlanDefinition", "conflict-course") | {"title": "Edited"}
        other.request("PUT", "PlanDefinition/conflict-course", body=edited)
        same_url = canonical("ActivityDefinition", "conflict-walk") | {"id": "conflict-second"}
        other.request("PUT", "ActivityDefinition/conflict-second", body=same_url)
        before = versions(server, "conflict")
        plan = make_plan(package("conflict", "Running"), other)
        found = {item.local: item.change for item in plan.items}
        assert found["PlanDefinition/conflict-course"] is Change.DRIFT
        assert found["ActivityDefinition/conflict-walk"] is Change.DUPLICATE
        listed = renamed(resources("Another's"), "conflict")
        theirs = make_plan(release_of(content(*listed, name="demo.other")), other)
        changes = {item.local.partition("/")[0]: item.change for item in theirs.items}
        assert changes == {
            "ActivityDefinition": Change.DUPLICATE,
            "DocumentReference": Change.ADOPT,  # the same in both packages, so it belongs to both
            "PlanDefinition": Change.FOREIGN,
        }
    assert publish(server, package("conflict", "Running")).conflicts
    assert versions(server, "conflict") == before


def test_rollback_restores_and_prune_leaves_no_orphan_and_touches_nothing_else(server):
    publish(server, package("back"))
    more = canonical("Library", "back-more", type={"text": "x"})
    listed = [*renamed(resources("Running"), "back"), more]
    longer = release_of(content(*listed, name="demo.back", version="1.1.0"))
    assert publish(server, longer).created == 1
    with client(server) as connected:
        inventory = previous_inventory(connected, "demo.back")
        before = release_of(content_before(connected, inventory))
        assert publish(server, before).is_complete
        assert verify(package("back"), connected)
        plan = make_plan(package("back"), connected)
        assert [item.place for item in plan.of(Change.ORPHAN)] == ["Library/back-more"]
        stands = versions(server, "back")
        assert prune(plan, connected).retired == ["Library/back-more"]
        assert make_plan(package("back"), connected).of(Change.ORPHAN) == []
        assert versions(server, "back") == stands
        retired = connected.read("Library", "back-more")
        assert (retired["status"], retired["meta"].get("tag", [])) == ("retired", [])


@pytest.mark.parametrize(
    "name, fault",
    [
        ("lost", faults.lost_after),
        ("cut", faults.cut_after),
        ("gone", faults.reset_before),
        ("html", faults.html_502_after),
    ],
)
def test_a_fault_on_any_write_leaves_what_the_next_push_ends(server, name, fault):
    for number in range(1, 7):
        given = package(f"{name}{number}")
        with (
            scripted(faults.at(number, fault), server) as proxy,
            contextlib.suppress(FhirpkgError),
        ):
            publish(proxy.base_url, given)
        assert publish(server, given).is_complete
        assert set(versions(server, f"{name}{number}").values()) == {"1"}


def test_the_transaction_bundle_is_posted_twice_without_a_duplicate_or_a_version(server):
    given = read_content(None)
    bundle = fhirjson.dump(transaction_bundle(given)).encode()
    places = []
    for _ in range(2):
        request = urllib.request.Request(
            server, bundle, {"Content-Type": "application/fhir+json"}, method="POST"
        )
        with urllib.request.urlopen(request) as answer:
            entries = json.load(answer)["entry"]
        places.append([entry["response"]["location"] for entry in entries])
    assert places[0] == places[1]
    with client(server) as connected:
        assert verify(release_of(given), connected)


@pytest.mark.parametrize(
    "setting",
    [
        {"HAPI_CLIENT_ID": "NOT_ALLOWED"},
        {"HAPI_MAX_TRANSACTION": "2"},
        {"HAPI_TAG_MODE": "INLINE"},
        {"HAPI_SEARCH_CACHE_MS": "0", "HAPI_SUPPRESS_NOOP": "false"},
        {"HAPI_EXTERNAL_REFS": "true", "HAPI_INTEGRITY_ON_WRITE": "false"},
        {"HAPI_VALIDATE_REQUESTS": "true"},
    ],
    ids=" ".join,
)
def test_a_push_an_update_and_a_second_push_in_other_settings(setting):
    with hapi(**setting) as base_url:
        assert publish(base_url, package("set")).is_complete
        assert publish(base_url, package("set")).unchanged == 4
        assert publish(base_url, package("set", "Running")).updated == 2
        with client(base_url) as connected:
            assert verify(package("set", "Running"), connected)
