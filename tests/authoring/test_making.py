"""A package is built procedure by procedure: in any number of processes, all of it or nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fhirpkg.authoring import making
from fhirpkg.authoring.build import build
from fhirpkg.authoring.folder import read_folder
from fhirpkg.authoring.making import build_folder
from fhirpkg.authoring.writing import text
from fhirpkg.errors import SourceError
from fhirpkg.packages.freshness import stale
from fhirpkg.packages.installed import read_profiles

HERE = Path(__file__).parent
GUIDE = "ImplementationGuide-example.wide.json"


@pytest.fixture
def package(tmp_path):
    return shutil.copytree(HERE / "wide", tmp_path / "package")


def files(folder):
    """What stands in a folder, by name; no record of the program, which each commit changes."""
    found = {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*")
             if f.is_file()}  # fmt: skip
    found.pop(".built", None)
    return found


def edit(file, old, new):
    content = file.read_text()
    assert old in content
    file.write_text(content.replace(old, new))


def listed(package):
    """The references of the guide, and the procedure beside which it stands."""
    (guide,) = package.glob(f"*/fhir/{GUIDE}")
    parts = json.loads(guide.read_text())["definition"]["resource"]
    return [part["reference"]["reference"] for part in parts], guide.parent.parent.name


@pytest.mark.parametrize("jobs", [1, 2])
def test_any_number_of_processes_makes_what_one_call_makes(package, jobs):
    authored = read_folder(package)
    resources = build(
        authored.package, authored.procedures, read_profiles(package), listed=authored.listed
    )
    whole = {
        f"{name}/fhir/{r['resourceType']}-{r['id']}.json": text(r)
        for name, made in resources.items()
        for r in made
    }
    done = build_folder(package, jobs=jobs)
    assert {k: v for k, v in files(package).items() if k.endswith(".json")} == whole
    assert (done.is_usable, done.resources, done.kept) == (True, len(whole), 0)
    assert list(stale(package)) == []


def test_what_has_not_changed_is_not_built_again(package, monkeypatch):
    build_folder(package)
    before = files(package)
    monkeypatch.setattr(making, "resources_of", None)
    done = build_folder(package)
    assert (done.kept, done.changed) == (5, 0)
    assert files(package) == before


CHANGES = {
    "a procedure": lambda p: edit(p / "knee-injection/procedure.yaml", "the knee", "a knee"),
    "its words": lambda p: edit(p / "hernia-repair/procedure.yaml", "hernia", "rupture"),
    "the package": lambda p: edit(p / "package.yaml", "version: ", "version: 9"),
    "a file by hand": lambda p: edit(
        p / "hernia-repair/fhir/PlanDefinition-WideHerniaRepairPlan.json", "hernia", "rupture"),
    "a file gone": lambda p: next((p / "upper-endoscopy/fhir").glob("Value*.json")).unlink(),
    "the guide by hand": lambda p: edit(p / f"cataract/fhir/{GUIDE}", "Wide", "Narrow"),
    "the guide gone": lambda p: (p / f"cataract/fhir/{GUIDE}").unlink(),
    "a record": lambda p: (p / "knee-injection/fhir/.built").unlink(),
    "a procedure before": lambda p: shutil.copytree(HERE / "second/tea-pouring", p / "a-tea"),
    "a procedure gone": lambda p: (p / "knee-injection/procedure.yaml").unlink(),
    "the first gone": lambda p: (p / "cataract/procedure.yaml").unlink(),
    "a whole folder gone": lambda p: shutil.rmtree(p / "hernia-repair"),
    "another program": lambda p: (p / ".built").write_text("0"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_after_any_change_the_files_are_those_of_a_new_build(package, tmp_path, change):
    build_folder(package)
    CHANGES[change](package)
    build_folder(package, jobs=2)
    other = tmp_path / "other"
    shutil.copytree(package, other, ignore=shutil.ignore_patterns("fhir", ".built"))
    build_folder(other)
    assert files(package) == files(other)
    assert list(stale(package)) == []
    listed(package)


def test_urls_of_another_base_are_not_taken_for_those_of_the_package(package):
    build_folder(package)
    before = files(package)
    build_folder(package, canonical="https://hospital.example/fhir")
    assert files(package) != before
    build_folder(package)
    assert files(package) == before


def test_a_warning_is_told_again_by_a_build_that_finds_nothing_changed(package):
    first, second = [], []
    build_folder(package, tell=first.append)
    build_folder(package, tell=second.append)
    warned = [issue for issue in first if issue.severity == "warning"]
    assert warned
    assert second == warned


def test_one_mistake_and_nothing_at_all_is_written(package):
    build_folder(package)
    before = files(package)
    edit(package / "upper-endoscopy/procedure.yaml", "takes: < 20 min", "takes: long")
    edit(package / "hernia-repair/procedure.yaml", "hernia", "rupture")
    told = []
    assert not build_folder(package, jobs=2, tell=told.append).is_usable
    assert [Path(i.file).parent.name for i in told if i.severity == "error"] == ["upper-endoscopy"]
    assert {k: v for k, v in files(package).items() if "/fhir/" in k} == {
        k: v for k, v in before.items() if "/fhir/" in k
    }


def test_a_copy_with_the_same_id_is_told_though_the_original_has_not_changed(package):
    build_folder(package)
    shutil.copytree(package / "knee-injection", package / "new-knee")
    told = []
    assert not build_folder(package, tell=told.append).is_usable
    assert [issue.rule for issue in told if issue.severity == "error"] == ["source-same-procedure"]


def test_what_the_build_did_not_make_stays(package):
    own = package / "knee-injection/fhir/Patient-mine.json"
    own.parent.mkdir()
    own.write_text('{"resourceType": "Patient", "id": "mine"}')
    build_folder(package)
    assert own.exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_cannot_be_read_ends_it_with_its_name(package, jobs):
    file = package / "upper-endoscopy/procedure.yaml"
    file.unlink()
    file.mkdir()
    with pytest.raises(SourceError, match="upper-endoscopy"):
        build_folder(package, jobs=jobs)
    assert not list(package.glob("*/fhir"))


def test_an_interrupted_build_leaves_nothing_behind(tmp_path):
    package = tmp_path / "many"
    package.mkdir()
    shutil.copy(HERE / "wide/package.yaml", package)
    source = (HERE / "wide/upper-endoscopy/procedure.yaml").read_text()
    for number in range(200):
        folder = package / f"p{number:03}"
        folder.mkdir()
        (folder / "procedure.yaml").write_text(
            source.replace("id: WideEndoscopy", f"id: WideEndoscopy{number}")
        )
    command = [sys.executable, "-m", "fhirpkg", "build", str(package), "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        while not list(package.glob("*/fhir/.*.new")) and process.poll() is None:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(60) == 130
    assert not list(package.glob("*/fhir/*"))
