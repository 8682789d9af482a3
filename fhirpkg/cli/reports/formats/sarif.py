"""SARIF 2.1.0 as code scanning reads it: rules with help, results with line, FHIRPath, fingerprint.

Files are relative to the folder of the run. A fingerprint is of what was found and the element
without its numbers, so that a finding stays the same when lines or list items above it move.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

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
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}
"""How code scanning calls the levels when it filters."""
_ROOT = "SRCROOT"
_NUMBERS = re.compile(r"\[\d+\]")


def report(checked: list[Checked]) -> str:
    """One run with the rules that were broken and a result for each issue."""
    found = [(issue, "") for each in checked for issue in each.outcome.issues]
    found += [pair for each in checked for pair in each.outcome.ignored]
    first: dict[str, Issue] = {}
    for issue, _ in found:
        first.setdefault(issue.rule, issue)
    ids = sorted(first)
    seen: Counter[str] = Counter()
    driver = {
        "name": "fhirpkg",
        "semanticVersion": fhirpkg.__version__,
        "rules": [_rule(rule_id, first[rule_id]) for rule_id in ids],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the folder fhirpkg was run in"}}},
        "results": [_result(issue, reason, ids.index(issue.rule), seen) for issue, reason in found],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(rule_id: str, issue: Issue) -> dict[str, Any]:
    """What a rule means; an invariant of a profile is described by one of its findings."""
    rule = catalogue().get(rule_id)
    title = rule.title if rule else issue.text
    advice = (rule.advice if rule else issue.advice) or "correct the element, or its profile"
    level = _LEVELS[rule.severity if rule else issue.severity]
    spec = rule.spec if rule else ""
    link = f"\n\n[{spec}]({spec})" if spec else ""
    described: dict[str, Any] = {
        "id": rule_id,
        "shortDescription": {"text": title},
        "fullDescription": {"text": title},
        "help": {
            "text": f"{title}. To do: {advice}",
            "markdown": f"**{title}.**\n\nTo do: {advice}{link}",
        },
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["fhir"], "problem.severity": _PROBLEMS[level]},
    }
    return described | ({"helpUri": spec} if spec else {})


def _result(issue: Issue, reason: str, index: int, seen: Counter[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": issue.rule,
        "ruleIndex": index,
        "level": _LEVELS[issue.severity],
        "message": {"text": f"{issue.text} ({issue.advice})" if issue.advice else issue.text},
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(issue, seen)},
    }
    if location := _location(issue):
        result["locations"] = [location]
    if reason:
        accepted = {"kind": "external", "status": "accepted", "justification": reason}
        result["suppressions"] = [accepted]
    return result


def _location(issue: Issue) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if issue.file:
        region = {"startLine": max(issue.line, 1), "startColumn": max(issue.column, 1)}
        location["physicalLocation"] = {"artifactLocation": _artifact(issue.file), "region": region}
    if issue.expression:
        location["logicalLocations"] = [{"fullyQualifiedName": issue.expression}]
    return location


def _artifact(file: str) -> dict[str, Any]:
    """A file relative to the folder of the run, or where it is outside of that."""
    path = Path(file.replace("\\", "/"))
    if path.is_absolute():
        if not path.is_relative_to(Path.cwd()):
            return {"uri": path.as_uri()}
        path = path.relative_to(Path.cwd())
    return {"uri": quote(path.as_posix()), "uriBaseId": _ROOT}


def _fingerprint(issue: Issue, seen: Counter[str]) -> str:
    """What stays the same of a finding, and which of several equal ones it is."""
    element = _NUMBERS.sub("", issue.expression)
    parts = (issue.rule, _artifact(issue.file)["uri"], element, issue.text)
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
