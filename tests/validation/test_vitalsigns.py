import pytest

from fhirpkg.validation.elements.vitalsigns import implied_profiles
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

WEIGHT = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
}


def test_a_code_of_a_vital_sign_makes_its_profile_apply():
    (profile,) = implied_profiles(WEIGHT)
    assert profile.endswith("/bodyweight")


@pytest.mark.parametrize(
    "codings, profiles",
    [
        ([("http://loinc.org", "76011-6")], ["bodytemp"]),
        ([("http://snomed.info/sct", "386725007")], ["bodytemp"]),
        ([("http://snomed.info/sct", "60621009"), ("http://loinc.org", "29463-7")], ["bodyweight"]),
        ([("http://loinc.org", "8480-6"), ("http://loinc.org", "85354-9")], ["bp"]),
    ],
)  # fmt: skip
def test_other_codes_of_the_sign_do_so_too_loinc_before_snomed(codings, profiles):
    code = {"coding": [{"system": system, "code": symbol} for system, symbol in codings]}
    found = implied_profiles({"resourceType": "Observation", "code": code})
    assert [url.rpartition("/")[2] for url in found] == profiles


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
