"""`fhirpkg sheet`: a file whose form its name says, for any content with plans."""

import json
import zipfile

import click
import pytest

from fhirpkg.cli import ExitCode
from fhirpkg.cli.authoring.sheet import command
from fhirpkg.errors import FhirpkgError

PLAN = {
    "resourceType": "PlanDefinition",
    "id": "p",
    "url": "http://example.org/PlanDefinition/p",
    "title": "A plan",
    "status": "draft",
    "action": [{"title": "Take blood"}],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "p.json").write_text(json.dumps(PLAN))
    return tmp_path


def run(*arguments):
    return command.main([str(each) for each in arguments], standalone_mode=False)


@pytest.mark.parametrize("form", ["xlsx", "docx", "html"])
def test_the_ending_says_the_form(folder, form):
    output = folder / f"out.{form}"
    assert run(folder / "in", "--as", "x.y#1.0.0", "--output", output) == ExitCode.DONE
    assert zipfile.is_zipfile(output) == (form != "html")
    run(folder / "in", "--as", "x.y#1.0.0", "--output", folder / "other", "--format", form)
    assert (folder / "other").read_bytes() == output.read_bytes()


def test_an_unknown_form_and_content_without_a_name_are_refused(folder):
    with pytest.raises(click.UsageError):
        run(folder / "in", "--output", folder / "out.pdf")
    with pytest.raises(FhirpkgError, match="--as"):
        run(folder / "in", "--output", folder / "out.html")


def test_content_without_plans_writes_nothing(folder):
    library = {"resourceType": "Library", "id": "l", "url": "http://example.org/Library/l"}
    (folder / "in" / "p.json").write_text(json.dumps(library))
    result = run(folder / "in", "--as", "x.y#1.0.0", "--output", folder / "out.html")
    assert result == ExitCode.ISSUES
    assert not (folder / "out.html").exists()


def test_a_sheet_is_in_the_language_asked_for(folder):
    output = folder / "out.html"
    asked = (folder / "in", "--as", "x.y#1.0.0", "--output", output, "--language")
    assert run(*asked, "es-MX") == ExitCode.DONE
    assert "Hoja de configuración: A plan" in output.read_text()
    with pytest.raises(click.BadParameter, match="en, es"):
        run(*asked, "fi")
