"""Nothing among the inputs is skipped: definitions in all forms, what means to be FHIR."""

import json

import pytest
from click.testing import CliRunner

from fhirpkg import fhirxml
from fhirpkg.cli.validate import command
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import ConfigError
from fhirpkg.packages.packing import write_package

URL = "http://acme.test/StructureDefinition/named-patient"
PROFILE = {
    "resourceType": "StructureDefinition",
    "id": "named-patient",
    "url": URL,
    "version": "1.0.0",
    "name": "NamedPatient",
    "status": "active",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
    "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]},
}
NAMELESS = {"resourceType": "Patient", "id": "p1", "meta": {"profile": [URL]}}
GOOD = {"resourceType": "Patient", "id": "g"}


def validate(*arguments):
    return CliRunner().invoke(
        command, [*map(str, arguments), "--output-format", "json"],
        catch_exceptions=False, standalone_mode=False,
    )  # fmt: skip


def errors(*arguments):
    files = json.loads(validate(*arguments).stdout)["files"]
    return [
        (issue["rule"], file["file"].rpartition("/")[2])
        for file in files
        for issue in file["issues"]
        if issue["severity"] == "error"
    ]


def xml(resource):
    return fhirxml.dump(resource, Definitions.core().types)


def bundle(*resources):
    entries = [{"fullUrl": f"http://acme.test/x/{r['id']}", "resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def write(path, value):
    if isinstance(value, dict):
        value = json.dumps(value)
    path.write_bytes(value if isinstance(value, bytes) else value.encode())
    return path


DEFINING = {
    "profile.json": PROFILE,
    "profile.xml": xml(PROFILE),
    "profiles.json": bundle(GOOD, PROFILE),
    "profiles.xml": xml(bundle(PROFILE)),
    "profiles.ndjson": "\n".join(map(json.dumps, (GOOD, PROFILE))),
}
BROKEN = {"patient.json": NAMELESS, "patient.xml": xml(NAMELESS)}


@pytest.mark.parametrize("defining", DEFINING)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_profile_counts_in_every_form(tmp_path, defining, broken):
    definition = write(tmp_path / defining, DEFINING[defining])
    patient = write(tmp_path / broken, BROKEN[broken])
    assert errors(patient, definition) == [("cardinality-min", broken)]
    assert errors(tmp_path) == [("cardinality-min", broken)]
    assert errors(patient, definition, "--profile", URL) == [("cardinality-min", broken)]


def test_a_profile_in_the_same_bundle_counts(tmp_path):
    inside = bundle(PROFILE, NAMELESS)
    for name, text in (("b.json", inside), ("b.xml", xml(inside))):
        assert errors(write(tmp_path / name, text)) == [("cardinality-min", name)]


def test_a_profile_in_the_same_stream_counts(tmp_path):
    lines = "\n".join(map(json.dumps, (NAMELESS, GOOD, PROFILE)))
    assert errors(write(tmp_path / "a.ndjson", lines)) == [("cardinality-min", "a.ndjson")]


def test_a_reference_leads_to_a_target_in_xml_and_in_a_stream(tmp_path):
    device = {"resourceType": "Device", "id": "d"}
    observation = {"resourceType": "Observation", "id": "o", "status": "final",
                   "code": {"text": "x"}, "subject": {"reference": "Device/d"}}  # fmt: skip
    file = write(tmp_path / "o.json", observation)
    for name, text in (("d.xml", xml(device)), ("d.ndjson", f"{json.dumps(device)}\n")):
        result = validate(file, write(tmp_path / name, text))
        assert "not-checked-reference" not in result.stdout


def test_every_example_of_a_package_is_checked(tmp_path):
    text = json.dumps(NAMELESS).encode()
    names = ("Patient-p1.json", "example/Patient-p1.json", "examples/Patient-p1.json")
    files = {**dict.fromkeys(names, text), "p.json": json.dumps(PROFILE).encode()}
    manifest = {"name": "acme.test", "version": "1.0.0", "fhirVersions": ["4.0.1"]}
    package = tmp_path / "acme.tgz"
    package.write_bytes(write_package(manifest, files))
    rules = [rule for rule, _ in errors(package)]
    assert rules == ["cardinality-min"] * 3


FOLDER = {
    "misspelled.json": '{"resourceType": "Patiant"}',
    "no-namespace.xml": "<Patient><id value='a'/></Patient>",
    "other-namespace.xml": "<Patient xmlns='http://hl7.org/fhir/'><id value='a'/></Patient>",
    "r5.json": '{"resourceType": "SubscriptionTopic"}',
    "utf-16.json": '{"resourceType": "Patient"}'.encode("utf-16"),
    "empty.json": b"",
    "binary.json": b"\x1f\x8b\x08\x00\x00\x00",
}


@pytest.mark.parametrize("name", FOLDER)
def test_what_means_to_be_fhir_is_not_passed_over(tmp_path, name):
    write(tmp_path / "good.json", GOOD)
    write(tmp_path / name, FOLDER[name])
    assert [file for _, file in errors(tmp_path)] == [name]
    assert validate(tmp_path).return_value == 1


@pytest.mark.parametrize(
    "name, words",
    [("utf-16.json", "UTF-16"), ("empty.json", "it is empty"), ("binary.json", "gzip")],
)
def test_what_cannot_be_read_is_told_as_what_it_is(tmp_path, name, words):
    assert words in validate(write(tmp_path / name, FOLDER[name])).stdout


def test_what_does_not_mean_to_be_fhir_is_named_and_no_error(tmp_path):
    write(tmp_path / "good.json", GOOD)
    write(tmp_path / "settings.json", '{"a": 1}')
    write(tmp_path / "pom.xml", "<project xmlns='http://maven.apache.org/POM/4.0.0'/>")
    result = validate(tmp_path)
    assert result.return_value == 0
    assert "settings.json" in result.stderr
    assert "pom.xml" in result.stderr


def test_what_is_all_of_another_version_is_wrong_use(tmp_path):
    file = write(tmp_path / "a.json", FOLDER["r5.json"])
    with pytest.raises(ConfigError, match="a version of FHIR other than"):
        validate(file)


def test_definitions_given_for_a_profile_need_not_meet_it(tmp_path):
    codes = {"resourceType": "CodeSystem", "id": "c", "url": "http://acme.test/c",
             "status": "draft", "content": "complete"}  # fmt: skip
    files = [write(tmp_path / "p.json", PROFILE), write(tmp_path / "c.json", codes)]
    patient = write(tmp_path / "patient.json", {**GOOD, "name": [{"text": "x"}]})
    other = write(tmp_path / "basic.json", {"resourceType": "Basic", "code": {"text": "x"}})
    assert errors(patient, *files, "--profile", URL) == []
    assert errors(other, *files, "--profile", URL) == [("profile-type", "basic.json")]


def packed(folder, resources, **manifest):
    files = {name: json.dumps(resource).encode() for name, resource in resources.items()}
    file = folder / "p.tgz"
    file.write_bytes(write_package({"name": "acme.test", "version": "1.0.0", **manifest}, files))
    return file


def test_a_package_of_another_version_is_one_line_and_wrong_use(tmp_path):
    package = packed(tmp_path, {"a.json": {**GOOD, "gender": "x"}}, fhirVersions=["5.0.0"])
    with pytest.raises(ConfigError, match="a version of FHIR other than"):
        validate(package)


def test_among_others_it_is_one_error(tmp_path):
    package = packed(tmp_path, {"a.json": {**GOOD, "gender": "x"}}, fhirVersions=["4.3.0"])
    found = errors(package, write(tmp_path / "good.json", GOOD))
    assert [rule for rule, _ in found] == ["package-other-version"]


@pytest.mark.parametrize("versions", [["4.0.1"], ["4.0.0", "5.0.0"], []])
def test_a_package_of_r4_is_checked(tmp_path, versions):
    package = packed(tmp_path, {"a.json": {**GOOD, "gender": "x"}}, fhirVersions=versions)
    assert [rule for rule, _ in errors(package)] == ["binding-required"]


@pytest.mark.parametrize(
    "canonical, package",
    [
        ("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient", "hl7.fhir.us.core"),
        ("http://hl7.org/fhir/uv/ips/StructureDefinition/Patient-uv-ips", "hl7.fhir.uv.ips"),
        ("http://hl7.org.au/fhir/StructureDefinition/au-patient", "hl7.fhir.au.base"),
        ("http://nictiz.nl/fhir/StructureDefinition/zib-Patient", "nictiz.fhir.nl.r4.zib2020"),
        ("http://fhir.de/StructureDefinition/identifier-kvid-10", "de.basisprofil.r4"),
    ],
)
def test_a_profile_that_is_not_loaded_names_its_package(tmp_path, canonical, package):
    patient = write(tmp_path / "p.json", {**GOOD, "meta": {"profile": [canonical]}})
    assert f"the package {package} holds it" in validate(patient).stdout


def test_one_of_nobody_known_names_none(tmp_path):
    result = validate(write(tmp_path / "p.json", NAMELESS))
    assert "is not loaded" in result.stdout
    assert "holds it" not in result.stdout
