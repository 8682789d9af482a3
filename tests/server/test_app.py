"""HTTP: formats, headers, limits, and an OperationOutcome on every error."""

import base64
import gzip
import http.client
import json
import socket
import time

import pytest
import requests

from tests.server.client import FHIR, Client, rules_of
from tests.servers.embedded import running

PLAN = {"resourceType": "PlanDefinition", "id": "p", "status": "draft", "title": "é"}
XML = "application/fhir+xml"
PLAN_XML = (
    '<PlanDefinition xmlns="http://hl7.org/fhir"><id value="p"/><title value="é"/>'
    '<status value="draft"/></PlanDefinition>'
)


@pytest.mark.parametrize(
    ("accept", "asked", "media"),
    [
        ("*/*", "", FHIR),
        (FHIR, "", FHIR),
        ("application/json", "", FHIR),
        (XML, "", XML),
        ("text/xml", "", XML),
        (f"{FHIR};q=0.5, {XML}", "", XML),
        ("text/html, application/xhtml+xml, */*;q=0.8", "", FHIR),
        (f"{XML}; fhirVersion=4.0", "", XML),
        (f"text/turtle, {FHIR};q=0.1", "", FHIR),
        (XML, "json", FHIR),
        (FHIR, "xml", XML),
        (FHIR, "application/fhir%2Bxml", XML),
        (FHIR, "application/fhir+xml", XML),
    ],
)
def test_the_format_is_what_the_client_accepts_or_asks_for(server, accept, asked, media):
    server.put(PLAN)
    path = "PlanDefinition/p" + (f"?_format={asked}" if asked else "")
    answer = server.get(path, Accept=accept)
    assert answer.headers["Content-Type"] == f"{media}; charset=utf-8"
    assert "é" in answer.content.decode()


@pytest.mark.parametrize(
    ("accept", "asked"),
    [("text/turtle", ""), ("image/png", ""), (f"{FHIR};q=0", ""), (f"{FHIR}; fhirVersion=5.0", ""),
     (FHIR, "turtle")],
)  # fmt: skip
def test_a_format_that_is_not_offered_is_refused(server, accept, asked):
    server.put(PLAN)
    refused = server.get("PlanDefinition/p" + (f"?_format={asked}" if asked else ""), Accept=accept)
    assert (refused.status_code, rules_of(refused)) == (406, ["server-not-acceptable"])


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "", "application/fhir+ndjson",
              f"{FHIR}; charset=latin-1", f"{FHIR}; fhirVersion=3.0"]
)  # fmt: skip
def test_a_body_in_another_format_is_refused(server, media):
    refused = server("PUT", "PlanDefinition/p", json.dumps(PLAN), Content_Type=media)
    assert (refused.status_code, rules_of(refused)) == (415, ["server-media-type"])


@pytest.mark.parametrize("media", ["application/fhir+json", "text/plain"])
@pytest.mark.parametrize("path", ["Patient", "Binary"])
def test_a_body_in_an_encoding_is_refused_not_misread(server, path, media):
    headers = {"Content_Type": media, "Content_Encoding": "br"}
    refusal = server("POST", path, b"{}", **headers)
    assert (refusal.status_code, rules_of(refusal)) == (415, ["server-media-type"])
    assert "encoded as br" in refusal.text


def test_a_body_may_be_gzip_and_so_is_a_long_answer(server):
    body = gzip.compress(json.dumps(PLAN | {"purpose": "why " * 1000}).encode())
    made = server("PUT", "PlanDefinition/p", body, Content_Type=FHIR, Content_Encoding="GZIP")
    assert made.status_code == 201
    plain = server.get("PlanDefinition/p", Accept_Encoding="identity")
    packed = server.get("PlanDefinition/p", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json() == made.json()
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 4


@pytest.mark.parametrize(
    ("body", "status", "rule"),
    [
        (gzip.compress(b" " * 2_000_000, mtime=0), 413, "server-too-large"),
        (gzip.compress(b"{}", mtime=0)[:-3], 400, "parse-no-resource"),
        (b"{}", 400, "parse-no-resource"),
    ],
)
def test_a_gzip_body_that_breaks_off_or_grows_without_bounds_is_refused(body, status, rule):
    with running(largest_body=1_000_000) as base:
        refused = Client(base)("PUT", "Basic/b", body, Content_Type=FHIR, Content_Encoding="gzip")
        assert (refused.status_code, rules_of(refused)) == (status, [rule])


@pytest.mark.parametrize("media", [XML, "application/xml", "text/xml; charset=utf-8"])
def test_xml_and_json_are_the_same_content(server, media):
    made = server("PUT", "PlanDefinition/p", PLAN_XML.encode(), Content_Type=media)
    assert made.status_code == 201
    assert server.put(PLAN).headers["ETag"] == 'W/"1"'
    assert '<title value="é"/>' in server.get("PlanDefinition/p", Accept=XML).content.decode()


def test_errors_come_in_the_format_that_was_asked_for(server):
    answer = server.get("PlanDefinition/p?_format=xml")
    assert answer.status_code == 404
    assert answer.content.startswith(b"<?xml") or answer.content.startswith(b"<OperationOutcome")


@pytest.mark.parametrize(
    ("body", "media", "rule"),
    [
        (b'{"resourceType": "PlanDefinition", "id"', FHIR, "parse-json"),
        (b'{"resourceType":"PlanDefinition","id":"p","id":"p"}', FHIR, "parse-duplicate-key"),
        (b"[1]", FHIR, "parse-no-resource"),
        (b'{"id":"p"}', FHIR, "parse-no-resource"),
        (b"\xff", FHIR, "parse-json"),
        (b"[" * 100_000, FHIR, "parse-depth"),
        (b"<PlanDefinition", XML, "xml-syntax"),
    ],
)
def test_a_body_that_is_no_resource_is_refused_with_its_place(server, body, media, rule):
    refused = server("PUT", "PlanDefinition/p", body, Content_Type=media)
    assert (refused.status_code, rules_of(refused)) == (400, [rule])


@pytest.mark.parametrize(
    ("method", "path", "status", "rule"),
    [
        ("GET", "", 405, "server-method"),
        ("GET", "Foo", 404, "server-unknown-type"),
        ("GET", "PlanDefinition/p/x", 404, "server-unknown-path"),
        ("GET", "PlanDefinition/p/_history/1/x", 404, "server-unknown-path"),
        ("PATCH", "PlanDefinition/p/_history/1", 405, "server-method"),
        ("OPTIONS", "PlanDefinition", 405, "server-method"),
        ("POST", "PlanDefinition/p", 405, "server-method"),
        ("DELETE", "metadata", 405, "server-method"),
        ("GET", "PlanDefinition/_search", 405, "server-method"),
        ("GET", "PlanDefinition/$explode", 404, "server-operation"),
        ("GET", "PlanDefinition/p/$meta-delete", 405, "server-method"),
    ],
)
def test_what_is_not_offered_is_told(server, method, path, status, rule):
    refused = server(method, path)
    assert (refused.status_code, rules_of(refused)) == (status, [rule])
    assert ("Allow" in refused.headers) == (status == 405)


@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("POST", 404), ("TRACE", 404)])
def test_outside_of_the_base_the_base_is_named(server, method, status):
    refused = requests.request(method, server.base.removesuffix("fhir") + "x/y/z", timeout=10)
    assert (refused.status_code, rules_of(refused)) == (status, ["server-unknown-path"])
    assert server.base in refused.text


def test_other_methods_get_an_outcome_too(server):
    refused = server("TRACE", "PlanDefinition")
    assert (refused.status_code, rules_of(refused)) == (405, ["server-method"])


def test_head_gives_the_headers_of_get(server):
    server.put(PLAN)
    head, got = server("HEAD", "PlanDefinition/p"), server.get("PlanDefinition/p")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Last-Modified", "Content-Location", "Content-Type", "Content-Length"):
        assert head.headers[name] == got.headers[name]
    assert server("HEAD", "PlanDefinition/q").status_code == 404


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused(announced):
    with running(largest_body=1000) as base:
        body = b" " * 2000
        refused = Client(base)(
            "PUT", "Basic/b", body if announced else iter([body]), Content_Type=FHIR
        )
        assert (refused.status_code, rules_of(refused)) == (413, ["server-too-large"])
        assert Client(base).put({"resourceType": "Basic", "id": "b"}).status_code == 201


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("minimal", ""), ("representation", "Basic"), ("OperationOutcome", "OperationOutcome"),
     ("", "Basic")],
)  # fmt: skip
def test_prefer_says_what_a_write_gives_back(server, wanted, found):
    made = server.put({"resourceType": "Basic", "id": "b"}, Prefer=f"return={wanted}")
    assert made.headers["ETag"] == 'W/"1"'
    assert (made.json()["resourceType"] if made.content else "") == found


def test_a_binary_is_stored_and_read_as_its_bytes(server):
    made = server("PUT", "Binary/b", b"\x00\xff%PDF", Content_Type="application/pdf")
    assert made.status_code == 201
    raw = server.get("Binary/b", Accept="*/*")
    assert (raw.content, raw.headers["Content-Type"]) == (b"\x00\xff%PDF", "application/pdf")
    assert "sandbox" in raw.headers["Content-Security-Policy"]
    resource = server.get("Binary/b", Accept=FHIR).json()
    assert resource["contentType"] == "application/pdf"
    assert base64.b64decode(resource["data"]) == b"\x00\xff%PDF"
    assert server.get("Binary/b?_format=json").json()["resourceType"] == "Binary"


def test_a_binary_sent_as_a_resource_is_one(server):
    data = base64.b64encode(b"hello").decode()
    binary = {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": data}
    server.put(binary)
    assert server.get("Binary/b").content == b"hello"
    server.put(binary | {"data": "?"})
    assert server.get("Binary/b").status_code == 422


def test_pretty_answers_are_for_people(server):
    server.put(PLAN)
    assert '\n  "id": "p"' in server.get("PlanDefinition/p?_pretty=true").text


def test_a_search_may_be_posted_as_a_form(server):
    server.put(PLAN)
    form = "application/x-www-form-urlencoded"
    found = server("POST", "PlanDefinition/_search", b"title=e&_count=5", Content_Type=form)
    assert found.json()["total"] == 1
    assert found.json()["link"][0]["url"] == f"{server.base}/PlanDefinition?title=e&_count=5"
    both = server("POST", "PlanDefinition/_search?title=x", b"status=draft", Content_Type=form)
    assert both.json()["total"] == 0


def test_links_follow_the_name_by_which_the_client_knows_the_server():
    with running(origins=["http://plans.example:81"]) as base:
        Client(base).put(PLAN)
        found = Client(base).get("PlanDefinition", Host="plans.example:81").json()
        assert found["entry"][0]["fullUrl"] == "http://plans.example:81/fhir/PlanDefinition/p"


def test_a_fault_of_ours_is_told_and_the_server_goes_on(server, monkeypatch, capfd):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("fhirpkg.server.storing.store.Store.version", broken)
    server.put(PLAN)
    told = server.get("PlanDefinition/p/_history/1")
    assert (told.status_code, rules_of(told)) == (500, ["server-fault"])
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert server.get("PlanDefinition/p").status_code == 200


def test_answers_come_at_once_on_a_connection_that_is_kept(server):
    connection = http.client.HTTPConnection(server.base.split("/")[2])
    for _ in range(3):
        connection.request("GET", "/fhir/PlanDefinition")
        answer = connection.getresponse()
        assert json.load(answer)["total"] == 0
        assert answer.getheader("Connection") != "close"
    connection.close()


def test_a_client_that_goes_away_while_it_sends_is_no_fault(server, capfd):
    host, port = server.base.split("/")[2].split(":")
    with socket.create_connection((host, int(port))) as gone:
        head = "PUT /fhir/Basic/b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
        gone.sendall(head.encode())
        time.sleep(0.1)
    time.sleep(0.1)
    assert server.get("Basic/b").status_code == 404
    assert "Traceback" not in capfd.readouterr().err


def test_a_search_for_hundreds_of_urls_fits_into_an_address(server):
    server.put(PLAN | {"url": "http://x.org/" + "x" * 200 + "399"})
    urls = ",".join("http%3A%2F%2Fx.org%2F" + "x" * 200 + str(n) for n in range(400))
    assert server.found(f"PlanDefinition?url={urls}&_elements=url") == ["p"]


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("identity", False)],
)
def test_an_answer_is_compressed_for_who_takes_it(server, accepted, is_packed):
    answer = server.get("metadata", **{"Accept-Encoding": accepted})
    assert ("Content-Encoding" in answer.headers) is is_packed


def test_a_slash_that_is_written_as_a_character_does_not_divide_a_path(server):
    server.put(PLAN)
    assert server.get("PlanDefinition/p").ok
    assert server.get("PlanDefinition%2Fp").status_code == 404
    assert server.get("PlanDefinition/p%2f_history").status_code == 404


@pytest.mark.parametrize("size", [10, 50_000])
def test_a_small_and_a_large_resource_are_read_alike(server, size):
    """The small one by the thread that requests come in."""
    plan = PLAN | {"description": "x" * size}
    server.put(plan)
    read = server.get("PlanDefinition/p")
    assert read.json()["description"] == plan["description"]
    assert (read.headers["ETag"], server.get("PlanDefinition/p?_pretty=true").json()) == (
        'W/"1"',
        read.json(),
    )
    assert server.get("PlanDefinition/p", **{"If-None-Match": 'W/"1"'}).status_code == 304
    assert server.get("PlanDefinition/p", Accept="application/fhir+xml").ok
    server.delete("PlanDefinition/p")
    assert server.get("PlanDefinition/p").status_code == 410
