"""Content of others depends on our profiles; they are a package that validators load."""

import shutil
from pathlib import Path

import pytest

from fhirpkg.bundling.profiles import profiles_content
from fhirpkg.bundling.reading import read_content
from fhirpkg.bundling.writing import archive, manifest
from fhirpkg.cli import ExitCode, _run
from fhirpkg.packages.package import read_package
from fhirpkg.validation.validator import Validator

WIDE = Path(__file__).parent / "authoring" / "wide"


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    shutil.copytree(WIDE, folder / "wide")
    assert _run(["build", str(folder / "wide")]) == ExitCode.DONE
    assert _run(["package", str(folder / "wide"), "--output", str(folder)]) == ExitCode.DONE
    return folder


def test_foreign_content_depends_on_the_profiles_it_claims(dist):
    content = read_content(dist / "wide")
    version = profiles_content().id.version
    assert manifest(content)["dependencies"]["fhirpkg.profiles"] == version
    carried = [r for r in content.resources if r["resourceType"] == "StructureDefinition"]
    assert carried == []
    assert (dist / f"fhirpkg.profiles-{version}.tgz").is_file()


def test_every_profile_and_extension_that_is_used_is_in_the_package(dist):
    held = {r["url"] for r in profiles_content().resources}
    used = set()

    def walk(value):
        if isinstance(value, dict):
            used.update(value.get("profile", ()) if isinstance(value.get("profile"), list) else ())
            if "url" in value and any(
                key.startswith("value") or key == "extension" for key in value
            ):
                used.add(value["url"])
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for resource in read_content(dist / "wide").resources:
        walk({"meta": resource.get("meta", {})})
        walk({key: value for key, value in resource.items() if key != "relatedArtifact"})
    ours = {
        url for url in used if str(url).startswith("https://w3id.org/fhirpkg/StructureDefinition")
    }
    assert len(ours) > 5
    assert ours <= held


def test_the_package_of_profiles_is_one_that_can_be_read_and_is_valid():
    content = profiles_content()
    again = read_package(archive(content))
    assert again.id == content.id
    validator = Validator()
    for resource in content.resources:
        issues = validator.validate(resource).issues
        assert [str(i) for i in issues if i.severity.rank < 2] == [], resource["id"]
        if resource["resourceType"] == "StructureDefinition":
            assert resource["snapshot"]["element"]


def test_our_own_content_carries_its_profiles():
    assert (
        "fhirpkg.profiles"
        not in manifest(read_content(WIDE.parents[2] / "resources"))["dependencies"]
    )
