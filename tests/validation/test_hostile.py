"""Content and definitions that mean harm end in findings, in bounded time, without a traceback."""

import copy
import io
import json
import random
import time
import tokenize

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.elements.constraints import VIOLATED
from fhirpkg.validation.validator import Validator
from tests.damage import paths

URL = "http://example.org/StructureDefinition/hostile"
NASTY = "x\"]); __import__('os').abort()\n'''\\"
KEYWORDS = set("def return if not in is or and for else pass None len type dict str".split())
KEYWORDS |= set("v x t s path run found".split())


def structure(elements, url=URL, base="http://hl7.org/fhir/StructureDefinition/Patient", **more):
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "name": "Hostile",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": base,
        "derivation": "constraint",
        **more,
        **({"differential": {"element": elements}} if elements else {}),
    }


def with_definitions(*resources):
    return Validator(definitions=Definitions.core().with_resources(resources))


def strange_tokens(source):
    """What a generated source holds besides our own words and numbered names."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.STRING:
            yield from () if token.string in {"'id'", "'url'", "'extension'"} else (token.string,)
        elif token.type == tokenize.NAME and token.string not in KEYWORDS:
            yield from (
                () if token.string[0] in "cf" and token.string[1:].isdigit() else (token.string,)
            )
        elif token.type == tokenize.COMMENT:
            yield token.string


@pytest.mark.parametrize("name", ["Patient", "Extension", "Observation", "ElementDefinition"])
def test_generated_source_holds_no_text_of_the_definition(validator, name):
    source = validator._checks.code(name).source
    for condition in VIOLATED.values():  # our own, not the definition's
        source = source.replace(condition, "None")
    assert not list(strange_tokens(source))


def test_a_definition_cannot_inject_code():
    element = {
        "id": "Patient.identifier",
        "path": "Patient.identifier",
        "min": 1,
        "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": NASTY},
    }
    part = {"path": "Patient.identifier", "sliceName": NASTY, "id": f"Patient.identifier:{NASTY}"}
    fixed = {
        "path": "Patient.identifier.system",
        "id": f"Patient.identifier:{NASTY}.system",
        "fixedUri": NASTY,
        "constraint": [
            {"key": NASTY, "severity": "error", "human": NASTY, "expression": f"'{NASTY}'"}
        ],
    }
    url = URL + NASTY
    validator = with_definitions(
        structure([{"id": "Patient", "path": "Patient"}, element, part, fixed], url=url)
    )
    assert not list(strange_tokens(validator._checks.code(url).source))
    outcome = validator.validate({"resourceType": "Patient", "active": True}, [url])
    assert "cardinality-min" in {issue.rule for issue in outcome.errors}


@pytest.mark.parametrize(
    "resource",
    [
        structure([], snapshot={"element": [{"path": "Patient"}, {"path": "Observation"}]}),
        structure([], snapshot={"element": [{"path": "Patient", "min": "many"}]}),
        structure(
            [], snapshot={"element": [{"path": "Patient"}, {"path": "Patient.x", "type": 5}]}
        ),
        structure([], snapshot={"element": [{"path": "Patient"}, {"min": 1}]}),
        structure([{"path": "Patient.nothing.more", "min": 1}]),
        structure([{"path": "Patient"}], base=URL),
        structure([{"path": "Patient"}], base="http://example.org/nowhere"),
        structure([{"path": "Patient"}], base=None),
        structure([{"path": "Patient"}], type="Nonsense"),
    ],
)
def test_a_definition_that_cannot_be_used_is_told(resource):
    outcome = with_definitions(resource).validate({"resourceType": "Patient", "id": "x"}, [URL])
    assert {issue.rule for issue in outcome.issues} <= {"not-checked-profile", "profile-type"}
    assert outcome.issues


def test_profiles_that_demand_each_other_come_to_an_end():
    def demanding(name, other):
        target = f"http://example.org/StructureDefinition/{other}"
        ref = {"code": "Reference", "targetProfile": [target]}
        elements = [
            {"id": "Patient", "path": "Patient"},
            {"id": "Patient.link", "path": "Patient.link"},
            {"id": "Patient.link.other", "path": "Patient.link.other", "type": [ref]},
        ]
        return structure(elements, url=f"http://example.org/StructureDefinition/{name}")

    validator = with_definitions(demanding("a", "b"), demanding("b", "a"))
    link = [{"other": {"reference": "#p"}, "type": "seealso"}]
    inner = {"resourceType": "Patient", "id": "p", "link": link}
    outcome = validator.validate(
        {"resourceType": "Patient", "contained": [inner], "link": link},
        ["http://example.org/StructureDefinition/a"],
    )
    assert not outcome.errors


def test_a_regular_expression_that_explodes_is_stopped():
    constraint = {
        "key": "x-1",
        "severity": "error",
        "human": "x",
        "expression": "id.matches('(a+)+$')",
    }
    validator = with_definitions(structure([{"path": "Patient", "constraint": [constraint]}]))
    started = time.monotonic()
    outcome = validator.validate({"resourceType": "Patient", "id": "a" * 60 + "-"}, [URL])
    assert {issue.rule for issue in outcome.issues} <= {"x-1", "not-checked-invariant"}
    assert outcome.issues
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("depth", [60, 400, 3000, 100_000])
def test_deep_nesting_is_told_or_checked(validator, depth):
    text = '{"resourceType": "Patient", "extension": ' + '[{"extension": ' * depth
    text += "[]" + "}]" * depth + "}"
    outcome = validator.validate(text.encode())
    assert outcome.issues


def test_deep_nesting_that_was_not_read_from_text_is_told(validator):
    inner = {"url": "x"}
    for _ in range(3000):
        inner = {"url": "x", "extension": [inner]}
    outcome = validator.validate({"resourceType": "Patient", "extension": [inner]})
    assert [issue.rule for issue in outcome.issues] == ["parse-depth"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"nonsense",
        b"[]",
        b"5",
        b'"x"',
        b"null",
        b'{"resourceType": 5}',
        b'{"resourceType": "Nothing"}',
        b'{"resourceType": "Resource"}',
        b'{"resourceType": "Patient", "id": "\\ud800"}',
        b'{"resourceType": "Patient", "multipleBirthInteger": 1e999999}',
        b'{"resourceType": "Patient", "id": "a", "id": "b"}',
        b"<Patient",
        b'<!DOCTYPE a [<!ENTITY b "c">]><Patient xmlns="http://hl7.org/fhir">&b;</Patient>',
    ],
)
def test_what_is_no_good_text_is_an_error_and_no_traceback(validator, text):
    outcome = validator.validate(text, file="x")
    assert outcome.errors
    assert all(issue.file == "x" for issue in outcome.issues)


def test_a_million_entries_of_nothing_are_no_trouble(validator):
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{}] * 20_000}
    assert validator.validate(bundle).errors


JUNK = [None, True, 0, -1, 1.5, "", "x", "#x", "2024-02-30", [], [None], {}, {"x": 1}, [[{}]]]


def shake(value, chance, rng):
    """A copy of a JSON value with junk in some of its places."""
    if rng.random() < chance:
        return rng.choice(JUNK)
    if isinstance(value, dict):
        return {
            (key + "x" if rng.random() < chance / 2 else key): shake(item, chance, rng)
            for key, item in value.items()
        }
    if isinstance(value, list):
        items = [shake(item, chance, rng) for item in value]
        return items * 2 if rng.random() < chance else items
    return value


@pytest.mark.parametrize("seed", range(10))
def test_shaken_content_gives_findings_and_no_traceback(validator, seed, content):
    rng = random.Random(seed)
    for resource in content:
        shaken = shake(resource, 0.01 + 0.02 * (seed % 5), rng)
        if isinstance(shaken, dict):
            shaken["resourceType"] = resource["resourceType"]
            validator.validate(shaken)
        validator.validate(json.dumps(shaken).encode())


_FLAG = "http://hl7.org/fhir/StructureDefinition/obligation-profile-flag"
_INHERIT = "http://hl7.org/fhir/StructureDefinition/inherit-obligations"
_URI = {
    "url": "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type",
    "valueUrl": "string",
}
DEFINITIONS = [
    {
        "resourceType": "StructureDefinition",
        "extension": [
            {"url": _FLAG, "valueBoolean": True},
            {"url": _INHERIT, "valueCanonical": "http://hl7.org/fhir/StructureDefinition/Patient"},
        ],
        "url": "http://example.org/p",
        "name": "P",
        "status": "draft",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": "Patient"}],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": "Extension", "path": "Extension", "extension": [{"url": _INHERIT}]},
                {
                    "id": "Extension.value[x]",
                    "path": "Extension.value[x]",
                    "type": [
                        {
                            "extension": [_URI],
                            "code": "Reference",
                            "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"],
                        }
                    ],
                },
            ]
        },
    },
    {
        "resourceType": "CodeSystem",
        "url": "http://example.org/c",
        "name": "C",
        "status": "draft",
        "content": "complete",
        "property": [
            {"code": "p", "uri": "http://hl7.org/fhir/concept-properties#parent", "type": "code"}
        ],
        "concept": [
            {"code": "a"},
            {"code": "b", "property": [{"code": "p", "valueCode": "a"}]},
        ],
    },
]


@pytest.mark.parametrize("resource", DEFINITIONS, ids=lambda r: r["resourceType"])
@pytest.mark.parametrize("junk", [5, ["x"], [["x"]], {"a": 1}, [None]], ids=str)
def test_any_place_of_a_definition_may_hold_anything(validator, resource, junk):
    for *way, last in list(paths(resource, kept=("resourceType",))):
        damaged = copy.deepcopy(resource)
        node = damaged
        for step in way:
            node = node[step]
        node[last] = junk
        errors = validator.validate(damaged).errors
        assert errors or (last == "targetProfile" and junk == ["x"])
