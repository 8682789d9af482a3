import pytest

from fhirpkg.validation.findings import expression_of


@pytest.mark.parametrize(
    "root, path, expression",
    [
        ({"resourceType": "Patient"}, (), "Patient"),
        ({"resourceType": "Patient"}, ("name", 0, "given", 1), "Patient.name[0].given[1]"),
        (
            {"resourceType": "Patient"},
            ("_birthDate", "extension", 0),
            "Patient.birthDate.extension[0]",
        ),
        ({"resourceType": "Patient"}, ("deceasedBoolean",), "Patient.deceased.ofType(boolean)"),
        (
            {"resourceType": "Observation"},
            ("component", 0, "valueQuantity", "code"),
            "Observation.component[0].value.ofType(Quantity).code",
        ),
        (
            {"resourceType": "PlanDefinition"},
            ("action", 0, "action", 1, "timingTiming"),
            "PlanDefinition.action[0].action[1].timing.ofType(Timing)",
        ),
        ({"resourceType": "Patient"}, ("nothing", "more"), "Patient.nothing.more"),
        (
            {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}]},
            ("entry", 0, "resource", "multipleBirthInteger"),
            "Bundle.entry[0].resource.multipleBirth.ofType(integer)",
        ),
    ],
)
def test_a_path_is_told_in_fhirpath(validator, root, path, expression):
    assert expression_of(root, path, validator.definitions.types) == expression


def test_the_same_thing_is_told_once(validator):
    profile = "http://hl7.org/fhir/StructureDefinition/bodyweight"
    claimed = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "meta": {"profile": [profile]},
    }
    issues = validator.validate(claimed, [profile]).issues
    assert len(issues) == len(set(issues))


def test_an_extension_that_is_not_known_is_told_at_its_first_place_with_how_many_follow(validator):
    unknown, other, third = ({"url": f"http://a.example/{x}", "valueCode": "a"} for x in "abc")
    patient = {
        "resourceType": "Patient",
        "extension": [unknown, other, other, other],
        "name": [{"family": "x", "extension": [unknown, third]}],
    }
    found = [
        (issue.expression, issue.text.rpartition("not loaded")[2])
        for issue in validator.validate(patient).issues
        if issue.rule == "not-checked-extension"
    ]
    assert sorted(found) == [
        ("Patient.extension[0]", " (the same at 1 more place)"),
        ("Patient.extension[1]", " (the same at 2 more places)"),
        ("Patient.name[0].extension[1]", ""),
    ]
