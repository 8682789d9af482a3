import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

URL = "http://example.org/StructureDefinition/mark"


def extension(*contexts, **more):
    root = {"id": "Extension", "path": "Extension", **more.pop("root", {})}
    return {
        "resourceType": "StructureDefinition",
        "url": URL,
        "name": "Mark",
        "status": "draft",
        "kind": "complex-type",
        "abstract": False,
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "context": [{"type": kind, "expression": text} for kind, text in contexts],
        "differential": {
            "element": [
                root,
                {"id": "Extension.extension", "path": "Extension.extension", "max": "0"},
                {"id": "Extension.url", "path": "Extension.url", "fixedUri": URL},
                {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1,
                 "type": [{"code": "string"}]},
            ]
        },
        **more,
    }  # fmt: skip


MARK = {"extension": [{"url": URL, "valueString": "x"}]}


def rules(definition, resource):
    validator = Validator(definitions=Definitions.core().with_resources([definition]))
    return [(i.rule, i.expression) for i in validator.validate(resource).errors]


@pytest.mark.parametrize(
    "context, allowed",
    [
        (("element", "Element"), True),
        (("element", "Patient.name"), True),
        (("element", "HumanName"), True),
        (("element", "Patient"), False),
        (("element", "HumanName.family"), False),
        (("element", "http://hl7.org/fhir/StructureDefinition/HumanName"), True),
        (("fhirpath", "Patient.name.where(use = 'old')"), True),
        (("fhirpath", "Patient.name.where(use = 'usual')"), False),
        (("extension", "http://example.org/other"), False),
    ],
)
def test_an_extension_stands_where_its_definition_allows(context, allowed):
    patient = {"resourceType": "Patient", "name": [{"use": "old", "family": "x", **MARK}]}
    wanted = [] if allowed else [("extension-context", "Patient.name[0].extension[0]")]
    assert rules(extension(context), patient) == wanted


@pytest.mark.parametrize(
    "context, resource, place",
    [
        ("DomainResource", {**MARK}, None),
        ("Resource", {**MARK}, None),
        ("DomainResource.text", {**MARK}, "Patient.extension[0]"),
        ("string", {"name": [{"family": "x", "_family": MARK}]}, None),
        ("HumanName.family", {"name": [{"family": "x", "_family": MARK}]}, None),
        ("Patient.deceased[x]", {"deceasedBoolean": True, "_deceasedBoolean": MARK}, None),
        ("boolean", {"deceasedBoolean": True, "_deceasedBoolean": MARK}, None),
        ("Patient.contact", {"contact": [{"name": {"text": "x"}, **MARK}]}, None),
        ("BackboneElement", {"contact": [{"name": {"text": "x"}, **MARK}]}, None),
    ],
)
def test_contexts_may_name_types_paths_and_what_they_inherit(context, resource, place):
    found = rules(extension(("element", context)), {"resourceType": "Patient", **resource})
    assert found == ([("extension-context", place)] if place else [])


def test_a_part_of_an_extension_may_be_its_place():
    outer = "http://example.org/outer"
    patient = {"resourceType": "Patient", "extension": [{"url": outer, **MARK}]}
    assert rules(extension(("extension", outer)), patient) == []


def test_a_modifier_stands_in_modifier_extension():
    definition = extension(("element", "Patient"), root={"isModifier": True})
    right = {"resourceType": "Patient", "modifierExtension": MARK["extension"]}
    assert rules(definition, right) == []
    wrong = {"resourceType": "Patient", **MARK}
    assert rules(definition, wrong) == [("extension-modifier", "Patient.extension[0]")]


def test_the_value_is_what_the_definition_demands():
    patient = {"resourceType": "Patient", "extension": [{"url": URL, "valueInteger": 1}]}
    place = "Patient.extension[0].value.ofType(integer)"
    assert rules(extension(("element", "Patient")), patient) == [("structure-type", place)]


@pytest.mark.parametrize(
    "formula, rule",
    [
        ("use = 'old'", []),
        ("use = 'usual'", ["extension-invariant"]),
        ("use.where(", []),
    ],
)
def test_the_element_meets_the_invariants_of_the_context(formula, rule):
    definition = extension(("element", "HumanName"), contextInvariant=[formula])
    patient = {"resourceType": "Patient", "name": [{"use": "old", "family": "x", **MARK}]}
    assert rules(definition, patient) == [(each, "Patient.name[0].extension[0]") for each in rule]


@pytest.mark.parametrize(
    "name, is_mistake",
    [("nothing-that-hl7-defines", True), ("additional-language", False)],
)
def test_a_name_under_hl7_base_that_hl7_never_defined_is_a_mistake(name, is_mistake):
    url = f"http://hl7.org/fhir/StructureDefinition/{name}"
    patient = {"resourceType": "Patient", "extension": [{"url": url, "valueString": "x"}]}
    errors = Validator(settings=Settings(strict=True)).validate(patient).errors
    assert [i.rule for i in errors] == (["extension-unknown"] if is_mistake else [])
