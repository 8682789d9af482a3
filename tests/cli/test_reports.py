"""The formats of findings, each held against what its readers need."""

import dataclasses
import json
from xml.etree import ElementTree as ET

import pytest

from fhirpkg.cli.reports.formats import FORMATS, render
from fhirpkg.corpus.checking import Checked
from fhirpkg.issues import Issue, Outcome, Severity

ERROR = Issue(
    Severity.ERROR, "structure", "parse-duplicate-key", "the key 'a:b,c'\nstands twice",
    "Patient.name[0]", "dir/a b.json", 3, 7, advice="delete one",
)  # fmt: skip
WARNING = Issue(Severity.WARNING, "value", "dom-6", "no narrative", "Patient", "w.json")
BROKEN = Checked("dir/a b.json", Outcome((ERROR,)))
WARNED = Checked("w.json", Outcome((WARNING,), ((ERROR, "accepted"),)))
CLEAN = Checked("c.json", Outcome())
ALL = [BROKEN, WARNED, CLEAN]


@pytest.mark.parametrize("output_format", FORMATS)
def test_each_format_takes_clean_input(output_format):
    assert isinstance(render(output_format, [CLEAN]), str)


def test_text_is_a_line_a_finding_that_editors_jump_to():
    lines = render("text", [WARNED, CLEAN]).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("w.json: ")
    assert "dom-6: Patient: no narrative" in lines[0]


def test_json_lists_files_with_issues_and_counts():
    document = json.loads(render("json", ALL))
    assert [f["file"] for f in document["files"]] == ["dir/a b.json", "w.json", "c.json"]
    issue = document["files"][0]["issues"][0]
    assert {"severity", "code", "rule", "text", "expression", "line", "column", "profile"} <= set(
        issue
    )
    assert (issue["line"], issue["column"]) == (3, 7)
    assert document["files"][1]["ignored"][0]["reason"] == "accepted"
    assert document["summary"] == {
        "files": 3, "fatal": 0, "error": 1, "warning": 1, "information": 0, "ignored": 1,
    }  # fmt: skip


def test_fhir_is_an_outcome_for_one_input_and_a_bundle_for_more():
    assert json.loads(render("fhir", [BROKEN]))["resourceType"] == "OperationOutcome"
    bundle = json.loads(render("fhir", ALL))
    assert bundle["type"] == "collection"
    assert [e["resource"]["resourceType"] for e in bundle["entry"]] == ["OperationOutcome"] * 3


def test_github_annotations_escape_what_would_end_them():
    line = render("github", [BROKEN])
    assert line == (
        "::error file=dir/a b.json,line=3,col=7,title=parse-duplicate-key::"
        "Patient.name[0]: the key 'a:b,c'%0Astands twice\n"
    )
    assert render("github", [WARNED]).startswith("::warning file=w.json,title=dom-6::")


def test_junit_counts_a_failure_an_error_and_a_pass_a_clean_file():
    root = ET.fromstring(render("junit", ALL))
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    suites = root.findall("testsuite")
    assert [len(s.findall("testcase/failure")) for s in suites] == [1, 0, 0]
    assert "dom-6" in suites[1].findtext("system-out")


def test_junit_survives_characters_that_xml_has_not():
    odd = Checked("o.json", Outcome((Issue(Severity.ERROR, "value", "r-x", "bad \x00 \ufffe"),)))
    assert ET.fromstring(render("junit", [odd])).find(".//failure").get("message") == (
        "bad \ufffd \ufffd"
    )


def test_sarif_has_rules_results_places_and_suppressions():
    document = json.loads(render("sarif", ALL))
    assert document["version"] == "2.1.0"
    [run] = document["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert set(rules) == {"parse-duplicate-key", "dom-6"}
    assert rules["parse-duplicate-key"]["helpUri"].startswith("http")
    [error, warning, accepted] = run["results"]
    place = error["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "dir/a%20b.json", "uriBaseId": "SRCROOT"}
    assert "SRCROOT" in run["originalUriBaseIds"]
    assert place["region"] == {"startLine": 3, "startColumn": 7}
    assert error["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "Patient.name[0]"
    assert warning["level"] == "warning"
    assert accepted["suppressions"][0]["justification"] == "accepted"


def test_sarif_has_what_code_scanning_shows_of_each_rule_and_result():
    [run] = json.loads(render("sarif", ALL))["runs"]
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    assert next(r for r in rules if r["id"] == "dom-6")["shortDescription"]["text"] == WARNING.text


def test_a_fingerprint_stays_when_lines_move_and_tells_equal_findings_apart():
    def prints(*issues):
        [run] = json.loads(render("sarif", [Checked("a.json", Outcome(issues))]))["runs"]
        return [r["partialFingerprints"]["primaryLocationLineHash"] for r in run["results"]]

    moved = dataclasses.replace(ERROR, line=9, column=1, expression="Patient.name[4]")
    assert prints(ERROR) == prints(moved)
    assert len(set(prints(ERROR, moved))) == 2
    for change in ({"rule": "dom-6"}, {"file": "b.json"}, {"text": "x"}, {"expression": "Patient"}):
        assert prints(ERROR) != prints(dataclasses.replace(ERROR, **change))


def test_sarif_places_files_outside_of_the_folder_by_their_whole_url(tmp_path, monkeypatch):
    inside, outside = tmp_path / "in" / "a.json", tmp_path / "b.json"
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    issues = [dataclasses.replace(ERROR, file=str(path)) for path in (inside, outside)]
    [run] = json.loads(render("sarif", [Checked("x", Outcome(tuple(issues)))]))["runs"]
    found = [r["locations"][0]["physicalLocation"]["artifactLocation"] for r in run["results"]]
    assert found == [{"uri": "a.json", "uriBaseId": "SRCROOT"}, {"uri": outside.as_uri()}]
