"""Searching by R4 SearchParameters (http://hl7.org/fhir/R4/search.html)."""

import pytest

from fhirpkg.server.storing.store import Store
from tests.server.client import entry, rules_of

TYPES = "http://terminology.hl7.org/CodeSystem/usage-context-type"
LENIENT = "handling=lenient"
CPT = "http://www.ama-assn.org/go/cpt"


def concept(code, system=CPT):
    return {"coding": [{"system": system, "code": code}]}


def context(kind, code):
    return {"code": {"system": TYPES, "code": kind}, "valueCodeableConcept": concept(code)}


PLANS = [
    {
        "resourceType": "PlanDefinition",
        "id": "p",
        "meta": {"tag": [{"system": "http://x.org/pkg", "code": "A"}], "profile": ["http://x.org/sd"]},
        "url": "http://x.org/plans/p",
        "identifier": [{"system": "http://x.org/ids", "value": "1-a"}, {"value": "bare"}],
        "version": "1.0",
        "name": "Cryo",
        "title": "Kryoablation für  Knochen",
        "status": "draft",
        "date": "2026-03-15",
        "effectivePeriod": {"start": "2026-01-01", "end": "2026-06-30"},
        "useContext": [context("focus", "20983"), context("task", "99213")],
        "topic": [concept("20983")],
        "library": ["http://x.org/libs/l|2.0"],
        "action": [{"definitionCanonical": "http://x.org/acts/a"}],
    },
    {
        "resourceType": "PlanDefinition",
        "id": "q",
        "meta": {"tag": [{"system": "http://x.org/pkg", "code": "B"}]},
        "url": "http://x.org/plans/q",
        "version": "2.0",
        "name": "cryo, other",
        "title": "Other",
        "status": "active",
        "date": "2026-03",
        "useContext": [context("focus", "99213"), context("task", "20983")],
        "library": ["http://x.org/libs/l"],
    },
    {"resourceType": "PlanDefinition", "id": "r", "status": "retired", "name": "Third"},
]  # fmt: skip
OTHERS = [
    {"resourceType": "Library", "id": "l", "url": "http://x.org/libs/l", "version": "2.0",
     "status": "draft", "type": concept("x"),
     "relatedArtifact": [{"type": "depends-on", "resource": "http://x.org/libs/m"}]},
    {"resourceType": "Library", "id": "l1", "url": "http://x.org/libs/l", "version": "1.0"},
    {"resourceType": "Library", "id": "m", "url": "http://x.org/libs/m"},
    {"resourceType": "ActivityDefinition", "id": "a", "url": "http://x.org/acts/a",
     "status": "draft", "topic": [concept("20983")]},
    {"resourceType": "DocumentReference", "id": "d", "status": "current",
     "context": {"event": [concept("20983")]}},
    {"resourceType": "Patient", "id": "ann", "birthDate": "1980-02-03", "active": True,
     "name": [{"family": "Müller", "given": ["Ann", "Bo"], "use": "official"}],
     "telecom": [{"system": "phone", "value": "555", "use": "home"}]},
    {"resourceType": "Observation", "id": "o", "status": "final", "code": concept("718-7"),
     "subject": {"reference": "Patient/ann"}, "effectiveDateTime": "2026-05-01T10:00:00+02:00",
     "performer": [{"identifier": {"system": "http://x.org/staff", "value": "7"}}],
     "valueQuantity": {"value": 5.4, "unit": "mg", "system": "http://unitsofmeasure.org",
                       "code": "mg"},
     "component": [{"code": concept("a"), "valueQuantity": {"value": 1}},
                   {"code": concept("b"), "valueQuantity": {"value": 2}}]},
    {"resourceType": "Observation", "id": "abs", "status": "final", "code": concept("2-2"),
     "subject": {"reference": "http://else.where/fhir/Patient/ann"}},
    {"resourceType": "RiskAssessment", "id": "risk", "status": "final",
     "subject": {"reference": "Patient/ann"},
     "prediction": [{"probabilityDecimal": 0.35}]},
]  # fmt: skip

CASES = {
    # token
    "PlanDefinition?status=draft": ["p"],
    "PlanDefinition?status=DRAFT": ["p"],
    "PlanDefinition?status=draft,active": ["p", "q"],
    "PlanDefinition?status=http://hl7.org/fhir/publication-status|draft": ["p"],
    "PlanDefinition?status:not=draft": ["q", "r"],
    "PlanDefinition?status:not=draft,active": ["r"],
    f"PlanDefinition?context={CPT}|20983": ["p", "q"],
    "PlanDefinition?context=20983": ["p", "q"],
    "PlanDefinition?context=http://other|20983": [],
    f"PlanDefinition?context={CPT}|": ["p", "q"],
    "PlanDefinition?context=|20983": [],
    "PlanDefinition?context=20983&context=99213": ["p", "q"],
    "PlanDefinition?topic=20983": ["p"],
    "PlanDefinition?topic:missing=true": ["q", "r"],
    "PlanDefinition?topic:missing=false": ["p"],
    "PlanDefinition?identifier=http://x.org/ids|1-a": ["p"],
    "PlanDefinition?identifier=|bare": ["p"],
    "PlanDefinition?identifier=|1-a": [],
    "PlanDefinition?version=1.0": ["p"],
    "PlanDefinition?_tag=http://x.org/pkg|A": ["p"],
    "PlanDefinition?_tag=http://x.org/pkg|": ["p", "q"],
    "PlanDefinition?_profile=http://x.org/sd": ["p"],
    "PlanDefinition?_id=q,p,none": ["p", "q"],
    "PlanDefinition?_id=Q": [],
    "Patient?active=true": ["ann"],
    "Patient?phone=555": ["ann"],
    "Patient?telecom=home|555": ["ann"],
    # composite
    f"PlanDefinition?context-type-value=focus${CPT}|20983": ["p"],
    f"PlanDefinition?context-type-value={TYPES}|focus${CPT}|20983": ["p"],
    "PlanDefinition?context-type-value=focus$20983,focus$99213": ["p", "q"],
    f"PlanDefinition?context-type-value=http://other|focus${CPT}|20983": [],
    "PlanDefinition?context-type-value=focus$99": [],
    "Observation?component-code-value-quantity=a$1": ["o"],
    "Observation?component-code-value-quantity=a$2": [],
    "Observation?component-code-value-quantity=a$lt2": ["o"],
    # string
    "PlanDefinition?name=cry": ["p", "q"],
    "PlanDefinition?name=ryo": [],
    "PlanDefinition?name:contains=RYO": ["p", "q"],
    "PlanDefinition?name:exact=Cryo": ["p"],
    "PlanDefinition?name:exact=cryo": [],
    r"PlanDefinition?name=cryo\,": ["q"],
    "PlanDefinition?name=cryo,third": ["p", "q", "r"],
    "PlanDefinition?title=kryoablation fur knochen": ["p"],
    "Patient?name=bo": ["ann"],
    "Patient?family=MULLER": ["ann"],
    "Patient?name=official": [],
    # uri
    "PlanDefinition?url=http://x.org/plans/p": ["p"],
    "PlanDefinition?url=http://x.org/plans": [],
    "PlanDefinition?url=http://x.org/plans/p,http://x.org/plans/q": ["p", "q"],
    "PlanDefinition?url:below=http://x.org/plans": ["p", "q"],
    "PlanDefinition?url:above=http://x.org/plans/p/more": ["p"],
    # date
    "PlanDefinition?date=2026-03-15": ["p"],
    "PlanDefinition?date=2026-03": ["p", "q"],
    "PlanDefinition?date=ne2026-03-15": ["q"],
    "PlanDefinition?date=gt2026-03-15": ["q"],
    "PlanDefinition?date=lt2026-03-15": ["q"],
    "PlanDefinition?date=ge2026-03-15": ["p", "q"],
    "PlanDefinition?date=le2026-03-14": ["q"],
    "PlanDefinition?date=sa2026-03-14": ["p"],
    "PlanDefinition?date=eb2026-04": ["p", "q"],
    "PlanDefinition?date=ap2026-03-15": ["p", "q"],
    "PlanDefinition?effective=2026": ["p"],
    "PlanDefinition?effective=2026-02": [],
    "PlanDefinition?effective=ge2026-06-30&effective=le2026-01-01": ["p"],
    "Observation?date=2026-05-01T08:00:00Z": ["o"],
    "Observation?date=2026-05-01T10:00:00%2B02:00": ["o"],
    "Observation?date=2026-05-01T10:00:00+02:00": ["o"],
    "Observation?date=gt2026-05-01T10:00:00Z": [],
    "Patient?birthdate=lt1981": ["ann"],
    "PlanDefinition?_lastUpdated=gt2020": ["p", "q", "r"],
    "PlanDefinition?_lastUpdated=lt2020": [],
    # number
    "RiskAssessment?probability=0.35": ["risk"],
    "RiskAssessment?probability=0.4": ["risk"],
    "RiskAssessment?probability=0.3500": ["risk"],
    "RiskAssessment?probability=0.36": [],
    "RiskAssessment?probability=gt0.35": [],
    "RiskAssessment?probability=ge0.35": ["risk"],
    "RiskAssessment?probability=lt0.4": ["risk"],
    "RiskAssessment?probability=ne0.36": ["risk"],
    "RiskAssessment?probability=ap0.33": ["risk"],
    # quantity
    "Observation?value-quantity=5.4": ["o"],
    "Observation?value-quantity=5.4||mg": ["o"],
    "Observation?value-quantity=5.4|http://unitsofmeasure.org|mg": ["o"],
    "Observation?value-quantity=5.4|http://unitsofmeasure.org|g": [],
    "Observation?value-quantity=0.0054|http://unitsofmeasure.org|g": ["o"],
    "Observation?value-quantity=5400|http://unitsofmeasure.org|ug": ["o"],
    "Observation?value-quantity=ge5400|http://unitsofmeasure.org|ug": ["o"],
    "Observation?value-quantity=gt5400|http://unitsofmeasure.org|ug": [],
    "Observation?value-quantity=5.4|http://unitsofmeasure.org|mL": [],
    "Observation?value-quantity=5.4|http://unitsofmeasure.org|nonsense": [],
    "Observation?value-quantity=0.0054": [],
    "Observation?value-quantity=5.4||ug": [],
    "Observation?value-quantity=gt5|http://unitsofmeasure.org|mg": ["o"],
    "Observation?value-quantity=lt5": [],
    # reference and canonical
    "Observation?subject=Patient/ann": ["o"],
    "Observation?subject=ann": ["o"],
    "Observation?subject:Patient=ann": ["o"],
    "Observation?subject:Group=ann": [],
    "Observation?patient=Patient/ann": ["o"],
    "Observation?subject={base}/Patient/ann": ["o"],
    "Observation?subject=http://else.where/fhir/Patient/ann": ["abs"],
    "Observation?subject=Group/ann": [],
    "Observation?performer:identifier=http://x.org/staff|7": ["o"],
    "Observation?performer:identifier=http://x.org/staff|8": [],
    "Observation?performer:missing=true": ["abs"],
    "PlanDefinition?depends-on=http://x.org/libs/l": ["p", "q"],
    "PlanDefinition?depends-on=http://x.org/libs/l|2.0": ["p"],
    "PlanDefinition?definition=http://x.org/acts/a": ["p"],
    "DocumentReference?event=http://www.ama-assn.org/go/cpt|20983": ["d"],
    "ActivityDefinition?topic=http://www.ama-assn.org/go/cpt|20983": ["a"],
    # order
    "PlanDefinition?_sort=name": ["p", "q", "r"],
    "PlanDefinition?_sort=-name": ["r", "q", "p"],
    "PlanDefinition?_sort=-date": ["p", "q", "r"],
    "PlanDefinition?_sort=date": ["q", "p", "r"],
    "PlanDefinition?_sort=-_id": ["r", "q", "p"],
    "PlanDefinition?_sort=topic,-_lastUpdated,-_id": ["p", "r", "q"],
}


@pytest.fixture
def stored(server):
    for resource in PLANS + OTHERS:
        url = f"{resource['resourceType']}/{resource['id']}"
        answer = server.bundle(entry("PUT", url, resource))
        assert answer.status_code == 200, answer.text
    return server


def test_each_search_finds_what_the_specification_says(stored):
    wrong = {
        query: found
        for query, expected in CASES.items()
        if (found := stored.found(query.replace("{base}", stored.base))) != expected
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("status:foo=x", "server-search-modifier"),
        ("url:exact=x", "server-search-modifier"),
        ("definition:Patient=x", "server-search-modifier"),
        ("context-type-value:missing=true", "server-search-modifier"),
        ("status:missing=maybe", "server-search-value"),
        ("date=soon", "server-search-value"),
        ("date=2026-13", "server-search-value"),
        ("date=xx2026", "server-search-value"),
        ("context-quantity=much", "server-search-value"),
        ("context-quantity=5|mg", "server-search-value"),
        ("context-type-value=focus", "server-search-value"),
        ("_count=-1", "server-search-value"),
        ("_count=many", "server-search-value"),
        ("_summary=some", "server-search-value"),
        ("_include=PlanDefinition:url", "server-search-value"),
        ("_include=Plan:url", "server-unknown-type"),
        ("url=" + ",".join(map(str, range(500))), "server-search-limit"),
    ],
)
@pytest.mark.parametrize("handling", ["strict", "lenient"])
def test_a_modifier_or_value_that_does_not_fit_is_refused(stored, query, rule, handling):
    refused = stored.get(f"PlanDefinition?{query}", Prefer=f"handling={handling}")
    assert refused.status_code in {400, 404}
    assert rules_of(refused) == [rule]


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "_foo=1",
        "statuss=draft",
        "_sort=colour",
        "name.x=1",
        "definition.x=1",
    ],
)
def test_what_is_unknown_is_refused_when_strict_and_told_when_lenient(stored, query):
    refused = stored.get(f"PlanDefinition?{query}", Prefer="handling=strict")
    assert (refused.status_code, rules_of(refused)) == (400, ["server-search-parameter"])
    lenient = stored.get(f"PlanDefinition?name=Third&{query}", Prefer=LENIENT).json()
    match, told = lenient["entry"]
    assert (match["resource"]["id"], told["search"]["mode"]) == ("r", "outcome")
    assert told["resource"]["issue"][0]["severity"] == "warning"
    assert query.split("=")[0 if query[:2] != "_s" else 1] in str(told["resource"])
    assert lenient["total"] == 1


def test_the_self_link_holds_what_was_used_and_nothing_else(stored):
    answer = stored.get(
        "PlanDefinition?status=draft&colour=red&name=&_count=5&_format=json", Prefer=LENIENT
    ).json()
    assert answer["link"] == [
        {"relation": "self", "url": f"{stored.base}/PlanDefinition?status=draft&_count=5"}
    ]


def test_a_parameter_without_a_value_is_told_to_be_ignored(stored):
    answer = stored.get("PlanDefinition?name=").json()
    assert "'name' has no value" in answer["entry"][-1]["resource"]["issue"][0]["details"]["text"]


def test_pages_follow_each_other_and_hold_each_match_once(stored):
    seen, query = [], "PlanDefinition?_sort=-name&_count=2"
    for expected in (["next", "self"], ["previous", "self"]):
        page = stored.get(query).json()
        links = {link["relation"]: link["url"] for link in page["link"]}
        assert sorted(links) == expected
        assert page["total"] == 3
        seen += [found["resource"]["id"] for found in page["entry"]]
        query = links.get("next", links["self"]).removeprefix(f"{stored.base}/")
    assert seen == ["r", "q", "p"]


def next_of(bundle):
    return next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)


@pytest.mark.parametrize("gone", [["b0"], ["b0", "b1"], ["b1", "b4"], ["b5"]])
def test_no_match_is_left_out_when_others_are_deleted_between_two_pages(server, gone):
    for number in range(6):
        server.put({"resourceType": "Basic", "id": f"b{number}", "code": {"text": "x"}})
    page = server.get("Basic?_count=2").json()
    seen = [found["resource"]["id"] for found in page["entry"]]
    for place in gone:
        assert server.delete(f"Basic/{place}").status_code == 204
    while following := next_of(page):
        page = server.get(following.removeprefix(f"{server.base}/")).json()
        seen += [found["resource"]["id"] for found in page["entry"]]
    assert seen == [f"b{n}" for n in range(6) if n < 2 or f"b{n}" not in gone]


def test_a_page_whose_matches_are_deleted_while_it_is_made_is_asked_for_again(
    server, endpoint, monkeypatch
):
    for number in range(4):
        server.put({"resourceType": "Basic", "id": f"b{number}", "code": {"text": "x"}})
    by_keys, meanwhile = Store.by_keys, ["Basic/b0", "Basic/b1"]

    def deleted_first(store, keys):
        while meanwhile:
            store.delete(*meanwhile.pop().split("/"))
        return by_keys(store, keys)

    monkeypatch.setattr(Store, "by_keys", deleted_first)
    first = server.get("Basic?_count=2")
    assert first.status_code == 200
    assert "entry" not in first.json()
    following = next_of(first.json()).removeprefix(f"{server.base}/")
    assert server.found(following) == ["b2", "b3"]


def test_what_is_made_or_changed_between_two_pages_comes_once(server):
    for number in range(4):
        server.put({"resourceType": "Basic", "id": f"b{number}", "code": {"text": "x"}})
    page = server.get("Basic?_count=2").json()
    for number in (0, 3, 4):
        server.put({"resourceType": "Basic", "id": f"b{number}", "code": {"text": "y"}})
    seen = []
    while following := next_of(page):
        page = server.get(following.removeprefix(f"{server.base}/")).json()
        seen += [found["resource"]["id"] for found in page["entry"]]
    assert seen == ["b2", "b3", "b4"]


def test_a_sort_key_that_is_not_used_is_not_in_the_self_link(stored):
    answer = stored.get("PlanDefinition?_sort=nonsense,-name", Prefer=LENIENT).json()
    assert answer["link"][0]["url"] == f"{stored.base}/PlanDefinition?_sort=-name"
    assert "_sort=nonsense" in answer["entry"][-1]["resource"]["issue"][0]["details"]["text"]


def test_a_page_is_never_larger_than_the_server_allows_and_the_self_link_says_so(stored):
    link = stored.get("PlanDefinition?_count=99999").json()["link"][0]["url"]
    assert link.endswith("?_count=1000")


@pytest.mark.parametrize("query", ["_summary=count", "_count=0"])
def test_only_the_number_of_matches_can_be_asked_for(stored, query):
    answer = stored.get(f"PlanDefinition?{query}").json()
    assert (answer["total"], "entry" in answer) == (3, False)


def test_the_total_is_left_out_on_demand(stored):
    assert "total" not in stored.get("PlanDefinition?_total=none").json()


def test_elements_and_summary_reduce_each_match(stored):
    found = stored.get("PlanDefinition?_id=p&_elements=url,version").json()["entry"][0]["resource"]
    assert found.keys() == {"resourceType", "id", "meta", "url", "version", "status"}
    summary = stored.get("PlanDefinition?_id=p&_summary=true").json()["entry"][0]["resource"]
    assert "title" in summary
    assert "action" not in summary


def test_elements_that_a_type_does_not_have_are_refused_or_said(stored):
    wrong = "PlanDefinition?_id=p&_elements=url,verzion"
    refusal = stored.get(wrong)
    assert (refusal.status_code, rules_of(refusal)) == (400, ["server-search-value"])
    assert stored.get("PlanDefinition/p?_elements=verzion").status_code == 400
    assert stored.get("PlanDefinition?_elements=Patient.action").status_code == 400
    found = stored.get(wrong, Prefer="handling=lenient").json()["entry"]
    assert [entry["search"]["mode"] for entry in found] == ["match", "outcome"]
    assert found[0]["resource"].keys() == {"resourceType", "id", "meta", "url", "status"}
    assert stored.get("PlanDefinition?_elements=PlanDefinition.url,Patient.name").status_code == 200
    assert stored.get("Observation?_elements=name&_include=Observation:subject").status_code == 200


def test_a_choice_is_an_element_by_its_name_and_by_its_key(stored):
    for name in ("subject", "subject[x]", "subjectCodeableConcept"):
        assert stored.get(f"PlanDefinition?_elements={name}").status_code == 200, name
    assert stored.get("PlanDefinition?_elements=subjects").status_code == 400


INCLUDES = {
    "PlanDefinition?_id=p&_include=PlanDefinition:definition": ["a"],
    "PlanDefinition?_id=p&_include=PlanDefinition:depends-on": ["l"],
    "PlanDefinition?_id=q&_include=PlanDefinition:depends-on": ["l", "l1"],
    "PlanDefinition?_id=p&_include=PlanDefinition:*": ["a", "l"],
    "PlanDefinition?_id=p&_include=*": ["a", "l"],
    "PlanDefinition?_id=p&_include=PlanDefinition:depends-on:ActivityDefinition": [],
    "Observation?_include=Observation:subject": ["ann"],
    "Observation?_include=Observation:subject:Patient": ["ann"],
    "Observation?_include=Observation:subject:Group": [],
    "Patient?_revinclude=Observation:subject": ["o"],
    "Library?_id=l&_revinclude=PlanDefinition:depends-on": ["p", "q"],
    "Library?_id=m&_revinclude=Library:depends-on": ["l"],
}


@pytest.mark.parametrize("query", INCLUDES)
def test_includes_add_what_matches_refer_to_or_what_refers_to_them(stored, query):
    entries = stored.get(query).json()["entry"]
    added = sorted(e["resource"]["id"] for e in entries if e["search"]["mode"] == "include")
    assert added == INCLUDES[query]


def test_an_include_iterates_where_that_is_asked_for(server):
    """FirelyTeam/firely-net-sdk#1412: report 26 of those in tests/publishing/test_reports.py."""
    for number in range(4):
        part_of = {"reference": f"Organization/o{number + 1}"}
        one = {"resourceType": "Organization", "id": f"o{number}", "active": True}
        server.put(one | ({"partOf": part_of} if number < 3 else {}))

    def included(query):
        entries = server.get(f"Organization?{query}").json()["entry"]
        return sorted(e["resource"]["id"] for e in entries if e["search"]["mode"] == "include")

    assert included("_id=o0&_include=Organization:partof") == ["o1"]
    assert included("_id=o0&_include:iterate=Organization:partof") == ["o1", "o2", "o3"]
    assert included("_id=o3&_revinclude:iterate=Organization:partof") == ["o0", "o1", "o2"]
    refused = server.get("Organization?_include:recurse=Organization:partof")
    assert (refused.status_code, rules_of(refused)) == (400, ["server-search-modifier"])


def test_a_search_sees_each_write_at_once(stored):
    stored.put(PLANS[0] | {"url": "http://x.org/moved"})
    assert stored.found("PlanDefinition?url=http://x.org/plans/p") == []
    assert stored.found("PlanDefinition?url=http://x.org/moved") == ["p"]
    stored.delete("PlanDefinition/p")
    assert stored.found("PlanDefinition?url=http://x.org/moved") == []


@pytest.mark.parametrize("text", ["'", '"', "%", "_", "\\", "' OR 1=1 --", "$", "|", "?", ":a"])
def test_text_of_a_query_is_never_taken_for_sql(stored, text):
    assert stored.found(f"PlanDefinition?name:exact={text.replace('%', '%25')}") == []


@pytest.mark.parametrize("bound", ["MOST_INCLUDED", "_MOST_CHARACTERS"])
def test_more_than_can_be_included_is_said(stored, monkeypatch, bound):
    monkeypatch.setattr(f"fhirpkg.server.searching.including.{bound}", 1)
    bundle = stored.get("PlanDefinition?_id=p&_include=*").json()
    added = [e["resource"] for e in bundle["entry"] if e["search"]["mode"] == "include"]
    assert len(added) == 1
    outcomes = [e["resource"] for e in bundle["entry"] if e["search"]["mode"] == "outcome"]
    [issue] = outcomes[0]["issue"]
    assert issue["details"]["coding"] == [{"code": "server-included"}]
