"""Transactions, all or nothing, and batches (http://hl7.org/fhir/R4/http.html#transaction)."""

import pytest

from tests.server.client import entry, rules_of

PATIENT = {"resourceType": "Patient", "identifier": [{"system": "http://x.org", "value": "1"}]}
FULL = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"


def library(identity, **more):
    return {"resourceType": "Library", "id": identity, "status": "draft"} | more


def observation(reference, **more):
    return {"resourceType": "Observation", "subject": {"reference": reference}} | more


def statuses(answer):
    assert answer.status_code == 200, answer.text
    return [entry["response"]["status"] for entry in answer.json()["entry"]]


def nothing_stored(server):
    return server.get("_history").json()["total"] == 0


def refusal(answer):
    """Status, rule and place of what a refused bundle tells."""
    (issue,) = answer.json()["issue"]
    return answer.status_code, rules_of(answer)[0], issue.get("expression", [""])[0]


def test_each_entry_is_answered_in_its_place_whatever_the_order_of_work(server):
    server.put(library("old"))
    answer = server.bundle(
        entry("GET", "Library/a"),
        entry("PUT", "Library/a", library("a")),
        entry("POST", "Library", library("ignored")),
        entry("DELETE", "Library/old"),
        entry("GET", "Library?_summary=count"),
    )
    assert answer.json()["type"] == "transaction-response"
    expected = ["200 OK", "201 Created", "201 Created", "204 No Content", "200 OK"]
    assert statuses(answer) == expected
    read, put, _, _, counted = answer.json()["entry"]
    assert read["resource"]["id"] == "a"
    assert put["response"]["location"] == "Library/a/_history/1"
    assert put["response"]["etag"] == 'W/"1"'
    assert put["fullUrl"] == f"{server.base}/Library/a"
    assert "resource" not in put
    assert counted["resource"]["total"] == 2


def test_the_same_transaction_again_makes_no_new_version(server):
    entries = [entry("PUT", f"Library/l{n}", library(f"l{n}")) for n in range(5)]
    assert statuses(server.bundle(*entries)) == ["201 Created"] * 5
    assert statuses(server.bundle(*entries)) == ["200 OK"] * 5
    assert server.get("_history").json()["total"] == 5


def test_prefer_representation_gives_each_entry_its_resource(server):
    answer = server.bundle(entry("PUT", "Library/a", library("a")), Prefer="return=representation")
    assert answer.json()["entry"][0]["resource"]["meta"]["versionId"] == "1"


def test_references_to_other_entries_lead_to_where_those_are_put(server):
    answer = server.bundle(
        entry("POST", "Observation", observation(FULL)),
        entry("POST", "Patient", PATIENT, FULL),
        entry("POST", "Observation", observation("http://other.example/fhir/Patient/9")),
        entry("POST", "Patient", PATIENT | {"active": True}, "http://other.example/fhir/Patient/9"),
        entry("POST", "Observation", observation("Patient/9")),
        Prefer="return=representation",
    )
    first, patient, second, other, third = (e["resource"] for e in answer.json()["entry"])
    assert first["subject"]["reference"] == f"Patient/{patient['id']}"
    assert second["subject"]["reference"] == f"Patient/{other['id']}"
    assert third["subject"]["reference"] == f"Patient/{other['id']}"
    assert server.found(f"Observation?subject=Patient/{patient['id']}") == [first["id"]]


def test_links_are_led_on_in_uris_and_narratives_but_not_in_canonicals_and_text(server):
    text = {"status": "generated", "div": f'<div><a href="{FULL}">x</a> {FULL}</div>'}
    linking = library("a", text=text, description=FULL, url=FULL) | {
        "relatedArtifact": [{"type": "depends-on", "resource": FULL, "url": FULL}],
        "subjectReference": {"reference": f"{FULL}/_history/2"},
    }
    server.bundle(
        entry("PUT", "Library/a", linking), entry("PUT", "Patient/p", PATIENT | {"id": "p"}, FULL)
    )
    stored = server.get("Library/a").json()
    assert stored["text"]["div"] == f'<div><a href="Patient/p">x</a> {FULL}</div>'
    assert stored["description"] == FULL
    assert stored["url"] == "Patient/p"
    artifact = {"type": "depends-on", "resource": FULL, "url": "Patient/p"}
    assert stored["relatedArtifact"] == [artifact]
    assert stored["subjectReference"]["reference"] == "Patient/p/_history/2"


def test_a_url_that_is_the_entrys_own_full_url_stays(server):
    url = "http://x.org/Library/a"
    server.bundle(entry("PUT", "Library/a", library("a", url=url), url))
    assert server.get("Library/a").json()["url"] == url


def test_a_conditional_create_in_a_transaction_leads_links_to_what_it_finds(server):
    server.put(PATIENT | {"id": "known"})
    answer = server.bundle(
        entry("POST", "Patient", PATIENT, FULL, ifNoneExist="identifier=http://x.org|1"),
        entry("POST", "Observation", observation(FULL)),
    )
    assert statuses(answer) == ["200 OK", "201 Created"]
    assert len(server.found("Observation?subject=Patient/known")) == 1


def test_conditional_references_are_led_to_their_match(server):
    server.put(PATIENT | {"id": "known"})
    reference = "Patient?identifier=http://x.org|1"
    answer = server.bundle(entry("PUT", "Observation/o", observation(reference, id="o")))
    assert statuses(answer) == ["201 Created"]
    assert server.get("Observation/o").json()["subject"] == {"reference": "Patient/known"}
    again = server.bundle(entry("PUT", "Observation/o", observation(reference, id="o")))
    assert again.json()["entry"][0]["response"]["etag"] == 'W/"1"'


def test_conditional_references_find_what_the_same_transaction_makes(server):
    reference = "Patient?identifier=http://x.org|1"
    answer = server.bundle(
        entry("PUT", "Observation/o", observation(reference, id="o")),
        entry("PUT", "Patient/p", PATIENT | {"id": "p"}),
    )
    assert statuses(answer) == ["201 Created", "201 Created"]
    assert server.get("Observation/o").json()["subject"] == {"reference": "Patient/p"}
    assert server.found("Observation?subject=Patient/p") == ["o"]
    assert server.get("Observation/o/_history").json()["total"] == 1


def test_a_conditional_update_keeps_the_clients_id(server):
    conditional = entry("PUT", "Library?url=http://x.org/l", library("mine", url="http://x.org/l"))
    assert statuses(server.bundle(conditional)) == ["201 Created"]
    assert statuses(server.bundle(conditional)) == ["200 OK"]
    assert server.get("Library/mine").headers["ETag"] == 'W/"1"'


def test_a_conditional_delete_takes_its_match_or_nothing(server):
    server.put(library("a", url="http://x.org/a"))
    url = "Library?url=http://x.org/a"
    assert statuses(server.bundle(entry("DELETE", url))) == ["204 No Content"]
    assert statuses(server.bundle(entry("DELETE", url))) == ["204 No Content"]
    assert server.get("Library/a").status_code == 410


FAILURES = {
    "a stale ifMatch": (
        entry("PUT", "Library/old", library("old"), ifMatch='W/"7"'),
        (412, "server-version-conflict"),
    ),
    "what exists already": (
        entry("PUT", "Library/old", library("old"), ifNoneMatch="*"),
        (412, "server-exists"),
    ),
    "a stale ifMatch of a deletion": (
        entry("DELETE", "Library/old", ifMatch='W/"7"'),
        (412, "server-version-conflict"),
    ),
    "a value that cannot be searched by": (
        entry("PUT", "Library/bad", library("bad", date="soon")),
        (422, "server-value"),
    ),
    "another id in the body": (
        entry("PUT", "Library/bad", library("worse")),
        (400, "server-body-id"),
    ),
    "an unknown type": (
        entry("POST", "Plan", {"resourceType": "Plan"}),
        (404, "server-unknown-type"),
    ),
    "no resource": (entry("PUT", "Library/bad"), (400, "server-no-body")),
    "a reading of nothing": (entry("GET", "Library/none"), (404, "server-unknown-resource")),
    "an open conditional reference": (
        entry("POST", "Observation", observation("Patient?identifier=none")),
        (412, "server-conditional-reference"),
    ),
    "a method that is not offered": (
        entry("PATCH", "Library/old", library("old")),
        (400, "server-bundle"),
    ),
    "a creation under an id": (entry("POST", "Library/a", library("a")), (405, "server-method")),
    "a deletion of everything": (entry("DELETE", "?url=x"), (405, "server-method")),
    "a path that leads nowhere": (
        entry("POST", "Library/a/b/c/d", library("a")),
        (404, "server-unknown-path"),
    ),
}


@pytest.mark.parametrize("bad", FAILURES)
@pytest.mark.parametrize("first", [True, False])
def test_one_failing_entry_leaves_no_trace_of_any(server, bad, first):
    failing, expected = FAILURES[bad]
    server.put(library("old"))
    good = entry("PUT", "Library/good", library("good"))
    entries = [failing, good] if first else [good, failing]
    *told, place = refusal(server.bundle(*entries))
    assert tuple(told) == expected
    assert place.startswith(f"Bundle.entry[{entries.index(failing)}]")
    assert server.get("Library/good").status_code == 404
    assert server.get("_history").json()["total"] == 1


@pytest.mark.parametrize(
    "entries",
    [
        [
            entry("PUT", "Library/a", library("a")),
            entry("PUT", "Library/a", library("a", title="x")),
        ],
        [entry("PUT", "Library/a", library("a")), entry("DELETE", "Library/a")],
        [
            entry("PUT", "Library/a", library("a")),
            entry("PUT", "Library?url=http://x.org/a", library("a", url="http://x.org/a")),
        ],
        [entry("PUT", "Library?url=http://x.org/a", library("a", url="http://x.org/a"))] * 2,
        [entry("PUT", "Library?url=http://n.org/n", {"resourceType": "Library", "status": "draft"})]
        * 2,
    ],
)
def test_a_resource_that_is_meant_twice_refuses_the_whole(server, entries):
    assert refusal(server.bundle(*entries)) == (400, "server-overlap", "Bundle.entry[1]")
    assert nothing_stored(server)


@pytest.mark.parametrize(
    "bundle",
    [
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Bundle", "type": {}},
        {"resourceType": "Bundle"},
        {"resourceType": "Library", "status": "draft"},
        {"resourceType": "Bundle", "type": "transaction", "entry": {}},
        {"resourceType": "Bundle", "type": "transaction", "entry": [1]},
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": {}}]},
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"request": {"method": "PUT", "url": "Library/a"}, "resource": []}],
        },
    ],
)
def test_what_is_no_batch_or_transaction_is_refused(server, bundle):
    assert refusal(server("POST", "", bundle))[:2] == (400, "server-bundle")


def test_an_empty_transaction_is_done_at_once(server):
    answer = server("POST", "", {"resourceType": "Bundle", "type": "transaction"})
    assert answer.json() == {"resourceType": "Bundle", "type": "transaction-response"}


def test_a_batch_answers_each_entry_for_itself(server):
    answer = server.bundle(
        entry("PUT", "Library/a", library("a")),
        entry("PUT", "Library/b", library("c")),
        entry("GET", "Library/none"),
        entry("PUT", "Library/d", library("d", date="soon")),
        entry("PUT", "Library/e", library("e")),
        kind="batch",
    )
    assert answer.json()["type"] == "batch-response"
    assert statuses(answer) == ["201 Created", "400", "404", "422", "201 Created"]
    outcome = answer.json()["entry"][1]["response"]["outcome"]
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "server-body-id"
    assert server.found("Library") == ["a", "e"]


def test_absolute_urls_of_this_server_are_taken_too(server):
    answer = server.bundle(entry("PUT", f"{server.base}/Library/a", library("a")))
    assert statuses(answer) == ["201 Created"]


def test_operations_run_inside_of_a_bundle(server):
    answer = server.bundle(entry("POST", "Library/$validate", library("a")), kind="batch")
    assert answer.json()["entry"][0]["resource"]["resourceType"] == "OperationOutcome"
