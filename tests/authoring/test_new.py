"""A new procedure builds at once, whatever it is called."""

import json

import pytest
from click.testing import CliRunner

from fhirpkg.authoring.drafting import lock
from fhirpkg.cli import ExitCode
from fhirpkg.cli.authoring.draft import command as draft
from fhirpkg.cli.authoring.new import command as new
from fhirpkg.errors import ConfigError

NAMES = [
    "Upper endoscopy", "1st rib resection", "COVID-19 vaccination", "12345", "2024-01-01", "1.5",
    "Élagage de l'ongle incarné", "骨髓穿刺", "null", "true", "No", "~", "-", "A", "fhir",
    'He said "no": a test', "../../etc/passwd", "name: [x] # y", "%s {0} {{id}}", "Two\nlines",
    "back\\slash", "Very long name " * 30, "X" * 300,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_procedure_of_any_name_builds_at_once(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(new, ["--", name], standalone_mode=False)
    assert ran.return_value == ExitCode.DONE, ran.output
    (folder,) = tmp_path.iterdir()
    assert folder.name.isascii()
    assert len(folder.name) <= 60
    (plan,) = folder.glob("fhir/PlanDefinition-*.json")
    assert json.loads(plan.read_text("utf-8"))["title"].startswith(" ".join(name.split())[:40])


def test_a_procedure_without_a_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(new, ["  "], standalone_mode=False)
    assert isinstance(ran.exception, ConfigError)
    assert list(tmp_path.iterdir()) == []


def test_a_draft_takes_its_name_from_a_file_whatever_that_is_called(tmp_path):
    file = tmp_path / "2-stage_049fb.md"
    file.write_text("## Risks\n- Bleeding\n")
    ran = CliRunner().invoke(
        draft, [str(file), "--output", str(tmp_path / "x")], standalone_mode=False
    )
    assert ran.return_value == ExitCode.DONE, ran.output


def test_what_stands_in_a_header_of_a_document_is_kept_in_the_lock(tmp_path):
    import docx

    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Hospital"
    document.add_heading("Risks", 1)
    document.add_paragraph("Bleeding", style="List Bullet")
    document.save(tmp_path / "a.docx")
    arguments = [str(tmp_path / "a.docx"), "--output", str(tmp_path / "x")]
    ran = CliRunner().invoke(draft, arguments, standalone_mode=False)
    assert ran.return_value == ExitCode.DONE, ran.output
    assert [fact.line for fact in lock.read(tmp_path / "x/source.lock").facts] == [2, 0]
