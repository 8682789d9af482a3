"""What is found between two ends of an index is what is found without them."""

import itertools
import random

import pytest

from fhirpkg.server.endpoint import open_endpoint
from fhirpkg.server.searching import planning
from fhirpkg.server.storing.store import Store
from tests.server.test_planning import found

UCUM = "http://unitsofmeasure.org"
DATES = ["gt2024-05", "le2024-06-10", "sa2024-05-02", "eb2024-06", "2024-05", "ne2024-05-03"]
AMOUNTS = ["ge60", "lt61.5", "sa60", f"gt60000|{UCUM}|g", f"le61|{UCUM}|kg", "ge60||kg"]
ORDERS = ["", "date", "-date", "-value-quantity"]


def observation(number, chance):
    """Some last a moment, some a time that may begin or end nowhere; some have no date."""
    day = f"2024-{chance.randint(4, 7):02}-{chance.randint(1, 28):02}"
    later = f"2024-{chance.randint(8, 12):02}"
    value = {"value": chance.randint(590, 620) / 10, "unit": "kg"}
    resource = {
        "resourceType": "Observation", "id": f"o{number}", "status": "final",
        "code": {"text": "x", "coding": [{"code": chance.choice("abc")}]},
        "valueQuantity": value | chance.choice([{}, {"system": UCUM, "code": "kg"}]),
    }  # fmt: skip
    kinds = [
        {"effectiveDateTime": day},
        {"effectiveDateTime": day[:7]},
        {"effectiveInstant": f"{day}T10:00:00Z"},
        {"effectivePeriod": {"start": day, "end": later}},
        {"effectiveTiming": {"event": [day, later]}},
        {},
    ]
    open_ = [{"effectivePeriod": {"start": day}}, {"effectivePeriod": {"end": day}}]
    return resource | chance.choice(kinds if number < 150 else kinds + open_)


@pytest.fixture(scope="module", params=[150, 200])
def dated(request):
    """Observations whose longest time is some months; of the last fifty some have no end."""
    chance = random.Random(3)
    with (endpoint := open_endpoint()).store as store:
        with store.transaction():
            for number in range(request.param):
                store.write(observation(number, chance), "PUT")
        yield endpoint


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize("order", ORDERS)
def test_what_lies_between_two_ends_is_found(dated, order, few, monkeypatch):
    monkeypatch.setattr(planning, "_FEW", few)
    sort = [("_sort", order)] if order else []
    asked = [*itertools.combinations([("date", text) for text in DATES], 2)]
    asked += itertools.combinations([("value-quantity", text) for text in AMOUNTS], 2)
    asked += [
        (("date", one), ("value-quantity", two)) for one, two in zip(DATES, AMOUNTS, strict=False)
    ]
    number = 0
    for pair in asked:
        narrow = found(dated, *pair, *sort, resource_type="Observation")
        with monkeypatch.context() as plainly:
            plainly.setattr(planning, "narrowed", lambda _, criteria: criteria)
            assert narrow == found(dated, *pair, *sort, resource_type="Observation"), pair
        number += bool(narrow)
    assert number > len(asked) / 2


def test_a_longer_time_that_is_written_later_is_found():
    with (endpoint := open_endpoint()).store as store:
        one = {"resourceType": "Observation", "status": "final", "code": {}}
        store.write(one | {"id": "short", "effectiveDateTime": "2024-05-01"}, "PUT")
        assert found(endpoint, ("date", "ge2024-06"), resource_type="Observation") == []
        period = {"effectivePeriod": {"start": "2001", "end": "2024-07"}}
        store.write(one | {"id": "long"} | period, "PUT")
        assert found(endpoint, ("date", "ge2024-06"), resource_type="Observation") == ["long"]


def test_a_date_that_may_stand_twice_is_not_taken_for_one():
    """Either of its dates may fit each half; and it is sorted by the lowest, which fits neither."""
    with (endpoint := open_endpoint()).store as store:
        for name, dates in (("both", ["2001", "2024-05", "2030"]), ("one", ["2024-05", "2024-05"])):
            goals = [{"dueDate": date} for date in dates]
            goal = {
                "resourceType": "Goal",
                "id": name,
                "lifecycleStatus": "active",
                "target": goals,
            }
            store.write(goal | {"description": {"text": "x"}, "subject": {"display": "x"}}, "PUT")
        asked = ("target-date", "ge2030"), ("target-date", "lt2010")
        assert found(endpoint, *asked, resource_type="Goal") == ["both"]
        within = ("target-date", "ge2024"), ("target-date", "lt2025"), ("_sort", "target-date")
        assert found(endpoint, *within, resource_type="Goal") == ["both", "one"]


QUESTIONS = [
    ("Patient", ("_include", "Patient:organization")),
    ("Patient", ("_revinclude", "Observation:patient")),
    ("Patient", ("_has:Observation:patient:value-quantity", "gt5")),
    ("Patient", ("_has:Observation:patient:code", "a")),
    ("Observation", ("patient.identifier", "a")),
    ("Observation", ("subject:Patient.name", "a")),
    ("Observation", ("code-value-quantity", "a$gt5")),
]


def plans_of(monkeypatch):
    """Where SQLite's plan of each question that follows is noted."""
    plans, ask = [], Store.query

    def explained(store, sql, arguments=(), *, most=0):
        plans.extend(row[3] for row in ask(store, f"EXPLAIN QUERY PLAN {sql}", arguments))
        return ask(store, sql, arguments, most=most)

    monkeypatch.setattr(Store, "query", explained)
    return plans


@pytest.mark.parametrize(("kind", "question"), QUESTIONS)
def test_no_question_looks_through_all_values(kind, question, monkeypatch):
    with (endpoint := open_endpoint()).store as store:
        patient = {
            "resourceType": "Patient",
            "id": "p",
            "managingOrganization": {"reference": "Organization/o"},
        }
        patient |= {"name": [{"family": "a"}], "identifier": [{"value": "a"}]}
        store.write(patient, "PUT")
        store.write(
            observation(0, random.Random(1)) | {"subject": {"reference": "Patient/p"}}, "PUT"
        )
        plans = plans_of(monkeypatch)
        found(endpoint, question, resource_type=kind)
    looked = [plan for plan in plans if plan.startswith(("SEARCH r ", "SEARCH h ", "SEARCH b "))]
    assert not [plan for plan in looked if plan.endswith("(param=?)")]
    assert plans


def test_a_page_of_what_changed_since_is_not_sorted(dated, monkeypatch):
    monkeypatch.setattr(planning, "_FEW", 0)
    plans = plans_of(monkeypatch)
    assert len(found(dated, ("_lastUpdated", "gt2020"), resource_type="Observation")) > 100
    assert "SEARCH current USING INDEX current_of_type (type=?)" in plans
