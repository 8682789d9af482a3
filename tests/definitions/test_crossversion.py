"""Extensions for elements of other versions, by the tables that a package holds of those."""

import json

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.packages.package import read_package
from fhirpkg.packages.packing import write_package
from fhirpkg.validation.validator import Validator

BASE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-"
ELEMENTS = {
    "doco": "words",
    "Observation.bodyStructure": {"types": ["Reference(BodyStructure)"]},
    "Observation.triggeredBy": {"elements": ["observation", "type", "reason"]},
    "Observation.triggeredBy.observation": {"types": ["Reference(Observation)"]},
    "Observation.triggeredBy.type": {"types": ["code"]},
    "Observation.triggeredBy.reason": {"types": ["string"]},
    "Observation.instantiates[x]": {"types": ["canonical(Library)", "uri"]},
    "Observation.since": {"types": ["!dateTime", "Period"]},
    "Observation.nothing": {},
    "ActorDefinition.status": {"modifier": True, "types": ["code"]},
    "Task.reason": {"types": ["CodeableReference(Any)"]},
}


@pytest.fixture(scope="module")
def validator():
    text = json.dumps({"elements": ELEMENTS}).encode()
    archive = write_package(
        {"name": "hl7.fhir.xver-extensions", "version": "0.1.0"},
        {"other/xver-paths-5.0.json": text},
    )
    return Validator(definitions=Definitions.core().with_package(read_package(archive)))


def errors(validator, name, kind="extension", **value):
    observation = {
        "resourceType": "Observation", "status": "final", "code": {"text": "x"},
        kind: [{"url": BASE + name, **value}],
    }  # fmt: skip
    return [issue.rule for issue in validator.validate(observation).errors]


TRIGGER = [
    {"url": "observation", "valueReference": {"reference": "Observation/1"}},
    {"url": "type", "valueCode": "reflex"},
]


@pytest.mark.parametrize(
    "name, value",
    [
        ("Observation.bodyStructure", {"valueReference": {"reference": "BodyStructure/1"}}),
        ("Observation.triggeredBy", {"extension": TRIGGER}),
        ("Observation.instantiates", {"valueUri": "http://a.test/x"}),
        ("Observation.since", {"valuePeriod": {"start": "2024"}}),
        ("Task.reason", {"valueCodeableConcept": {"text": "x"}}),
    ],
)
def test_an_extension_holds_what_the_element_does(validator, name, value):
    assert errors(validator, name, **value) == []


@pytest.mark.parametrize(
    "name, value, rules",
    [
        ("Observation.bodyStructure", {"valueString": "x"}, ["structure-type"]),
        ("Observation.bodyStructure", {"valueReference": {"reference": "Patient/1"}},
         ["reference-target"]),
        ("Observation.triggeredBy", {"valueString": "x"}, ["cardinality-max"]),
        ("Observation.triggeredBy", {"extension": [{"url": "typo", "valueCode": "x"}]},
         ["extension-part"]),
        ("Observation.triggeredBy", {"extension": [{"url": "type", "valueString": "x"}]},
         ["structure-type"]),
        ("Observation.nothing", {"valueString": "x"}, ["extension-cross-element"]),
        ("Observation.unheard", {"valueString": "x"}, ["extension-cross-element"]),
        ("ActorDefinition.status", {"valueCode": "active"}, ["extension-modifier"]),
    ],
)  # fmt: skip
def test_an_extension_that_is_not_that_of_an_element_is_refused(validator, name, value, rules):
    assert errors(validator, name, **value) == rules


def test_a_modifier_stands_among_modifiers(validator):
    assert errors(validator, "ActorDefinition.status", "modifierExtension", valueCode="x") == []


def test_without_the_tables_nothing_is_said():
    assert errors(Validator(), "Observation.unheard", valueString="x") == []
