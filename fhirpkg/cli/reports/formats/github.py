"""GitHub workflow annotations, which show up on the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from fhirpkg.corpus.checking import Checked

_COMMANDS = {
    Severity.FATAL: "error",
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "notice",
}


def report(checked: list[Checked]) -> str:
    """One workflow command a finding."""
    lines: list[str] = []
    for each in checked:
        for issue in each.outcome.issues:
            place = {"file": issue.file, "line": issue.line, "col": issue.column}
            place["title"] = issue.rule
            properties = ",".join(
                f"{key}={_property(value)}" for key, value in place.items() if value
            )
            words = f"{issue.expression}: {issue.text}" if issue.expression else issue.text
            lines.append(f"::{_COMMANDS[issue.severity]} {properties}::{_message(words)}\n")
    return "".join(lines)


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _message(str(value)).replace(":", "%3A").replace(",", "%2C")
