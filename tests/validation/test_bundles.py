"""Bundles as a whole: identity, links, documents, requests."""

import pytest

from fhirpkg import rules
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.validation.resources.bundles import check_bundle
from fhirpkg.validation.run import Run
from fhirpkg.validation.validator import Validator

DEFINITIONS = Definitions.core()
BASE = "http://example.org/fhir"
UUID = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e"


def bundle(kind, *entries, **more):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **more}


def entry(resource_type="Patient", id_="a", full_url=None, **more):
    resource = {"resourceType": resource_type, **more}
    if id_:
        resource["id"] = id_
    return {"fullUrl": full_url or f"{BASE}/{resource_type}/{id_}", "resource": resource}


def ref(to):
    return {"reference": to}


def check(made):
    run = Run(made, DEFINITIONS, Terminology(DEFINITIONS))
    check_bundle(made, (), run)
    assert all(rules.issue(f.rule, **f.found).text for f in run.findings)
    return [(f.rule.id.removeprefix("bundle-"), f.path) for f in run.findings]


@pytest.mark.parametrize(
    "url, id_, expected",
    [
        (f"{BASE}/Patient/a", "a", []),
        (f"{UUID}1", "a", []),
        ("urn:oid:1.2.3", None, []),
        ("http://example.org/Unknown/b", "a", []),
        ("http://example.org/just/there", "a", []),
        ("http://me@example.org/Patient/b", "a", []),
        ("Patient/a", "a", ["full-url-absolute"]),
        (f"{BASE}/Patient/b", "a", ["full-url-identity"]),
        (f"{BASE}/Group/a", "a", ["full-url-identity"]),
        (f"{BASE}/Patient/a", None, ["full-url-identity"]),
    ],
)
def test_a_full_url_agrees_with_its_resource(url, id_, expected):
    found = check(bundle("collection", entry(id_=id_, full_url=url)))
    assert found == [(rule, ("entry", 0)) for rule in expected]


@pytest.mark.parametrize(
    "url, severity",
    [(f"{BASE}/Patient/b", None), (f"{BASE}/Group/a", "error"), (f"{BASE}/Group/b", "error")],
)
def test_an_address_of_another_type_is_worse_than_one_of_another_id(url, severity):
    made = bundle("collection", entry(full_url=url))
    run = Run(made, DEFINITIONS, Terminology(DEFINITIONS))
    check_bundle(made, (), run)
    assert [f.severity for f in run.findings] == [severity]


@pytest.mark.parametrize(
    "url, count",
    [
        (f"{BASE}/ValueSet/a", 0),
        ("http://example.org/my-value-set", 1),
        ("urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", 1),
    ],
)
def test_a_canonical_url_is_a_full_url_only_where_it_ends_with_the_id(url, count):
    found = check(bundle("collection", entry("ValueSet", "a", url, url=url)))
    assert found == [("full-url-canonical", ("entry", 0))] * count


def test_a_resource_that_is_sent_may_lack_the_id_of_its_address():
    sent = entry(id_=None, full_url=f"{BASE}/Patient/a") | {
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


def severities(made):
    run = Run(made, DEFINITIONS, Terminology(DEFINITIONS))
    check_bundle(made, (), run)
    return [(f.rule.id, run.severity_of(f)) for f in run.findings]


@pytest.mark.parametrize(
    "entry, severity",
    [
        ({"resource": {"resourceType": "Patient"}}, "error"),
        ({"resource": {"resourceType": "OperationOutcome"}}, "warning"),
        ({"request": {"method": "DELETE", "url": "Patient/1"}}, "warning"),
    ],
)
def test_a_full_url_is_missed_less_where_nothing_refers_to_the_entry(entry, severity):
    assert severities(bundle("history", entry)) == [("bundle-full-url-missing", severity)]


@pytest.mark.parametrize(
    "kind, reference, rules",
    [
        ("transaction", "Patient/a", ["reference-base"]),
        ("batch", "Patient/a/_history/1", ["reference-base"]),
        ("batch", "http://example.org/fhir/Patient/a", []),
        ("transaction", "Patient?identifier=x", []),
        ("transaction", "#a", []),
        ("transaction-response", "Patient/a", []),
    ],
)
def test_an_entry_with_relative_references_has_a_full_url(kind, reference, rules):
    made = {
        "resource": {"resourceType": "Group", "managingEntity": ref(reference)},
        "request": {"method": "POST", "url": "Group"},
    }
    assert check(bundle(kind, made)) == [(rule, ("entry", 0)) for rule in rules]


@pytest.mark.parametrize(
    "kind, expected", [("collection", 1), ("searchset", 1), ("batch-response", 1), ("history", 0)]
)
def test_a_reference_leads_to_one_entry_but_in_a_history(kind, expected):
    versions = [entry(meta={"versionId": v}) for v in "12"]
    told = entry(
        "Group", "g", managingEntity=ref("Patient/a"), member=[{"entity": ref("Device/d")}]
    )
    place = ("entry", 2, "resource", "managingEntity")
    assert check(bundle(kind, *versions, told)) == [("reference-ambiguous", place)] * expected


@pytest.mark.parametrize(
    "base, reference, expected",
    [
        (f"{UUID}2", "Patient/a", 1),
        ("http://other.example/fhir/Observation/o", "Patient/a/_history/1", 1),
        (f"{UUID}2", "Patient/elsewhere", 0),
        (f"{UUID}2", f"{BASE}/Patient/a", 0),
        (f"{BASE}/Observation/o", "Patient/a", 0),
    ],
)
def test_no_reference_in_a_document_misses_an_entry_by_its_full_url_only(base, reference, expected):
    composition = {"subject": ref("Patient/a"), "section": [{"entry": [ref(base)]}]}
    observation = entry("Observation", "o", base, subject=ref(reference))
    made = document(composition, entry(), observation)
    assert check(made) == [("reference", ("entry", 2))] * expected
    assert severities(made) == [("bundle-reference", "warning")] * expected


def test_a_definition_that_is_loaded_need_not_be_in_a_document():
    reference = ref("http://hl7.org/fhir/ValueSet/administrative-gender")
    assert check(document({"section": [{"entry": [reference]}]})) == []


def test_links_that_page_stand_once_others_may_repeat():
    relations = ["self", "next", "alternate", "alternate", "next"]
    links = [{"relation": r, "url": "http://example.org"} for r in relations]
    assert check(bundle("searchset", link=links)) == [("link-repeated", ("link", 4))]


@pytest.mark.parametrize("kind", ["collection", "transaction", "document", "message"])
def test_only_searches_and_histories_have_pages(kind):
    made = bundle(kind, link=[{"relation": "next", "url": "http://example.org"}])
    assert check(made) == [("link-kind", ("link", 0, "relation"))]


def hit(mode=None, **more):
    return entry(**more) | ({"search": {"mode": mode}} if mode else {})


@pytest.mark.parametrize(
    "made, count",
    [
        (hit("match"), 0),
        (hit(), 0),
        (hit("include", resource_type="Group"), 0),
        (hit("outcome", resource_type="OperationOutcome", id_=None, full_url=f"{UUID}1"), 0),
        (hit("match", resource_type="Group"), 1),
        (hit("match", id_=None, full_url=f"{UUID}1"), 1),
        (hit("outcome"), 1),
        ({"fullUrl": f"{UUID}1"}, 1),
    ],
)
@pytest.mark.parametrize("search", ["Patient?name=x", "?_type=Patient,Device", "Patient"])
def test_search_results_are_of_the_type_that_was_searched_for(made, count, search):
    link = [{"relation": "self", "url": f"{BASE}/{search}"}]
    found = check(bundle("searchset", made, link=link))
    assert found == [("search", ("entry", 0))] * count


def test_a_message_holds_what_its_header_is_about():
    header = entry("MessageHeader", "m", focus=[ref("Patient/a"), ref("Patient/b")])
    found = check(bundle("message", header, entry(), entry("Device", "d")))
    assert found == [
        ("reference", ("entry", 0, "resource", "focus", 1)),
        ("unreachable", ("entry", 2)),
    ]


@pytest.mark.parametrize("url", [f"{BASE}/Binary/x", "Binary/x"])
def test_an_entry_can_be_linked_by_another_url_than_a_reference(url):
    picture = {"url": url}
    made = document({"subject": ref("Patient/a")}, entry(photo=[picture]), entry("Binary", "x"))
    assert check(made) == []


def test_an_inner_bundle_links_nothing_for_the_outer_one():
    inner = bundle("collection", {"fullUrl": f"{UUID}3", "resource": {"subject": ref("Device/d")}})
    outer = {"fullUrl": f"{BASE}/Bundle/i", "resource": inner | {"id": "i"}}
    section = {"entry": [ref("Bundle/i")]}
    found = check(document({"section": [section]}, outer, entry("Device", "d")))
    assert found == [("unreachable", ("entry", 2))]


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
    assert found == [("reference", ("entry", 0, "resource", *place))]


def test_a_relative_reference_is_not_resolved_against_a_uuid():
    made = document({"author": [ref("Patient/a")]}, entry())
    made["entry"][0]["fullUrl"] = f"{UUID}2"
    assert [rule for rule, _ in check(made)] == ["reference", "unreachable"]


def test_versions_tell_entries_apart():
    versions = [entry(meta={"versionId": v}) for v in "12"]
    one = ref("Patient/a/_history/1")
    assert (
        check(document({"subject": one, "author": [ref("Patient/a/_history/2")]}, *versions)) == []
    )
    found = check(document({"subject": ref("Patient/a")}, *versions))
    assert found == [("reference-ambiguous", ("entry", 0, "resource", "subject"))]
    found = check(document({"subject": ref("Patient/a/_history/3")}, versions[0]))
    assert [rule for rule, _ in found] == ["reference", "unreachable"]


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


@pytest.mark.parametrize(
    "made, severity",
    [
        (request("POST", "Patient/a", PATIENT), "warning"),
        (request("POST", "Patient/a/Group", PATIENT), "warning"),
        (request("PUT", "Patient/b", PATIENT), "error"),
    ],
)
def test_a_server_that_gives_the_id_makes_an_unwise_request_no_wrong_bundle(made, severity):
    issues = Validator().validate(bundle("batch", made)).issues
    assert [str(i.severity) for i in issues if i.rule == "bundle-request-url"] == [severity]


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
