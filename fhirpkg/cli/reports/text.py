"""One line a finding, `file:line:col: severity rule: words`, which editors can jump to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from fhirpkg.corpus.checking import Checked

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
