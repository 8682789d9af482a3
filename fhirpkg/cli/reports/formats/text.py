"""One line a finding, `file:line:col: severity rule: words`, which editors can jump to.

Equal findings are one line, with their number and the places that follow the first.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from fhirpkg.cli.reports.grouping import Groups
from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.cli.reports.grouping import Group
    from fhirpkg.corpus.checking import Checked
    from fhirpkg.issues import Issue

_LINES = 120
"""Of findings; a summary of as many lines as there are rules follows."""
_COLOURS = {
    Severity.FATAL: "red",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.INFORMATION: "blue",
}


def report(checked: list[Checked]) -> str:
    """The findings, equal ones as one line; click takes out the colour when nobody sees it."""
    groups = Groups()
    for each in checked:
        groups.add(each.outcome.issues)
    return text_of(groups)


def text_of(groups: Groups) -> str:
    """The lines of the groups, each with a line feed: as many as somebody reads."""
    shown, rest = groups.within(_LINES)
    lines = [*map(_line, shown), *map(_rest, rest)]
    return "".join(f"{line}\n" for line in lines)


def by_rule(issues: Iterable[Issue]) -> Counter[tuple[Severity, str]]:
    """How many findings there are of each severity and rule."""
    return Counter((issue.severity, issue.rule) for issue in issues)


def summary_of(counts: Counter[tuple[Severity, str]]) -> Iterator[str]:
    """A line a rule: the worst first, of equal ones the most frequent."""
    width = len(str(max(counts.values(), default=0)))
    order = sorted(counts.items(), key=lambda item: (item[0][0].rank, -item[1], item[0][1]))
    for (severity, rule), count in order:
        yield f"{count:>{width}} {click.style(severity, fg=_COLOURS[severity])} {rule}"


def _line(group: Group) -> str:
    issue = group.first
    styled = click.style(issue.severity, fg=_COLOURS[issue.severity])
    line = str(issue).replace(f" {issue.severity} ", f" {styled} ", 1)
    if group.count == 1:
        return line
    among = f" in {len(group.files)} files" if len(group.files) > 1 else ""
    more = ", ..." if group.count > len(group.others) + 1 else ""
    return f"{line} [{group.count:,} times{among}; also {', '.join(group.others)}{more}]"


def _rest(group: Group) -> str:
    severity = click.style(group.first.severity, fg=_COLOURS[group.first.severity])
    return (
        f"-: {severity} {group.first.rule}: {group.count:,} more findings of this rule, in other "
        f"words ({len(group.files)} files; --output-format json has them all)"
    )
