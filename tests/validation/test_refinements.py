import pytest

from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

CORE = "http://hl7.org/fhir/StructureDefinition/"


def profile(element, **more):
    return {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/StructureDefinition/p",
        "name": "P",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": f"{CORE}Patient",
        "derivation": "constraint",
        "differential": {"element": [{"id": element["path"], **element}]},
        **more,
    }


@pytest.mark.parametrize(
    "element, is_wider",
    [
        ({"path": "Patient.gender", "max": "1"}, False),
        ({"path": "Patient.gender", "max": "2"}, True),
        ({"path": "Patient.gender", "max": "*"}, True),
        ({"path": "Patient.name", "max": "2"}, False),
        ({"path": "Patient.deceased[x]", "type": [{"code": "boolean"}]}, False),
        ({"path": "Patient.deceased[x]", "type": [{"code": "string"}]}, True),
        ({"path": "Patient.gender", "fixedCode": "male"}, False),
        ({"path": "Patient.gender", "fixedString": "male"}, True),
        ({"path": "Patient.name", "patternIdentifier": {"value": "x"}}, True),
        ({"path": "Patient.gender", "binding": {"strength": "required"}}, False),
        ({"path": "Patient.gender", "binding": {"strength": "preferred"}}, True),
        ({"path": "Patient.maritalStatus", "binding": {"strength": "preferred"}}, False),
        ({"path": "Patient.contained", "type": [{"code": "Group"}]}, False),
    ],
)
def test_a_constraint_allows_no_more_than_its_base(validator, element, is_wider):
    found = [(i.rule, i.expression) for i in validator.validate(profile(element)).errors]
    place = "StructureDefinition.differential.element[0]"
    refinements = [each for each in found if each[0] == "structure-definition-refinement"]
    assert refinements == ([("structure-definition-refinement", place)] if is_wider else [])


@pytest.mark.parametrize(
    "more, place",
    [
        ({"kind": "complex-type"}, "StructureDefinition.kind"),
        (
            {"context": [{"type": "element", "expression": "Patient"}]},
            "StructureDefinition.context[0]",
        ),
    ],
)
def test_a_constraint_keeps_its_kind_and_has_no_context(more, place):
    strict = Validator(settings=Settings(strict=True))
    errors = strict.validate(profile({"path": "Patient"}, **more)).errors
    assert ("structure-definition-refinement", place) in {(i.rule, i.expression) for i in errors}


def test_the_invariants_of_a_context_can_be_read(validator):
    definition = profile(
        {"path": "Extension"},
        type="Extension",
        kind="complex-type",
        baseDefinition=f"{CORE}Extension",
        contextInvariant=["use.exists()", "use.("],
    )
    found = {(i.rule, i.expression) for i in validator.validate(definition).issues}
    assert ("definition-expression", "StructureDefinition.contextInvariant[1]") in found
    assert ("definition-expression", "StructureDefinition.contextInvariant[0]") not in found
