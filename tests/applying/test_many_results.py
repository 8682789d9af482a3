"""A record with many results of one kind: none is compared with all others, or worded for each."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

from fhirpkg import repository
from fhirpkg.applying.application import apply
from fhirpkg.cql.evaluating import comparison, lists
from fhirpkg.render import clinical

ROOT = Path(__file__).parents[2]
PLAN = "PlanDefinition/BoneTumorCryoablationPlan"
COUNT = 60


def results():
    return [
        {
            "resourceType": "Observation",
            "id": f"inr-{number}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "6301-6"}]},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": f"2026-09-{1 + number % 30:02}T{number % 24:02}:00:00Z",
            "valueQuantity": {"value": Decimal(100 + number) / 100},
        }
        for number in range(COUNT)
    ]


def test_the_work_does_not_grow_with_the_square_of_the_results(monkeypatch):
    worded, compared = Counter(), Counter()
    finding, equal = clinical.finding, comparison.equal

    def counted_finding(resource):
        worded[resource["id"]] += 1
        return finding(resource)

    def counted_equal(one, two):
        compared["pairs"] += 1
        return equal(one, two)

    monkeypatch.setattr(clinical, "finding", counted_finding)
    monkeypatch.setattr(lists, "equal", counted_equal)
    content = repository.open_repository(ROOT / "resources")
    patient = {"resourceType": "Patient", "id": "p"}
    applied = apply(PLAN, "Patient/p", content, data=[patient, *results()])
    [inr] = [each for each in applied.criteria if each["id"] == "inr"]
    assert (inr["state"], inr["value"]) == ("met", Decimal("1.59"))
    assert worded.most_common(1)[0][1] <= len(applied.why)
    assert compared["pairs"] < COUNT * len(applied.criteria)
