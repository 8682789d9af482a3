"""Invariants: a constraint with its FHIRPath, compiled when it is first evaluated.

For the expressions that stand on nearly every element there are conditions in plain Python, and
for the others the keys without which they are true; tests compare both with the evaluator.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError
from fhirpkg.issues import Json, Severity
from fhirpkg.rules import Rule
from fhirpkg.validation.elements.errata import corrected
from fhirpkg.validation.elements.rules import (
    NOT_CHECKED_DEPENDENCY,
    NOT_CHECKED_INVARIANT,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.fhirpath.expression import Expression
    from fhirpkg.fhirpath.model import TypeModel
    from fhirpkg.validation.compiling.schema import Constraint
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

ELE_1 = "hasValue() or (children().count() > id.count())"
EXT_1 = "extension.exists() != value.exists()"
REF_1 = "reference.startsWith('#').not() or "
VIOLATED = {
    ELE_1: "len(v) == 1 and 'id' in v",
    EXT_1: "('extension' in v) is (len(v) > ('url' in v) + ('id' in v) + ('extension' in v))",
    REF_1: "'reference' in v and str(v['reference'])[:1] == '#'",
}
"""How an expression begins, to a Python condition on `v` under which it is to be evaluated."""

_DOM_3 = "contained.where((('#'+id in ("

_NARRATIVE = "htmlChecks()"
_WORD = re.compile(r"[A-Za-z_]\w*")
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'")
_LOOKS_AROUND = re.compile(
    r"%(?!ucum|sct|loinc)|\$this|\$index|\btype\s*\(|\bthis\b"
    r"|\b(?:children|descendants|hasValue|extension|resolve|repeat|now|today)\b"
)


def invariant_rule(key: str, severity: Severity, human: str) -> Rule:
    """The rule of an invariant, named by its key (R4 ElementDefinition.constraint)."""
    return Rule(key, "invariant", severity, title=human, text="{human}")


class Invariant:
    """A constraint ready to evaluate; `focus` is a type, or JSON keys to types for a choice."""

    __slots__ = (
        "_expressions",
        "_focus",
        "_formula",
        "_model",
        "_rule",
        "constraint",
        "profile",
        "severity",
    )

    def __init__(
        self,
        constraint: Constraint,
        severity: Severity,
        profile: str,
        focus: str | Mapping[str, str],
        model: TypeModel,
        formula: str,
    ) -> None:
        self.constraint = constraint
        self._rule = invariant_rule(constraint.key, severity, constraint.human)
        self.severity = severity
        self.profile = profile
        self._focus = focus
        self._model = model
        self._formula = formula
        self._expressions: dict[str, Expression] = {}

    def __call__(self, x: Json, s: Json, t: Trail, run: Run) -> None:
        """Evaluate the invariant on one value."""
        constraint = self.constraint
        try:
            expression = self.expression(t)
            if expression.is_true(x, run.environment, s) or _is_there(
                expression.evaluate(x, run.environment, s)
            ):
                return
        except FhirPathError as error:
            run.report(
                NOT_CHECKED_DEPENDENCY if error.needs_missing_definition else NOT_CHECKED_INVARIANT,
                t,
                profile=self.profile,
                key=constraint.key,
                problem=error.problem,
            )
            return
        run.report(
            self._rule,
            t,
            severity=self.severity,
            profile=self.profile,
            human=constraint.human,
        )

    def expression(self, trail: Trail) -> Expression:
        """The compiled expression for the type of the value at a place."""
        focus = self._focus
        if not isinstance(focus, str):
            focus = focus.get(trail[1], "") if trail else ""
        if focus not in self._expressions:
            from fhirpkg.fhirpath.expression import compile_expression  # noqa: PLC0415 - on first use

            self._expressions[focus] = compile_expression(self._formula, self._model, focus or None)
        return self._expressions[focus]


def _is_there(result: list[Json]) -> bool:
    """Whether a result is one value other than a boolean, which counts as true where one is asked.

    http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
    """
    return len(result) == 1 and not isinstance(result[0], bool)


def invariant(
    constraint: Constraint,
    profile: str,
    focus: str | Mapping[str, str],
    model: TypeModel,
    best_practice: Severity | None,
    *,
    by_letter: bool = False,
) -> Invariant | None:
    """The invariant of a constraint; None when it is not to be evaluated.

    `by_letter` leaves out the corrections that HL7 published later (errata.py).

    Best practice is left out unless asked for; the rules of narrative and dom-3 are families of
    their own (narrative.py, contained.py).
    """
    expression = constraint.expression
    if not expression or expression == _NARRATIVE or expression.startswith(_DOM_3):
        return None
    if constraint.suppressed:
        return None
    severity = Severity.WARNING if constraint.severity == "warning" else Severity.ERROR
    if constraint.best_practice:
        if best_practice is None:
            return None
        severity = best_practice
    formula = corrected(expression, by_letter=by_letter)
    return Invariant(constraint, severity, profile, focus, model, formula)


def inlined(expression: str) -> str:
    """The condition in Python under which an expression is to be evaluated, or nothing."""
    return next((rule for start, rule in VIOLATED.items() if expression.startswith(start)), "")


def keys_looked_at(expression: str, names: Mapping[str, str]) -> frozenset[str] | None:
    """The JSON keys of an object that an expression on it depends on; None when it may be others.

    `names` gives the element of each key. A name anywhere in the expression counts.
    """
    bare = _TEXT.sub("''", expression)
    if _LOOKS_AROUND.search(bare):
        return None
    words = set(_WORD.findall(bare))
    return frozenset(key for key, name in names.items() if name in words)
