"""R4B and R5 by the engine of R4; what belongs to one of them is of no account in the others."""

import json

import pytest

from fhirpkg.definitions.cores import definitions_of
from fhirpkg.packages.package import read_package
from fhirpkg.releases import R4, R4B, R5
from fhirpkg.rules import error
from fhirpkg.validation.run import Run
from fhirpkg.validation.validator import Validator
from tests.cores import make_core


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FHIRPKG_CACHE", str(folder))
        definitions_of.cache_clear()
        make_core(folder, R5)
        make_core(folder, R4B)
        yield folder
    definitions_of.cache_clear()


def rules_of(resource, version="5.0.0", **settings):
    outcome = Validator(fhir_version=version, **settings).validate(resource)
    return [(issue.rule, issue.expression) for issue in outcome.errors]


def library(size):
    return {
        "resourceType": "Library",
        "status": "draft",
        "type": {"text": "x"},
        "content": [{"size": size}],
    }


@pytest.mark.parametrize("size", ["0", "-9223372036854775808", "9223372036854775807"])
def test_integer64_is_a_text_in_json(size):
    assert rules_of(library(size)) == []


@pytest.mark.parametrize(
    "size, rule",
    [
        (5, "primitive-kind"),
        ("9223372036854775808", "primitive-format"),
        ("-0.5", "primitive-format"),
        ("007", "primitive-format"),
    ],
)
def test_integer64_is_within_64_bits(size, rule):
    assert rules_of(library(size)) == [(rule, "Library.content[0].size")]


def test_r4_keeps_its_own_types():
    assert rules_of(library(5), R4.version) == []
    assert rules_of(library("5"), R4.version)


def test_integer64_reads_as_the_same_from_xml():
    text = (
        '<Library xmlns="http://hl7.org/fhir"><status value="draft"/><type><text value="x"/></type>'
        '<content><size value="{}"/></content></Library>'
    )
    assert rules_of(text.format("9223372036854775807")) == []
    assert rules_of(text.format("1e3")) == [("primitive-format", "Library.content[0].size")]


def test_a_type_of_another_release_is_told_as_that():
    transport = {"resourceType": "Transport", "code": {"text": "x"}}
    assert rules_of(transport) == []
    [issue] = Validator().validate(transport).errors
    assert (issue.rule, "R4 (4.0.1)" in issue.text) == ("structure-other-version", True)
    media = {"resourceType": "Media", "status": "completed"}
    [issue] = Validator(fhir_version="R5").validate(media).errors
    assert (issue.rule, "R4 and R4B" in issue.text) == ("structure-other-version", True)


def test_a_rule_of_one_release_cannot_be_broken_in_another():
    rule = error("x", "value", title="x", text="x", releases=("R4",))
    for release, count in ((R4, 1), (R4B, 0), (R5, 0)):
        validator = Validator(fhir_version=release.version)
        run = Run({"resourceType": "Basic"}, validator.definitions, validator.terminology)
        run.report(rule, ())
        assert len(run.findings) == count


def test_profiles_of_a_release_by_their_canonicals_with_a_version():
    url = "http://hl7.org/fhir/5.0/StructureDefinition/Basic"
    basic = {"resourceType": "Basic", "meta": {"profile": [url]}, "code": {"text": "x"}}
    found = Validator(fhir_version="R5").validate(basic)
    assert "not-checked-profile" not in {issue.rule for issue in found.issues}
    assert "not-checked-profile" in {issue.rule for issue in Validator().validate(basic).issues}


def test_definitions_given_decide_the_release(cache):
    definitions = definitions_of(R5)
    assert Validator(definitions=definitions).definitions is definitions


def test_a_package_of_the_release_is_checked_by_the_command(cache, tmp_path):
    from fhirpkg.corpus.checking import validate_all
    from fhirpkg.packages.packing import write_package

    manifest = {
        "name": "test.five",
        "version": "1.0.0",
        "fhirVersions": ["5.0.0"],
        "author": "me",
        "description": "x",
        "dependencies": {},
    }
    content = {"Library-a.json": json.dumps(library("x") | {"id": "a"}).encode()}
    file = tmp_path / "five.tgz"
    file.write_bytes(write_package(manifest, content))
    assert read_package(file).manifest.may_be_of(R5)

    def found(version):
        checked = validate_all([file], fhir_version=version)
        return [issue.rule for each in checked for issue in each.outcome.errors]

    assert found("R5") == ["primitive-format"]
    assert found("R4") == ["package-other-version"]
