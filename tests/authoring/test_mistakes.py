"""What an author gets wrong in procedure.yaml is told once, clearly, at the right line."""

import re
from pathlib import Path

import pytest
import yaml

from fhirpkg.authoring.checking.authored import check_package, check_procedure
from fhirpkg.authoring.source import read
from fhirpkg.cli.catalogue import catalogue

ROOT = Path(__file__).parent.parent.parent
TEXT = re.sub(  # in English alone
    r":\n +en: (.*)\n +es: .*\n",
    r": \1\n",
    (ROOT / "resources" / "cpt-20983" / "procedure.yaml").read_text(),
)
MISTAKES = yaml.safe_load((Path(__file__).parent / "mistakes.yaml").read_text())


def changed(text, mistake):
    old = mistake["old"]
    assert text.count(old) == 1, f"{old!r} does not stand once in the file"
    if mistake.get("section"):
        start = text.index(f"\n{old}") + 1
        return text[:start] + text[text.index("\n\n", start) + 2 :]
    return text.replace(old, mistake["new"])


def lines_with(text, words):
    return [number for number, line in enumerate(text.split("\n"), 1) if words in line]


def issues_of(text):
    return check_procedure(read(text.encode(), "procedure.yaml"))[1]


def test_the_correct_file_has_no_issue():
    procedure, issues = check_procedure(read(TEXT.encode(), "procedure.yaml"))
    assert issues == ()
    assert procedure is not None


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m["name"])
def test_a_mistake_is_told_once_at_its_line(mistake):
    text = changed(TEXT, mistake)
    (issue,) = issues_of(text)
    assert issue.rule == mistake["rule"]
    assert mistake["says"] in str(issue)
    assert issue.line in lines_with(text, mistake.get("at", mistake["new"].strip("\n")))
    assert issue.file == "procedure.yaml"
    assert issue.column > 0


def test_many_mistakes_are_told_together():
    hiding = {"source-yaml", "source-unused-code"}  # what cannot be read, or is told last
    together = [m for m in MISTAKES if m["rule"] not in hiding and "alone" not in m]
    text, expected = TEXT, []
    for mistake in together:
        if text.count(mistake["old"]) == 1 and not mistake.get("section"):
            text = changed(text, mistake)
            expected.append(mistake["rule"])
    found = [issue.rule for issue in issues_of(text)]
    assert len(expected) >= 20
    assert not [rule for rule in expected if rule not in found]


def test_every_rule_of_authored_files_is_met_by_a_mistake():
    rules = {rule for rule in catalogue() if rule.startswith("source-")}
    elsewhere = {  # in other tests
        "source-key",
        "source-aliases",
        "source-same-procedure",
        "source-todo-active",
        "source-stale",
        "source-copied",
        "source-facts-differ",
        "source-review",
        "source-drawing",
        "source-language",
        "source-no-catalogue",
        "source-pdf",
        "source-sign-off",
        "source-unnamed",
        "source-untranslated",
    }
    assert rules - elsewhere == {mistake["rule"] for mistake in MISTAKES}


PACKAGE = (ROOT / "resources" / "package.yaml").read_text()


@pytest.mark.parametrize(
    "old, new, says",
    [
        ("version: 0.2.0", "version: one", "found 'one'"),
        ("date: 2026-11-30", "date: 2026-02-30", "a day of the calendar"),
        ("status: draft", "status: drat", "did you mean 'draft'"),
        ("canonical: https://w3id.org/fhirpkg", "canonical: w3id.org", "found 'w3id.org'"),
        ("version: 0.2.0", "version: v1", "three numbers joined by points"),
        ("canonical: https://w3id.org/fhirpkg", "canonical: https://a.org/", "without a slash"),
        ("jurisdiction: US", "jurisdiction: XX", "a country in ISO 3166"),
        ("license: CC-BY-4.0", "license: CC-BY-4", "did you mean 'CC-BY-4.0'"),
        ("publisher: ", "publischer: ", "did you mean 'publisher'"),
    ],
)
def test_a_mistake_in_package_yaml_is_told_at_its_line(old, new, says):
    text = re.sub(f"^{old}", new, PACKAGE, flags=re.MULTILINE)
    package, (issue,) = check_package(read(text.encode(), "package.yaml"))
    assert package is None
    assert says in str(issue)
    assert issue.line in lines_with(text, new)


@pytest.mark.parametrize("text", ["", "just words", "- a\n- list\n", "\x00", "a: *nobody\n"])
def test_what_is_no_procedure_at_all_is_told(text):
    procedure, issues = check_procedure(read(text.encode(), "procedure.yaml"))
    assert procedure is None
    assert issues
