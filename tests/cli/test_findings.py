"""What `validate` shows of many findings: groups, levels, summaries, one side of each fault."""

import json

import click
import pytest

from fhirpkg.cli.reports.formats import render
from fhirpkg.cli.reports.grouping import without_repeats
from fhirpkg.cli.shared import findings as shown
from fhirpkg.cli.validate import command
from fhirpkg.corpus.checking import Checked
from fhirpkg.corpus.ignoring import Ignoring
from fhirpkg.errors import SourceError
from fhirpkg.issues import Issue, Outcome, Severity
from tests.cli.test_validate import BAD, PATIENT, findings, validate, write

NARRATIVE = {**PATIENT, "text": {"status": "generated", "div": "<p>a</p>"}}


def issue(severity=Severity.ERROR, rule="r-a", text="t", expression="Patient", file="a.json", **at):
    return Issue(severity, "value", rule, text, expression, file, **at)


def lines_of(*issues):
    return click.unstyle(render("text", [Checked("a.json", Outcome(issues))])).splitlines()


def test_equal_findings_in_many_resources_are_one_line_and_json_has_all(tmp_path):
    file = write(tmp_path / "a.ndjson", "\n".join([json.dumps(BAD)] * 2_000))
    result = validate(file)
    [line] = result.stdout.splitlines()
    assert line.startswith(f"{file}:1:")
    assert "2,000 times" in line
    assert f"{file}:2:" in line
    assert f"{file}:9:" not in line
    assert "2000 errors" in result.stderr
    assert result.return_value == 1
    assert len(findings(file)) == 2_000


def test_20000_equal_findings_are_one_short_line():
    [line] = lines_of(*(issue(line=n, file=f"{n % 99}.json") for n in range(20_000)))
    assert "20,000 times in 99 files" in line
    assert len(line) < 200


def test_a_group_names_its_files_and_first_places():
    found = [issue(file=f"{n}.json", line=n, column=1) for n in range(1, 6)]
    [line] = lines_of(*found)
    assert line.startswith("1.json:1:1: error r-a: ")
    assert "5 times in 5 files" in line
    assert "2.json:2:1, 3.json:3:1" in line
    assert "4.json" not in line


@pytest.mark.parametrize(
    "other",
    [issue(text="u"), issue(rule="r-b"), issue(severity=Severity.WARNING)],
    ids=["words", "rule", "severity"],
)
def test_findings_that_differ_stay_apart(other):
    assert len(lines_of(issue(), other)) == 2


def test_a_rule_broken_in_very_many_ways_is_cut_and_the_rest_counted():
    found = [issue(text=f"code {n}", file=f"{n % 7}.json") for n in range(500)]
    lines = lines_of(*found)
    assert len(lines) < 100
    assert f"{500 - len(lines) + 1} more findings" in lines[-1]
    assert "r-a" in lines[-1]


def test_many_rules_broken_in_many_ways_fit_on_a_few_pages():
    found = [
        issue(rule=f"r-{rule}", text=f"code {n}", file=f"{n}.json")
        for rule in range(40)
        for n in range(1 + rule)
    ]
    lines = lines_of(*found, issue(rule="r-last"))
    rules = {line.partition("error ")[2].partition(":")[0] for line in lines}
    assert rules == {f"r-{rule}" for rule in (*range(40), "last")}
    assert len(lines) <= 120
    counted = sum(int(line.split()[3]) for line in lines if "more findings" in line)
    shown = [line for line in lines if "more findings" not in line]
    assert counted + len(shown) == len(found) + 1


def test_the_worse_side_of_a_fault_is_told_once():
    required = issue(rule="binding-required", line=1)
    base = issue(Severity.WARNING, "binding-extensible", line=1)
    elsewhere = issue(Severity.WARNING, "binding-extensible", line=2)
    assert without_repeats([base, required, elsewhere]) == [required, elsewhere]


def test_of_equally_severe_sides_the_first_rule_stands_with_all_it_says():
    found = [
        issue(rule="binding-max", text="u"),
        issue(rule="binding-required"),
        issue(rule="binding-max", text="v"),
    ]
    assert without_repeats(found) == [found[0], found[2]]


def test_an_extension_that_is_not_loaded_is_told_once():
    found = [
        issue(Severity.INFORMATION, "not-checked-extension"),
        issue(Severity.INFORMATION, "not-checked-profile"),
    ]
    assert without_repeats(found) == found[:1]


def test_two_profiles_that_inherit_an_invariant_report_it_once():
    found = [
        Issue(Severity.ERROR, "invariant", "pat-1", "t", "Patient", "a.json", profile=profile)
        for profile in ("http://a.example/p", "http://a.example/q")
    ]
    assert without_repeats(found) == found[:1]


def test_different_faults_at_one_place_both_stand():
    found = [issue(text="u"), issue(text="v"), issue(Severity.WARNING, "r-b")]
    assert without_repeats(found) == found


def taken(level, *issues, output_format="text"):
    report = shown.Findings(output_format, Ignoring(), level)
    report.take(Checked("a.json", Outcome(issues)))
    return report


@pytest.mark.parametrize("level, rules", [
    ("error", {"e-1"}), ("warning", {"e-1", "w-1"}), ("information", {"e-1", "w-1", "i-1"}),
])  # fmt: skip
def test_the_level_hides_and_says_how_many(level, rules, capsys):
    report = taken(
        level, issue(rule="e-1"), issue(Severity.WARNING, "w-1"), issue(Severity.INFORMATION, "i-1")
    )
    report.finish()
    out, err = capsys.readouterr()
    assert {rule for rule in ("e-1", "w-1", "i-1") if rule in out} == rules
    assert (f"{3 - len(rules)} not shown" in err) == (len(rules) < 3)
    assert "1 error, 1 warning, 1 information" in err


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_is_not_shown_information(is_terminal, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    taken(None, issue(Severity.INFORMATION, "i-1")).finish()
    assert ("i-1" in capsys.readouterr().out) != is_terminal


@pytest.mark.parametrize("level", ["error", "warning", "information"])
def test_the_verdict_does_not_depend_on_the_level(level, tmp_path):
    file = write(tmp_path / "w.json", "\ufeff" + json.dumps(PATIENT))
    result = validate(file, "--fail-on", "warning", "--level", level)
    assert result.return_value == 1
    assert bool(result.stdout) == (level != "error")


def test_machines_get_all_whatever_the_level(tmp_path):
    file = write(tmp_path / "w.json", "\ufeff" + json.dumps(PATIENT))
    assert findings(file) == findings(file, "--level", "error") != []


def test_many_findings_end_in_a_summary_by_rule_and_quiet_leaves_it_out(tmp_path):
    bad = write(tmp_path / "a.ndjson", "\n".join(json.dumps(r) for r in [BAD] * 7 + [NARRATIVE]))
    told = validate(bad)
    assert "7 error binding-required" in [" ".join(x.split()) for x in told.stderr.splitlines()]
    quiet = validate(bad, "--quiet")
    assert (quiet.stdout, quiet.stderr, quiet.return_value) == (told.stdout, "", 1)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SourceError("b.json", "it is gone")])
def test_what_was_found_before_an_interruption_is_printed(error, monkeypatch, capsys, tmp_path):
    file = write(tmp_path / "a.json", json.dumps(BAD))

    def broken(*_, **__):
        yield Checked("a.json", Outcome((issue(),)))
        raise error

    monkeypatch.setattr("fhirpkg.cli.validate.check_all", broken)
    with pytest.raises((click.Abort, SourceError)):
        command.main([str(file)], standalone_mode=False)
    assert "error r-a" in capsys.readouterr().out
