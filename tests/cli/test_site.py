"""`fhirpkg site`: a folder of pages, its exit codes, and what it leaves alone."""

import collections
import json
import pathlib
import subprocess
import sys

import pytest

from fhirpkg import cli
from fhirpkg.bundling import built
from fhirpkg.cli import ExitCode

ROOT = pathlib.Path(__file__).parents[2]


def run(*arguments):
    return cli._run(["site", *map(str, arguments)])


@pytest.fixture
def plan(tmp_path):
    """A file with a plan that no package.json names."""
    file = tmp_path / "plan.json"
    url = "https://example.org/PlanDefinition/p"
    written = {"resourceType": "PlanDefinition", "id": "p", "url": url, "status": "draft"}
    file.write_text(json.dumps(written))
    return file


def test_our_content_becomes_pages_with_its_facts(tmp_path, capsys):
    assert run(ROOT / "resources", "--output", tmp_path / "out") == ExitCode.DONE
    assert "index.html" in capsys.readouterr().out
    page = (tmp_path / "out/procedure/BoneTumorCryoablationPlan.html").read_text()
    assert 'id="fact-risks-1"' in page
    assert (tmp_path / "out/asset/style.css").is_file()


def test_pages_are_in_the_language_asked_for(tmp_path, capsys):
    out = tmp_path / "out"
    ours = ROOT / "resources" / "cpt-20983" / "fhir"
    asked = (ours, "--output", out, "--language")
    assert run(*asked, "es-MX") == ExitCode.DONE
    pages = {file: file.read_text() for file in out.rglob("*.html")}
    assert all('<html lang="es">' in page for page in pages.values())
    page = pages[out / "procedure/BoneTumorCryoablationPlan.html"]
    assert "El curso en palabras" in page
    assert "Ayuno" in page.partition('id="documents"')[0]
    capsys.readouterr()
    assert run(*asked, "fi") == ExitCode.UNUSABLE
    assert "en, es" in capsys.readouterr().err
    assert '<html lang="es">' in (out / "index.html").read_text()


def test_a_second_run_changes_nothing_but_what_is_gone(tmp_path, plan):
    out = tmp_path / "out"
    assert run(plan, "--as", "a.b#1", "--output", out) == ExitCode.DONE
    first = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    assert run(plan, "--as", "a.b#1", "--output", out) == ExitCode.DONE
    assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == first
    plan.write_text(plan.read_text().replace('"p"', '"q"'))
    assert run(plan, "--as", "a.b#1", "--output", out) == ExitCode.DONE
    assert [file.name for file in out.glob("procedure/*")] == ["q.html"]


def test_content_without_a_name_or_with_a_wrong_one_is_told(tmp_path, plan, capsys):
    assert run(plan, "--output", tmp_path / "out") == ExitCode.UNUSABLE
    assert "--as" in capsys.readouterr().err
    assert run(plan, "--as", "a b", "--output", tmp_path / "out") == ExitCode.UNUSABLE
    assert not (tmp_path / "out").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path, plan):
    assert run(plan, "--as", "a.b#1", "--output", tmp_path) == ExitCode.UNUSABLE
    assert [file.name for file in tmp_path.iterdir()] == ["plan.json"]


def test_content_that_cannot_be_read_leaves_the_pages_as_they_were(tmp_path, plan):
    out = tmp_path / "out"
    run(plan, "--as", "a.b#1", "--output", out)
    before = (out / "index.html").read_bytes()
    plan.write_text("{")
    assert run(plan, "--as", "a.b#1", "--output", out) == ExitCode.UNUSABLE
    assert (out / "index.html").read_bytes() == before


def test_an_output_is_needed(plan):
    assert run(plan, "--as", "a.b#1") == ExitCode.UNUSABLE


OPENS = """
import collections, json, os, sys
root, out = sys.argv[1:]
opened = collections.Counter()

def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and not arguments[2] & os.O_WRONLY:
        path = os.path.realpath(arguments[0])
        if path.startswith(root) and path.endswith(".json"):
            opened[path] += 1

sys.addaudithook(note)
from fhirpkg import cli
from fhirpkg.bundling import built
cli._run(["site", root, "--output", out])
print(json.dumps(opened))
"""


def test_no_resource_is_read_twice(tmp_path):
    """Not even when a page shows it, others name it, and its downloads and packages hold it."""
    folder = (ROOT / "resources/cpt-20983/fhir").resolve()
    command = [sys.executable, "-c", OPENS, folder, tmp_path / "out"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    opened = json.loads(done.stdout.splitlines()[-1])
    assert len(opened) == len(list(folder.glob("*.json")))
    assert set(opened.values()) == {1}


def test_no_resource_of_authored_procedures_is_parsed_twice(tmp_path, monkeypatch):
    """Their files are opened once more, for the digests that say whether they are up to date."""
    parsed = collections.Counter()
    real = built.read_resource
    monkeypatch.setattr(built, "read_resource", lambda file: parsed.update([file]) or real(file))
    assert run(ROOT / "resources", "--output", tmp_path / "out") == ExitCode.DONE
    assert set(parsed.values()) == {1}
