import pytest

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
