"""The output of `validate` on the inputs that were checked: report, counts, verdict."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from fhirpkg.cli.reports.formats import render
from fhirpkg.cli.reports.formats.text import by_rule, summary_of, text_of
from fhirpkg.cli.reports.grouping import Groups, without_repeats
from fhirpkg.corpus.checking import Checked
from fhirpkg.errors import ConfigError
from fhirpkg.issues import Outcome, Severity
from fhirpkg.packages.rules import PACKAGE_OTHER_VERSION
from fhirpkg.releases import R4
from fhirpkg.validation.elements.rules import STRUCTURE_OTHER_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.corpus.ignoring import Ignoring
    from fhirpkg.issues import Issue
    from fhirpkg.releases import Release

LEVELS = ("error", "warning", "information")
_READ = {"text", "github", "html"}
"""The formats that people read: a finding once, and only down to the level shown."""
_OTHERS = {PACKAGE_OTHER_VERSION.id, STRUCTURE_OTHER_VERSION.id}
_MOST_NAMED = 5
"""Files skipped that are named: those that could have held a resource."""
_FEW = 5
"""Findings that need no summary by rule."""


class Findings:
    """Takes what was checked, input by input; of text only groups are kept."""

    def __init__(
        self,
        output_format: str,
        ignoring: Ignoring,
        level: str | None = None,
        *,
        release: Release = R4,
        collecting: bool = False,
    ) -> None:
        self._format = output_format
        self._release = release
        self._ignoring = ignoring
        self._level = Severity(level or ("warning" if sys.stdout.isatty() else "information"))
        self._kept: list[Checked] = []
        self._groups = Groups()
        self._counts: Counter[tuple[Severity, str]] = Counter()
        self._inputs = self._ignored = self._skipped = self._of_others = self._left_out = 0
        self._no_resources: list[str] = []
        self.worst = len(Severity)
        self._is_collecting = collecting
        self.shown: list[Issue] = []
        """The findings down to the level, when they are collected for a baseline."""

    def take(self, checked: Checked) -> None:
        """Keep the findings of one input, or count it as skipped."""
        if checked.is_skipped:
            self._skipped += 1
            return
        if checked.is_no_resource:
            self._no_resources.append(checked.file)
            return
        self._inputs += 1
        self._left_out += checked.left_out
        self._of_others += any(
            issue.rule in _OTHERS and not issue.expression for issue in checked.outcome.issues
        )
        self._add(Checked(checked.file, self._ignoring.apply(checked.outcome)))

    def finish(self, *, quiet: bool = False, is_part: bool = False) -> None:
        """Print the report and, unless `quiet`, the summary on standard error.

        Of a part of the inputs it cannot be said which entries of the ignore file are of no use.
        Raises ConfigError when nothing was checked.
        """
        if not self._inputs:
            raise ConfigError("nothing to check: the inputs contain no FHIR resource")
        unused = self._ignoring.unused()
        if unused.issues and not is_part:
            self._add(Checked(unused.issues[0].file, unused))
        self._print()
        if self._inputs == self._of_others:
            raise ConfigError(
                f"nothing was checked: all inputs are for a version of FHIR other than "
                f"{self._release}; choose theirs with --fhir-version"
            )
        if not quiet:
            if self._counts.total() > _FEW:
                click.echo("\n".join(summary_of(self._counts)), err=True)
            click.echo(self._summary(), err=True)

    def print_so_far(self) -> None:
        """Print what was found before an interruption, as text; half of another format misleads."""
        if self._format == "text":
            self._print()

    def _print(self) -> None:
        if self._format == "text":
            click.echo(text_of(self._groups), nl=False)
        else:
            click.echo(render(self._format, _joined(self._kept)), nl=False)

    def _add(self, checked: Checked) -> None:
        issues: Iterable[Issue] = checked.outcome.issues
        self.worst = min([self.worst, *(issue.severity.rank for issue in issues)])
        self._ignored += len(checked.outcome.ignored)
        if self._format in _READ:
            issues = without_repeats(issues)
        self._counts += by_rule(issues)
        shown = [issue for issue in issues if issue.severity.rank <= self._level.rank]
        if self._is_collecting:
            self.shown += shown
        if self._format == "text":
            self._groups.add(shown)
        elif self._format in _READ:
            self._kept.append(Checked(checked.file, Outcome(tuple(shown), checked.outcome.ignored)))
        else:
            self._kept.append(checked)

    def _summary(self) -> str:
        counts = dict.fromkeys(Severity, 0)
        for (severity, _), count in self._counts.items():
            counts[severity] += count
        hidden = sum(n for severity, n in counts.items() if severity.rank > self._level.rank)
        counts[Severity.ERROR] += counts.pop(Severity.FATAL)
        found = ", ".join(_number(n, str(severity)) for severity, n in counts.items() if n)
        parts = [f"{_number(self._inputs, 'input')} checked", found or "no issues"]
        if hidden and self._format in _READ:
            parts.append(f"{hidden} not shown (--level information shows all)")
        if self._ignored:
            parts.append(f"{self._ignored} ignored")
        skipped = self._skipped + len(self._no_resources)
        if skipped:
            names = ", ".join(self._no_resources[:_MOST_NAMED])
            more = f" ({names}{', ...' if len(self._no_resources) > _MOST_NAMED else ''})"
            named = more if names else ""
            parts.append(f"{_number(skipped, 'file')} skipped: no FHIR resource{named}")
        if self._left_out:
            parts.append(f"{_number(self._left_out, 'file')} in other folders of packages left out")
        return "; ".join(parts)


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 or word == "information" else f"{count} {word}s"


def _joined(checked: list[Checked]) -> list[Checked]:
    """The lines of one NDJSON file as one input, for reports that count files."""
    files: dict[str, list[Outcome]] = {}
    for each in checked:
        files.setdefault(each.file, []).append(each.outcome)
    return [
        Checked(
            file,
            Outcome(
                tuple(issue for outcome in outcomes for issue in outcome.issues),
                tuple(pair for outcome in outcomes for pair in outcome.ignored),
            ),
        )
        for file, outcomes in files.items()
    ]
