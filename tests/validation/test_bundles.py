"""Bundles as a whole: identity, links, documents, requests."""

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.validation.bundles import check_bundle
from fhirpkg.validation.run import Run

DEFINITIONS = Definitions.core()
BASE = "http://example.org/fhir"
UUID = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e"


def bundle(kind, *entries, **more):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **more}


def entry(resource_type="Patient", id_="a", url=None, **more):
    resource = {"resourceType": resource_type, **more}
    if id_:
        resource["id"] = id_
    return {"fullUrl": url or f"{BASE}/{resource_type}/{id_}", "resource": resource}


def ref(to):
    return {"reference": to}


def check(made):
    run = Run(made, DEFINITIONS, Terminology(DEFINITIONS))
    check_bundle(made, (), run)
    return [(f.rule.removeprefix("bundle-"), f.path) for f in run.findings]


@pytest.mark.parametrize(
    "url, id_, expected",
    [
        (f"{BASE}/Patient/a", "a", []),
        (f"{UUID}1", "a", []),
        ("urn:oid:1.2.3", None, []),
        ("http://example.org/Unknown/b", "a", []),
        ("http://example.org/just/there", "a", []),
        ("Patient/a", "a", ["full-url-absolute"]),
        (f"{BASE}/Patient/b", "a", ["full-url-identity"]),
        (f"{BASE}/Group/a", "a", ["full-url-identity"]),
        (f"{BASE}/Patient/a", None, ["full-url-identity"]),
    ],
)
def test_a_full_url_agrees_with_its_resource(url, id_, expected):
    found = check(bundle("collection", entry(id_=id_, url=url)))
    assert found == [(rule, ("entry", 0)) for rule in expected]


def test_a_resource_that_is_sent_may_lack_the_id_of_its_address():
    sent = entry(id_=None, url=f"{BASE}/Patient/a") | {
        "request": {"method": "POST", "url": "Patient"}
    }
    assert check(bundle("transaction", sent)) == []


@pytest.mark.parametrize("kind, expected", [("collection", 1), ("searchset", 1), ("batch", 0)])
def test_a_full_url_is_missed_where_there_should_be_one(kind, expected):
    made = {
        "resource": {"resourceType": "Patient"},
        "request": {"method": "POST", "url": "Patient"},
    }
    assert check(bundle(kind, made)) == [("full-url-missing", ("entry", 0))] * expected


def test_links_that_page_stand_once_others_may_repeat():
    relations = ["self", "next", "alternate", "alternate", "next"]
    links = [{"relation": r, "url": "http://example.org"} for r in relations]
    assert check(bundle("searchset", link=links)) == [("link-repeated", ("link", 4))]


def document(composition, *entries, **more):
    return bundle("document", entry("Composition", "c", **composition), *entries, **more)


def test_a_document_that_holds_what_it_refers_to_is_let_pass():
    made = document(
        {
            "subject": ref("Patient/a"),
            "author": [ref(f"{UUID}1"), {"display": "nobody"}],
            "attester": [{"party": ref("#x")}],
            "section": [{"section": [{"entry": [ref(f"{BASE}/Observation/o")]}]}],
        },
        entry(),
        entry("Practitioner", "p", f"{UUID}1"),
        entry("Observation", "o", performer=[ref("Organization/w")]),
        entry("Organization", "w"),
        entry("Provenance", "v", target=[ref("Observation/o")]),
    )
    assert check(made) == []


@pytest.mark.parametrize(
    "composition, place",
    [
        ({"subject": ref("Patient/b")}, ("subject",)),
        ({"encounter": ref("urn:uuid:1")}, ("encounter",)),
        ({"author": [ref("Patient/a"), ref("Patient/b")]}, ("author", 1)),
        ({"attester": [{"party": ref("Patient/b")}]}, ("attester", 0, "party")),
        ({"event": [{"detail": [ref("Patient/b")]}]}, ("event", 0, "detail", 0)),
        (
            {"section": [{}, {"section": [{"focus": ref("Patient/b")}]}]},
            ("section", 1, "section", 0, "focus"),
        ),
    ],
)
def test_what_a_composition_refers_to_must_be_in_the_document(composition, place):
    found = check(
        document(composition, entry(extension=[{"valueReference": ref("Composition/c")}]))
    )
    assert found == [("document-reference", ("entry", 0, "resource", *place))]


def test_a_relative_reference_is_not_resolved_against_a_uuid():
    made = document({"author": [ref("Patient/a")]}, entry())
    made["entry"][0]["fullUrl"] = f"{UUID}2"
    assert [rule for rule, _ in check(made)] == ["document-reference", "unreachable"]


def test_versions_tell_entries_apart():
    versions = [entry(meta={"versionId": v}) for v in "12"]
    one = ref("Patient/a/_history/1")
    assert (
        check(document({"subject": one, "author": [ref("Patient/a/_history/2")]}, *versions)) == []
    )
    found = check(document({"subject": ref("Patient/a")}, *versions))
    assert found == [("reference-ambiguous", ("entry", 0, "resource", "subject"))]
    found = check(document({"subject": ref("Patient/a/_history/3")}, versions[0]))
    assert [rule for rule, _ in found] == ["document-reference", "unreachable"]


def test_an_entry_that_nothing_links_with_the_composition_is_told():
    island = [entry("Group", "g", member=[ref("Device/d")]), entry("Device", "d")]
    found = check(document({"subject": ref("Patient/a")}, entry(), *island))
    assert found == [("unreachable", ("entry", 2)), ("unreachable", ("entry", 3))]


def test_a_style_sheet_is_part_of_the_document_when_its_link_is_relative():
    links = [
        {"relation": "stylesheet", "url": url}
        for url in ("Binary/css", "Binary/none", "http://example.org/elsewhere.css")
    ]
    found = check(document({}, entry("Binary", "css"), link=links))
    assert found == [("stylesheet", ("link", 1, "url"))]


def request(method, url, resource=None):
    made = {"request": {"method": method, "url": url}}
    return made | ({"fullUrl": f"{UUID}9", "resource": resource} if resource else {})


PATIENT = {"resourceType": "Patient", "id": "a"}
NEW = {"resourceType": "Patient"}


@pytest.mark.parametrize(
    "made",
    [
        request("POST", "Patient", NEW),
        request("PUT", "Patient/a", PATIENT),
        request("PUT", "Patient?identifier=x", NEW),
        request("POST", "Patient/_search"),
        request("POST", "$process-message", {"resourceType": "Bundle"}),
        request("POST", "Patient/a/$match", {"resourceType": "Parameters"}),
        request("DELETE", "Patient/a"),
        request("GET", "Patient?name=x"),
    ],
)
def test_requests_that_fit_are_let_pass(made):
    assert check(bundle("transaction", made)) == []


@pytest.mark.parametrize(
    "made, rule",
    [
        (request("POST", "Patient/a", PATIENT), "request-url"),
        (request("POST", "Group", NEW), "request-url"),
        (request("PUT", "Patient", PATIENT), "request-url"),
        (request("PUT", "Patient/b", PATIENT), "request-url"),
        (request("PUT", "Patient/b", NEW), "request-url"),
        (request("PUT", "Patiens/a", PATIENT), "request-url"),
        (request("PUT", "Patient/a"), "request-resource"),
        (request("DELETE", "Patient/a", PATIENT), "request-resource"),
    ],
)
def test_requests_that_cannot_work_are_told(made, rule):
    (found,) = check(bundle("batch", made))
    assert found[0] == rule


def test_a_transaction_changes_a_resource_once():
    twice = [request("PUT", "Patient/a", PATIENT), request("DELETE", "Patient/a")]
    expected = [("request-overlap", ("entry", 1, "request", "url"))]
    assert check(bundle("transaction", *twice)) == expected
    assert check(bundle("batch", *twice)) == []


def test_a_chain_of_many_entries_is_followed_to_its_end():
    chain = [entry("List", f"n{n}", entry=[{"item": ref(f"List/n{n + 1}")}]) for n in range(20_000)]
    made = document({"section": [{"entry": [ref("List/n0")]}]}, *chain, entry("Device", "alone"))
    assert check(made) == [("unreachable", ("entry", 20_001))]


@pytest.mark.parametrize(
    "made",
    [
        bundle("document", 5, "x"),
        {"resourceType": "Bundle", "type": "document", "entry": 5, "link": "x"},
        bundle("transaction", {"request": "x"}, {"request": {"url": 5, "method": []}}),
        bundle("document", {"fullUrl": 5, "resource": 7}),
        document({"section": [{"entry": 5, "section": ["x"]}], "author": "x"}),
    ],
)
def test_content_of_the_wrong_shape_is_left_to_the_structure(made):
    assert check(made) == []
