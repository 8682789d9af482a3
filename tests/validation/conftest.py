import json
from pathlib import Path

import pytest
import yaml

from fhirpkg.validation.validator import Validator


@pytest.fixture(scope="session")
def validator():
    return Validator()


@pytest.fixture
def found(validator):
    """The (rule, expression) of what is found in a resource, information left out."""

    def check(resource, *profiles, by=validator):
        issues = by.validate(resource, profiles).issues
        return {(i.rule, i.expression) for i in issues if i.severity != "information"}

    return check


@pytest.fixture(scope="session")
def content():
    """Resources of many kinds: those of the mutations, a Bundle of them, the built content."""
    here = Path(__file__).parent.parent
    bases = yaml.safe_load((here / "cases/validation/mutations.yaml").read_text())["bases"]
    built = sorted((here.parent / "resources").glob("*/fhir/*.json"))
    resources = [*bases.values(), *(json.loads(file.read_text()) for file in built)]
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": r} for n, r in enumerate(bases.values())]
    return [*resources, {"resourceType": "Bundle", "type": "collection", "entry": entries}]
