"""`using`: QICore and US Core as profiles of R4, other models refused by name; parameters."""

import datetime as dt

import pytest

from fhirpkg.cql.evaluating.evaluator import open_session
from fhirpkg.cql.evaluating.library import from_elm
from fhirpkg.cql.reading.library import read_library
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.repository import MemoryRepository

NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
QICORE = "http://hl7.org/fhir/us/qicore/StructureDefinition/"
UCUM = "http://unitsofmeasure.org"
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
TWO, NINE = (f"Code {{ code: '{code}', system: '{SNOMED}' }}" for code in "29")


def coded(system, code):
    return {"coding": [{"system": system, "code": code}]}


def resources():
    race = {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2028-9"}
    yield {
        "resourceType": "Patient",
        "id": "x",
        "extension": [
            {"url": US_CORE + "us-core-race", "extension": [
                {"url": "ombCategory", "valueCoding": race},
                {"url": "text", "valueString": "Asian"}]},
            {"url": US_CORE + "us-core-birthsex", "valueCode": "F"},
        ],
    }  # fmt: skip
    subject = {"reference": "Patient/x"}
    for number, onset in enumerate([
        {"onsetDateTime": "2025-03-01"},
        {"onsetAge": {"value": 40, "unit": "a", "system": UCUM, "code": "a"}},
        {"onsetString": "childhood"},
    ]):  # fmt: skip
        yield {"resourceType": "Condition", "id": f"c{number}", "subject": subject} | onset
    present = {"url": QICORE + "qicore-encounter-diagnosisPresentOnAdmission"}
    yield {
        "resourceType": "Encounter",
        "id": "e",
        "subject": subject,
        "type": [coded(SNOMED, "1")],
        "diagnosis": [{"extension": [present | {"valueCodeableConcept": coded("poa", "Y")}]}],
    }
    for name, code, components in (
        ("pressure", "85354-9", [("8480-6", 130), ("8462-4", 80)]),
        ("pulse", "8867-4", []),
    ):
        parts = [
            {"code": coded(LOINC, part), "valueQuantity": {"value": value, "unit": "mm[Hg]"}}
            for part, value in components
        ]
        yield {
            "resourceType": "Observation",
            "id": name,
            "subject": subject,
            "code": coded(LOINC, code),
            "component": parts,
        }
    for number, quantity in enumerate([
        {"value": 60, "comparator": "<", "unit": "10*9/L"},
        {"value": 60, "unit": "tablets", "system": "http://x.org/units", "code": "TAB"},
        {"value": 36, "unit": "months", "system": "http://unitsofmeasure.org", "code": "mo"},
    ]):  # fmt: skip
        yield {
            "resourceType": "Observation",
            "id": f"q{number}",
            "subject": subject,
            "code": coded(LOINC, f"q{number}"),
            "valueQuantity": quantity,
        }
    not_done = {"url": QICORE + "qicore-notDoneValueSet", "valueCanonical": "http://x.org/vs"}
    for name, status in (("done", "completed"), ("refused", "not-done")):
        yield {
            "resourceType": "Procedure",
            "id": name,
            "subject": subject,
            "status": status,
            "code": coded(SNOMED, "2") if name == "done" else {"extension": [not_done]},
        }
    members = {"system": SNOMED, "concept": [{"code": "1"}, {"code": "2"}]}
    yield {"resourceType": "ValueSet", "url": "http://x.org/vs", "compose": {"include": [members]}}


def evaluated(text, using="QICore version '4.1.1'", parameters=None):
    library = read_library(
        f"library L\nusing {using}\nvalueset \"VS\": 'http://x.org/vs'\n"
        'parameter "Drafts" List<FHIR.MedicationRequest>\nparameter Limit Integer default 3\n'
        f"context Patient\ndefine X: {text}\ndefine Y: 1\n"
    )
    types = Definitions.core().types
    session = open_session(
        MemoryRepository(resources()), "Patient/x", parameters or {}, None, types, NOW
    )
    return session.value_of(library, "X")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Patient.race.ombCategory.code", ["2028-9"]),
        ("Patient.race.text", "Asian"),
        ("Patient.birthsex = 'F'", True),
        ("First([Encounter]).diagnosis[0].diagnosisPresentOnAdmission.codes[0].code", "Y"),
        ("First([\"observation-bp\"]).SystolicBP.value as Quantity = 130 'mm[Hg]'", True),
        ("First([\"observation-bp\"]).DiastolicBP.value as Quantity = 80 'mm[Hg]'", True),
        ("First([\"observation-bp\"]).systolic.value as Quantity = 130 'mm[Hg]'", True),
        ("First([\"observation-bp\"]).diastolic.value as Quantity = 80 'mm[Hg]'", True),
        (f"Count([ProcedureNotDone] P where {TWO} in P.code)", 1),
        (f"Count([ProcedureNotDone] P where {NINE} in P.code)", 0),
        ('Count(["observation-heartrate"])', 1),
        ('First(["Observation Heart Rate Profile"]).id', "pulse"),
        ("Count([Observation])", 5),
        ("Count([Procedure])", 2),
        ("First([ProcedureNotDone]).id", "refused"),
        ('First([ProcedureNotDone: "VS"]).id', "refused"),
        ('Count([Procedure: "VS"])', 2),
        ('Count([Encounter: "VS"])', 1),
        ("Count([QICore.Encounter])", 1),
        ("First([Encounter]) is Encounter", True),
    ],
)
def test_what_qicore_adds_to_r4_is_found_in_extensions_and_slices(text, expected):
    assert evaluated(text) == expected


def value_of(code):
    return f"First([Observation] O where exists (O.code.coding C where C.code = '{code}')).value"


@pytest.mark.parametrize(
    "text, expected",
    [
        (f"{value_of('q2')} = 36 months", True),
        (f"{value_of('q2')} = 3 years", True),
        (f"({value_of('q0')} as FHIR.Quantity).value > 50", True),
        (f"{value_of('q0')} is FHIR.Quantity", True),
        (f"{value_of('q0')} is not null", True),
        (f"{value_of('q0')} is Interval<Quantity>", False),
        ("Count([Observation] O where O.value is FHIR.Quantity)", 3),
        ("Count([Observation] O where O.value is Choice<FHIR.Range, FHIR.Quantity>)", 3),
        ("Count([Observation] O where O.value is Choice<Interval<DateTime>, FHIR.Range>)", 0),
        ("First([Encounter]).period is Interval<DateTime>", False),
    ],
)
def test_a_quantity_is_what_it_says(text, expected):
    assert evaluated(text, "FHIR version '4.0.1'") == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Count([Condition] C where C.onset > 30 years)", 1),
        ("Count([Condition] C where C.onset before Today())", 1),
        ("Count([Condition] C where C.onset during Interval[@2025-01-01, @2026-12-31])", 1),
        ("Count([Condition] C where start of C.onset before Today())", 1),
        ("Count([Condition] C let o: C.onset where o > 30 years)", 1),
        ("Count([Condition] C where (C.onset > 30 years) is null)", 2),
        ("Count([Condition] C where years between C.onset and Today() > 0)", 1),
    ],
)
def test_a_choice_of_another_type_than_an_operator_takes_is_unknown(text, expected):
    """As the reference translator casts it: no error for the patient whose data is of the other."""
    assert evaluated(text, "FHIR version '4.0.1'") == expected


def test_a_value_of_a_plain_type_that_an_operator_does_not_take_is_an_error():
    with pytest.raises(FhirpkgError, match="have no order"):
        evaluated("Patient.id > 5")


@pytest.mark.parametrize(
    "text, words",
    [
        (f"{value_of('q0')} < 50 '10*9/L'", "the Quantity has the comparator '<'"),
        (f"{value_of('q0')} > 50 '10*9/L'", "the Quantity has the comparator '<'"),
        (f"ToQuantity({value_of('q0')})", "the Quantity has the comparator '<'"),
        (f"{value_of('q1')} > 50 'mg'", "the unit tablets .* is not a unit of UCUM"),
    ],
)
def test_a_quantity_that_cannot_be_calculated_with_is_an_error(text, words):
    with pytest.raises(FhirpkgError, match=words):
        evaluated(text, "FHIR version '4.0.1'")


@pytest.mark.parametrize("version", ["4.0.0", "4.1.0", "4.1.1", "5.0.0", "6.0.0"])
def test_each_version_of_qicore_knows_race_and_things_not_done(version):
    using = f"QICore version '{version}'"
    assert evaluated("Patient.birthsex", using) == "F"
    assert evaluated("Count([ProcedureNotDone])", using) == 1


@pytest.mark.parametrize("version", ["3.1.0", "3.1.1", "6.1.0"])
def test_us_core_names_its_profiles_in_its_own_way(version):
    using = f"USCore version '{version}'"
    assert evaluated("Patient.race.text", using) == "Asian"
    assert evaluated("Count([PatientProfile])", using) == 1
    assert evaluated("Count([PulseOximetryProfile])", using) == 0


@pytest.mark.parametrize(
    "using, words",
    [
        ("FHIR version '5.0.0'", "version '5.0.0' of the model FHIR is not supported"),
        ("FHIR version '3.0.0'", "version '3.0.0' of the model FHIR is not supported"),
        ("QUICK", "the model 'QUICK' is not supported"),
        ("QDM version '5.6'", "the model 'QDM' is not supported"),
        ("QICore version '9.9'", "version '9.9' of the model QICore is not supported"),
    ],
)
def test_another_model_or_version_is_refused_by_name_and_place(using, words):
    with pytest.raises(FhirpkgError, match=rf"L:2:7: {words}"):
        evaluated("1", using)


@pytest.mark.parametrize(
    "using, words",
    [
        ({"localIdentifier": "QDM", "uri": "urn:healthit-gov:qdm:v5_6"}, "the model 'QDM'"),
        ({"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir", "version": "5.0.0"}, "'5.0.0'"),
    ],
)
def test_elm_of_another_model_is_refused_too(using, words):
    with pytest.raises(FhirpkgError, match=words):
        from_elm({"library": {"identifier": {"id": "L"}, "usings": {"def": [using]}}})


@pytest.mark.parametrize(
    "text, words",
    [
        ("Patient.rase", "L:7:19: Patient has no element 'rase'; did you mean 'race'"),
        ("[Encounter] E where E.periode is null", "L:7:33: Encounter has no element 'periode'"),
        ("[Encountre]", "L:7:12: 'Encountre' is not a resource type.* 'Encounter'"),
        ("[ProcedureNotDon]", "did you mean 'ProcedureNotDone'"),
        ("exists Nowhere", "L:7:18: 'Nowhere' is not known"),
        ("Nothing(1)", "L:7:11: the function Nothing is not supported"),
    ],
)
def test_what_the_model_does_not_have_is_an_error_with_its_place(text, words):
    with pytest.raises(FhirpkgError, match=words):
        evaluated(text)


def test_a_parameter_without_value_is_named_and_one_that_is_given_is_used():
    with pytest.raises(FhirpkgError, match="the parameter 'Drafts' of L was not given"):
        evaluated('exists "Drafts"')
    with pytest.raises(FhirpkgError, match="'Drafts'"):
        evaluated("not exists (\"Drafts\" D where D.status = 'draft')")
    draft = {"resourceType": "MedicationRequest", "status": "draft"}
    given = {"Drafts": [draft]}
    assert evaluated("exists (\"Drafts\" D where D.status = 'draft')", parameters=given) is True
    assert evaluated("Limit") == 3
    assert evaluated("Limit", parameters={"Limit": 4}) == 4


CONTEXTS = """library L
using FHIR version '4.0.1'
context Patient
define A: Count([Encounter])
// what follows is about everybody
context Unfiltered
// all of them
define B: Count([Encounter])
define C: 2
context Patient
/* back again */
define D: Count([Encounter]) + C
"""


def test_data_of_other_patients_is_refused_where_it_is_asked_for():
    library = read_library(CONTEXTS)
    types = Definitions.core().types
    session = open_session(MemoryRepository(resources()), "Patient/x", {}, None, types, NOW)
    assert session.value_of(library, "A") == 1
    with pytest.raises(FhirpkgError, match="retrieves in the context Unfiltered"):
        session.value_of(library, "B")
    assert session.value_of(library, "C") == 2
    assert session.value_of(library, "D") == 3


def test_elm_in_another_context_is_refused_too():
    retrieve = {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Encounter"}
    definition = {"name": "B", "expression": {"type": "Count", "source": retrieve}}
    types = Definitions.core().types
    for context, refused in (("Patient", False), ("Unfiltered", True), ("Population", True)):
        statements = {"def": [definition | {"context": context}]}
        library = from_elm({"library": {"identifier": {"id": "L"}, "statements": statements}})
        session = open_session(MemoryRepository(resources()), "Patient/x", {}, None, types, NOW)
        if refused:
            with pytest.raises(FhirpkgError, match=f"the context {context}"):
                session.value_of(library, "B")
        else:
            assert session.value_of(library, "B") == 1
