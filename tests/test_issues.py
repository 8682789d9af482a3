"""Issues, outcomes and the catalogue of rules."""

import importlib
import pickle
import re
from pathlib import Path
from string import Formatter

from fhirpkg import rules
from fhirpkg.cli.catalogue import catalogue
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.issues import Issue, Outcome, Severity, in_order
from fhirpkg.parsing_rules import PARSE_DUPLICATE_KEY

ROOT = Path(__file__).parent.parent


def test_an_issue_reads_as_one_line_with_place_rule_and_advice():
    issue = Issue(
        Severity.ERROR, "value", "x-rule", "'a' is not a b", "Patient.a", "f.json", 3, 7, advice="c"
    )
    assert str(issue) == "f.json:3:7: error x-rule: Patient.a: 'a' is not a b (c)"


def test_an_outcome_is_true_only_without_errors():
    warning = Issue(Severity.WARNING, "value", "r", "t")
    assert Outcome((warning,))
    assert not Outcome((warning, Issue(Severity.FATAL, "value", "r", "t")))


def test_a_verdict_does_not_wait_for_the_words_and_places_of_issues():
    issue = Issue(Severity.ERROR, "value", "r", "t")
    made = []
    outcome = Outcome(later=lambda: made.append(1) or (issue,), is_right=False)
    assert not outcome
    assert made == []
    assert outcome.issues == outcome.errors == (issue,)
    assert made == [1]
    assert outcome == Outcome((issue,)) != Outcome()
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_an_operation_outcome_carries_line_column_source_and_rule():
    issue = Issue(Severity.ERROR, "value", "r", "t", "Patient.a", "f.json", 3, 7, "p", "do")
    [found] = Outcome((issue,)).as_operation_outcome()["issue"]
    values = {e["url"].rpartition("-")[2]: e for e in found["extension"]}
    assert values["line"]["valueInteger"] == 3
    assert values["col"]["valueInteger"] == 7
    assert values["source"]["valueString"] == "f.json"
    assert found["details"]["coding"] == [{"code": "r"}]
    assert found["expression"] == ["Patient.a"]
    assert found["diagnostics"] == "do; profile p"


def test_an_empty_outcome_says_that_all_is_well():
    [found] = Outcome().as_operation_outcome()["issue"]
    assert found["severity"] == "information"


def test_issues_are_ordered_by_place_and_told_once():
    first = Issue(Severity.WARNING, "value", "r", "t", file="a", line=1)
    second = Issue(Severity.ERROR, "value", "r", "t", file="a", line=2)
    assert in_order([second, first, second]) == (first, second)


def test_each_rule_has_a_kebab_case_id_a_known_code_and_words():
    codes = Terminology(Definitions.core()).codes("http://hl7.org/fhir/ValueSet/issue-type")
    for rule in catalogue().values():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id), rule.id
        assert rule.code in codes, rule
        assert rule.title, rule
        assert rule.text, rule
        assert not rule.title.endswith("."), rule


def test_the_words_of_an_issue_are_made_from_what_was_found():
    issue = rules.issue(PARSE_DUPLICATE_KEY, key="{x}", line=2)
    assert "'{x}'" in issue.text
    assert issue.line == 2


def test_the_nearest_name_is_offered_only_when_it_is_near():
    assert rules.nearest("tilte", ["title", "date"]) == "; did you mean 'title'?"
    assert not rules.nearest("zzz", ["title", "date"])


def test_every_rule_of_every_room_is_in_the_catalogue():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "fhirpkg").rglob("*.py")
        if path.stem.endswith("rules") and path.parent != ROOT / "fhirpkg" / "cli"
    ]
    defined = {
        rule.id: rule
        for name in modules
        for rule in vars(importlib.import_module(name)).values()
        if isinstance(rule, rules.Rule)
    }
    assert defined == catalogue()


def test_every_rule_id_is_used_by_one_rule_only():
    made = [
        match
        for path in (ROOT / "fhirpkg").rglob("*rules.py")
        for match in re.findall(r'= (?:error|warning|information)\(\s*"([^"]+)"', path.read_text())
    ]
    assert len(made) == len(set(made)) == len(catalogue())


def test_no_rule_takes_a_word_that_says_where_an_issue_is():
    places = {"severity", "expression", "profile", "file", "line", "column"}
    for rule in catalogue().values():
        words = {name for _, name, _, _ in Formatter().parse(rule.text + rule.advice) if name}
        assert not words & places - ({"rule", "path"} if rule.id == "ignore-unused" else set()), (
            rule
        )
