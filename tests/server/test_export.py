"""`$export`: all that the server holds as lines of NDJSON, and on to another server."""

import json

import pytest

from fhirpkg.cli import _run
from tests.publishing.sample import canonical, publish, release
from tests.server.client import Client, entry, rules_of
from tests.servers.embedded import running


def patient(number, **more):
    return {"resourceType": "Patient", "id": f"p{number}", **more}


def exported(server, query=""):
    """The files of an export: type to its resources."""
    begun = server.get(f"$export{query}", Prefer="respond-async")
    assert (begun.status_code, begun.content) == (202, b"")
    place = begun.headers["Content-Location"].removeprefix(f"{server.base}/")
    done = server.get(place)
    assert (done.status_code, done.headers["Content-Type"]) == (200, "application/json")
    manifest = done.json()
    assert manifest["error"] == []
    assert manifest["transactionTime"]
    assert manifest["requiresAccessToken"] is False
    found = {}
    for output in manifest["output"]:
        answer = server.get(
            output["url"].removeprefix(f"{server.base}/"), Accept="application/fhir+ndjson"
        )
        assert answer.headers["Content-Type"].startswith("application/fhir+ndjson")
        found[output["type"]] = [json.loads(line) for line in answer.text.splitlines()]
        assert len(found[output["type"]]) == output["count"]
    return found


def test_everything_is_exported_once_in_the_version_that_stands(server):
    for number in range(45):
        server.put(patient(number, gender="male"))
    server.put(patient(7, gender="female"))
    server.delete("Patient/p8")
    server.put(canonical("ValueSet", "v"))
    found = exported(server)
    assert found.keys() == {"Patient", "ValueSet"}
    assert len(found["Patient"]) == len({p["id"] for p in found["Patient"]}) == 44
    assert "p8" not in {p["id"] for p in found["Patient"]}
    (seventh,) = (p for p in found["Patient"] if p["id"] == "p7")
    assert (seventh["gender"], seventh["meta"]["versionId"]) == ("female", "2")
    assert exported(server, "?_type=ValueSet").keys() == {"ValueSet"}
    assert exported(server, "?_type=ValueSet&_type=Basic").keys() == {"ValueSet"}
    assert exported(server, "?_type=Basic") == {}


def test_only_what_changed_since_a_moment_is_exported(server):
    server.put(patient(1))
    first = server.get("Patient/p1").json()["meta"]["lastUpdated"]
    assert len(exported(server, f"?_since={first}")["Patient"]) == 1
    assert exported(server, "?_since=2999-01-01") == {}


def test_large_resources_come_a_few_at_a_time_and_none_is_lost(server):
    data = "QUJD" * 1_500_000
    for number in range(5):
        body = {"resourceType": "Binary", "id": f"b{number}", "contentType": "text/plain"}
        server.put(body | {"data": data + "QUJD" * number})
    assert [b["id"] for b in exported(server)["Binary"]] == [f"b{n}" for n in range(5)]


@pytest.mark.parametrize(
    "query, headers, status",
    [
        ("", {}, 400),
        ("?_typeFilter=Patient?active=true", {"Prefer": "respond-async"}, 400),
        ("?_outputFormat=text/csv", {"Prefer": "respond-async"}, 400),
        ("?_since=yesterday", {"Prefer": "respond-async"}, 400),
        ("?_type=Patients", {"Prefer": "respond-async"}, 404),
        ("?_part=Nothing", {}, 404),
        ("?_part=manifest&_since=x", {}, 400),
        ("?_part=Patient&_since=x", {}, 400),
    ],
)
def test_what_is_not_done_is_refused(server, query, headers, status):
    answer = server.get(f"$export{query}", **headers)
    assert answer.status_code == status
    assert rules_of(answer)


def test_an_export_is_no_part_of_a_bundle(server):
    answer = server.bundle(entry("GET", "$export?_part=manifest"), kind="batch")
    assert answer.json()["entry"][0]["response"]["status"] == "400"


def test_an_export_pushed_to_another_server_loses_nothing(tmp_path):
    with running() as one, running() as two:
        first, second = Client(one), Client(two)
        publish(one, release())
        first.put(patient(1, name=[{"family": "Made-Up"}]))
        for name, listed in exported(first).items():
            lines = "".join(json.dumps(each) + "\n" for each in listed)
            (tmp_path / f"{name}.ndjson").write_text(lines)
        at = [str(tmp_path), "--as", "demo.moved#1.0.0", "--server", two]
        assert _run(["push", *at]) == 0
        for local in ("Patient/p1", "PlanDefinition/course", "DocumentReference/leaflet"):
            found, there = (c.get(local).json() for c in (first, second))
            assert {k: v for k, v in found.items() if k != "meta"} == {
                k: v for k, v in there.items() if k != "meta"
            }
        assert second.get("List/head-demo.walking").status_code == 404
        assert _run(["push", *at]) == 0
        assert second.get("Patient/p1").json()["meta"]["versionId"] == "1"
