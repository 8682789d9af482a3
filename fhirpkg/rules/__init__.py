"""The catalogue of rules: what each rule id means, how bad it is, what to do, where it is written.

One table a family, in the modules beside this one. Invariants of the specification and of
profiles keep HL7's own key (`ele-1`) and are described by their definitions, not here.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any

from fhirpkg.issues import Issue, Severity

ERROR, WARNING, INFORMATION = Severity.ERROR, Severity.WARNING, Severity.INFORMATION


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `text` is a template that is filled with what was found and what was allowed.

    `is_strict` is for a rule that R4's own examples do not keep: an error under strict checking.
    """

    id: str
    severity: Severity
    code: str
    title: str
    text: str
    advice: str = ""
    spec: str = ""
    is_strict: bool = False


@functools.cache
def catalogue() -> dict[str, Rule]:
    """Every rule by its id, family by family."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    rules: dict[str, Rule] = {}
    for name in names:
        for rule in importlib.import_module(f"{__name__}.{name}").RULES:
            assert rule.id not in rules, f"rule {rule.id} is defined twice"
            rules[rule.id] = rule
    return rules


@functools.cache
def strict() -> frozenset[str]:
    """The rules that are errors under strict checking."""
    return frozenset(rule.id for rule in catalogue().values() if rule.is_strict)


def issue(
    rule_id: str,
    *,
    severity: Severity | None = None,
    expression: str = "",
    profile: str = "",
    file: str = "",
    line: int = 0,
    column: int = 0,
    **found: Any,
) -> Issue:
    """An issue by a rule, its words made from the rule's template and what was found."""
    rule = catalogue()[rule_id]
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
