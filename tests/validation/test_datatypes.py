import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.issues import Severity
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

SYSTEM = "http://example.org/colours"
COLOURS = {
    "resourceType": "CodeSystem",
    "url": SYSTEM,
    "status": "active",
    "content": "complete",
    "concept": [{"code": "red", "display": "Red", "designation": [{"value": "Rot"}]}],
}
SHADES = {
    "resourceType": "CodeSystem",
    "url": "http://example.org/shades",
    "status": "active",
    "content": "supplement",
    "supplements": SYSTEM,
    "concept": [{"code": "red"}],
}
ALL = {"resourceType": "ValueSet", "url": "http://example.org/all", "status": "active"}


@pytest.fixture(scope="module")
def coloured():
    return Validator(definitions=Definitions.core().with_resources([COLOURS, SHADES, ALL]))


def told(validator, **coding):
    basic = {"resourceType": "Basic", "code": {"coding": [coding]}}
    return [(i.rule, i.expression.rpartition(".")[2]) for i in validator.validate(basic).issues]


@pytest.mark.parametrize(
    "coding, wanted",
    [
        ({"system": SYSTEM, "code": "red"}, []),
        ({"system": SYSTEM, "code": "red", "display": "RED"}, []),
        ({"system": SYSTEM, "code": "red", "display": "Red "}, [("coding-display", "display")]),
        ({"system": SYSTEM, "code": "red", "display": "Rot"}, []),
        ({"system": SYSTEM, "code": "red", "display": "Blue"}, [("coding-display", "display")]),
        ({"system": SYSTEM, "code": "blue"}, [("coding-code", "code")]),
        ({"system": "colours", "code": "red"}, [("coding-system-absolute", "system")]),
        ({"system": SHADES["url"], "code": "red"}, [("coding-system-kind", "system")]),
        ({"system": ALL["url"], "code": "red"}, [("coding-system-kind", "system")]),
        ({"system": "http://example.org/unknown", "code": "red"}, []),
        ({"system": "http://snomed.info/sct", "code": "123456"}, [("coding-form", "code")]),
        ({"code": "red"}, []),
    ],
)
def test_a_code_is_looked_up_in_its_system(coloured, coding, wanted):
    found = told(coloured, **coding)
    assert [each for each in found if each[0].startswith("coding-")] == wanted


@pytest.mark.parametrize(
    "system", ["http://loinc.org/", "http://snomed.info/sct/731000124108", "http://loinc.org/vs/1"]
)
def test_a_system_named_amiss_is_an_error_but_a_warning_in_a_concept(validator, system):
    coding = {"system": system, "code": "1-8"}
    resource = {
        "resourceType": "Observation",
        "meta": {"tag": [coding]},
        "status": "final",
        "code": {"coding": [coding]},
        "valueQuantity": {"value": 1, **coding},
    }
    found = {i.expression: str(i.severity) for i in validator.validate(resource).issues}
    assert found["Observation.meta.tag[0].system"] == "error"
    assert found["Observation.code.coding[0].system"] == "warning"
    assert found["Observation.value.ofType(Quantity).system"] == "error"


MOODS = {
    **COLOURS,
    "url": "http://example.org/moods",
    "property": [{"code": "notSelectable", "type": "boolean"}],
    "concept": [
        {
            "code": "glad",
            "display": "Glad",
            "designation": [
                {"language": "de-AT", "value": "Froh"},
                {"language": "en", "value": "Happy"},
            ],
        },
        {"code": "bare"},
        {"code": "all", "property": [{"code": "notSelectable", "valueBoolean": True}]},
    ],
}


@pytest.mark.parametrize(
    "language, display, strict, is_right",
    [
        (None, "Froh", False, True),
        (None, "Froh", True, False),
        (None, "Happy", True, True),
        ("de", "Froh", False, True),
        ("de", "Glad", False, True),
        ("de", "Happy", False, False),
        ("en-GB", "Froh", False, False),
    ],
)
def test_a_designation_stands_as_display_in_its_language(language, display, strict, is_right):
    definitions = Definitions.core().with_resources([MOODS])
    validator = Validator(definitions=definitions, settings=Settings(strict=strict))
    coding = {"system": MOODS["url"], "code": "glad", "display": display}
    basic = {"resourceType": "Basic", "code": {"coding": [coding]}}
    issues = validator.validate({**basic, **({"language": language} if language else {})}).issues
    assert ("coding-display" not in [i.rule for i in issues]) == is_right


def test_a_code_without_display_or_for_grouping_only_is_warned_of():
    validator = Validator(definitions=Definitions.core().with_resources([MOODS]))
    assert ("coding-display-unknown", "display") in told(
        validator, system=MOODS["url"], code="bare", display="Bare"
    )
    assert ("coding-abstract", "code") in told(validator, system=MOODS["url"], code="all")
    assert ("coding-display", "display") in told(
        validator, system=MOODS["url"], code="glad", display="Bare"
    )


def test_a_display_of_a_code_that_is_not_here_is_let_pass():
    part = {**MOODS, "content": "fragment"}
    validator = Validator(definitions=Definitions.core().with_resources([part]))
    for system, code in ((MOODS["url"], "other"), ("http://loinc.org", "8867-4")):
        found = told(validator, system=system, code=code, display="Any")
        assert [rule for rule, _ in found if rule.startswith("coding-")] == []


def test_a_wrong_display_can_be_a_warning():
    definitions = Definitions.core().with_resources([COLOURS])
    mild = Validator(definitions=definitions, settings=Settings(wrong_display=Severity.WARNING))
    coding = {"system": SYSTEM, "code": "red", "display": "Blue"}
    issues = mild.validate({"resourceType": "Basic", "code": {"coding": [coding]}}).issues
    assert [i.severity for i in issues if i.rule == "coding-display"] == ["warning"]


def media(**attachment):
    attachment = {"contentType": "text/plain", "data": "aGVsbG8=", **attachment}
    return {"resourceType": "Media", "status": "completed", "content": attachment}


@pytest.mark.parametrize(
    "attachment, rules",
    [
        ({"size": 5, "hash": "qvTGHdzF6KLavt4PO0gs2a6pQ00="}, []),
        ({"size": 4}, ["attachment-size"]),
        ({"hash": "qvTGHdzF6KLavt4PO0gs2a6pQ0A="}, ["attachment-hash"]),
        ({"data": "aGVs bG8=", "size": 5}, []),
        ({"data": "a", "size": 5}, ["primitive-format"]),
    ],
)
def test_the_size_and_hash_of_an_attachment_are_those_of_its_data(validator, attachment, rules):
    assert [issue.rule for issue in validator.validate(media(**attachment)).issues] == rules


@pytest.mark.parametrize(
    "identifier, rules",
    [
        ({"system": "http://example.org/ids", "value": "x"}, []),
        ({"system": "ids", "value": "x"}, ["identifier-system"]),
        ({"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2"}, []),
        ({"system": "urn:ietf:rfc:3986", "value": "1.2"}, ["identifier-uri"]),
        ({"value": "x"}, []),
    ],
)
def test_an_identifier_has_an_absolute_system(validator, identifier, rules):
    patient = {"resourceType": "Patient", "identifier": [identifier]}
    assert [issue.rule for issue in validator.validate(patient).issues] == rules


@pytest.mark.parametrize(
    "quantity, rules",
    [
        ({"value": 1, "system": "http://unitsofmeasure.org", "code": "mg"}, []),
        ({"value": 1, "system": "http://unitsofmeasure.org", "code": "pill"}, ["coding-form"]),
        ({"value": 1, "system": "units", "code": "mg"}, ["coding-system-absolute"]),
        ({"value": 1, "system": "http://hl7.org/fhir/days-of-week", "code": "m"}, ["coding-form"]),
    ],
)
def test_the_unit_of_a_quantity_exists(validator, quantity, rules):
    assert [issue.rule for issue in validator.validate(observed(quantity)).issues] == rules


def observed(quantity):
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    return {**observation, "valueQuantity": quantity}


def test_a_unit_that_its_system_does_not_have_is_an_error_under_strict():
    strict = Validator(settings=Settings(strict=True))
    quantity = {"value": 1, "system": "http://hl7.org/fhir/days-of-week", "code": "m"}
    assert [error.rule for error in strict.validate(observed(quantity)).errors] == ["coding-code"]


def test_element_ids_do_not_repeat_within_a_resource(validator):
    name = {"id": "n", "family": "x"}
    inner = {"resourceType": "Patient", "id": "p", "name": [name]}
    patient = {"resourceType": "Patient", "name": [name], "contained": [inner]}
    patient["link"] = [{"other": {"reference": "#p"}, "type": "seealso"}]
    assert not validator.validate(patient).errors
    patient["telecom"] = [{"id": "n", "rank": 1}]
    (error,) = validator.validate(patient).errors
    assert (error.rule, error.expression) == ("element-id-repeated", "Patient.telecom[0].id")


@pytest.mark.parametrize(
    "name",
    [
        {"id": "n", "family": "x", "_family": {"id": "n"}},
        {"id": "n", "given": ["x", "y"], "_given": [None, {"id": "n"}]},
    ],
)
def test_the_ids_of_primitives_count_as_well(validator, name):
    (error,) = validator.validate({"resourceType": "Patient", "name": [name]}).errors
    assert error.rule == "element-id-repeated"


def test_the_id_of_an_element_has_no_spaces(validator):
    patient = {"resourceType": "Patient", "name": [{"id": "a b"}, {"id": "a.b:c", "text": "x"}]}
    found = [i for i in validator.validate(patient).issues if i.rule == "element-id-space"]
    assert [(str(i.severity), i.expression) for i in found] == [("warning", "Patient.name[0].id")]


def test_the_id_of_a_resource_has_no_extensions(validator):
    patient = {"resourceType": "Patient", "id": "a", "_id": {"id": "x"}, "active": True}
    assert not validator.validate(patient).errors
    absent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    patient["_id"] = {"extension": [{"url": absent, "valueCode": "unknown"}]}
    (error,) = validator.validate(patient).errors
    assert (error.rule, error.expression) == ("resource-id-extension", "Patient.id")


def test_a_security_label_stands_once(validator):
    label = {"system": "http://example.org/labels", "code": "a"}
    others = [{**label, "code": "b"}, {"display": "c"}, {"display": "d"}]
    patient = {"resourceType": "Patient", "meta": {"security": [label, *others]}, "active": True}
    assert not validator.validate(patient).errors
    patient["meta"]["security"].append({**label, "version": "2"})
    (error,) = validator.validate(patient).errors
    assert (error.rule, error.expression) == ("meta-security-repeated", "Patient.meta")


def test_a_list_of_what_stands_beside_primitives_may_end_early_with_a_warning(validator):
    name = {"given": ["x", "y"], "_given": [{"id": "n"}]}
    outcome = validator.validate({"resourceType": "Patient", "name": [name]})
    assert [issue.rule for issue in outcome.issues] == ["structure-alignment"]
    assert not outcome.errors
