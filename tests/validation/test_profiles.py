from pathlib import Path

import pytest
import yaml

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.validator import Validator

TABLE = yaml.safe_load((Path(__file__).parent / "profiles.yaml").read_text())
URL = "http://example.org/StructureDefinition/profile"


def profile(case, url=URL):
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "name": "Profile",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": case["type"],
        "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{case['type']}",
        "derivation": "constraint",
        "differential": {"element": case["differential"]},
    }


def errors(case, changes):
    validator = Validator(definitions=Definitions.core().with_resources([profile(case)]))
    resource = {"resourceType": case["type"], **case.get("base", {}), **changes}
    resource = {key: value for key, value in resource.items() if value is not None}
    outcome = validator.validate(resource, [URL])
    assert not [i for i in outcome.issues if i.rule.startswith("not-checked-s")], outcome.issues
    return {(issue.rule, issue.expression) for issue in outcome.errors}


GOOD = [(case, good) for case in TABLE for good in case["good"]]
BAD = [(case, *bad) for case in TABLE for bad in case["bad"]]


@pytest.mark.parametrize("case, changes", GOOD, ids=[case["name"] for case, _ in GOOD])
def test_what_meets_a_profile_has_no_error(case, changes):
    assert errors(case, changes) == set()


@pytest.mark.parametrize(
    "case, changes, rule, place", BAD, ids=[f"{case['name']}: {rule}" for case, _, rule, _ in BAD]
)
def test_what_breaks_a_profile_is_told_by_one_rule_at_its_place(case, changes, rule, place):
    assert errors(case, changes) == {(rule, place)}
