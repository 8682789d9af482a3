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
        (("element", "http://example.org/not-loaded#Patient.name"), True),
        (("element", "http://example.org/not-loaded#Patient.contact"), False),
        (("fhirpath", "Patient.name.where(use = 'old')"), True),
        (("fhirpath", "Patient.name.where(use = 'usual')"), False),
        (("extension", "http://example.org/other"), False),
    ],
)
def test_an_extension_stands_where_its_definition_allows(context, allowed):
    patient = {"resourceType": "Patient", "name": [{"use": "old", "family": "x", **MARK}]}
    wanted = [] if allowed else [("extension-context", "Patient.name[0].extension[0]")]
    assert rules(extension(context), patient) == wanted


@pytest.mark.parametrize("other", [{"use": "usual"}, {"use": "old", **MARK}])
def test_an_expression_that_selects_another_element_does_not_allow_it_here(other):
    """However alike the two are."""
    patient = {"resourceType": "Patient", "name": [other, {"use": "old", **MARK}]}
    found = rules(extension(("fhirpath", "Patient.name.first()")), patient)
    assert found == [("extension-context", "Patient.name[1].extension[0]")]


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
        ("Patient.deceasedBoolean", {"deceasedBoolean": True, "_deceasedBoolean": MARK}, None),
        ("Patient.contained", {"contained": [{"resourceType": "Basic", "id": "b", **MARK}]}, None),
        ("Patient.contact", {"contact": [{"name": {"text": "x"}, **MARK}]}, None),
        ("BackboneElement", {"contact": [{"name": {"text": "x"}, **MARK}]}, None),
        ("Patient.name.family", {"name": [{"family": "x", "_family": MARK}]}, None),
        ("Patient.contact.name", {"contact": [{"name": {"text": "x", **MARK}}]}, None),
        ("Patient.contact.name", {"name": [{"text": "x", **MARK}]}, "Patient.name[0].extension[0]"),
    ],
)
def test_contexts_may_name_types_paths_and_what_they_inherit(context, resource, place):
    found = rules(extension(("element", context)), {"resourceType": "Patient", **resource})
    found = [each for each in found if each[0].startswith("extension-")]
    assert found == ([("extension-context", place)] if place else [])


OUTER = "http://example.org/outer"


@pytest.mark.parametrize(
    "outer, allowed",
    [
        ({"url": OUTER, **MARK}, True),
        ({"url": OUTER, "valueString": "x", "_valueString": MARK}, True),
        ({"url": OUTER, "valueAddress": {"city": "x", "_city": MARK}}, False),
    ],
)
def test_an_extension_may_be_the_place_by_its_parts_or_its_value(outer, allowed):
    patient = {"resourceType": "Patient", "extension": [outer]}
    found = {rule for rule, _ in rules(extension(("extension", OUTER)), patient)}
    assert found == (set() if allowed else {"extension-context"})


def versions(first, last):
    """What says that a context is for some versions of FHIR only."""
    bounds = [("startFhirVersion", first), ("endFhirVersion", last)]
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/version-specific-use",
        "extension": [{"url": url, "valueCode": code} for url, code in bounds if code],
    }


@pytest.mark.parametrize(
    "first, last, allowed",
    [
        ("4.0", None, True),
        ("3.0", "5.0", True),
        (None, "4.0", True),
        ("5.0", None, False),
        (None, "3.0", False),
    ],
)
def test_a_context_or_definition_of_other_versions_allows_nothing(first, last, allowed):
    patient = {"resourceType": "Patient", **MARK}
    wanted = [] if allowed else [("extension-context", "Patient.extension[0]")]
    definition = extension(("element", "Patient"), extension=[versions(first, last)])
    assert rules(definition, patient) == wanted
    definition = extension()
    definition["context"] = [
        {"type": "element", "expression": "Patient", "extension": [versions(first, last)]}
    ]
    assert rules(definition, patient) == wanted


@pytest.mark.parametrize("family, allowed", [("x", True), (None, False)])
def test_a_context_may_ask_for_a_profile_of_the_resource(family, allowed):
    profile = {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/StructureDefinition/named",
        "kind": "resource",
        "type": "Patient",
        "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": {
            "element": [
                {"id": "Patient", "path": "Patient"},
                {"id": "Patient.name", "path": "Patient.name"},
                {"id": "Patient.name.family", "path": "Patient.name.family", "min": 1},
            ]
        },
    }
    definition = extension(("element", f"{profile['url']}#Patient.name"))
    definitions = Definitions.core().with_resources([definition, profile])
    name = {"use": "old", **({"family": family} if family else {}), **MARK}
    patient = {"resourceType": "Patient", "name": [name]}
    found = [i.rule for i in Validator(definitions=definitions).validate(patient).errors]
    assert found == ([] if allowed else ["extension-context"])


@pytest.mark.parametrize(
    "formula, allowed", [("Patient.birthDate", True), ("Patient.name.given", False)]
)
def test_an_expression_may_select_a_primitive(formula, allowed):
    patient = {"resourceType": "Patient", "birthDate": "2024-01-01", "_birthDate": MARK}
    found = {rule for rule, _ in rules(extension(("fhirpath", formula)), patient)}
    assert found == (set() if allowed else {"extension-context"})


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


@pytest.mark.parametrize("version, is_other", [("5.0", True), ("4.0", False), ("9.0", False)])
def test_an_extension_for_an_element_is_of_another_version(version, is_other):
    url = f"http://hl7.org/fhir/{version}/StructureDefinition/extension-Patient.animal"
    patient = {"resourceType": "Patient", "extension": [{"url": url, "valueString": "x"}]}
    found = [i.rule for i in Validator().validate(patient).errors]
    assert found == ([] if is_other else ["extension-cross-version"])


@pytest.mark.parametrize("name, allowed", [("citizenship", True), ("congregation", False)])
def test_an_extension_of_r4_may_stand_where_the_extensions_pack_lets_it(validator, name, allowed):
    url = f"http://hl7.org/fhir/StructureDefinition/patient-{name}"
    person = {"resourceType": "Person", "extension": [{"url": url}]}
    found = {issue.rule for issue in validator.validate(person).issues}
    assert ("extension-context" not in found) is allowed


@pytest.mark.parametrize("url", [f"{URL}#part", f"{URL}#"])
def test_a_part_of_a_definition_is_no_extension(url):
    patient = {"resourceType": "Patient", "extension": [{"url": url, "valueString": "x"}]}
    definition = extension(("element", "Patient"))
    assert rules(definition, patient) == [("extension-fragment", "Patient.extension[0]")]
