import pytest

from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator
from fhirpkg.validation.vitalsigns import implied_profiles

WEIGHT = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
}


def test_a_code_of_a_vital_sign_makes_its_profile_apply():
    (profile,) = implied_profiles(WEIGHT)
    assert profile.endswith("/bodyweight")


@pytest.mark.parametrize(
    "code",
    [
        None,
        "x",
        {"coding": "x"},
        {"coding": [None, {"system": "http://loinc.org", "code": ["29463-7"]}]},
        {"coding": [{"system": "http://example.org", "code": "29463-7"}]},
        {"coding": [{"system": "http://loinc.org", "code": "1-8"}]},
    ],
)
def test_other_codes_do_not(code):
    assert implied_profiles({"resourceType": "Observation", "code": code}) == []


def test_what_the_implied_profile_demands_is_a_warning_and_strictly_an_error():
    warned = Validator().validate(WEIGHT)
    assert not warned.errors
    assert "cardinality-min" in {issue.rule for issue in warned.issues}
    strict = Validator(settings=Settings(strict=True)).validate(WEIGHT)
    assert "cardinality-min" in {issue.rule for issue in strict.errors}
