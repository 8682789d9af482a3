"""conformsTo() in an invariant asks the validator itself."""

import pytest

from fhirpkg import Definitions, Validator
from fhirpkg.validation.run import Settings


def profile(name, *elements):
    return {
        "resourceType": "StructureDefinition", "url": f"http://a.example/{name}", "name": name,
        "status": "draft", "kind": "resource", "abstract": False, "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint", "differential": {"element": list(elements)},
    }  # fmt: skip


def asking(other):
    constraint = {
        "key": "x-1", "severity": "error", "human": "meets the other one",
        "expression": f"conformsTo('http://a.example/{other}')",
    }  # fmt: skip
    return profile("asks", {"id": "Patient", "path": "Patient", "constraint": [constraint]})


BORN = profile("born", {"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1})


@pytest.mark.parametrize(
    "other, more, rules",
    [
        ("born", {"birthDate": "2000"}, []),
        ("born", {}, ["x-1"]),
        ("unknown", {}, ["not-checked-dependency"]),
    ],
)
def test_conforms_to_is_answered_by_the_profile_or_said_not_to_be(other, more, rules):
    patient = {"resourceType": "Patient", "meta": {"profile": ["http://a.example/asks"]}, **more}
    validator = Validator(definitions=Definitions.core().with_resources([asking(other), BORN]))
    found = [issue.rule for issue in validator.validate(patient).issues]
    assert [rule for rule in found if rule in {"x-1", "not-checked-dependency"}] == rules


def test_an_invariant_that_asks_for_what_is_not_loaded_is_no_error_even_if_strict():
    patient = {"resourceType": "Patient", "meta": {"profile": ["http://a.example/asks"]}}
    definitions = Definitions.core().with_resources([asking("unknown")])
    issues = Validator(definitions=definitions, settings=Settings(strict=True)).validate(patient)
    assert [i.rule for i in issues.issues if i.severity == "error"] == []


def test_what_has_been_checked_by_a_profile_before_is_asked_again():
    claimed = ["http://a.example/born", "http://a.example/asks"]
    patient = {"resourceType": "Patient", "meta": {"profile": claimed}}
    validator = Validator(definitions=Definitions.core().with_resources([asking("born"), BORN]))
    assert [issue.rule for issue in validator.validate(patient).errors] == [
        "cardinality-min",
        "x-1",
    ]
