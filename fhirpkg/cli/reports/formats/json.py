"""One JSON object: the files with their issues, and a summary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from fhirpkg.corpus.checking import Checked
    from fhirpkg.issues import Issue


def report(checked: list[Checked]) -> str:
    """`{"files": [{"file", "issues"}], "summary"}`; what is ignored is listed apart."""
    files: list[dict[str, Any]] = []
    for each in checked:
        entry: dict[str, Any] = {
            "file": each.file,
            "issues": [_issue(issue) for issue in each.outcome.issues],
        }
        if each.outcome.ignored:
            entry["ignored"] = [
                {**_issue(issue), "reason": reason} for issue, reason in each.outcome.ignored
            ]
        files.append(entry)
    summary: dict[str, int] = {"files": len(checked)}
    summary |= {str(s): sum(each.outcome.count(s) for each in checked) for s in Severity}
    summary["ignored"] = sum(len(each.outcome.ignored) for each in checked)
    return json.dumps({"files": files, "summary": summary}, indent=2, ensure_ascii=False) + "\n"


def _issue(issue: Issue) -> dict[str, Any]:
    return {
        "severity": str(issue.severity),
        "code": issue.code,
        "rule": issue.rule,
        "text": issue.text,
        "expression": issue.expression,
        "line": issue.line,
        "column": issue.column,
        "profile": issue.profile,
        "advice": issue.advice,
    }
