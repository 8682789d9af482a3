"""What a rule is, and the issue that breaking it makes.

The rules themselves are in the `rules.py` of the room that reports them. Invariants of the
specification and of profiles keep HL7's own key (`ele-1`) and are described by their definitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from fhirpkg.issues import Issue, Severity


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule: `text` and `advice` are templates for what was found and what was allowed.

    `code` is a code of R4's issue-type. `is_strict` marks a rule that R4's own examples break: it
    becomes an error under strict checking.
    """

    id: str
    code: str
    severity: Severity
    title: str
    text: str
    advice: str = ""
    spec: str = ""
    is_strict: bool = False
    releases: tuple[str, ...] = ()
    """The releases of FHIR (`R4`) that have this rule; empty for all."""


error = partial(Rule, severity=Severity.ERROR)
warning = partial(Rule, severity=Severity.WARNING)
information = partial(Rule, severity=Severity.INFORMATION)


def issue(
    rule: Rule,
    /,
    *,
    severity: Severity | None = None,
    expression: str = "",
    profile: str = "",
    file: str = "",
    line: int = 0,
    column: int = 0,
    **found: Any,
) -> Issue:
    """The issue that breaking a rule makes; `found` fills the rule's templates."""
    return Issue(
        severity=severity or rule.severity,
        code=rule.code,
        rule=rule.id,
        text=rule.text.format(**found),
        expression=expression,
        file=file,
        line=line,
        column=column,
        profile=profile,
        advice=rule.advice.format(**found),
    )


def nearest(name: str, allowed: list[str]) -> str:
    """The allowed name most like the one found, as ``; did you mean 'x'?``, or nothing."""
    import difflib  # noqa: PLC0415 - only needed when something is wrong

    if len(allowed) > 50:  # comparing takes long; the first letter is seldom the wrong one
        allowed = [each for each in allowed if each[:1].lower() == name[:1].lower()]
    close = difflib.get_close_matches(name, allowed, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
