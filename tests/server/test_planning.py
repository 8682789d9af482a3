"""How matches are found: each way gives the same, and what takes long is stopped."""

import random
import threading
import time

import pytest

from fhirpkg.server.endpoint import open_endpoint
from fhirpkg.server.exchange import Request
from fhirpkg.server.routes import handle
from fhirpkg.server.searching import planning
from fhirpkg.server.storing import words
from fhirpkg.server.storing.connections import BUDGET, Budget, TooCostly
from fhirpkg.server.storing.store import Store
from fhirpkg.server.web import lanes
from tests.server.client import Client, rules_of
from tests.servers.embedded import running

LARGE = 600


def patient(number, chance):
    """One of many; some have two names, some none, and births are known to a day, month or year."""
    born = f"{chance.randint(1940, 1999)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    names = [{"family": chance.choice("ABCDEFG") + str(chance.randint(0, 99))} for _ in range(2)]
    resource = {"resourceType": "Patient", "id": f"p{number}", "active": number % 2 == 0}
    if number % 7:
        resource["name"] = names[: number % 3]
    if number % 5:
        resource["birthDate"] = born[: chance.choice([4, 7, 10])]
    if number % 3:
        resource["gender"] = chance.choice(["male", "female"])
    return {key: value for key, value in resource.items() if value != []}


@pytest.fixture(scope="module")
def many():
    chance = random.Random(7)
    with (endpoint := open_endpoint()).store as store:
        with store.transaction():
            for number in range(LARGE):
                store.write(patient(number, chance), "PUT")
            for number in range(0, LARGE, 10):
                reference = {"reference": f"Patient/p{number}"}
                observation = {"resourceType": "Observation", "id": f"o{number}"}
                store.write(observation | {"subject": reference, "status": "final"}, "PUT")
        store.delete("Patient", "p4")
        yield endpoint


def found(endpoint, *query, resource_type="Patient"):
    """The ids of a search, all its pages together, and its total."""
    page, ids = tuple(query), []
    while page is not None:
        request = Request("GET", (resource_type,), (*page, ("_count", "150")), base="http://x")
        bundle = handle(request, endpoint).whole()
        ids += [entry["resource"]["id"] for entry in bundle.get("entry", [])]
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        places = [part.split("=") for part in following[0].split("&")] if following else []
        place = [(name, value) for name, value in places if name in {"_offset", "_after"}]
        page = (*query, *place) if following else None
    return ids


QUERIES = [
    (),
    (("gender", "male"),),
    (("gender:not", "male"), ("active", "true")),
    (("birthdate", "ge1970"), ("birthdate", "lt1980"), ("gender", "female")),
    (("family", "A"), ("active", "true")),
    (("family", "A1,B2,C3"),),
    (("family:contains", "5"), ("birthdate:missing", "true")),
    (("family:contains", "a12"),),
    (("name:missing", "false"), ("gender:missing", "true")),
    (("_has:Observation:patient:status", "final"), ("gender", "female")),
    (("_id", "p1,p2,p3,p4"),),
    (("_lastUpdated", "gt2020"), ("family", "D")),
    (("gender:not", "male,female"),),
    (("gender:not", "x"), ("birthdate:missing", "true"), ("name:missing", "true")),
    (("active:not", "true"), ("gender:not", "http://hl7.org/fhir/administrative-gender|male")),
]
ORDERS = ["", "birthdate", "-birthdate", "family,birthdate", "-family,_id", "_id",
          "-_lastUpdated,_id", "gender,-family", "-gender,active,-birthdate", "death-date",
          "-death-date,family"]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("order", ORDERS)
def test_a_walk_along_an_index_finds_what_sorting_the_keys_finds(many, query, order, monkeypatch):
    asked = (*query, ("_sort", order)) if order else query
    monkeypatch.setattr(planning, "_FEW", 10 * LARGE)
    sorted_ = found(many, *asked)
    monkeypatch.setattr(planning, "_FEW", 5)
    walked = found(many, *asked)
    assert walked == sorted_
    assert len(set(walked)) == len(walked)
    assert sorted(walked) == sorted(found(many, *query)), "an order leaves nobody out"


@pytest.mark.parametrize("query", QUERIES)
def test_the_total_is_the_number_of_matches(many, query, monkeypatch):
    number = len(found(many, *query))
    for few in (0, 5, 10 * LARGE):
        monkeypatch.setattr(planning, "_FEW", few)
        asked = Request("GET", ("Patient",), (*query, ("_summary", "count")), base="http://x")
        assert handle(asked, many).whole()["total"] == number


def test_what_lacks_a_value_or_has_another_is_not_what_has_it(many):
    genders = {
        version.id: version.resource().get("gender")
        for version in many.store.all_present("current.type = 'Patient'", ())
    }
    lacking = [i for i, gender in genders.items() if gender is None]
    others = [i for i, gender in genders.items() if gender != "male"]
    assert 0 < len(lacking) < len(others) < len(genders)
    assert sorted(found(many, ("gender:missing", "true"))) == sorted(lacking)
    assert sorted(found(many, ("gender:not", "male,female"))) == sorted(lacking)
    assert sorted(found(many, ("gender:not", "male"))) == sorted(others)


PARTS = {
    "ill": [0, 1, 3], "ILL": [0, 1, 3], '"ill': [3], "éle": [1, 2], "le": [0, 1, 2, 3], "l o": [],
    "zzz": [], "end of a": [4], "a%b": [5], "a_b": [], "'; --": [],
}  # fmt: skip


@pytest.mark.parametrize("last", [0, 2, 1000])
@pytest.mark.parametrize(("part", "numbers"), PARTS.items())
def test_a_part_of_a_text_is_found_wherever_it_stands(part, numbers, last, monkeypatch):
    monkeypatch.setattr(words, "_MOST_LAST", last)
    names = ["Miller", "Ill-Leele", "Elena", 'a "ille"', "x" * 300 + " the end of a name", "a%b"]
    with (endpoint := open_endpoint()).store as store, store.transaction():
        for number, name in enumerate(names):
            patient = {"resourceType": "Patient", "id": f"p{number}"}
            store.write(patient | {"name": [{"family": name}]}, "PUT")
        assert found(endpoint, ("family:contains", part)) == [f"p{n}" for n in numbers]
        store.write({"resourceType": "Patient", "id": "p0"}, "PUT")
        left = [f"p{n}" for n in numbers if n]
        assert found(endpoint, ("family:contains", part)) == left, "what is gone is not found"


@pytest.mark.parametrize("few", [0, 5, 10 * LARGE])
def test_a_composite_is_found_from_whichever_part_has_fewer(few, monkeypatch):
    monkeypatch.setattr(planning, "_FEW", few)
    with (endpoint := open_endpoint()).store as store, store.transaction():
        for number in range(60):
            code = {"coding": [{"code": "abc"[number % 3]}, {"code": "all"}]}
            value = {"value": number, "unit": "kg"}
            observation = {"resourceType": "Observation", "id": f"o{number}", "code": code}
            store.write(observation | {"valueQuantity": value}, "PUT")
        for code, least in (("all", 57), ("b", 0), ("b", 50), ("a,c", 20), ("none", 0)):
            texts = ",".join(f"{one}$ge{least}" for one in code.split(","))
            ids = found(endpoint, ("code-value-quantity", texts), resource_type="Observation")
            fitting = [n for n in range(least, 60) if code == "all" or "abc"[n % 3] in code]
            assert ids == ([] if code == "none" else [f"o{n}" for n in fitting])


@pytest.mark.parametrize("few", [0, 10 * LARGE])
def test_an_order_is_by_the_lowest_value_and_reversed_by_the_highest(many, few, monkeypatch):
    monkeypatch.setattr(planning, "_FEW", few)
    names = {}
    for version in many.store.all_present("current.type = 'Patient'", ()):
        families = [name["family"].lower() for name in version.resource().get("name", [])]
        names[version.id] = (min(families), max(families)) if families else None
    up = [names[i][0] for i in found(many, ("_sort", "family")) if names[i]]
    down = [names[i][1] for i in found(many, ("_sort", "-family")) if names[i]]
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)
    assert len(up) == len(down) == sum(map(bool, names.values()))
    for order in ("family", "-family"):
        valued = [names[i] is not None for i in found(many, ("_sort", order))]
        assert valued == sorted(valued, reverse=True), "what has no value comes last"


CHAINS = [
    ("subject:Patient.gender", "male"),
    ("patient.gender", "male"),
    ("patient.family", "A"),
    ("patient.gender:not", "male"),
    ("patient.active", "true"),
    ("patient._has:Observation:patient:status", "final"),
]


@pytest.mark.parametrize(("name", "text"), CHAINS)
def test_a_chain_finds_what_refers_to_a_match(many, name, text, monkeypatch):
    inner = name.partition(".")[2]
    patients = set(found(many, (inner, text)))
    expected = [f"o{n}" for n in range(0, LARGE, 10) if f"p{n}" in patients]
    assert expected
    for few in (3, 10 * LARGE):
        monkeypatch.setattr(planning, "_FEW", few)
        assert found(many, (name, text), resource_type="Observation") == expected


@pytest.mark.parametrize("few", [0, LARGE])
@pytest.mark.parametrize("query", QUERIES)
def test_each_question_is_asked_of_an_index(many, query, few, monkeypatch):
    """Looking through a whole table takes the longer the more is stored.

    ohs-foundation/android-fhir#2547: report 24 of those in tests/publishing/test_reports.py.
    """
    plans, ask = [], Store.query

    def explained(store, sql, arguments=(), *, most=0):
        plans.extend(row[3] for row in ask(store, f"EXPLAIN QUERY PLAN {sql}", arguments))
        return ask(store, sql, arguments, most=most)

    monkeypatch.setattr(Store, "query", explained)
    monkeypatch.setattr(planning, "_FEW", few)
    for order in ("", "birthdate", "-family,_id", "_lastUpdated"):
        found(many, *query, *([("_sort", order)] if order else []))
    assert plans
    assert not {"SCAN searchable", "SCAN current", "SCAN s"} & set(plans)


def test_a_question_over_its_time_is_stopped(many):
    token = BUDGET.set(Budget(0.05))
    try:
        start = time.monotonic()
        with pytest.raises(TooCostly):
            many.store.query(
                "SELECT count(*) FROM current a, current b, current c WHERE a.id < b.id || c.id"
            )
        assert time.monotonic() - start < 5
    finally:
        BUDGET.reset(token)


def test_a_question_is_stopped_when_its_client_is_gone(many):
    budget = Budget(60)
    token = BUDGET.set(budget)
    threading.Timer(0.1, lambda: setattr(budget, "is_cancelled", True)).start()
    try:
        with pytest.raises(TooCostly):
            many.store.query(
                "SELECT count(*) FROM current a, current b, current c WHERE a.id < b.id || c.id"
            )
    finally:
        BUDGET.reset(token)


def test_a_search_that_takes_too_long_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(lanes, "SEARCH_SECONDS", 0)
    with running() as base:
        refused = Client(base).get("Patient?_sort=family")
        assert (refused.status_code, rules_of(refused)) == (422, ["server-too-costly"])


@pytest.mark.parametrize(
    "query",
    [
        "_sort=family,birthdate,gender,_id,death-date,email",
        "&".join(f"family={n}" for n in range(41)),
        "family=" + ",".join(map(str, range(401))),
        "&".join("family=" + ",".join(f"{n}-{m}" for m in range(400)) for n in range(3)),
        "general-practitioner:Practitioner." + "_has:Patient:general-practitioner:" * 4 + "_id=x",
    ],
)
def test_what_is_more_than_a_search_may_ask_is_refused_before_it_runs(server, query):
    refused = server.get(f"Patient?{query}")
    assert (refused.status_code, rules_of(refused)) == (400, ["server-search-limit"])


def test_a_page_after_what_never_was_is_refused(server):
    server.put({"resourceType": "Patient", "id": "p"})
    refused = server.get("Patient?_count=1&_after=q")
    assert (refused.status_code, rules_of(refused)) == (400, ["server-search-value"])
