import pytest

from fhirpkg.publishing.bookkeeping.head import ConflictError, read_head, write_head
from fhirpkg.publishing.bookkeeping.state import Phase
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.proving.verify import verify
from fhirpkg.publishing.push import Report, push
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import client, content, publish, release, resources, state
from tests.servers.scripted import scripted


def forwarding(request, forward):
    return forward(request)


def test_a_push_writes_everything_and_verify_proves_it(server):
    report = publish(server)
    assert (report.planned, report.created) == (4, 4)
    assert verify(release(), client(server))


def test_a_second_push_writes_nothing_not_even_the_head(server):
    publish(server)
    before = state(server)
    with scripted(forwarding, server) as proxy:
        report = publish(proxy.base_url)
        assert (report.unchanged, report.created, report.updated) == (4, 0, 0)
        assert proxy.writes == []
    assert state(server) == before


def test_only_what_changed_is_written(server):
    publish(server)
    changed = resources()
    changed[1]["title"] = "Walking more"
    report = publish(server, release(*changed))
    assert (report.updated, report.unchanged) == (1, 3)
    assert {place: version for place, (version, _) in state(server).items()} == {
        "ActivityDefinition/walk": "1",
        "PlanDefinition/course": "2",
        "DocumentReference/leaflet": "1",
        "DocumentReference/aftercare": "1",
    }


def test_every_update_names_the_version_it_follows(server):
    publish(server)
    with scripted(forwarding, server) as proxy:
        publish(proxy.base_url, release(*resources("Running")))
        bundles = [r.resource for r in proxy.writes if r.method == "POST"]
    conditions = [entry["request"].get("ifMatch") for entry in bundles[0]["entry"]]
    assert conditions == ['W/"1"', 'W/"1"']


def test_nothing_is_written_while_a_conflict_stands(server):
    publish(server)
    with client(server) as editor:
        edited = editor.read("PlanDefinition", "course") | {"title": "Edited by hand"}
        editor.request("PUT", "PlanDefinition/course", body=edited)
    before = state(server)
    report = publish(server, release(*resources("Running")))
    assert report.conflicts == {"PlanDefinition/course"}
    assert len(report.refused) == 2
    assert not report.is_complete
    assert state(server) == before


def test_drift_is_written_over_when_told(server):
    publish(server)
    with client(server) as editor:
        edited = editor.read("PlanDefinition", "course") | {"title": "Edited by hand"}
        editor.request("PUT", "PlanDefinition/course", body=edited)
    report = publish(server, overwrite=[Change.DRIFT])
    assert report.updated == 1
    assert verify(release(), client(server))


def test_another_content_waits_for_a_running_push_but_not_for_a_dead_one(server):
    publish(server)
    with client(server) as other:
        head = read_head(other, "demo.walking")
        write_head(other, head.next(phase=Phase.PUSHING, digest="f" * 64, owner="elsewhere:1"))
    with pytest.raises(ConflictError, match="is being pushed by elsewhere:1"):
        publish(server)
    with client(server) as connected:
        plan = make_plan(release(), connected)
        aged = plan.head.__class__(**fields(plan.head) | {"age": 61.0})
        assert not aged.is_held


def fields(head):
    return {name: getattr(head, name) for name in head.__slots__}


def test_the_same_content_takes_an_interrupted_push_over_at_once(server):
    publish(server)
    with client(server) as other:
        head = read_head(other, "demo.walking")
        write_head(other, head.next(phase=Phase.PUSHING, owner="dead:1"))
    report = publish(server)
    assert report.unchanged == 4
    with client(server) as reader:
        assert read_head(reader, "demo.walking").phase is Phase.COMPLETE


def test_who_lost_the_head_to_another_push_says_so_and_does_not_end_it(server):
    with client(server) as one, client(server) as two:
        plan = make_plan(release(), one)
        taken = []

        def take_over(_):
            if not taken:
                head = read_head(two, "demo.walking")
                taken.append(write_head(two, head.next(owner="second:2")))

        with pytest.raises(ConflictError, match="took over"):
            push(plan, one, progress=take_over)
        head = read_head(two, "demo.walking")
        assert (head.owner, head.phase) == ("second:2", Phase.PUSHING)


def test_a_refused_resource_is_named_the_others_are_written_and_the_push_is_incomplete(server):
    wrong = resources()
    wrong[0]["id"] = "an id that cannot be one"
    report = publish(server, release(*wrong))
    assert list(report.refused) == ["ActivityDefinition/an id that cannot be one"]
    assert report.created == 3
    with client(server) as reader:
        assert read_head(reader, "demo.walking").phase is Phase.INCOMPLETE


def test_a_report_that_does_not_add_up_cannot_be_made():
    with pytest.raises(AssertionError, match="4 planned, but 3 accounted for"):
        Report(4, created=3)


def test_the_tag_of_the_content_marks_the_owner_else_ours(server):
    tag = {"system": "http://example.org/packages", "code": "demo.walking"}
    tagged = [resource | {"meta": {"tag": [tag]}} for resource in resources()]
    publish(server, release(*tagged))
    assert all(r["meta"]["tag"] == [tag] for _, r in state(server).values())
    assert release(*resources()).owner["system"] == "https://w3id.org/fhirpkg/package"
    assert content(*tagged).resources[0]["meta"] == {"tag": [tag]}
