"""The compiled check and a plain interpreter of the same schema find the same."""

import copy
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirpkg.cli.catalogue import catalogue
from fhirpkg.validation.run import Run
from fhirpkg.validation.validator import Validator
from tests.property.interpreter import Interpreter

HERE = Path(__file__).parent
BASES = yaml.safe_load((HERE.parent / "cases" / "validation" / "mutations.yaml").read_text())[
    "bases"
]
CONTENT = HERE.parent.parent / "resources"
EXAMPLES = HERE.parent.parent / ".examples"
VALIDATOR = Validator()
FORM = ("structure-", "cardinality-", "primitive-")
TOLD_BY_TYPES = (*FORM, "binding-required")

STRANGE = [
    None,
    "",
    " ",
    "x",
    "#x",
    0,
    -1,
    1.5,
    True,
    [],
    {},
    [None],
    [[]],
    {"id": "x"},
    "2024-02-30",
]


def compiled(resource):
    checks = VALIDATOR._checks
    run = Run(resource, VALIDATOR.definitions, VALIDATOR.terminology, checks=checks)
    VALIDATOR._checks.check_resource(resource, (), run)
    return comparable({(f.rule.id, f.path) for f in run.findings if not f.profile})


def interpreted(resource):
    return comparable(Interpreter(VALIDATOR._checks).check(resource))


def comparable(found):
    """What the types tell; of malformed parts an invariant may say this or that."""
    malformed = [path for rule, path in found if rule.startswith(FORM)]
    return {
        (rule, path)
        for rule, path in found
        if rule.startswith(TOLD_BY_TYPES)
        or (
            (rule == "not-checked-invariant" or rule not in (*catalogue(), "dom-3"))
            and not any(place[: len(path)] == path for place in malformed)
        )
    }


def places(value, path=()):
    """Every place in a JSON value but its root."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield (*path, key)
        if isinstance(item, (dict, list)):
            yield from places(item, (*path, key))


def mutate(draw, resource):
    """Change one place of a resource in one of a few ways."""
    place = draw(st.sampled_from([p for p in places(resource) if p != ("resourceType",)]))
    owner = resource
    for step in place[:-1]:
        owner = owner[step]
    last = place[-1]
    way = draw(st.sampled_from(["replace", "delete", "rename", "wrap", "repeat", "beside"]))
    if way == "replace":
        owner[last] = copy.deepcopy(draw(st.sampled_from(STRANGE)))  # the next change may be in it
    elif way == "delete":
        del owner[last]
    elif way == "wrap":
        owner[last] = [owner[last]]
    elif way == "repeat" and isinstance(owner[last], list):
        owner[last] += copy.deepcopy(owner[last])
    elif way == "rename" and isinstance(owner, dict):
        owner[draw(st.sampled_from([f"{last}x", f"_{last}", "valueString", "extension"]))] = (
            owner.pop(last)
        )
    elif way == "beside" and isinstance(owner, dict):
        owner[f"_{last}"] = copy.deepcopy(draw(st.sampled_from([*STRANGE, [{"id": "x"}, None]])))


RESOURCES = [
    *BASES.values(),
    *(json.loads(file.read_text()) for file in sorted(CONTENT.glob("*/fhir/*.json"))),
]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_both_find_the_same_in_changed_resources(data):
    resource = copy.deepcopy(data.draw(st.sampled_from(RESOURCES)))
    for _ in range(data.draw(st.integers(0, 3))):
        mutate(data.draw, resource)
    assert compiled(resource) == interpreted(resource)


@pytest.mark.examples
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="no official examples here: scripts/examples")
def test_both_find_the_same_in_the_official_examples():
    files = sorted(EXAMPLES.glob("hl7.fhir.r4.*/**/*-*.json"))[::40]
    assert files
    for file in files:
        resource = json.loads(file.read_text())
        if isinstance(resource, dict) and "resourceType" in resource:
            assert compiled(resource) == interpreted(resource), file.name
