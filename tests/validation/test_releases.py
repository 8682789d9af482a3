"""R4B and R5 by the engine of R4; what belongs to one of them is of no account in the others."""

import json
from decimal import Decimal

import pytest

from fhirpkg import fhirjson
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


def profile_of(element, **more):
    return {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/p",
        "name": "P",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Library",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Library",
        "derivation": "constraint",
        "differential": {"element": [{"id": element["path"], **element}]},
        **more,
    }


def rules_by(element, resource):
    profile = profile_of(element, type=resource["resourceType"])
    profile["baseDefinition"] = f"http://hl7.org/fhir/StructureDefinition/{profile['type']}"
    definitions = definitions_of(R5).with_resources([profile, GENDERS])
    outcome = Validator(definitions=definitions).validate(resource, ["http://example.org/p"])
    return [(issue.rule, issue.expression) for issue in outcome.errors]


GENDERS = {
    "resourceType": "ValueSet",
    "url": "http://example.org/vs",
    "status": "draft",
    "compose": {"include": [{"system": "http://example.org/s", "concept": [{"code": "a"}]}]},
}
ABSENT = {"extension": [{"url": "http://example.org/why", "valueCode": "unknown"}]}


def test_a_value_that_must_be_there_has_no_extension_in_its_place():
    bare = library("1") | {"_name": ABSENT}
    must = {"path": "Library.name", "mustHaveValue": True}
    assert rules_by(must, bare) == [("value-missing", "Library.name")]
    instead = {"path": "Library.name", "valueAlternatives": ["http://example.org/why"]}
    assert rules_by(instead, bare) == []
    other = {"path": "Library.name", "valueAlternatives": ["http://example.org/other"]}
    assert rules_by(other, bare) == [("value-missing", "Library.name")]


@pytest.mark.parametrize(
    "more, found",
    [
        ({}, [("binding-required", "Library.type")]),
        ({"usage": [{"code": {"text": "x"}, "valueCodeableConcept": {"text": "y"}}]}, []),
        ({"purpose": "ui"}, []),
    ],
)
def test_additional_bindings_are_elements_of_r5(more, found):
    additional = {"purpose": "required", "valueSet": GENDERS["url"], **more}
    binding = {"strength": "example", "additional": [additional]}
    concept = {"coding": [{"system": "http://example.org/s", "code": "b"}]}
    element = {"path": "Library.type", "binding": binding}
    assert rules_by(element, library("1") | {"type": concept}) == found
    right = {"coding": [{"system": "http://example.org/s", "code": "a"}]}
    assert rules_by(element, library("1") | {"type": right}) == []


@pytest.mark.parametrize(
    "value, version, found",
    [
        ("aGVs bG8=", "R5", ["primitive-format"]),
        ("aGVs bG8=", "R4", []),
        ("aGVsbG8=", "R5", []),
    ],
)
def test_base64_has_no_white_space_in_r5(value, version, found):
    content = {"contentType": "text/plain", "data": value}
    size = {} if version == "R4" else {"size": "5"}
    resource = library("1") | {"content": [content | size]}
    assert [rule for rule, _ in rules_of(resource, version)] == found


@pytest.mark.parametrize("digits, found", [("1" * 18, []), ("1" * 19, ["primitive-range"])])
def test_a_decimal_has_18_digits_at_most_in_r5(digits, found):
    extension = {"url": "http://example.org/x", "valueDecimal": Decimal(f"0.{digits}")}
    text = fhirjson.dump({"resourceType": "Basic", "code": {"text": "x"}, "extension": [extension]})
    assert [rule for rule, _ in rules_of(text)] == found
    assert rules_of(text, "R4") == []


def test_a_time_has_nine_digits_of_a_second_at_most_in_r5():
    for digits, found in ((9, []), (10, [("primitive-format", "Library.date")])):
        resource = library("1") | {"date": f"2020-01-01T00:00:00.{'1' * digits}Z"}
        assert rules_of(resource) == found


@pytest.mark.parametrize(
    "subject, found",
    [
        ({"reference": {"reference": "Library/1"}}, []),
        ({"concept": {"text": "x"}}, []),
        ({"reference": {"reference": "Basic/1"}}, ["reference-target"]),
        ({"reference": {"display": "x", "type": "Basic"}}, ["reference-target"]),
    ],
)
def test_a_codeable_reference_leads_to_its_targets(subject, found):
    transport = {"resourceType": "Transport", "code": {"text": "x"}, "subject": subject}
    assert [rule for rule, _ in rules_of(transport)] == found


@pytest.mark.parametrize("code, found", [("a", []), ("b", ["binding-required"])])
def test_a_codeable_reference_is_bound_by_its_concept(code, found):
    binding = {"strength": "required", "valueSet": GENDERS["url"]}
    element = {"path": "Transport.subject", "binding": binding}
    concept = {"coding": [{"system": "http://example.org/s", "code": code}]}
    transport = {"resourceType": "Transport", "code": {"text": "x"}}
    made = rules_by(element, transport | {"subject": {"concept": concept}})
    assert [rule for rule, _ in made] == found
    led = transport | {"subject": {"reference": {"reference": "Library/1"}}}
    assert rules_by(element, led) == []


@pytest.mark.parametrize(
    "expression, other",
    [("size = 500", "501"), ("size + 1 = 501", "50"), ("size > 5L", "5"),
     ("size < 501", "9999999999"), ("size.toString() = '500'", "50"),
     ("size is integer64 and size != 5", "5")],
)  # fmt: skip
def test_an_integer64_is_a_number_in_expressions(cache, expression, other):
    constraint = {"key": "x-1", "severity": "error", "human": "x", "expression": expression}
    element = {"path": "Library.content", "constraint": [constraint]}
    made = library("500")
    assert rules_by(element, made) == []
    made["content"][0]["size"] = other
    assert rules_by(element, made) == [("x-1", "Library.content[0]")]
