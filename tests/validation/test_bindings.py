import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.bindings import codes_of
from fhirpkg.validation.validator import Validator

MARITAL = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"


@pytest.mark.parametrize(
    "value, codes",
    [
        ("a", [(None, "a")]),
        ({"system": "s", "code": "a"}, [("s", "a")]),
        ({"code": "a"}, [("", "a")]),
        ({"coding": [{"system": "s", "code": "a"}, {"display": "x"}]}, [("s", "a")]),
        ({"value": 1, "unit": "g"}, []),
        ({"coding": "x"}, []),
        (5, []),
    ],
)
def test_the_codes_of_a_value_are_found_whatever_its_type(value, codes):
    assert list(codes_of(value)) == codes


def bound(validator, **patient):
    issues = validator.validate({"resourceType": "Patient", **patient}).issues
    return {(i.rule, str(i.severity)) for i in issues if "binding" in i.rule}


@pytest.mark.parametrize(
    "patient, wanted",
    [
        ({"gender": "female"}, []),
        ({"gender": "f"}, [("binding-required", "error")]),
        ({"maritalStatus": {"coding": [{"system": MARITAL, "code": "M"}]}}, []),
        (
            {"maritalStatus": {"coding": [{"system": "http://example.org", "code": "M"}]}},
            [("binding-extensible", "warning")],
        ),
        ({"maritalStatus": {"text": "married"}}, []),
        ({"language": "en"}, []),
        ({"language": "la"}, [("binding-preferred", "information")]),
        (
            {"language": "english!"},
            [("binding-preferred", "information"), ("binding-max", "error")],
        ),
    ],
)
def test_the_strength_of_a_binding_is_its_severity(validator, patient, wanted):
    assert bound(validator, **patient) == set(wanted)


def test_what_cannot_be_looked_up_is_said_and_no_error():
    profile = {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/p",
        "name": "P",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {
            "element": [
                {
                    "path": "Patient.maritalStatus",
                    "binding": {"strength": "required", "valueSet": "http://example.org/none"},
                }
            ]
        },
    }
    validator = Validator(definitions=Definitions.core().with_resources([profile]))
    coded = {"coding": [{"system": MARITAL, "code": "M"}]}
    patient = {"resourceType": "Patient", "maritalStatus": coded}
    (issue,) = validator.validate(patient, ["http://example.org/p"]).issues
    assert (issue.rule, issue.severity) == ("not-checked-binding", "information")
    assert "http://example.org/none" in issue.text
