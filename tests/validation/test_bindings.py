import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.coded import codes_of
from fhirpkg.validation.run import Settings
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


@pytest.mark.parametrize(
    "code, wanted", [("h", []), ("mo(", [("binding-required", "error")])], ids=["unit", "no unit"]
)
def test_a_unit_that_ucum_cannot_have_is_an_error_whatever_the_strength(validator, code, wanted):
    encounter = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "length": {"value": 1, "system": "http://unitsofmeasure.org", "code": code},
    }
    issues = validator.validate(encounter).issues
    found = [(i.rule, str(i.severity)) for i in issues if i.expression == "Encounter.length"]
    assert [each for each in found if "binding" in each[0]] == wanted


def by_profile(binding, status, *loaded):
    """The issues of a marital status that a profile binds; a value set alone is required."""
    if isinstance(binding, str):
        binding = {"strength": "required", "valueSet": binding}
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
                {"path": "Patient.maritalStatus", "binding": binding},
            ]
        },
    }
    validator = Validator(definitions=Definitions.core().with_resources([profile, *loaded]))
    patient = {"resourceType": "Patient", "maritalStatus": status}
    return validator.validate(patient, ["http://example.org/p"]).issues


@pytest.mark.parametrize(
    "coding, severity",
    [
        ({"code": "Grim"}, "warning"),
        ({"system": "http://example.org/moods", "code": "Grim"}, "error"),
    ],
)
def test_a_coding_without_system_is_only_warned_of(coding, severity):
    value_set = moods()
    url = "http://example.org/mood"
    extension = {
        "resourceType": "StructureDefinition",
        "url": url,
        "name": "Mood",
        "status": "draft",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": "Patient"}],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"path": "Extension"},
                {"path": "Extension.url", "fixedUri": url},
                {
                    "path": "Extension.value[x]",
                    "type": [{"code": "Coding"}],
                    "binding": {"strength": "required", "valueSet": value_set["url"]},
                },
            ]
        },
    }
    loaded = [MOODS, extension, value_set]
    validator = Validator(definitions=Definitions.core().with_resources(loaded))
    found = bound(validator, extension=[{"url": url, "valueCoding": coding}])
    assert found == {("binding-required", severity)}


LARGEST = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"


@pytest.mark.parametrize(
    "strength, status, found",
    [
        ("extensible", {"text": "glad"}, ["binding-max"]),
        ("preferred", {"text": "glad"}, []),
        ("preferred", {"coding": [{"system": MARITAL, "code": "Glad"}]}, ["binding-max"]),
    ],
)
def test_a_maximum_demands_a_code_only_where_the_binding_is_extensible(strength, status, found):
    value_set = moods()
    largest = {"extension": [{"url": LARGEST, "valueCanonical": value_set["url"]}]}
    binding = {"strength": strength, "valueSet": value_set["url"], **largest}
    issues = by_profile(binding, status, MOODS, value_set)
    assert [i.rule for i in issues if i.severity == "error" and "binding" in i.rule] == found


def test_what_cannot_be_looked_up_is_said_and_no_error():
    coded = {"coding": [{"system": MARITAL, "code": "M"}]}
    (issue,) = by_profile("http://example.org/none", coded)
    assert (issue.rule, issue.severity) == ("not-checked-binding", "information")
    assert "http://example.org/none" in issue.text


MOODS = {
    "resourceType": "CodeSystem",
    "url": "http://example.org/moods",
    "status": "active",
    "content": "complete",
    "caseSensitive": False,
    "concept": [{"code": "Glad", "display": "Glad"}, {"code": "Sad"}],
}


def moods(**clause):
    include = {"system": MOODS["url"], **clause}
    url = "http://example.org/mood-set"
    value_set = {"resourceType": "ValueSet", "url": url, "status": "active"}
    return {**value_set, "compose": {"include": [include]}}


def rules(status, value_set):
    issues = by_profile(value_set["url"], status, MOODS, value_set)
    return {i.rule for i in issues if i.severity == "error"}


def mood(**coding):
    return {"coding": [{"system": MOODS["url"], **coding}]}


LISTED = moods(concept=[{"code": "Glad", "display": "Merry", "designation": [{"value": "Froh"}]}])


@pytest.mark.parametrize(
    "status, value_set, broken",
    [
        (mood(code="glad"), moods(), set()),
        (mood(code="glad"), LISTED, set()),
        (mood(code="sad"), LISTED, {"binding-required"}),
        (mood(code="gla"), moods(), {"binding-required", "coding-code"}),
        (mood(code="Glad", display="Merry"), LISTED, set()),
        (mood(code="Glad", display="Froh"), LISTED, set()),
        (mood(code="Glad", display="Sorry"), LISTED, {"coding-display"}),
        (mood(code="Glad", display="Merry"), moods(), {"coding-display"}),
    ],
)
def test_a_bound_code_may_differ_as_its_system_lets_it_and_have_the_value_sets_display(
    status, value_set, broken
):
    assert rules(status, value_set) == broken


def test_a_binding_to_a_code_system_is_an_error():
    issues = by_profile(MOODS["url"], mood(code="Glad"), MOODS)
    assert "binding-code-system" in [i.rule for i in issues]


def test_a_concept_that_must_be_coded_is_not_excused_by_an_extension():
    absent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    status = {"extension": [{"url": absent, "valueCode": "unknown"}]}
    assert rules(status, moods()) == {"binding-required"}


@pytest.mark.parametrize(
    "unit, severities",
    [({}, ["warning"]), ({"system": "http://unitsofmeasure.org", "code": "m"}, ["error"])],
)
def test_a_quantity_may_lack_the_unit_that_is_bound_but_have_no_other(unit, severities):
    units = "http://hl7.org/fhir/ValueSet/age-units"
    profile = {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/o",
        "kind": "resource",
        "type": "Observation",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
        "derivation": "constraint",
        "differential": {
            "element": [
                {
                    "path": "Observation.value[x]",
                    "type": [{"code": "Quantity"}],
                    "binding": {"strength": "required", "valueSet": units},
                }
            ]
        },
    }
    validator = Validator(definitions=Definitions.core().with_resources([profile]))
    resource = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    resource["valueQuantity"] = {"value": 1, **unit}
    issues = validator.validate(resource, ["http://example.org/o"]).issues
    assert [str(i.severity) for i in issues if i.rule == "binding-required"] == severities


@pytest.mark.parametrize(
    "type_name, is_told",
    [
        ("http://a.example/StructureDefinition/Document", False),
        ("http://hl7.org/fhir/uv/a/StructureDefinition/Document", False),
        ("http://hl7.org/fhir/StructureDefinition/Patient", True),
        ("Document", True),
    ],
)
def test_a_logical_model_may_have_a_type_that_no_list_holds(validator, type_name, is_told):
    model = {
        "resourceType": "StructureDefinition", "url": "http://a.example/StructureDefinition/d",
        "name": "D", "status": "draft", "kind": "logical", "abstract": False, "type": type_name,
    }  # fmt: skip
    told = [i.expression for i in validator.validate(model).issues if i.rule.startswith("binding")]
    assert told == (["StructureDefinition.type"] if is_told else [])


@pytest.mark.parametrize(
    "group, strict, told",
    [("fhir", False, []), ("cic", False, ["warning"]), ("cic", True, ["error"])],
)
def test_a_work_group_that_r4_does_not_list_is_warned_of(group, strict, told):
    url = "http://hl7.org/fhir/StructureDefinition/structuredefinition-wg"
    resource = {
        "resourceType": "ValueSet",
        "status": "draft",
        "extension": [{"url": url, "valueCode": group}],
    }
    issues = Validator(settings=Settings(strict=strict)).validate(resource).issues
    assert [str(i.severity) for i in issues if i.rule == "binding-required"] == told
