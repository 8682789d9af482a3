"""Verdicts of a reader on what is said for each fact, and whether the words are still those."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhirpkg.authoring.folder import check_file, read_folder
from fhirpkg.authoring.reviewing.verdicts import read_review, reviewed
from fhirpkg.cli import ExitCode
from fhirpkg.cli.authoring.coverage import command

RESOURCES = Path(__file__).parent.parent.parent / "resources"
SECOND = Path(__file__).parent / "second"


@pytest.fixture
def tea(tmp_path):
    shutil.copytree(SECOND, tmp_path / "package")
    return tmp_path / "package" / "tea-pouring"


def states(folder):
    procedure = read_folder(folder.parent).procedures[folder.name]
    review, issues = read_review(folder, procedure)
    assert issues == ()
    return reviewed(procedure, review)


def write(folder, facts, by="Somebody, no clinician"):
    lines = [f"by: {by}", "facts:"]
    for fact, (verdict, digest) in facts.items():
        lines.append(f"  {fact}: {{verdict: {verdict}, digest: '{digest}', note: as I read it}}")
    (folder / "review.yaml").write_text("\n".join(lines) + "\n")


def told(folder):
    file = folder / "procedure.yaml"
    found = check_file(file.name, file.read_bytes(), str(file))
    return [i for i in found if i.rule != "source-stale" and not i.rule.startswith("code-")]


def test_each_fact_of_our_procedure_has_a_verdict_on_the_words_as_they_are():
    found = states(RESOURCES / "cpt-20983")
    assert len(found) == 42
    assert [fact for fact, state in found.items() if state.verdict is None] == []
    assert [fact for fact, state in found.items() if state.is_stale] == []
    assert {state.by for state in found.values()} == {
        "Read by the authors of this package, no clinician"
    }
    differs = [s.verdict for s in found.values() if s.verdict.verdict != "same"]
    assert all(verdict.note for verdict in differs)


def test_facts_without_a_verdict_are_counted(tea):
    (issue,) = told(tea)
    assert issue.rule == "source-review"
    assert "13 of 13" in issue.text
    digest = states(tea)["purpose"].digest
    write(tea, {"purpose": ("weaker", digest)})
    (issue,) = told(tea)
    assert "12 of 13" in issue.text


@pytest.mark.parametrize(
    "old, new",
    [("text: To warm the", "text: To warm a"), ("from: purpose", "from: purpose, patient: Tea!")],
    ids=["of the text", "of the words for patients"],
)
def test_a_change_makes_the_verdict_stale_and_no_other(tea, old, new):
    file = tea / "procedure.yaml"
    write(tea, {fact: ("same", state.digest) for fact, state in states(tea).items()})
    assert told(tea) == []
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    assert [fact for fact, state in states(tea).items() if state.is_stale] == ["purpose"]
    (issue,) = told(tea)
    assert "0 of 13" in issue.text


@pytest.mark.parametrize(
    "facts, rule",
    [
        ({"purpos": ("same", "0" * 12)}, "source-unknown-fact"),
        ({"purpose": ("good", "0" * 12)}, "source-value"),
        ({"purpose": ("same", "none")}, "source-value"),
    ],
)
def test_a_mistake_in_a_review_is_told_at_its_line(tea, facts, rule):
    write(tea, facts)
    issue = next(issue for issue in told(tea) if issue.file.endswith("review.yaml"))
    assert (issue.rule, issue.line) == (rule, 3)
    result = CliRunner().invoke(command, [str(tea.parent)], standalone_mode=False)
    assert result.return_value == ExitCode.ISSUES


def test_coverage_shows_the_verdicts(tea):
    write(tea, {"purpose": ("stronger", states(tea)["purpose"].digest), "name": ("same", "0" * 12)})
    result = CliRunner().invoke(command, [str(tea.parent)], standalone_mode=False)
    assert result.return_value == ExitCode.DONE
    verdicts = {line.split("  ")[0]: line for line in result.stdout.splitlines()}
    assert "stronger" in verdicts["purpose"]
    assert "stale: same" in verdicts["name"]
    assert "11 not read against the source, 1 changed since they were read" in result.stderr


def test_json_has_digest_and_verdict(tea):
    digest = states(tea)["purpose"].digest
    write(tea, {"purpose": ("added words", digest)})
    arguments = [str(tea.parent), "--output-format", "json"]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    facts = {fact["fact"]: fact for fact in json.loads(result.stdout)["tea-pouring"]}
    assert facts["purpose"]["digest"] == digest
    assert facts["purpose"]["review"] == {
        "verdict": "added words",
        "by": "Somebody, no clinician",
        "stale": False,
        "note": "as I read it",
    }
    assert facts["name"]["review"] is None
