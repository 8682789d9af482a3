"""Built resources that are not those of their sources are told by every verb that reads them."""

import shutil
from pathlib import Path

import pytest

from fhirpkg.authoring.folder import check_file
from fhirpkg.bundling.reading import read_content
from fhirpkg.cli import ExitCode
from fhirpkg.cli import _run as main
from fhirpkg.errors import ConfigError
from fhirpkg.packages.freshness import stale
from fhirpkg.packages.installed import folder_in_use

SECOND = Path(__file__).parent / "second"


@pytest.fixture
def package(tmp_path):
    shutil.copytree(SECOND, tmp_path / "p")
    assert main(["build", str(tmp_path / "p")]) == ExitCode.DONE
    return tmp_path / "p"


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_what_was_just_built_is_fresh(package):
    assert list(stale(package)) == []
    assert read_content(package).notes == ()


def test_a_copy_or_checkout_is_as_fresh_as_what_was_copied(package, tmp_path):
    shutil.copytree(package, tmp_path / "copy", copy_function=shutil.copy)
    assert list(stale(tmp_path / "copy")) == []


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda p: edit(p / "tea-pouring/procedure.yaml", "Boil the water.", "Boil it."),
         "procedure.yaml was changed"),
        (lambda p: edit(p / "package.yaml", "version: ", "version: 9"), "package.yaml was changed"),
        (lambda p: (p / "tea-pouring/procedure.yaml").unlink(), "that is gone"),
        (lambda p: (p / "tea-pouring/fhir/.built").unlink(), "does not say what it was built from"),
        (lambda p: edit(p / "tea-pouring/fhir/PlanDefinition-TeaPouringPlan.json", "Boil", "Broil"),
         "changed by hand"),
        (lambda p: (p / "tea-pouring/fhir/PlanDefinition-TeaPouringPlan.json").unlink(),
         "has been deleted"),
        (lambda p: shutil.copytree(SECOND / "tea-pouring", p / "new"), "has not been built"),
    ],
    ids=["procedure", "package", "source gone", "no record", "by hand", "file gone", "never"],
)  # fmt: skip
def test_what_is_not_as_it_would_be_built_is_told(package, change, says):
    change(package)
    found = list(stale(package))
    assert found
    assert all(says in problem for problem in found)
    assert [says in note for note in read_content(package).notes] == [True] * len(found)


def test_validate_tells_a_stale_build_at_the_source(package):
    file = package / "tea-pouring" / "procedure.yaml"
    fresh = check_file(file.name, file.read_bytes(), str(file))
    assert "source-stale" not in {issue.rule for issue in fresh}
    edit(file, "Boil the water.", "Boil it.")
    stale = check_file(file.name, file.read_bytes(), str(file))
    assert [i.file for i in stale if i.rule == "source-stale"] == [str(file)]


def test_validate_tells_built_files_without_a_source_at_the_package(package):
    (package / "tea-pouring" / "procedure.yaml").unlink()
    file = package / "package.yaml"
    (issue,) = check_file(file.name, file.read_bytes(), str(file))
    assert issue.rule == "source-stale"


def test_a_build_removes_what_it_made_of_a_procedure_that_is_gone(package, capsys):
    text = (package / "tea-pouring" / "procedure.yaml").read_text()
    (package / "other").mkdir()
    (package / "other" / "procedure.yaml").write_text(text.replace("TeaPouring", "Other"))
    assert main(["build", str(package)]) == ExitCode.DONE
    own = package / "tea-pouring" / "fhir" / "Patient-own.json"
    own.write_text('{"resourceType": "Patient", "id": "own"}')
    (package / "tea-pouring" / "procedure.yaml").unlink()
    capsys.readouterr()
    assert main(["build", str(package)]) == ExitCode.DONE
    assert "its procedure is gone" in capsys.readouterr().err
    assert [f.name for f in (package / "tea-pouring" / "fhir").iterdir()] == [own.name]


def test_package_says_that_what_it_hands_on_is_stale(package, capsys, tmp_path):
    edit(package / "tea-pouring" / "procedure.yaml", "Boil the water.", "Boil it.")
    assert main(["package", str(package), "--output", str(tmp_path / "dist")]) == ExitCode.DONE
    assert "procedure.yaml was changed after" in capsys.readouterr().err


def test_the_package_in_use_is_the_current_folder_else_its_resources(package, monkeypatch):
    monkeypatch.chdir(package)
    assert folder_in_use() == Path()
    (package.parent / "deeper").mkdir()
    shutil.move(package, package.parent / "deeper" / "resources")
    monkeypatch.chdir(package.parent / "deeper")
    assert folder_in_use() == Path("resources")


def test_without_a_package_nobody_else_s_content_is_taken(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="--bundled"):
        folder_in_use()
    for verb in (["build"], ["coverage"], ["package"],
                 ["plan", "--server", "http://127.0.0.1:1/fhir"]):  # fmt: skip
        assert main(verb) == ExitCode.UNUSABLE
        assert "--bundled" in capsys.readouterr().err


def test_the_bundled_content_is_taken_by_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["package", "--bundled", "--output", str(tmp_path / "dist")]) == ExitCode.DONE
    assert "fhirpkg.procedures" in capsys.readouterr().out
    assert main(["package", "x", "--bundled"]) == ExitCode.UNUSABLE


def test_our_own_content_is_fresh():
    resources = Path(__file__).parent.parent.parent / "resources"
    assert list(stale(resources)) == []
