"""What StructureDefinitions state of their elements, constraints, types and obligations."""

import pytest

from fhirpkg import Definitions
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

CORE = "http://hl7.org/fhir/StructureDefinition/"
URL = "http://a.example/sd"
MODIFIER = "http://a.example/modifier"


def profile(*elements, **more):
    named = [{"id": element["path"], **element} for element in elements]
    return {
        "resourceType": "StructureDefinition", "url": URL, "version": "1", "name": "Sd",
        "status": "draft", "kind": "resource", "abstract": False, "type": "Patient",
        "baseDefinition": f"{CORE}Patient", "derivation": "constraint",
        "differential": {"element": named}, **more,
    }  # fmt: skip


def extension(*elements, **more):
    given = {
        "type": "Extension", "kind": "complex-type", "baseDefinition": f"{CORE}Extension",
        "context": [{"type": "element", "expression": "Patient"}],
    }  # fmt: skip
    return profile(*elements, **{**given, **more})


def told(structure, *loaded, strict=True):
    """The rules of this family that a definition breaks, with their places."""
    definitions = Definitions.core().with_resources(loaded)
    validator = Validator(definitions=definitions, settings=Settings(strict=strict))
    return {
        (issue.rule.removeprefix("structure-definition-"), issue.expression.partition(".")[2])
        for issue in validator.validate(structure).errors
        if issue.rule.startswith(("structure-definition-", "element-id"))
    }


def constrained(key="x-1", expression="name.exists()", **more):
    return {"key": key, "severity": "error", "human": "h", "expression": expression, **more}


URL_ELEMENT = {"path": "Extension.url", "fixedUri": URL}
MODIFYING = extension(
    {"path": "Extension", "isModifier": True, "isModifierReason": "r"},
    {"path": "Extension.url", "fixedUri": MODIFIER},
    url=MODIFIER,
)


def typed(path, code, key, canonical, **more):
    return {"path": path, "type": [{"code": code, key: [canonical]}], **more}


@pytest.mark.parametrize(
    "element, place",
    [
        (typed("Patient.name", "HumanName", "profile", f"{CORE}HumanName"), ""),
        (typed("Patient.name", "HumanName", "profile", "http://a.example/nope"), ""),
        (typed("Patient.name", "HumanName", "profile", f"{CORE}Address"), "profile"),
        (typed("Patient.extension", "Extension", "profile", f"{CORE}patient-birthPlace"), ""),
        (typed("Patient.extension", "Extension", "profile", MODIFIER), "profile"),
        (typed("Patient.modifierExtension", "Extension", "profile", MODIFIER), ""),
        (
            typed("Patient.modifierExtension", "Extension", "profile", f"{CORE}patient-birthPlace"),
            "profile",
        ),
        (typed("Patient.link.other", "Reference", "targetProfile", f"{CORE}Patient"), ""),
        (typed("Patient.link.other", "Reference", "targetProfile", f"{CORE}Age"), "targetProfile"),
        (typed("Patient.birthDate", "date", "targetProfile", f"{CORE}Patient"), "targetProfile"),
        (
            typed("Patient.meta.profile", "canonical", "targetProfile", f"{CORE}Age"),
            "targetProfile",
        ),
    ],
)
def test_the_profiles_of_a_type_are_for_that_type(element, place):
    found = [at for rule, at in told(profile(element), MODIFYING) if rule == "type-profile"]
    assert found == ([f"differential.element[0].type[0].{place}[0]"] if place else [])


@pytest.mark.parametrize(
    "first, second, place",
    [
        (constrained(), constrained(), ""),
        (constrained(), constrained("x-2", "given.exists()"), ""),
        (constrained(), constrained("x-1", "given.exists()"), "element[1].constraint[0]"),
        (constrained("dom-2"), constrained(), "element[0].constraint[0]"),
        (constrained("dom-2", "contained.contained.empty()"), constrained(), ""),
        (constrained("obs-6"), constrained(), "element[0].constraint[0]"),
    ],
)
def test_a_key_is_that_of_one_constraint(first, second, place):
    structure = profile(
        {"path": "Patient", "constraint": [first]},
        {"path": "Patient.name", "constraint": [second]},
    )
    found = [at for rule, at in told(structure) if rule == "constraint-key"]
    assert found == ([f"differential.{place}"] if place else [])


@pytest.mark.parametrize("source, is_own", [(URL, True), (f"{URL}|1", True), ("http://b", False)])
def test_a_constraint_of_a_differential_comes_from_its_profile(source, is_own):
    structure = profile({"path": "Patient", "constraint": [constrained(source=source)]})
    place = ("constraint-source", "differential.element[0].constraint[0]")
    assert (place in told(structure)) is not is_own


def test_a_constraint_of_r4_under_another_name_is_let_pass_outside_strict_checking():
    structure = profile({"path": "Patient", "constraint": [constrained("obs-6")]})
    assert told(structure, strict=False) == set()


def test_the_ids_of_elements_are_those_of_one_each():
    structure = profile({"path": "Patient.name", "id": "x"}, {"path": "Patient.photo", "id": "x"})
    assert told(structure) == {("element-id-repeated", "differential.element[1]")}


def test_what_a_missing_value_means_is_for_types_and_extensions_to_say():
    place = ("property", "differential.element[0]")
    assert place in told(profile({"path": "Patient.active", "meaningWhenMissing": "x"}))
    assert told(profile({"path": "Patient.extension", "meaningWhenMissing": "x"})) == set()


@pytest.mark.parametrize(
    "change, number",
    [
        (lambda elements: elements[0].update(maxLength=3), 0),
        (lambda elements: elements[0].update(fixedString="x"), 0),
        (lambda elements: elements[3].pop("type"), 3),
        (lambda elements: elements[3].update(short="x"), None),
    ],
)
def test_an_element_of_a_snapshot_states_what_its_place_allows(change, number):
    structure = Definitions.core().structure("Patient")
    elements = [dict(element) for element in structure["snapshot"]["element"]]
    change(elements)
    found = told({**profile({"path": "Patient"}), "snapshot": {"element": elements}})
    places = [at for rule, at in found if rule == "property"]
    assert places == ([] if number is None else [f"snapshot.element[{number}]"])


def test_a_structure_with_a_base_says_what_it_is_to_it():
    structure = profile({"path": "Patient"})
    del structure["derivation"]
    assert ("type", "type") in told(structure)


@pytest.mark.parametrize(
    "elements, is_fixed",
    [((URL_ELEMENT,), True), ((), False), (({**URL_ELEMENT, "fixedUri": "http://b"},), False)],
)
def test_an_extension_fixes_its_own_url(elements, is_fixed):
    found = told(extension({"path": "Extension"}, *elements))
    assert (("extension-url", "") in found) is not is_fixed


@pytest.mark.parametrize(
    "expression, is_there",
    [
        ("Patient", True),
        ("Patient.deceased[x]", True),
        ("Patient.contact.name.family", True),
        ("Element", True),
        ("CanonicalResource.url", True),
        (f"{CORE}Patient#Patient.name", True),
        ("http://b.example/unknown#Patient.name", True),
        ("Pateint", False),
        ("Patient.contact.name.nope", False),
        (f"{CORE}Pateint#Pateint.name", False),
        (f"{CORE}Patient#Patient.nope", False),
    ],
)
def test_the_context_of_an_extension_is_an_element_that_exists(expression, is_there):
    context = [{"type": "element", "expression": expression}]
    found = told(extension({"path": "Extension"}, URL_ELEMENT, context=context))
    assert (("context", "context[0].expression") in found) is not is_there


FLAG = {"url": f"{CORE}obligation-profile-flag", "valueBoolean": True}
OBLIGING = {"path": "Patient.name", "mustSupport": True, "min": 1}
BINDING = {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}


@pytest.mark.parametrize(
    "element, place",
    [
        (OBLIGING, None),
        ({"path": "Patient.name", "extension": [{"url": f"{CORE}obligation"}]}, None),
        ({"path": "Patient.gender", "binding": {"strength": "required"}}, None),
        ({"path": "Patient.name", "short": "x"}, "short"),
        ({"path": "Patient.name", "id": "Patient.nope"}, ""),
        ({"path": "Patient.name", "id": "Patient.photo"}, "path"),
        ({"path": "Patient.name", "extension": [{"url": "http://b.example"}]}, "extension[0]"),
        ({"path": "Patient.birthDate", "binding": {"strength": "required"}}, "binding"),
        ({"path": "Patient.gender", "binding": BINDING}, "binding.valueSet"),
        ({"path": "Patient.gender", "binding": {"strength": "example"}}, "binding.strength"),
    ],
)
def test_an_obligation_profile_only_adds_obligations(element, place):
    found = [at for rule, at in told(profile(element, extension=[FLAG])) if rule == "obligation"]
    told_at = f"differential.element[0].{place}".removesuffix(".")
    assert found == ([] if place is None else [told_at])
    assert not [rule for rule, _ in told(profile(element)) if rule == "obligation"]


def test_only_a_constraint_is_an_obligation_profile():
    structure = profile(OBLIGING, extension=[FLAG], derivation="specialization")
    assert ("obligation", "") in told(structure)


@pytest.mark.parametrize(
    "change, is_right",
    [
        ({}, True),
        ({"extension": []}, False),
        ({"baseDefinition": f"{CORE}DomainResource"}, False),
        ({"url": "http://b.example/not-here"}, True),
    ],
)
def test_obligations_are_inherited_from_an_obligation_profile_on_the_same_base(change, is_right):
    url = "http://a.example/obligations"
    other = {**profile(OBLIGING, extension=[FLAG], url=url), **change}
    inherit = {"url": f"{CORE}inherit-obligations", "valueCanonical": url}
    found = told(profile(OBLIGING, extension=[inherit]), other)
    assert (("obligation", "extension[0]") in found) is not is_right
