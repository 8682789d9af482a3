"""SARIF 2.1.0, which code scanning reads: rules with help, results with line and FHIRPath."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fhirpkg
from fhirpkg.cli.catalogue import catalogue
from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from fhirpkg.corpus.checking import Checked
    from fhirpkg.issues import Issue

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.FATAL: "error",
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "note",
}


def report(checked: list[Checked]) -> str:
    """One run with the rules that were broken and a result for each issue."""
    found = [issue for each in checked for issue in each.outcome.issues]
    ignored = [(issue, reason) for each in checked for issue, reason in each.outcome.ignored]
    results = [_result(issue) for issue in found]
    results += [
        _result(issue)
        | {"suppressions": [{"kind": "external", "status": "accepted", "justification": reason}]}
        for issue, reason in ignored
    ]
    ids = sorted({issue.rule for issue in found} | {issue.rule for issue, _ in ignored})
    driver = {
        "name": "fhirpkg",
        "semanticVersion": fhirpkg.__version__,
        "rules": [_rule(rule_id) for rule_id in ids],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(rule_id: str) -> dict[str, Any]:
    rule = catalogue().get(rule_id)
    if rule is None:
        return {"id": rule_id}
    described: dict[str, Any] = {"id": rule.id, "shortDescription": {"text": rule.title}}
    if rule.advice:
        described["help"] = {"text": rule.advice}
    if rule.spec:
        described["helpUri"] = rule.spec
    return described


def _result(issue: Issue) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if issue.file:
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(issue.file)}}
        if issue.line:
            physical["region"] = {"startLine": issue.line, "startColumn": max(issue.column, 1)}
        location["physicalLocation"] = physical
    if issue.expression:
        location["logicalLocations"] = [{"fullyQualifiedName": issue.expression}]
    result: dict[str, Any] = {
        "ruleId": issue.rule,
        "level": _LEVELS[issue.severity],
        "message": {"text": issue.text},
    }
    if location:
        result["locations"] = [location]
    return result


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(file.replace("\\", "/"))
