"""conformsTo() in an invariant asks the validator itself."""

import pytest

from fhirpkg import Definitions, Validator


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
        ("unknown", {}, ["not-checked-invariant"]),
    ],
)
def test_conforms_to_is_answered_by_the_profile_or_said_not_to_be(other, more, rules):
    patient = {"resourceType": "Patient", "meta": {"profile": ["http://a.example/asks"]}, **more}
    validator = Validator(definitions=Definitions.core().with_resources([asking(other), BORN]))
    found = [issue.rule for issue in validator.validate(patient).issues]
    assert [rule for rule in found if rule in {"x-1", "not-checked-invariant"}] == rules
