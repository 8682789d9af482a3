"""Rules that few resources break: each is provoked by one that does, and not by its neighbour."""

import pytest

from fhirpkg import Definitions, Validator

URL = "http://example.org/fhir"
UUID = "urn:uuid:9e7ff1a5-5b0b-4d6e-9e0b-0c6a6c9b9a11"


def patient(**elements):
    return {"resourceType": "Patient", **elements}


def code_system(**elements):
    return {
        "resourceType": "CodeSystem",
        "url": f"{URL}/CodeSystem/c",
        "status": "draft",
        "content": "complete",
        "concept": [{"code": "a"}, {"code": "b"}],
        **elements,
    }


def value_set(property_):
    filter_ = {"property": property_, "op": "=", "value": "x"}
    include = {"system": f"{URL}/CodeSystem/c", "filter": [filter_]}
    return {
        "resourceType": "ValueSet",
        "url": f"{URL}/ValueSet/v",
        "status": "draft",
        "compose": {"include": [include]},
    }


def with_property(code):
    return code_system(
        property=[{"code": "size", "type": "string"}],
        concept=[{"code": "a", "property": [{"code": code, "valueString": "x"}]}],
    )


CASES = {
    "primitive-length": (
        patient(name=[{"text": "x" * 1_048_577}]),
        patient(name=[{"text": "x" * 1_048_576}]),
    ),
    "primitive-scheme": (
        patient(identifier=[{"system": "oid:1.2.840", "value": "1"}]),
        patient(identifier=[{"system": "urn:oid:1.2.840.10008", "value": "1"}]),
    ),
    "primitive-uuid-case": (
        {"resourceType": "Parameters", "parameter": [{"name": "a", "valueUuid": UUID.upper()}]},
        {"resourceType": "Parameters", "parameter": [{"name": "a", "valueUuid": UUID}]},
    ),
    "code-system-part-count": (
        code_system(content="fragment", count=1),
        code_system(content="fragment", count=2),
    ),
    "code-system-property-undefined": (with_property("sise"), with_property("size")),
    "value-set-filter-property": (value_set("sise"), value_set("size")),
}


@pytest.fixture(scope="module")
def validator():
    return Validator(definitions=Definitions.core().with_resources([with_property("size")]))


def rules(validator, resource):
    return {issue.rule for issue in validator.validate(resource).issues}


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_is_broken_by_one_and_not_by_the_other(validator, rule):
    broken, kept = CASES[rule]
    if rule == "primitive-uuid-case":
        broken["parameter"][0]["valueUuid"] = UUID.replace("9e7ff", "9E7FF")
    assert rule in rules(validator, broken)
    assert rule not in rules(validator, kept)


def profile(kind, *elements):
    return {
        "resourceType": "StructureDefinition",
        "url": f"{URL}/StructureDefinition/{kind}",
        "name": kind,
        "status": "draft",
        "kind": "complex-type" if kind.startswith("Name") else "resource",
        "abstract": False,
        "type": "HumanName" if kind.startswith("Name") else "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/"
        + ("HumanName" if kind.startswith("Name") else "Patient"),
        "derivation": "constraint",
        "differential": {"element": list(elements)},
    }


def test_a_value_meets_one_of_the_profiles_of_its_type():
    names = [f"{URL}/StructureDefinition/Name{letter}" for letter in "AB"]
    definitions = Definitions.core().with_resources(
        [
            profile("NameA", {"path": "HumanName", "id": "HumanName"},
                    {"path": "HumanName.family", "id": "HumanName.family", "min": 1}),
            profile("NameB", {"path": "HumanName", "id": "HumanName"},
                    {"path": "HumanName.text", "id": "HumanName.text", "min": 1}),
            profile("P", {"path": "Patient", "id": "Patient"},
                    {"path": "Patient.name", "id": "Patient.name",
                     "type": [{"code": "HumanName", "profile": names}]}),
        ]
    )  # fmt: skip
    validator = Validator(definitions=definitions)
    claimed = {"meta": {"profile": [f"{URL}/StructureDefinition/P"]}}
    assert "profile-none" in rules(validator, patient(**claimed, name=[{"given": ["x"]}]))
    assert "profile-none" not in rules(validator, patient(**claimed, name=[{"text": "x"}]))


def test_a_missing_value_is_explained_by_an_extension_that_the_profile_names():
    alternatives = (
        "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.valueAlternatives"
    )
    reason = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    element = {
        "path": "Patient.birthDate",
        "id": "Patient.birthDate",
        "min": 1,
        "extension": [{"url": alternatives, "valueCanonical": reason}],
    }
    structure = profile("B", {"path": "Patient", "id": "Patient"}, element)
    validator = Validator(definitions=Definitions.core().with_resources([structure]))
    claimed = {"meta": {"profile": [structure["url"]]}}
    other = {"extension": [{"url": f"{URL}/StructureDefinition/why", "valueString": "x"}]}
    absent = {"extension": [{"url": reason, "valueCode": "unknown"}]}
    assert "value-missing" in rules(validator, patient(**claimed, _birthDate=other))
    assert "value-missing" not in rules(validator, patient(**claimed, _birthDate=absent))
