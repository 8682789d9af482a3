"""`validate --package`: a package and what it depends on, from the cache."""

import json

import click
import pytest
from click.testing import CliRunner

from fhirpkg.canonical import PackageId
from fhirpkg.cli.validate import command
from fhirpkg.errors import PackageError
from fhirpkg.packages.cache import PackageCache
from fhirpkg.packages.package import read_package
from fhirpkg.packages.packing import write_package
from tests.packages.loopback import archive, running

URL = "http://example.org/StructureDefinition/p"
PROFILE = {
    "resourceType": "StructureDefinition",
    "url": URL,
    "name": "P",
    "status": "draft",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
    "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]},
}


@pytest.fixture
def patient(tmp_path, monkeypatch):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "cache"))
    PackageCache().add(
        archive("test.profiles", files={"p.json": PROFILE}), PackageId("test.profiles", "1.0.0")
    )
    PackageCache().add(
        archive("test.one", dependencies={"test.profiles": "1.0.x", "test.none": "1.0.0"}),
        PackageId("test.one", "1.0.0"),
    )
    path = tmp_path / "patient.json"
    path.write_text(json.dumps({"resourceType": "Patient", "meta": {"profile": [URL]}}))
    return str(path)


def validate(*arguments):
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def test_a_profile_of_a_package_that_the_asked_one_depends_on_is_checked(patient):
    result = validate(patient, "--package", "test.one#1.0.0", "--offline")
    assert result.return_value == 1, result.output
    assert "Patient.name" in result.stdout


def test_a_dependency_that_is_not_in_the_cache_is_told(patient):
    result = validate(patient, "--package", "test.one", "--offline")
    assert "test.none#1.0.0 is not in the package cache" in result.stderr


def test_another_version_of_a_dependency_is_told_to_serve_in_its_place(patient, tmp_path):
    file = tmp_path / "a.tgz"
    file.write_bytes(archive("test.two", dependencies={"test.profiles": "2.0.0"}))
    both = ("--package", str(file), "--package", "test.profiles#1.0.0")
    result = validate(patient, *both, "--offline")
    assert "test.profiles#2.0.0 is not in the package cache; test.profiles#1.0.0 is used" in (
        result.stderr
    )


def test_a_package_is_checked_by_what_it_depends_on(patient, tmp_path):
    file = tmp_path / "a.tgz"
    claiming = {"resourceType": "Patient", "meta": {"profile": [URL]}}
    needs = {"test.profiles": "1.0.0", "test.none": "1.0.0"}
    file.write_bytes(archive("test.two", files={"a.json": claiming}, dependencies=needs))
    result = validate(str(file), "--offline")
    assert "a.tgz:package/a.json:1:1: error cardinality-min" in result.stdout
    assert "test.none#1.0.0 is not in the package cache" in result.stderr


def test_a_broken_file_of_a_package_is_told_as_any_other(tmp_path):
    url = "http://example.org/ValueSet/v"
    concept_map = {"resourceType": "ConceptMap", "status": "draft", "sourceCanonical": url}
    broken = f'{{"resourceType": "ValueSet", "id": "v", "url": "{url}", "version": "1", "x"'
    file = tmp_path / "a.tgz"
    content = {"map.json": json.dumps(concept_map).encode(), "v.json": broken.encode()}
    file.write_bytes(write_package({"name": "test.one", "version": "1.0.0"}, content))
    result = validate(str(file))
    assert result.return_value == 1
    assert "a.tgz:package/v.json:1:" in result.stdout


def test_a_package_is_checked_as_a_whole_and_resource_by_resource(tmp_path):
    file = tmp_path / "a.tgz"
    wrong = {"resourceType": "Patient", "gender": "x"}
    file.write_bytes(archive(files={"p.json": wrong, "other.json": {}}, author="me"))
    result = validate(str(file))
    assert result.return_value == 1
    for expected in (
        "a.tgz:package/package.json: warning package-property-missing: package.json has no",
        "a.tgz:package/other.json: warning package-no-resource",
        "a.tgz:package/p.json:",
    ):
        assert expected in result.stdout
    assert "1 file skipped" in result.stderr


@pytest.fixture
def registry(monkeypatch):
    with running() as server:
        monkeypatch.setenv("FPL_REGISTRY", server.base)
        wrong = {"resourceType": "Patient", "gender": "x"}
        needs = {"test.two": "1.0.0"}
        server.publish(
            archive("test.guide", files={"p.json": wrong}, dependencies=needs), "test.guide"
        )
        server.publish(archive("test.two", dependencies={"test.three": "1.x"}), "test.two")
        server.publish(archive("test.three"), "test.three")
        yield server


def test_a_package_of_the_registry_is_checked_by_its_name(patient, registry):
    result = validate("test.guide#latest")
    assert result.return_value == 1
    assert "test.guide#1.0.0:package/p.json:1:" in result.stdout
    assert "test.two#1.0.0 is not in the package cache" in result.stderr
    offline = validate("test.guide#1.0.0", "--offline")
    assert offline.stdout == result.stdout


def test_a_package_at_a_url_is_checked_in_two_processes(patient, registry):
    url = f"{registry.base}/test.guide/1.0.0"
    result = validate(url, "--jobs", "2")
    assert result.return_value == 1
    assert f"{url}:package/p.json:1:" in result.stdout
    assert not PackageCache().find(PackageId("test.guide", None))


def test_install_fetches_dependencies_and_theirs(patient, registry):
    result = validate("test.guide#1.0.0", "--install")
    assert "not in the package cache" not in result.stderr
    assert PackageCache().find(PackageId("test.three", "1.0.0"))


def test_install_tells_what_cannot_be_fetched_and_goes_on(patient, registry):
    result = validate(patient, "--package", "test.one#1.0.0", "--install")
    assert result.return_value == 1
    assert result.stderr.count("test.none#1.0.0: ") == 1


@pytest.mark.parametrize("name", ["test.none#1.0.0", "http://127.0.0.1:1/x.tgz"])
def test_a_package_that_cannot_be_had_is_an_error(patient, registry, name):
    assert isinstance(validate(name).exception, PackageError)
    assert isinstance(validate(name, "--offline").exception, PackageError)


def test_a_file_with_a_hash_in_its_name_is_a_file(patient, tmp_path):
    file = tmp_path / "a#1.0.0"
    file.write_text('{"resourceType": "Patient"}')
    assert validate(str(file)).return_value == 0


def test_to_install_without_the_network_is_wrong_use(patient):
    assert isinstance(validate(patient, "--install", "--offline").exception, click.UsageError)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_files_of_a_package_that_are_not_checked_are_counted_apart_from_those_skipped(
    tmp_path, jobs
):
    patient = {"resourceType": "Patient"}
    for name, other in (("one", ["other/a.json", "xml/b.xml"]), ("two", ["openapi/c.json"])):
        files = dict.fromkeys(["a.json", "example/b.json", *other], patient)
        packed = archive(f"test.{name}", files=files, fhirVersions=["4.0.1"])
        (tmp_path / f"{name}.tgz").write_bytes(packed)
    both = [str(tmp_path / f"{name}.tgz") for name in ("one", "two")]
    result = validate(*both, "--offline", "--jobs", jobs)
    assert "3 files in other folders of packages left out" in result.stderr
    assert "skipped" not in result.stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_package_in_a_folder_is_checked_as_its_archive_is(tmp_path, jobs):
    patient = {"resourceType": "Patient", "gender": "f"}
    files = dict.fromkeys(["a.json", "other/b.json"], patient)
    packed = archive("test.one", files=files, fhirVersions=["4.0.1"])
    package = read_package(packed)
    for name, data in package.files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    (tmp_path / "one.tgz").write_bytes(packed)
    folder, file = (
        validate(str(tmp_path / name), "--offline", "--jobs", jobs) for name in ("in", "one.tgz")
    )
    assert "1 file in other folders of packages left out" in folder.stderr
    assert folder.stderr == file.stderr
    assert folder.stdout == file.stdout.replace("one.tgz:package/", "in/")
    assert "in/package.json" in folder.stdout
    assert folder.return_value == file.return_value == 1
