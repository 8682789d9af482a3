"""One self-contained HTML page: findings by file and by rule, with a search.

It loads nothing and sends nothing. Without its script it shows all; the search only hides.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from fhirpkg.cli.catalogue import catalogue
from fhirpkg.cli.reports.grouping import Group, Groups
from fhirpkg.cli.reports.page import PAGE
from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.corpus.checking import Checked
    from fhirpkg.issues import Issue

_MOST = dict.fromkeys(Severity, 2_000)
"""Differently worded findings of one rule in one file, or in all: what a browser still bears."""


def report(checked: list[Checked]) -> str:
    """The page; the rules are in it with their words and links to the specification."""
    issues = [issue for each in checked for issue in each.outcome.issues]
    ignored = sum(len(each.outcome.ignored) for each in checked)
    counts = Counter(issue.severity for issue in issues)
    clean = sum(not each.outcome.issues for each in checked)
    facts = [f"{severity}: {counts[severity]:,}" for severity in Severity if counts[severity]]
    facts += [f"files: {len(checked):,}, without findings: {clean:,}"]
    facts += [f"ignored: {ignored:,}"] if ignored else []
    return PAGE.substitute(
        facts=escape("; ".join(facts)),
        levels="".join(_level(severity) for severity in Severity if counts[severity]),
        files="".join(_file(each) for each in checked if each.outcome.issues),
        rules="".join(_rules(issues)),
    )


def _level(severity: Severity) -> str:
    return f'<label><input type="checkbox" value="{severity}" checked> {severity}</label>\n'


def _file(each: Checked) -> str:
    """The findings in one file, equal ones as one."""
    groups = Groups(_MOST)
    groups.add(each.outcome.issues)
    items = "".join(_finding(group, _place(group.first)) for group in groups)
    items += "".join(_rest(group) for group in groups.rest())
    return (
        f"<details open><summary>{escape(each.file)} ({len(each.outcome.issues):,})</summary>"
        f"<ul>\n{items}</ul></details>\n"
    )


def _finding(group: Group, place: str) -> str:
    issue = group.first
    times = f' <b class="times">{group.count:,} times</b>' if group.count > 1 else ""
    others = f"; also {escape(', '.join(group.others))}" if group.others else ""
    more = ", …" if group.count > len(group.others) + 1 else ""
    advice = f'<div class="advice">{escape(issue.advice)}</div>' if issue.advice else ""
    where = f"<code>{escape(issue.expression)}</code> " if issue.expression else ""
    profile = f'<div class="advice">profile {escape(issue.profile)}</div>' if issue.profile else ""
    return (
        f'<li class="finding" data-level="{issue.severity}"><span class="{issue.severity}">'
        f'{issue.severity}</span> <a href="#{_anchor(issue.rule)}">{escape(issue.rule)}</a> '
        f'<span class="place">{escape(place)}{others}{more}</span>{times}<br>'
        f"{where}{escape(issue.text)}{advice}{profile}</li>\n"
    )


def _rest(group: Group) -> str:
    severity = group.first.severity
    return (
        f'<li class="finding" data-level="{severity}"><span class="{severity}">{severity}</span> '
        f"{escape(group.first.rule)}: {group.count:,} more in other words; "
        "<code>--output-format json</code> has them all</li>\n"
    )


def _rules(issues: list[Issue]) -> Iterator[str]:
    """A section a rule, the most severe and frequent first: its words, then its findings."""
    by_rule: dict[str, list[Issue]] = {}
    for issue in issues:
        by_rule.setdefault(issue.rule, []).append(issue)
    invariants = _invariants(set(by_rule) - set(catalogue()))
    order = sorted(by_rule.items(), key=lambda item: (_worst(item[1]), -len(item[1]), item[0]))
    for rule, found in order:
        groups = Groups(_MOST)
        groups.add(found)
        items = "".join(_finding(group, _full_place(group.first)) for group in groups)
        items += "".join(_rest(group) for group in groups.rest())
        files = len({issue.file for issue in found})
        yield (
            f'<details open class="rule" id="{_anchor(rule)}"><summary>{escape(rule)} '
            f"({len(found):,} in {files:,} files)</summary>\n"
            f"{_words(rule, invariants)}<ul>\n{items}</ul></details>\n"
        )


def _worst(issues: list[Issue]) -> int:
    return min(issue.severity.rank for issue in issues)


def _words(rule_id: str, invariants: dict[str, str]) -> str:
    """What `explain` says of a rule, with the place in the specification."""
    rule = catalogue().get(rule_id)
    if rule is None:
        return f"<p>{escape(invariants.get(rule_id, 'an invariant of a profile'))}</p>\n"
    is_link = rule.spec.startswith(("http://", "https://"))
    link = f' <a href="{escape(rule.spec)}">specification</a>' if is_link else ""
    advice = f" {escape(rule.advice)}." if rule.advice and "{" not in rule.advice else ""
    return f"<p>{escape(rule.title)}.{advice}{link}</p>\n"


def _invariants(keys: set[str]) -> dict[str, str]:
    """The words of R4's own invariants among some keys."""
    if not keys:
        return {}
    from fhirpkg.cli.explain import invariants_of
    from fhirpkg.definitions.definitions import Definitions

    known = invariants_of(Definitions.core())
    return {key: str(known[key][0]["human"]) for key in keys & known.keys()}


def _place(issue: Issue) -> str:
    return ":".join(str(part) for part in (issue.line, issue.column) if part)


def _full_place(issue: Issue) -> str:
    return ":".join(part for part in (issue.file, _place(issue)) if part)


def _anchor(rule: str) -> str:
    """A fragment of the page; keys of invariants in profiles may hold anything."""
    return "rule-" + "".join(c if c.isalnum() or c == "-" else f"_{ord(c):x}" for c in rule)
