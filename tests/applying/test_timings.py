"""`timing[x]` of a definition: every type, for every kind of request, is in it or told."""

import pytest

from fhirpkg.applying.application import apply
from fhirpkg.applying.dialects import DIALECTS
from fhirpkg.applying.requests.activity import build
from fhirpkg.applying.requests.cells import Parties
from fhirpkg.applying.requests.kinds import KINDS
from fhirpkg.repository import MemoryRepository
from fhirpkg.validation.validator import Validator

UCUM = {"system": "http://unitsofmeasure.org"}
DAY = "2026-03-01"
PERIOD = {"start": "2026-03-01T08:00:00Z", "end": "2026-03-02T08:00:00Z"}
TIMING = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}
AGE = {"value": 50, "unit": "a", "code": "a"} | UCUM
GIVEN = {
    "timingDateTime": DAY,
    "timingPeriod": PERIOD,
    "timingTiming": TIMING,
    "timingAge": AGE,
    "timingDuration": {"value": 30, "unit": "min", "code": "min"} | UCUM,
    "timingRange": {"low": {"value": 1}, "high": {"value": 2}},
}
ON_THE_DAY = {"start": DAY, "end": DAY}
BOUNDS = {"repeat": {"boundsPeriod": PERIOD}}
EVENT = {"event": [DAY]}


def criterion(code, value):
    return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "value": value}


OCCURRENCE = {
    "timingDateTime": ("occurrenceDateTime", DAY),
    "timingPeriod": ("occurrencePeriod", PERIOD),
    "timingTiming": ("occurrenceTiming", TIMING),
}
PLACES = {
    "Appointment": {
        "timingDateTime": ("requestedPeriod.0", ON_THE_DAY),
        "timingPeriod": ("requestedPeriod.0", PERIOD),
    },
    "AppointmentResponse": {"timingPeriod": ("start", PERIOD["start"])},
    "CarePlan": {"timingDateTime": ("period", ON_THE_DAY), "timingPeriod": ("period", PERIOD)},
    "Claim": {},
    "Communication": {},
    "CommunicationRequest": {k: v for k, v in OCCURRENCE.items() if k != "timingTiming"},
    "Contract": {"timingDateTime": ("applies", ON_THE_DAY), "timingPeriod": ("applies", PERIOD)},
    "DeviceRequest": OCCURRENCE,
    "DiagnosticReport": {
        "timingDateTime": ("effectiveDateTime", DAY),
        "timingPeriod": ("effectivePeriod", PERIOD),
    },
    "EnrollmentRequest": {},
    "ImmunizationRecommendation": {
        "timingDateTime": ("recommendation.0.dateCriterion", [criterion("30980-7", DAY)]),
        "timingPeriod": (
            "recommendation.0.dateCriterion",
            [criterion("30981-5", PERIOD["start"]), criterion("59777-3", PERIOD["end"])],
        ),
    },
    "MedicationRequest": {
        "timingDateTime": ("dosageInstruction.0.timing", EVENT),
        "timingPeriod": ("dosageInstruction.0.timing", BOUNDS),
        "timingTiming": ("dosageInstruction.0.timing", TIMING),
    },
    "NutritionOrder": {
        "timingDateTime": ("oralDiet.schedule.0", EVENT),
        "timingPeriod": ("oralDiet.schedule.0", BOUNDS),
        "timingTiming": ("oralDiet.schedule.0", TIMING),
    },
    "Procedure": {
        "timingDateTime": ("performedDateTime", DAY),
        "timingPeriod": ("performedPeriod", PERIOD),
        "timingAge": ("performedAge", AGE),
        "timingRange": ("performedRange", GIVEN["timingRange"]),
    },
    "RequestGroup": {},
    "ServiceRequest": OCCURRENCE,
    "SupplyRequest": OCCURRENCE,
    "Task": {
        "timingDateTime": ("restriction.period", ON_THE_DAY),
        "timingPeriod": ("restriction.period", PERIOD),
    },
    "VisionPrescription": {},
}
"""Where R4 has a place: kind, element of the definition, path in the request and value there."""


def definition(kind, **more):
    made = {"resourceType": "ActivityDefinition", "id": "a", "kind": kind}
    concepts = {"code": {"text": "c"}, "productCodeableConcept": {"text": "p"}}
    return made | {"url": "http://example.org/ActivityDefinition/a"} | concepts | more


def at(value, path):
    for step in path.split("."):
        value = value[int(step)] if step.isdigit() else value.get(step)
        if value is None:
            return None
    return value


def test_the_table_is_about_every_kind():
    assert set(PLACES) == set(KINDS)


@pytest.mark.parametrize("key", GIVEN)
@pytest.mark.parametrize("kind", KINDS)
def test_a_timing_is_in_the_request_or_told(kind, key):
    said = definition(kind, **{key: GIVEN[key]})
    made, left_over = build(said, Parties("Patient/x"), DIALECTS["complete"])
    path, value = PLACES[kind].get(key, ("nowhere", None))
    assert at(made, path) == value
    assert (key in left_over) == (value is None)


@pytest.mark.parametrize("key", GIVEN)
@pytest.mark.parametrize("kind", KINDS)
def test_in_a_plan_it_is_in_the_request_or_stands_on_the_action_and_is_told(kind, key):
    said = definition(kind, **{key: GIVEN[key]})
    plan = {"resourceType": "PlanDefinition", "id": "p", "action": [{"title": "t"}]}
    plan["action"][0]["definitionCanonical"] = said["url"]
    data = MemoryRepository([{"resourceType": "Patient", "id": "x"}, said])
    result = apply(plan, "Patient/x", data, form="bundle")
    (action,) = result.resources[0]["action"]
    told = [i["diagnostics"] for outcome in result.outcomes for i in outcome["issue"]]
    in_request = key in PLACES[kind]
    assert action.get(key) == (None if in_request else GIVEN[key])
    assert any(f"no element for '{key}'" in text for text in told) != in_request


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_put_where_r4_has_no_element(kind):
    for key, value in GIVEN.items():
        made, _ = build(
            definition(kind, **{key: value}), Parties("Patient/x"), DIALECTS["complete"]
        )
        issues = Validator().validate(made).issues
        found = [i.text for i in issues if i.rule.startswith("structure-")]
        assert found == []


def test_what_is_no_instant_is_no_start_of_an_answer():
    said = definition("AppointmentResponse", timingPeriod={"start": "2026-03-01"})
    made, left_over = build(said, Parties("Patient/x"), DIALECTS["complete"])
    assert ("start" in made, "timingPeriod" in left_over) == (False, True)


DOSAGES = [
    ([{"text": "1 tablet"}], [{"text": "1 tablet", "timing": TIMING}], False),
    ([{"text": "a", "timing": EVENT}], [{"text": "a", "timing": EVENT}], True),
    (
        [{"text": "a", "timing": EVENT}, {"text": "b"}],
        [{"text": "a", "timing": EVENT}, {"text": "b", "timing": TIMING}],
        False,
    ),
]


@pytest.mark.parametrize("given, wanted, told", DOSAGES)
def test_a_dosage_keeps_its_own_timing(given, wanted, told):
    said = definition("MedicationRequest", dosage=given, timingTiming=TIMING)
    made, left_over = build(said, Parties("Patient/x"), DIALECTS["complete"])
    assert made["dosageInstruction"] == wanted
    assert ("timingTiming" in left_over) == told


@pytest.mark.parametrize("kind", ["DeviceRequest", "SupplyRequest"])
def test_a_code_that_gives_way_to_the_product_is_told(kind):
    made, left_over = build(definition(kind), Parties("Patient/x"), DIALECTS["complete"])
    assert {"text": "p"} in made.values()
    assert left_over == ["code"]
