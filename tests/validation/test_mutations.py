import copy
from pathlib import Path

import pytest
import yaml

CASES = Path(__file__).parent.parent / "cases" / "validation" / "mutations.yaml"
TABLE = yaml.safe_load(CASES.read_text())


def steps(path):
    return [int(step) if step.isdigit() else step for step in str(path).split(".")]


def parent_of(resource, path):
    *before, last = steps(path)
    for step in before:
        resource = resource.setdefault(step, {}) if isinstance(resource, dict) else resource[step]
    return resource, last


def mutated(case):
    resource = copy.deepcopy(TABLE["bases"][case["of"]])
    if "delete" in case:
        owner, last = parent_of(resource, case["delete"])
        del owner[last]
    for path, value in case.get("set", {}).items():
        owner, last = parent_of(resource, path)
        owner[last] = copy.deepcopy(value)
    return resource


def name_of(case):
    change = case.get("delete") or next(iter(case["set"]))
    return f"{case['of']}-{change}-{case['rule']}"


@pytest.mark.parametrize("name", sorted(TABLE["bases"]))
def test_the_good_resource_has_no_error(validator, name):
    outcome = validator.validate(copy.deepcopy(TABLE["bases"][name]))
    assert not outcome.errors, outcome.errors


@pytest.mark.parametrize("case", TABLE["mutations"], ids=name_of)
def test_a_mistake_is_told_by_its_rule_at_its_place(validator, case):
    errors = validator.validate(mutated(case)).errors
    wanted = case["rule"] if isinstance(case["rule"], list) else [case["rule"]]
    assert {issue.rule for issue in errors} == set(wanted), errors
    assert all(issue.expression.startswith(case["at"]) for issue in errors), errors
    assert any(issue.expression == case["at"] for issue in errors) or len(wanted) > 1, errors
