"""CQL text: each expression of cql_cases.yaml is read into ELM and evaluated for one patient."""

import datetime as dt
import pathlib
from decimal import Decimal

import pytest
import yaml

from fhirpkg.cql.evaluating.evaluator import open_session
from fhirpkg.cql.evaluating.values import to_json
from fhirpkg.cql.reading.lexer import CqlError
from fhirpkg.cql.reading.library import defined_names, read_expression, read_library
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.repository import MemoryRepository

FILE = pathlib.Path(__file__).parent / "cql_cases.yaml"
CASES = {
    chapter: [line.split(" => ") for line in lines.splitlines()]
    for chapter, lines in yaml.safe_load(FILE.read_text()).items()
}
TUMOR = {"system": "http://snomed.info/sct", "code": "94222008"}
LIBRARY = """
library Trial version '1.0.0'
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1' called FHIRHelpers
include Numbers
codesystem "LOINC": 'http://loinc.org'
codesystem "Clinical": 'http://terminology.hl7.org/CodeSystem/condition-clinical'
valueset "Bone tumors": 'http://example.org/ValueSet/bone'
valueset "Other tumors": 'http://example.org/ValueSet/other'
valueset "Missing value set": 'http://example.org/ValueSet/missing'
valueset "Whole system": 'http://example.org/ValueSet/whole'
code "INR": '6301-6' from "LOINC" display 'INR'
code "Platelets": '777-3' from "LOINC"
code "Active": 'active' from "Clinical"
parameter "Limit" Integer default 3
context Patient

define "Is adult": AgeInYears() >= 18 // define "Not this": true
define "Circle": "Circle"
define function "Twice"(n Integer): n * 2
define function Kind(p FHIR.Patient): 'person'
define function Kind(c Condition): 'disease'
define function Years(a FHIR.Age): a.value
define function Span(p FHIR.Period): p.start
define function Day(d FHIR.dateTime): d
define "Broken": 1 +
context Patient
"""


def resources():
    subject = {"reference": "Patient/x"}
    active = {"coding": [{"system": f"{THO}condition-clinical", "code": "active"}]}
    yield {
        "resourceType": "Patient",
        "id": "x",
        "gender": "female",
        "birthDate": "1960-02-01",
        "name": [{"use": "official", "given": ["Ann"]}],
    }
    yield {
        "resourceType": "Condition",
        "id": "c",
        "clinicalStatus": active,
        "code": {"coding": [TUMOR]},
        "subject": subject,
        "onsetDateTime": "2026-01-01",
    }
    for number, (date, value) in enumerate([("2026-06-01", "2.1"), ("2026-03-01", "1.1")]):
        code = {"coding": [{"system": "http://loinc.org", "code": "6301-6"}]}
        quantity = {"value": Decimal(value), "unit": "INR", "code": "1"}
        observation = {"resourceType": "Observation", "id": f"inr{number}", "code": code}
        yield observation | {
            "subject": subject,
            "effectiveDateTime": date,
            "valueQuantity": quantity,
        }
    yield {"resourceType": "Medication", "id": "m1", "code": {"coding": [TUMOR]}}
    for number, medication in enumerate(
        [{"medicationReference": {"reference": "Medication/m1"}},
         {"medicationCodeableConcept": {"coding": [{"code": TUMOR["code"]}]}}]
    ):  # fmt: skip
        drug = {"resourceType": "MedicationRequest", "id": f"drug{number}"} | medication
        yield drug | {"status": "active", "intent": "order", "subject": subject}
    platelets = {"value": 180, "code": "10*9/L", "unit": "10*9/L"}
    yield {
        "resourceType": "Observation",
        "id": "plt",
        "code": {"coding": [{"system": "http://loinc.org", "code": "777-3"}]},
        "subject": subject,
        "valueQuantity": platelets,
    }
    yield {
        "resourceType": "Immunization",
        "id": "dose",
        "patient": subject,
        "protocolApplied": [{"doseNumberPositiveInt": 2}],
    }
    yield {"resourceType": "Condition", "id": "of-another", "subject": {"reference": "Patient/y"}}
    for name, include in (
        ("bone", {"system": TUMOR["system"], "concept": [{"code": TUMOR["code"]}]}),
        ("other", {"system": TUMOR["system"], "concept": [{"code": "1"}]}),
        ("whole", {"system": TUMOR["system"]}),
    ):
        url = f"http://example.org/ValueSet/{name}"
        yield {"resourceType": "ValueSet", "url": url, "compose": {"include": [include]}}


THO = "http://terminology.hl7.org/CodeSystem/"
NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


MG = {"unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
NUMBERS = """
library Numbers
define fluent function doubled(n Integer): n * 2
define fluent function kind(c Condition): 'disease'
"""


@pytest.fixture
def evaluate():
    library, numbers = read_library(LIBRARY), read_library(NUMBERS)
    repository = MemoryRepository(resources())
    types = Definitions.core().types
    session = open_session(repository, "Patient/x", {}, lambda *_: numbers, types, NOW)
    return lambda text: session.evaluate(read_expression(text, library), library)


GOOD = [
    pytest.param(text, yaml.safe_load(expected), id=text)
    for chapter, cases in CASES.items()
    if chapter != "unknown"
    for text, expected in cases
]


@pytest.mark.parametrize("text, expected", GOOD)
def test_an_expression_has_its_value(evaluate, text, expected):
    found = evaluate(text)
    if isinstance(expected, float):
        expected = Decimal(str(expected))
    assert found == expected
    assert (found is None) == (expected is None)
    assert isinstance(found, bool) == isinstance(expected, bool)


@pytest.mark.parametrize("text, words", CASES["unknown"], ids=lambda value: str(value)[:40])
def test_what_cannot_be_evaluated_is_an_error_that_says_why(evaluate, text, words):
    with pytest.raises(FhirpkgError, match=words):
        evaluate(text)


@pytest.mark.parametrize("name", ["Missing value set", "Whole system"])
def test_an_unknown_membership_is_null_and_its_reason_is_noted(name):
    session = open_session(
        MemoryRepository(resources()), "Patient/x", {}, None, Definitions.core().types, NOW
    )
    text = f'First([Condition]).code in "{name}"'
    library = read_library(LIBRARY)
    assert session.evaluate(read_expression(text, library), library) is None
    assert len(session.unknown) == 1


def test_a_definition_that_cannot_be_read_spoils_no_other():
    library = read_library(LIBRARY)
    assert library.definition("Is adult").tree["type"] == "GreaterOrEqual"
    for _ in range(2):
        with pytest.raises(FhirpkgError, match=r"Trial:\d+:\d+: expected a name"):
            _ = library.definition("Broken").tree


def test_a_header_tells_name_version_terminology_and_parameters():
    library = read_library(LIBRARY)
    assert (library.name, library.version) == ("Trial", "1.0.0")
    assert library.includes["FHIRHelpers"] == ("FHIRHelpers", "4.0.1")
    assert library.value_sets["Bone tumors"]["id"] == "http://example.org/ValueSet/bone"
    assert library.codes["INR"]["codeSystem"] == {"name": "LOINC"}
    assert library.parameters["Limit"]["default"]["value"] == "3"
    assert "Not this" not in library.statements


def test_an_error_tells_library_line_and_column():
    with pytest.raises(FhirpkgError, match="CQL at Bad:2:1: expected"):
        read_library("library Bad\nnonsense here")


JSON = [
    ("Interval[1 'mg', 2 'mg']", {"low": MG | {"value": 1}, "high": MG | {"value": 2}}),
    ("Interval[@2020-01-01, @2020-02-01]", {"start": "2020-01-01", "end": "2020-02-01"}),
    ("Interval[@2020-01-01, null]", {"start": "2020-01-01"}),
    ("1 'mg':2 days", {"numerator": MG | {"value": 1}, "denominator": {"value": 2, "unit": "day"}}),
    (
        "Concept { Code '1' from \"LOINC\" display 'One' } display 'Words'",
        {
            "coding": [{"system": "http://loinc.org", "code": "1", "display": "One"}],
            "text": "Words",
        },
    ),
    ("Tuple { a: 1, b: null, c: { @T10:30 } }", {"a": 1, "c": ["10:30"]}),
]


@pytest.mark.parametrize("text, expected", JSON, ids=[text for text, _ in JSON])
def test_a_value_is_json_of_the_type_that_fhir_has_for_it(evaluate, text, expected):
    assert to_json(evaluate(text)) == expected


def test_an_uncertain_number_has_no_json(evaluate):
    with pytest.raises(FhirpkgError, match="between 0 and 11"):
        to_json(evaluate("months between @2020 and @2020-12-31"))


@pytest.mark.parametrize(
    "text, names",
    [
        ('define "A b": 1\ndefine C: 2', ["A b", "C"]),
        ("// define A: 1\ndefine B: 2 /* define C: 3 */", ["B"]),
        ("define A: 'define B: 1'", ["A"]),
        ("define private A: 1 define public B: 2", ["A", "B"]),
        ("define function f(): 1 define fluent function g(): 2 define H: 3", ["H"]),
        ('define "function": 1 define `a "b"`: 2', ["function", 'a "b"']),
        ("", []),
    ],
)
def test_the_names_that_text_defines_are_those_of_its_expressions(text, names):
    assert defined_names(text, functions=False) == names
    assert set(names) <= set(defined_names(text, functions=True))


def test_the_names_that_text_defines_are_those_of_its_functions_too():
    text = "define function f(): 1 define fluent function g(): 2 // define function h(): 3"
    assert defined_names(text, functions=True) == ["f", "g"]


def test_a_character_that_is_no_cql_spoils_the_definition_it_stands_in():
    text = "library L\ncontext Patient\ndefine Good: 1\ndefine Bad: 2 # 3\ndefine Also: 4\n"
    made = read_library(text)
    with pytest.raises(CqlError, match="L:4:15: unexpected '#'"):
        made.definition("Bad").read()
    assert [made.definition(name).tree["value"] for name in ("Good", "Also")] == ["1", "4"]
