"""`fhirpkg explain` tells rules, invariants and the source of checks."""

import pytest
from click.testing import CliRunner

from fhirpkg.cli.catalogue import catalogue
from fhirpkg.cli.explain import command
from fhirpkg.definitions.cores import definitions_of
from fhirpkg.errors import ConfigError, DefinitionError, PackageError
from fhirpkg.releases import R5
from tests.cores import make_core


def explain(*arguments):
    return CliRunner().invoke(command, arguments, catch_exceptions=False).output


def test_a_rule_is_told_with_its_severity_advice_and_place_in_the_specification():
    text = explain("parse-duplicate-key")
    assert text.startswith("parse-duplicate-key (error): ")
    assert "delete one of the two" in text
    assert "hl7.org/fhir/R4" in text


def test_a_rule_that_is_stricter_by_setting_says_so():
    assert explain("canonical-absolute").startswith(
        "canonical-absolute (warning, under --strict an"
    )


def test_an_invariant_of_the_core_is_told_with_its_expression():
    text = explain("dom-6")
    assert text.startswith("dom-6 (warning): ")
    assert "text.`div`.exists()" in text


@pytest.fixture
def no_cores():
    """Forget which cores of other versions were read."""
    definitions_of.cache_clear()
    yield
    definitions_of.cache_clear()


@pytest.mark.usefixtures("no_cores")
def test_invariants_are_those_of_the_version_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path))
    with pytest.raises(PackageError, match=r"hl7\.fhir\.r5\.core#5\.0\.0"):
        explain("cnl-1", "--fhir-version", "R5")
    make_core(tmp_path, R5)
    assert explain("dom-6", "--fhir-version", "5.0.0").startswith("dom-6 (warning): ")
    with pytest.raises(ConfigError, match="there is no rule 'obs-6'"):
        explain("obs-6", "--fhir-version", "R5")  # of R4's Observation, which that core lacks
    assert "Transport" in explain("--code", "Transport", "--fhir-version", "R5")


def test_without_a_rule_all_are_listed():
    assert len(explain().splitlines()) == len(catalogue())


def test_a_rule_that_is_not_there_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'parse-json'"):
        explain("parse-jsno")


def test_the_source_of_a_check_is_python():
    compile(explain("--code", "Period"), "<period>", "exec")


def test_a_type_that_is_not_there_is_an_error():
    with pytest.raises(DefinitionError, match="no such type"):
        explain("--code", "Nope")


def test_what_is_misspelt_is_answered_with_the_nearest_invariant_or_type():
    with pytest.raises(ConfigError, match="did you mean 'dom-6'"):
        explain("dom-66")
    with pytest.raises(DefinitionError, match="did you mean 'Patient'"):
        explain("--code", "Patiant")
