"""One line a finding, `file:line:col: severity rule: words`, which editors can jump to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from fhirpkg.cli.reports import Checked

_COLOURS = {
    Severity.FATAL: "red",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.INFORMATION: "blue",
}


def report(checked: list[Checked]) -> str:
    """The findings, a line each; colour is taken out by click when nobody sees it."""
    lines = [
        str(issue).replace(
            f" {issue.severity} ",
            f" {click.style(issue.severity, fg=_COLOURS[issue.severity])} ",
            1,
        )
        for each in checked
        for issue in each.outcome.issues
    ]
    return "".join(f"{line}\n" for line in lines)


def summary(checked: list[Checked], notes: list[str]) -> str:
    """The last line: how many inputs, how many of each severity, and what was left out."""
    counts = {s: sum(each.outcome.count(s) for each in checked) for s in Severity}
    counts[Severity.ERROR] += counts.pop(Severity.FATAL)
    found = ", ".join(f"{n} {_plural(str(s), n)}" for s, n in counts.items() if n)
    ignored = sum(len(each.outcome.ignored) for each in checked)
    parts = [f"{len(checked)} {_plural('input', len(checked))}", found or "no issues"]
    if ignored:
        parts.append(f"{ignored} ignored")
    return "; ".join([*parts, *notes])


def _plural(word: str, number: int) -> str:
    return word if number == 1 or word == "information" else f"{word}s"
