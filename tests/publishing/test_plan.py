from dataclasses import replace

import pytest

from fhirpkg.bundling.reading import Selection
from fhirpkg.canonical import PackageId
from fhirpkg.errors import SourceError
from fhirpkg.publishing import planfile
from fhirpkg.publishing.bookkeeping.head import ConflictError
from fhirpkg.publishing.marks import unmark
from fhirpkg.publishing.members import release_of
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import canonical, client, content, publish, release, resources

OURS = {"system": "https://w3id.org/fhirpkg/package", "code": "demo.walking"}
THEIRS = OURS | {"code": "somebody.elses"}


def walk(**more):
    return canonical("ActivityDefinition", "walk", **more)


def marked(resource, tag=OURS):
    return resource | {"meta": {"tag": [tag]}}


def put(server, *listed):
    with client(server) as other:
        for resource in listed:
            place = f"{resource['resourceType']}/{resource['id']}"
            assert other.request("PUT", place, body=resource).ok


def planned(server, *listed, version="", **more):
    with client(server) as connected:
        return make_plan(release(*listed, version=version), connected, **more)


CASES = {
    "nothing there": ([], walk(), Change.CREATE),
    "the same and marked": ([marked(walk())], walk(), Change.UNCHANGED),
    "the same, not marked": ([walk()], walk(), Change.ADOPT),
    "other content, not marked": ([walk(title="a")], walk(), Change.FOREIGN),
    "the same, another package's": ([marked(walk(), THEIRS)], walk(), Change.ADOPT),
    "other content, another package's": (
        [marked(walk(title="a"), THEIRS)],
        walk(),
        Change.FOREIGN,
    ),
    "another url under our id": ([walk(url="http://example.org/x")], walk(), Change.FOREIGN),
    "marked, no inventory, other content": ([marked(walk(title="a"))], walk(), Change.DRIFT),
    "our url under another id": ([walk() | {"id": "other"}], walk(), Change.ADOPT),
    "our url twice": ([walk(), walk() | {"id": "other"}], walk(), Change.DUPLICATE),
    "our url in another version": (
        [marked(walk()), walk(version="0.9") | {"id": "old"}],
        walk(),
        Change.UNCHANGED,
    ),
    "active with other content": (
        [marked(walk(status="active", title="a"))],
        walk(status="active"),
        Change.IMMUTABLE,
    ),
    "active, to be retired": (
        [marked(walk(status="active"))],
        walk(status="retired"),
        Change.DRIFT,  # no inventory tells that nobody edited it
    ),
}


@pytest.mark.parametrize("there, ours, action", CASES.values(), ids=CASES)
def test_what_stands_there_decides_the_class(server, there, ours, action):
    put(server, *there)
    (item,) = [i for i in planned(server, ours).items if i.change is not Change.ORPHAN]
    assert item.change is action


def test_a_change_of_ours_is_an_update_and_an_edit_there_is_drift(server):
    publish(server)
    put(server, canonical("PlanDefinition", "course", title="Edited"))
    found = {i.local: i for i in planned(server, *resources("Running")).items}
    assert found["ActivityDefinition/walk"].change is Change.UPDATE
    assert found["ActivityDefinition/walk"].differences == (
        "title: server has 'Walking', content has 'Running'",
    )
    drift = found["PlanDefinition/course"]
    assert drift.change is Change.DRIFT
    assert drift.why == "it was edited on the server after it was published"


def test_after_an_interrupted_push_of_other_content_its_writes_are_not_drift(server):
    publish(server)
    with client(server) as connected:
        plan = make_plan(release(*resources("Running")), connected)
        stop_after_the_resources(plan, connected)
    found = planned(server, *resources("Jumping"))
    assert found.counts == {Change.UPDATE: 2, Change.UNCHANGED: 2}


def stop_after_the_resources(plan, connected):
    from fhirpkg.publishing import push as pushing

    class Killed(BaseException):
        """As if the process had ended there."""

    def die(done):
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        pushing.push(plan, connected, progress=die)


def test_what_is_no_longer_in_the_content_is_an_orphan(server):
    publish(server)
    found = planned(server, *resources()[:3])
    assert [i.place for i in found.of(Change.ORPHAN)] == ["DocumentReference/aftercare"]


def test_a_marked_stray_that_no_inventory_lists_is_an_orphan_too(server):
    publish(server)
    put(server, marked(canonical("PlanDefinition", "stray")), canonical("PlanDefinition", "free"))
    found = planned(server, *resources())
    assert [i.place for i in found.of(Change.ORPHAN)] == ["PlanDefinition/stray"]


def test_a_conflict_that_may_be_overwritten_becomes_an_update_with_its_reason(server):
    put(server, walk(title="a"))
    (item,) = planned(server, walk(), overwrite=[Change.FOREIGN]).items
    assert (item.change, item.why[:8]) == (Change.UPDATE, "foreign:")


def saved(server, tmp_path, *listed):
    file = tmp_path / "plan.json"
    planfile.write(file, planned(server, *listed), server, str(tmp_path), Selection(), [])
    return planfile.read(file)


def test_a_saved_plan_holds_while_nothing_changes(server, tmp_path):
    publish(server)
    plan = saved(server, tmp_path, *resources("Running"))
    planfile.check(plan, planned(server, *resources("Running")), server)


PUBLISHED = {
    "other content": (["1.0.0"], "1.0.0", "Running", Change.IMMUTABLE),
    "the same content": (["1.0.0"], "1.0.0", "Walking", Change.UNCHANGED),
    "a new version": (["1.0.0"], "1.0.1", "Running", Change.UPDATE),
    "no version": ([None], None, "Running", Change.UPDATE),
    "other content of the version before": (
        ["1.0.0", "1.1.0"],
        "1.0.0",
        "Running",
        Change.IMMUTABLE,
    ),
    "the version before, as it was": (["1.0.0", "1.1.0"], "1.0.0", "Walking", Change.UPDATE),
}


@pytest.mark.parametrize("before, version, title, change", PUBLISHED.values(), ids=PUBLISHED)
def test_a_version_means_what_it_was_published_with(server, before, version, title, change):
    for each, words in zip(before, ("Walking", "Jumping"), strict=False):
        publish(server, release_of(dated(words, each)))
    with client(server) as connected:
        found = {i.local: i for i in make_plan(release_of(dated(title, version)), connected).items}
    assert found["ActivityDefinition/walk"].change is change
    assert found["DocumentReference/leaflet"].change is Change.UNCHANGED


def dated(title, version):
    given = content(*resources(title))
    return replace(given, id=PackageId(given.id.name, version))


def test_a_push_that_did_not_end_published_nothing_yet(server):
    publish(server)
    interrupted = [canonical("ActivityDefinition", "walk", title=1)]  # nothing accepts that title
    assert not publish(server, release(*interrupted, version="1.1.0")).is_complete
    found = {i.local: i for i in planned(server, walk(title="x"), version="1.1.0").items}
    assert found["ActivityDefinition/walk"].change is Change.UPDATE


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda s: put(s, canonical("PlanDefinition", "course", title="x")), "PlanDefinition/co"),
        (lambda s: publish(s, release(*resources("Jumping"))), "the state that the server keeps"),
    ],
)
def test_a_saved_plan_is_stale_when_the_server_changed(server, tmp_path, change, words):
    publish(server)
    plan = saved(server, tmp_path, *resources("Running"))
    change(server)
    with pytest.raises(ConflictError, match=f"stale: {words}"):
        planfile.check(plan, planned(server, *resources("Running")), server)


def test_a_saved_plan_is_for_its_content_and_server_only(server, tmp_path):
    plan = saved(server, tmp_path, *resources())
    with pytest.raises(ConflictError, match="the content changed"):
        planfile.check(plan, planned(server, *resources("Running"), version="1.0.0"), server)
    with pytest.raises(ConflictError, match="the server changed"):
        planfile.check(plan, planned(server, *resources()), "http://elsewhere/fhir")


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', "not json"])
def test_a_file_that_is_no_plan_is_refused(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(SourceError, match="it is not a plan"):
        planfile.read(file)


def test_two_members_that_share_an_identifier_do_not_claim_each_other(server):
    shared = {"resourceType": "Patient", "identifier": [{"system": "urn:example", "value": "1"}]}
    whole, minimal = shared | {"id": "whole", "gender": "female"}, shared | {"id": "minimal"}
    given = release(whole, minimal)
    assert publish(server, given).created == 2
    assert publish(server, given).unchanged == 2
    with client(server) as connected:
        other = shared | {"id": "third"}
        connected.request("PUT", "Patient/third", body=other)
        plan = make_plan(given, connected)
    assert [item.change for item in plan.items] == [Change.DUPLICATE] * 2


def test_what_was_retired_before_and_lost_only_its_mark_gets_it_again(server):
    given = release(walk(status="retired"))
    publish(server, given)
    with client(server) as connected:
        unmark(connected, "ActivityDefinition/walk", [OURS])
        (item,) = make_plan(given, connected).items
    assert item.change is Change.ADOPT
    assert publish(server, given).updated == 1
    assert publish(server, given).unchanged == 1
