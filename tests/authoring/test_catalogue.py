"""A catalogue depends on its members, lists their procedures by code, is published with them."""

import json
import shutil
from pathlib import Path

import pytest

from fhirpkg.bundling.reading import Selection, read_content
from fhirpkg.cli import ExitCode
from fhirpkg.cli import _run as main
from fhirpkg.cli.publishing.shared import releases_of
from fhirpkg.packages.freshness import stale
from fhirpkg.packages.package import read_package

HERE = Path(__file__).parent
CATALOGUE = """
id: example.catalogue
version: 2.0.0
date: 2026-01-31
canonical: https://example.org/catalogue
title: All procedures
description: The procedures of each specialty.
publisher: Example Hospital
author: Example Hospital
status: draft
experimental: true
jurisdiction: US
license: CC-BY-4.0
members: [second, wide]
dependencies: {hl7.fhir.r4.core: 4.0.1}
"""


@pytest.fixture
def folder(tmp_path):
    for member in ("second", "wide"):
        shutil.copytree(HERE / member, tmp_path / "all" / member)
    (tmp_path / "all/package.yaml").write_text(CATALOGUE)
    return tmp_path / "all"


@pytest.fixture
def built(folder):
    assert main(["build", str(folder)]) == ExitCode.DONE
    return folder


def resource(folder, name):
    return json.loads((folder / "fhir" / name).read_bytes())


def plans(folder):
    return [json.loads(file.read_bytes()) for file in sorted(folder.glob("*/*/fhir/PlanDef*.json"))]


def test_it_depends_on_each_member_in_its_version(built):
    guide = resource(built, "ImplementationGuide-example.catalogue.json")
    members = [read_content(built / name) for name in ("second", "wide")]
    found = [(each["packageId"], each["version"], each["uri"]) for each in guide["dependsOn"]]
    assert found == [
        (each.id.name, each.id.version, f"{each.canonical}/ImplementationGuide/{each.id.name}")
        for each in members
    ]


def test_its_index_names_each_plan_in_its_version_by_the_codes_that_it_is_found_by(built):
    index = resource(built, "Library-ExampleCatalogueIndex.json")
    named = {each["resource"]: each for each in index["relatedArtifact"]}
    assert named.keys() == {f"{plan['url']}|{plan['version']}" for plan in plans(built)}
    for plan in plans(built):
        entry = named[f"{plan['url']}|{plan['version']}"]
        focus = next(c for c in plan["useContext"] if c["code"]["code"] == "focus")
        codes = [coding["code"] for coding in focus["valueCodeableConcept"].get("coding", ())]
        assert all(code in entry["label"] for code in codes)
        assert entry["display"] == plan["title"]
        assert focus in index["useContext"]
    assert "American Medical Association" in index["copyright"]


def test_it_is_valid_with_its_members(built, capsys):
    assert main(["validate", str(built), "--quiet"]) == ExitCode.DONE, capsys.readouterr().out


def test_what_has_not_changed_is_left_alone(built, capsys):
    assert main(["build", str(built)]) == ExitCode.DONE
    assert " 0 files changed" in capsys.readouterr().err
    assert list(stale(built)) == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("package.yaml", "All procedures", "Every procedure"),
        ("wide/package.yaml", "version: ", "version: 9"),
        ("fhir/Library-ExampleCatalogueIndex.json", "All procedures", "None"),
    ],
)
def test_what_is_not_as_it_would_be_built_is_told(built, file, old, new):
    text = (built / file).read_text()
    assert old in text
    (built / file).write_text(text.replace(old, new))
    assert any(file.rpartition("/")[2] in problem for problem in stale(built))
    assert any("fhirpkg build" in note for note in read_content(built).notes)


def test_each_package_is_an_archive_of_its_own(built, tmp_path):
    out = tmp_path / "dist"
    assert main(["package", str(built), "--output", str(out)]) == ExitCode.DONE
    member = read_content(built / "wide")
    assert (out / f"wide/{member.id.name}-{member.id.version}.tgz").is_file()
    package = read_package(out / "example.catalogue-2.0.0.tgz")
    assert package.manifest.dependencies[member.id.name] == member.id.version
    names = [name for name in package.files if not name.startswith(".")]
    assert len(names) == 3  # package.json, the guide and the index; nothing of the members


def test_its_members_are_published_before_it_from_where_they_are(built, monkeypatch, tmp_path):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "cache"))
    for name in ("second", "wide"):  # whose own dependencies would be fetched
        file = built / name / "package.yaml"
        text = file.read_text().replace("  fhirpkg.procedures: 0.2.0\n", "")
        file.write_text(f"{text}profiles: carry\n")
    assert main(["build", str(built)]) == ExitCode.DONE
    releases = releases_of(str(built), Selection(), with_dependencies=True)
    assert [release.name for release in releases] == [
        read_content(built / "second").id.name,
        read_content(built / "wide").id.name,
        "example.catalogue",
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: (f / "wide/package.yaml").unlink(), "its member 'wide' holds no package.yaml"),
        (lambda f: shutil.copytree(f / "second/tea-pouring", f / "tea"), "is outside its members"),
        (lambda f: (f / "wide/package.yaml").write_text((f / "second/package.yaml").read_text()),
         "is that of second"),
    ],
    ids=["no package", "a procedure beside", "twice"],
)  # fmt: skip
def test_what_is_no_catalogue_is_told_and_nothing_is_written_for_it(folder, change, says, capsys):
    change(folder)
    assert main(["build", str(folder)]) == ExitCode.UNUSABLE
    assert says in capsys.readouterr().err
    assert not (folder / "fhir").exists()


def test_a_mistake_in_a_member_keeps_the_catalogue_as_it_was(built, capsys):
    before = resource(built, "Library-ExampleCatalogueIndex.json")
    file = built / "second/tea-pouring/procedure.yaml"
    file.write_text(file.read_text() + "colour: green\n")
    assert main(["build", str(built)]) == ExitCode.ISSUES
    assert "colour" in capsys.readouterr().out
    assert resource(built, "Library-ExampleCatalogueIndex.json") == before


@pytest.mark.parametrize(
    "verb", [["coverage"], ["codes", "check"], ["review", "--output", "a.html"]]
)
def test_verbs_about_procedures_send_to_the_members(built, verb, capsys):
    assert main([*verb, str(built)]) == ExitCode.UNUSABLE
    assert "name one" in capsys.readouterr().err
