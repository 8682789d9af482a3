import re

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

URL = "http://example.org/StructureDefinition/sliced"
FHIR = "http://hl7.org/fhir/StructureDefinition"


def issues(resource, *elements, discriminators=(("value", "system"),), strict=False):
    """What is said of a Patient whose identifiers are sliced."""
    return said({"resourceType": "Patient", **resource}, "identifier", discriminators, *elements,
                strict=strict)  # fmt: skip


def said(resource, sliced, discriminators, *elements, strict=True, more=(), rules="open"):
    """What is said of a resource one of whose elements is sliced."""
    type_name = resource["resourceType"]
    slicing = {
        "discriminator": [{"type": kind, "path": path} for kind, path in discriminators],
        "rules": rules,
    }
    structure = {
        "resourceType": "StructureDefinition",
        "url": URL,
        "type": type_name,
        "kind": "resource",
        "derivation": "constraint",
        "baseDefinition": f"{FHIR}/{type_name}",
        "differential": {
            "element": [
                {"id": type_name, "path": type_name},
                {"id": f"{type_name}.{sliced}", "path": f"{type_name}.{sliced}",
                 "slicing": slicing},
                *({"path": re.sub(r":[^.]+", "", e["id"]), **e} for e in elements),
            ]
        },
    }  # fmt: skip
    validator = Validator(
        definitions=Definitions.core().with_resources([structure, *more]),
        settings=Settings(strict=strict),
    )
    outcome = validator.validate(resource, [URL])
    return [(i.rule, i.severity, i.expression) for i in outcome.issues if i.profile == URL]


ANY = {"id": "Patient.identifier:any", "sliceName": "any", "min": 2, "max": "3"}


@pytest.mark.parametrize("strict, severity", [(False, "warning"), (True, "error")])
def test_an_item_that_cannot_be_told_is_a_warning_and_strictly_an_error(strict, severity):
    resource = {"identifier": [{"value": "1"}, {"value": "2"}]}
    assert issues(resource, ANY, strict=strict) == [
        ("slice-discriminator", severity, "Patient.identifier[0]"),
        ("slice-discriminator", severity, "Patient.identifier[1]"),
    ]


def test_too_few_items_are_too_few_for_a_slice_whatever_they_are():
    found = issues({"identifier": [{"value": "1"}]}, ANY)
    assert ("cardinality-min", "error", "Patient") in found
    assert issues({}, ANY) == [("cardinality-min", "error", "Patient")]


def test_slices_exclude_each_other():
    old = {"id": "Patient.identifier:old", "sliceName": "old"}
    mine = {"id": "Patient.identifier:mine", "sliceName": "mine"}
    elements = (
        old,
        {"id": "Patient.identifier:old.use", "min": 1, "fixedCode": "old"},
        mine,
        {"id": "Patient.identifier:mine.system", "min": 1, "fixedUri": "urn:mine"},
    )
    kinds = (("value", "use"), ("value", "system"))
    both = {"identifier": [{"use": "old", "system": "urn:mine"}]}
    assert issues(both, *elements, discriminators=kinds) == [
        ("slice-several", "error", "Patient.identifier[0]")
    ]
    one = {"identifier": [{"use": "old", "system": "urn:other"}, {"system": "urn:mine"}]}
    assert issues(one, *elements, discriminators=kinds) == []


@pytest.mark.parametrize("kind", ["value", "pattern", "exists"])
def test_what_a_slice_forbids_where_a_discriminator_looks_tells_it_apart(kind):
    elements = (
        {"id": "Patient.identifier:bare", "sliceName": "bare", "max": "1"},
        {"id": "Patient.identifier:bare.system", "max": "0"},
    )
    named = {"value": "1", "system": "urn:x"}
    bare = {"value": "2"}
    found = issues(
        {"identifier": [named, bare, named]}, *elements, discriminators=[(kind, "system")]
    )
    assert found == []
    found = issues({"identifier": [bare, bare]}, *elements, discriminators=[(kind, "system")])
    assert found == [("cardinality-max", "error", "Patient.identifier[1]")]


def test_a_slice_is_divided_again_by_its_own_discriminators_where_it_says_none():
    elements = (
        {"id": "Patient.identifier:a", "sliceName": "a"},
        {"id": "Patient.identifier:a.system", "min": 1, "fixedUri": "urn:a"},
        {"id": "Patient.identifier:a/b", "sliceName": "a/b", "min": 1, "max": "1"},
        {"id": "Patient.identifier:a/b.value", "min": 1},
    )
    assert issues({"identifier": [{"system": "urn:a", "value": "1"}]}, *elements) == []
    assert issues({"identifier": [{"system": "urn:a"}]}, *elements) == [
        ("cardinality-min", "error", "Patient.identifier[0]")
    ]


def test_the_default_slice_has_what_is_in_no_other():
    elements = (
        {"id": "Patient.identifier:a", "sliceName": "a"},
        {"id": "Patient.identifier:a.system", "min": 1, "fixedUri": "urn:a"},
        {"id": "Patient.identifier:@default", "sliceName": "@default", "max": "1"},
        {"id": "Patient.identifier:@default.value", "min": 1},
    )
    other = {"system": "urn:b", "value": "1"}
    assert issues({"identifier": [{"system": "urn:a"}, other]}, *elements) == []
    assert issues({"identifier": [{"system": "urn:b"}]}, *elements) == [
        ("cardinality-min", "error", "Patient.identifier[0]")
    ]
    assert issues({"identifier": [other, other]}, *elements) == [
        ("cardinality-max", "error", "Patient.identifier[1]")
    ]


def test_slices_without_discriminators_are_left_to_people_also_strictly():
    found = issues({"identifier": [{"value": "1"}] * 2}, ANY, discriminators=(), strict=True)
    assert {(rule, severity) for rule, severity, _ in found} == {("not-checked-slicing", "warning")}


def test_a_forbidden_slice_of_a_choice_is_there_no_time():
    value = "Patient.deceased[x]"
    part = {"id": f"{value}:deceasedBoolean", "sliceName": "deceasedBoolean", "max": "0"}
    sliced = {"id": value, "slicing": {"discriminator": [{"type": "type", "path": "$this"}],
              "rules": "open"}}  # fmt: skip
    kind = {"type": [{"code": "boolean"}]}
    found = issues({"deceasedBoolean": True}, sliced, {**part, **kind})
    assert found == [("cardinality-max", "error", "Patient.deceased.ofType(boolean)")]
    assert issues({"deceasedDateTime": "2024"}, sliced, {**part, **kind}) == []


@pytest.mark.parametrize(
    "name, code, item",
    [
        ("identifier", "Identifier", {"value": "1"}),
        ("generalPractitioner", "Reference", {"reference": "Practitioner/1"}),
        ("generalPractitioner", "Reference", {"display": "x"}),
    ],
)
def test_what_is_no_choice_has_the_one_type_that_tells_its_slice(name, code, item):
    sliced = {"id": f"Patient.{name}", "slicing": {"rules": "closed", "discriminator": [
        {"type": "type", "path": "$this"}]}}  # fmt: skip
    part = {"id": f"Patient.{name}:a", "sliceName": "a", "min": 1, "type": [{"code": code}]}
    assert issues({name: [item]}, sliced, part) == []
    assert issues({"active": True}, sliced, part) == [("cardinality-min", "error", "Patient")]


def test_an_item_that_may_be_in_a_slice_is_counted_for_it_and_against_none():
    elements = (
        {"id": "Patient.identifier:known", "sliceName": "known", "min": 1},
        {"id": "Patient.identifier:known.type", "min": 1, "binding": {
            "strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/none"}},
    )  # fmt: skip
    kinds = (("value", "type"),)
    typed = {"type": {"coding": [{"system": "urn:x", "code": "y"}]}, "value": "1"}
    assert issues({"identifier": [typed, typed]}, *elements, discriminators=kinds, strict=True) == [
        ("not-checked-slicing", "information", "Patient.identifier[0]"),
        ("not-checked-slicing", "information", "Patient.identifier[1]"),
    ]
    bare = {"identifier": [{"value": "1"}]}
    assert issues(bare, *elements, discriminators=kinds, strict=True) == [
        ("cardinality-min", "error", "Patient")
    ]


def test_what_one_discriminator_excludes_is_in_no_slice_whatever_the_other_would_tell():
    elements = (
        {"id": "Patient.identifier:known", "sliceName": "known", "min": 1},
        {"id": "Patient.identifier:known.use", "min": 1, "fixedCode": "official"},
        {"id": "Patient.identifier:known.type", "min": 1, "binding": {
            "strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/none"}},
    )  # fmt: skip
    typed = {"type": {"coding": [{"system": "urn:x", "code": "y"}]}, "value": "1"}
    kinds = (("value", "type"), ("value", "use"))
    official = {"identifier": [{**typed, "use": "official"}]}
    usual = {"identifier": [{**typed, "use": "usual"}]}
    assert issues(official, *elements, discriminators=kinds, strict=True) == [
        ("not-checked-slicing", "information", "Patient.identifier[0]")
    ]
    assert issues(usual, *elements, discriminators=kinds, strict=True) == [
        ("cardinality-min", "error", "Patient")
    ]


def observation(*references, contained=()):
    members = [{"reference": reference} for reference in references]
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "contained": list(contained),
        "hasMember": members,
    }


def member(*targets, **rules):
    """The slice of an Observation's members that lead to some profile."""
    types = {"type": [{"code": "Reference", "targetProfile": list(targets)}]} if targets else {}
    return {"id": "Observation.hasMember:m", "sliceName": "m", "min": 1, **types, **rules}


UNLOADED = "http://example.org/StructureDefinition/none"
WEIGHT = "http://example.org/StructureDefinition/weight"
CODED = {"coding": [{"system": "urn:x", "code": "weight"}]}
WEIGHING = {
    "resourceType": "StructureDefinition",
    "url": WEIGHT,
    "type": "Observation",
    "kind": "resource",
    "derivation": "constraint",
    "baseDefinition": f"{FHIR}/Observation",
    "differential": {
        "element": [
            {"path": "Observation.code", "patternCodeableConcept": CODED},
            {"path": "Observation.method", "min": 1},
        ]
    },
}


def members(reference, kind, path, *targets, contained=()):
    """What is said of an Observation by a slice of its members that lead to some profiles."""
    kinds, more = [(kind, path)], [WEIGHING]
    resource = observation(reference, contained=contained)
    found = said(resource, "hasMember", kinds, member(*targets), more=more)
    return [rule for rule, _, _ in found]


@pytest.mark.parametrize("kind", ["profile", "type"])
@pytest.mark.parametrize("path", ["$this.resolve()", "resolve()"])
def test_a_slice_of_references_has_the_targets_of_its_type_where_it_names_no_others(kind, path):
    assert members("Observation/1", kind, path) == []


@pytest.mark.parametrize(
    "kind, path, reference, target, rules",
    [
        ("profile", "resolve()", "Observation/1", UNLOADED, ["not-checked-slicing"]),
        ("profile", "resolve()", "urn:uuid:1", f"{FHIR}/Observation", ["not-checked-slicing"]),
        ("profile", "resolve()", "Observation/1", f"{FHIR}/Observation", []),
        ("profile", "resolve()", "Observation/1", WEIGHT, ["not-checked-slicing"]),
        ("profile", "resolve()", "MolecularSequence/1", WEIGHT, ["cardinality-min"]),
        ("type", "resolve()", "Observation/1", UNLOADED, ["not-checked-slicing"]),
        ("type", "resolve()", "urn:uuid:1", f"{FHIR}/Observation", ["not-checked-slicing"]),
        ("type", "resolve()", "MolecularSequence/1", f"{FHIR}/Observation", ["cardinality-min"]),
        ("value", "resolve().code", "Observation/1", WEIGHT, ["not-checked-slicing"]),
        ("value", "resolve().code", "Observation/1", UNLOADED, ["not-checked-slicing"]),
        ("exists", "resolve().method", "Observation/1", WEIGHT, ["not-checked-slicing"]),
    ],
)
def test_a_target_that_is_not_at_hand_is_told_by_its_type_alone(
    kind, path, reference, target, rules
):
    assert members(reference, kind, path, target) == rules


@pytest.mark.parametrize(
    "code, kind, path, rules",
    [
        (CODED, "value", "resolve().code", ["reference-profile"]),
        ({"text": "x"}, "value", "resolve().code", ["cardinality-min"]),
        (CODED, "profile", "resolve()", ["cardinality-min"]),
        (CODED, "exists", "resolve().method", ["cardinality-min"]),
    ],
)
def test_a_target_that_is_at_hand_is_told_by_what_it_holds(code, kind, path, rules):
    inner = {"resourceType": "Observation", "id": "w", "status": "final", "code": code}
    assert members("#w", kind, path, WEIGHT, contained=[inner]) == rules


@pytest.mark.parametrize("rules", ["closed", "openAtEnd"])
def test_what_may_be_in_a_slice_breaks_no_rule_of_the_slicing(rules):
    resource = observation("Observation/1", "MolecularSequence/1")
    kinds = [("profile", "resolve()")]
    sequence = member(f"{FHIR}/MolecularSequence", min=0)
    elements = (member(UNLOADED), {**sequence, "id": "Observation.hasMember:s", "sliceName": "s"})
    found = said(resource, "hasMember", kinds, *elements, rules=rules)
    assert found == [("not-checked-slicing", "information", "Observation.hasMember[0]")]
