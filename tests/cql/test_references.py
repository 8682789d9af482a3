"""Retrieves in another context, references that are resolved, extensions, names that are shared."""

import datetime as dt

import pytest

from fhirpkg.cql.evaluating.evaluator import open_session
from fhirpkg.cql.reading.library import read_library
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.repository import MemoryRepository

NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
SYSTEM = "http://example.org/drugs"
ASPIRIN = {"coding": [{"system": SYSTEM, "code": "asa"}]}
SUBJECT, MOTHER = {"reference": "Patient/x"}, {"reference": "Patient/mother"}
RECORD = [
    {"resourceType": "Patient", "id": "x",
     "link": [{"type": "seealso", "other": MOTHER}],
     "extension": [{"url": "http://example.org/ward", "valueString": "B2"}]},
    {"resourceType": "Patient", "id": "mother"},
    {"resourceType": "Observation", "id": "due", "subject": MOTHER, "status": "final",
     "code": ASPIRIN, "valueDateTime": "2026-05-01"},
    {"resourceType": "MedicationRequest", "id": "r", "subject": SUBJECT,
     "medicationReference": {"reference": "Medication/m"}},
    {"resourceType": "MedicationRequest", "id": "lost", "subject": SUBJECT, "status": "draft",
     "medicationReference": {"reference": "Medication/gone"}},
    {"resourceType": "Medication", "id": "m", "code": ASPIRIN},
    {"resourceType": "RelatedPerson", "id": "p", "patient": SUBJECT},
    {"resourceType": "Task", "id": "late", "for": SUBJECT, "authoredOn": "2026-03-01"},
    {"resourceType": "Task", "id": "early", "for": SUBJECT, "authoredOn": "2026-02-01"},
    {"resourceType": "ValueSet", "url": "http://example.org/ValueSet/asa", "compose": {
        "include": [{"system": SYSTEM, "concept": [{"code": "asa"}]}]}},
]  # fmt: skip
LIBRARY = """library T
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1' called FHIRHelpers
codesystem "Drugs": 'http://example.org/drugs'
code "Aspirin": 'asa' from "Drugs"
valueset "Pain": 'http://example.org/ValueSet/asa'
parameter written String default 'parameter'
context Patient
define function written(task Task): task.authoredOn.value
define fluent function ordered(task Task): task.authoredOn.value
define Mother: singleton from (Patient.link L return L.other)
define Nobody: null as FHIR.Reference
define Order: singleton from ([MedicationRequest] R where R.id = 'r')
define Lost: singleton from ([MedicationRequest] R where R.id = 'lost')
define Relative: singleton from [RelatedPerson]
define X: """


def value(expression, record=RECORD):
    types = Definitions.core().types
    repository = MemoryRepository(record)
    session = open_session(repository, "Patient/x", {}, None, types, NOW)
    return session.value_of(read_library(LIBRARY + expression), "X")


@pytest.mark.parametrize(
    "expression, expected",
    [
        ("[Mother -> Observation] O return O.id", ["due"]),
        ("[Mother -> Observation: Aspirin] O return O.id", ["due"]),
        ("[Mother -> Condition]", []),
        ("[Nobody -> Observation]", []),
        ("[Patient -> Task] T return T.id", ["late", "early"]),
        ("[Mother -> Patient] P return P.id", ["mother"]),
        ("[Order.medication -> Medication] M return M.id", ["m"]),
        ("[Order.medication -> Medication: Aspirin] M return M.id", ["m"]),
        ("Order.medication.reference.resolve().as(Medication).id", "m"),
        ("Order.medication.resolve().id", "m"),
        ("First([Medication] M where M.reference().reference = Order.medication.reference).id",
         "m"),
        ("First([Medication]).code.memberOf('http://example.org/ValueSet/asa')", True),
        ("Patient.extension('http://example.org/ward').value", ["B2"]),
        ("Patient.extension('http://example.org/bed')", []),
        ("Patient.modifierExtension('http://example.org/ward')", []),
        ("[Task] T sort by ordered()", ["early", "late"]),
        ("[Task] T sort by start of Interval[ordered(), ordered()] desc", ["late", "early"]),
        ("written", "parameter"),
        ("written(First([Task] T where T.id = 'late')) = @2026-03-01", True),
        ("timezone from DateTime(2026, 1, 1, 12, 0, 0, 0, 2.5) = 2.5", True),
    ],
)  # fmt: skip
def test_an_expression_reaches_what_it_names(expression, expected):
    found = value(expression)
    if isinstance(found, list):
        found = [item["id"] if isinstance(item, dict) else item for item in found]
    assert found == expected


def test_a_query_relates_to_what_each_item_refers_to():
    query = (
        "[MedicationRequest] R with [R.medication -> Medication: Aspirin] M such that M.id = 'm'"
    )
    with pytest.raises(FhirpkgError, match="Medication/gone"):
        value(query)
    known = [r for r in RECORD if r.get("id") != "lost"]
    assert [item["id"] for item in value(query, known)] == ["r"]


@pytest.mark.parametrize(
    "expression, words",
    [
        ("Lost.medication.resolve()", "Medication/gone is not known"),
        ("[Lost.medication -> Medication]", "Medication/gone"),
        ("[Relative -> Observation]", "context of RelatedPerson"),
        ("[Order -> Observation]", "context of MedicationRequest"),
    ],
)
def test_a_context_that_does_not_say_whose_record_it_is_is_refused(expression, words):
    with pytest.raises(FhirpkgError, match=words):
        value(expression)
