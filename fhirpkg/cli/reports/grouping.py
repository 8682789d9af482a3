"""Equal findings as one: what a person reads of many, with a count and the first places."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fhirpkg.issues import Issue

_PLACES = 3
_MOST_OF_A_RULE = {
    Severity.FATAL: 100,
    Severity.ERROR: 50,
    Severity.WARNING: 15,
    Severity.INFORMATION: 5,
}
"""Differently worded findings of one rule that are shown; the rest is counted."""

Key = tuple[Severity, str, str]
"""Severity, rule and words."""


@dataclass(slots=True)
class Group:
    """Findings of one rule in the same words: the first, how many, and where the next ones are."""

    first: Issue
    count: int = 0
    files: set[str] = field(default_factory=set)
    others: list[str] = field(default_factory=list)
    """The places that follow the first, as `file:line:column`."""

    def add(self, issue: Issue) -> None:
        """Count one more finding."""
        if 0 < self.count < _PLACES:
            self.others.append(place_of(issue))
        self.count += 1
        self.files.add(issue.file)

    def take(self, other: Group) -> None:
        """Count the findings of another group with these."""
        self.count += other.count
        self.files |= other.files

    def copy(self) -> Group:
        """The same group, to which others can be added."""
        return Group(self.first, self.count, set(self.files), list(self.others))


class Groups:
    """Groups of findings in the order of their first places; memory is bounded by the rules."""

    def __init__(self, most: Mapping[Severity, int] = _MOST_OF_A_RULE) -> None:
        self._most = most
        self._groups: dict[Key, Group] = {}
        self._of_rule: Counter[tuple[Severity, str]] = Counter()
        self._rest: dict[tuple[Severity, str], Group] = {}

    def add(self, issues: Iterable[Issue]) -> None:
        """Put each finding into its group."""
        for issue in issues:
            self._group(issue).add(issue)

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def rest(self) -> Iterator[Group]:
        """The findings of rules that were broken in too many ways, a group a rule."""
        return iter(self._rest.values())

    def within(self, lines: int) -> tuple[list[Group], list[Group]]:
        """The groups and the rest in about so many lines, each rule with one at least.

        Of the rules with the most groups so many are counted with the rest that all fit.
        """
        sizes = Counter(key[:2] for key in self._groups)
        most = max(sizes.values(), default=1)
        while most > 1 and self._lines(sizes, most) > lines:
            most -= 1
        shown: list[Group] = []
        rest = {rule: group.copy() for rule, group in self._rest.items()}
        seen: Counter[tuple[Severity, str]] = Counter()
        for (severity, rule, _), group in self._groups.items():
            seen[severity, rule] += 1
            if seen[severity, rule] <= most:
                shown.append(group)
            else:
                rest.setdefault((severity, rule), Group(group.first)).take(group)
        return shown, list(rest.values())

    def _lines(self, sizes: Counter[tuple[Severity, str]], most: int) -> int:
        return sum(
            min(size, most) + (size > most or rule in self._rest) for rule, size in sizes.items()
        )

    def _group(self, issue: Issue) -> Group:
        key = (issue.severity, issue.rule, issue.text)
        group = self._groups.get(key)
        if group is None:
            rule = key[:2]
            if self._of_rule[rule] >= self._most[issue.severity]:
                return self._rest.setdefault(rule, Group(issue))
            self._of_rule[rule] += 1
            group = self._groups[key] = Group(issue)
        return group


def place_of(issue: Issue) -> str:
    """`file:line:column`, as far as known."""
    return ":".join(str(part) for part in (issue.file, issue.line, issue.column) if part) or "-"


def without_repeats(issues: Iterable[Issue]) -> list[Issue]:
    """The findings in one input without those that a worse one at the same place says too.

    A profile's required binding and the extensible one of its base refuse the same code; several
    profiles inherit the same invariant. The fault is one, and the worst finding names it, or of
    equally severe ones the first.
    """
    found: dict[tuple[str, ...], Issue] = {}
    worst: dict[tuple[str, ...], Issue] = {}
    for issue in issues:
        place = (issue.file, f"{issue.line}:{issue.column}", issue.expression, _kind(issue.rule))
        if issue.severity.rank < worst.setdefault(place, issue).severity.rank:
            worst[place] = issue
        found.setdefault((*place, issue.severity, issue.rule, issue.text), issue)
    return [issue for key, issue in found.items() if _is_like(issue, worst[key[:4]])]


def _is_like(issue: Issue, worst: Issue) -> bool:
    return (issue.severity, issue.rule) == (worst.severity, worst.rule)


def _kind(rule: str) -> str:
    """What findings of a rule are about, where several rules are about one thing."""
    if rule.startswith("binding-"):
        return "binding"
    return _SAME.get(rule, rule)


_SAME = {"not-checked-profile": "not-checked-extension"}
"""A profile that demands an extension whose definition is not loaded."""
