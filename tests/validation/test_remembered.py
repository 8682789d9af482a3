"""What was right in one place is told again in another where it is wrong."""

from decimal import Decimal

import pytest

from fhirpkg import Validator
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.compiling.remembered import Remembered
from fhirpkg.validation.run import Run

BIRTH_PLACE = {
    "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
    "valueAddress": {"city": "Ulm"},
}
CODE_SYSTEM = {
    "resourceType": "CodeSystem",
    "url": "http://example.org/CodeSystem/colours",
    "status": "active",
    "content": "complete",
    "concept": [
        {"code": "r", "display": "red", "designation": [{"language": "de", "value": "rot"}]},
    ],
}


def extension(url, contexts):
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "name": "Known",
        "status": "active",
        "kind": "complex-type",
        "abstract": False,
        "context": contexts,
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {"element": [{"id": "Extension", "path": "Extension"}]},
    }


INNER = "http://example.org/StructureDefinition/inner"
OUTER = "http://example.org/StructureDefinition/outer"
OTHER = "http://example.org/StructureDefinition/other"
ANYWHERE = [{"type": "element", "expression": "Element"}]
DEFINED = [
    CODE_SYSTEM,
    extension(INNER, [{"type": "extension", "expression": OUTER}]),
    extension(OUTER, ANYWHERE),
    extension(OTHER, ANYWHERE),
]


def definition(value_set, **more):
    """A profile whose one element is bound."""
    return {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/StructureDefinition/bound",
        "name": "Bound",
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {
            "element": [
                {
                    "id": "Patient.maritalStatus",
                    "path": "Patient.maritalStatus",
                    "binding": {"strength": "required", "valueSet": value_set},
                }
            ]
        },
        **more,
    }


def patient(**parts):
    return {"resourceType": "Patient", **parts}


def bundle(resource):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}


def around(url):
    return patient(extension=[{"url": url, "extension": [{"url": INNER, "valueString": "a"}]}])


def coded(**parts):
    coding = {"system": CODE_SYSTEM["url"], "code": "r", **parts}
    return patient(maritalStatus={"coding": [coding], "text": "a"})


TWICE = coded(id="a")
TWICE["maritalStatus"]["coding"] *= 2
PAIRS = {
    "a place": (
        patient(extension=[BIRTH_PLACE]),
        {"resourceType": "Group", "type": "person", "actual": True, "extension": [BIRTH_PLACE]},
        "extension-context",
    ),
    "a resource in a Bundle": (
        bundle(patient(extension=[BIRTH_PLACE])),
        bundle({"resourceType": "Basic", "code": {"text": "a"}, "extension": [BIRTH_PLACE]}),
        "extension-context",
    ),
    "an extension around": (around(OUTER), around(OTHER), "extension-context"),
    "a contained value set": (
        definition(
            "#v", contained=[{"resourceType": "ValueSet", "id": "v", "status": "active"}]
        ),
        definition("#v"),
        "canonical-fragment",
    ),
    "an id": (coded(id="a"), TWICE, "element-id-repeated"),
    "a language": (
        {**coded(display="rot"), "language": "de"},
        {**coded(display="rot"), "language": "en"},
        "coding-display",
    ),
}  # fmt: skip


def rules(validator, resource):
    return [issue.rule for issue in validator.validate(resource).issues]


@pytest.mark.parametrize(("right", "wrong", "rule"), PAIRS.values(), ids=PAIRS)
def test_what_was_right_elsewhere_is_told_where_it_is_wrong(right, wrong, rule):
    definitions = Definitions.core().with_resources(DEFINED)
    expected = rules(Validator(definitions=definitions), wrong)
    validator = Validator(definitions=definitions)
    assert rule not in rules(validator, right)
    assert rule in expected
    assert rules(validator, wrong) == expected
    assert rule not in rules(validator, right)


def check_noting(seen, act=lambda _value, _trail, _run: None):
    def check(value, trail, run):
        seen.append(value)
        act(value, trail, run)

    return Remembered(check)


@pytest.fixture
def run(validator):
    made = Run({"resourceType": "Patient"}, validator.definitions, validator.terminology)
    with made.inside(made.root, ()):
        yield made


def test_what_was_right_is_not_looked_at_again(run):
    seen = []
    check = check_noting(seen)
    for value in ({"a": "b"}, {"a": "b"}, {"a": True}, {"a": 1}):
        check(value, ((), "x", 0), run)
    check({"a": "b"}, ((), "y", 0), run)
    assert seen == [{"a": "b"}, {"a": True}, {"a": 1}, {"a": "b"}]


@pytest.mark.parametrize(
    "act",
    [
        lambda _value, trail, run: run.resolve("#a", trail),
        lambda _value, trail, run: run.resolve("Patient/a", trail),
        lambda _value, _trail, run: run.environment,
        lambda _value, _trail, run: run.has_contained("#a"),
        lambda _value, trail, run: run.bundle_type(trail),
        lambda _value, _trail, run: run.element_ids.add(str(len(run.element_ids))),
        lambda _value, _trail, run: run.displays.update({(len(run.displays),): None}),
        lambda _value, trail, run: run.findings.append(trail),
    ],
)
def test_what_finds_something_or_looks_around_is_asked_again(run, act):
    seen = []
    check = check_noting(seen, act)
    check({"a": "b"}, ((), "x"), run)
    check({"a": "b"}, ((), "x"), run)
    assert len(seen) == 2


def test_what_has_no_key_is_asked_again(run):
    seen = []
    check = check_noting(seen)
    for value in (Decimal("1.0"), {"a": "b" * 10_000}):
        check(value, ((), "x"), run)
        check(value, ((), "x"), run)
    assert len(seen) == 4
