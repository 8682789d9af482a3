import re

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

URL = "http://example.org/StructureDefinition/sliced"


def issues(resource, *elements, discriminators=(("value", "system"),), strict=False):
    """What is said of a Patient whose identifiers are sliced."""
    slicing = {
        "discriminator": [{"type": kind, "path": path} for kind, path in discriminators],
        "rules": "open",
    }
    structure = {
        "resourceType": "StructureDefinition",
        "url": URL,
        "type": "Patient",
        "kind": "resource",
        "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": {
            "element": [
                {"id": "Patient", "path": "Patient"},
                {"id": "Patient.identifier", "path": "Patient.identifier", "slicing": slicing},
                *({"path": re.sub(r":[^.]+", "", e["id"]), **e} for e in elements),
            ]
        },
    }  # fmt: skip
    validator = Validator(
        definitions=Definitions.core().with_resources([structure]),
        settings=Settings(strict=strict),
    )
    outcome = validator.validate({"resourceType": "Patient", **resource}, [URL])
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
