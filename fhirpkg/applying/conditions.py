"""Whether an action applies: its applicability conditions, and the records they looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.applying.outcomes import Verdict
from fhirpkg.applying.rules import APPLY_CONDITION
from fhirpkg.errors import FhirpkgError
from fhirpkg.render import clinical

if TYPE_CHECKING:
    from fhirpkg.applying.expressions import Evaluator
    from fhirpkg.applying.outcomes import Messages
    from fhirpkg.issues import Resource

_MOST_EVIDENCE = 3


def judge(
    action: Resource, plan: Resource, evaluator: Evaluator, messages: Messages
) -> tuple[Verdict, str, str]:
    """The verdict on an action, its reason and the expression that decided.

    All applicability conditions must be true; the first that is not decides. What was not evaluated
    is reported. The records that they
    read are in the evaluator afterwards, for :func:`evidence_of`.
    """
    told = ""
    evaluator.seen = {}
    for condition in action.get("condition", ()):
        if condition.get("kind") != "applicability":
            continue
        if "expression" not in condition:
            if messages.dialect.explains:
                return _not_evaluated("a condition has no expression", "", messages)
            continue
        expression = condition["expression"]
        text = expression.get("expression") or expression.get("reference", "")
        told = expression.get("description") or text
        try:
            values = evaluator.evaluate(expression, plan, None, action.get("input", ()))
        except FhirpkgError as error:
            problem = f"Condition expression {text} encountered exception: {error}"
            messages.report(APPLY_CONDITION, problem)
            return Verdict.NOT_EVALUATED, str(error), text
        first = values[0] if values else None
        if first is None:
            return Verdict.NOT_APPLICABLE, f"only if: {told} (which has no value)", text
        if len(values) > 1 and messages.dialect.explains:
            problem = f"'{told}' gives {len(values)} values where one is needed"
            return _not_evaluated(problem, text, messages)
        if not isinstance(first, bool):
            problem = f"'{told}' gives {first!r}, which is neither true nor false"
            return _not_evaluated(problem, text, messages)
        if not first:
            return Verdict.NOT_APPLICABLE, f"only if: {told} (which is false)", text
    return Verdict.APPLICABLE, told, ""


def _not_evaluated(problem: str, expression: str, messages: Messages) -> tuple[Verdict, str, str]:
    if messages.dialect.explains:
        messages.report(APPLY_CONDITION, problem)
    return Verdict.NOT_EVALUATED, problem, expression


def evidence_of(evaluator: Evaluator) -> tuple[str, ...]:
    """What the conditions that were just judged found on record, the newest first."""
    if not evaluator.seen:
        return ()
    found = sorted(evaluator.seen.values(), key=clinical.moment, reverse=True)
    shown = list(dict.fromkeys(clinical.finding(resource) for resource in found))
    more = [f"and {len(shown) - _MOST_EVIDENCE} more"] if len(shown) > _MOST_EVIDENCE else []
    return (*shown[:_MOST_EVIDENCE], *more)
