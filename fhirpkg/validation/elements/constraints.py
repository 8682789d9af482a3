"""Invariants: a constraint with its FHIRPath, compiled when it is first evaluated.

For the expressions that are on nearly every element there are conditions in plain Python, and
for the others the keys without which they are true; tests compare both with the evaluator.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.reading.ast import Binary, Call, Member
from fhirpkg.issues import Json, Resource, Severity
from fhirpkg.rules import Rule
from fhirpkg.validation.elements.errata import corrected
from fhirpkg.validation.elements.rules import (
    NOT_CHECKED_DEPENDENCY,
    NOT_CHECKED_INVARIANT,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fhirpkg.fhirpath.expression import Expression
    from fhirpkg.fhirpath.model import TypeModel
    from fhirpkg.fhirpath.reading.ast import Part
    from fhirpkg.validation.compiling.schema import Constraint
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

ELE_1 = "hasValue() or (children().count() > id.count())"
EXT_1 = "extension.exists() != value.exists()"
REF_1 = "reference.startsWith('#').not() or "
ELD_13 = "type.select(code).isDistinct()"
ELD_14 = "constraint.select(key).isDistinct()"
ELD_19 = r"path.matches('[^\\s\\.,:;"
ELD_20 = r"path.matches('[A-Za-z][A-Za-z0-9]*(\\.[a-z][A-Za-z0-9]*(\\[x"
_NO_PLAIN_PATH = (
    "type(v.get('path')) is not str or len(v['path']) > 64 or not v['path'].isascii()"
    " or not v['path'][:1].isalpha() or not v['path'].partition('.')[0].isalnum()"
    " or not all(s.isalnum() and s[0].islower() for s in v['path'].split('.')[1:])"
)
VIOLATED = {
    ELE_1: "len(v) == 1 and 'id' in v",
    EXT_1: "('extension' in v) is (len(v) > ('url' in v) + ('id' in v) + ('extension' in v))",
    REF_1: "'reference' in v and str(v['reference'])[:1] == '#'"
    " and not run.has_contained(v['reference'])",
    ELD_13: "'type' in v and (type(v['type']) is not list or len(v['type']) > 1)",
    ELD_14: "'constraint' in v and (type(v['constraint']) is not list"
    " or not all(type(c) is dict and type(c.get('key')) is str for c in v['constraint'])"
    " or len({c['key'] for c in v['constraint']}) < len(v['constraint']))",
    ELD_19: _NO_PLAIN_PATH,
    ELD_20: _NO_PLAIN_PATH,
}
"""How an expression begins, to a Python condition on `v` and `run` to evaluate it under."""

_DOM_3 = "contained.where((('#'+id in ("

_NARRATIVE = "htmlChecks()"
_WORD = re.compile(r"[A-Za-z_]\w*")
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'")
_ABSENT = {True: "empty", False: "exists"}
"""The function that gives an outcome where its element is absent."""
_SHORTCUT = {True: "or", False: "and"}
"""The operator that has an outcome as soon as its left side has it."""
_MOST_KEYS = 12
"""An invariant that looks at more elements than this hardly ever meets the same values again."""
_MOST_KEPT = 4096
_LONGEST = 400
"""Characters of a text that is worth being kept: those of attachments hardly ever stand again."""
_KEPT_TYPES = frozenset((str, int, bool, type(None)))
_LOOKS_AROUND = re.compile(
    r"%(?!ucum|sct|loinc)|\$this|\$index|\btype\s*\(|\bthis\b"
    r"|\b(?:children|descendants|hasValue|extension|resolve|repeat|now|today)\b"
)
_OUTSIDE = re.compile(
    r"[%`]|\b(?:resolve|memberOf|conformsTo|htmlChecks|trace|now|today|timeOfDay)\b"
)
"""What asks for more than the value that an expression is evaluated on, or for the time."""


def invariant_rule(key: str, severity: Severity, human: str) -> Rule:
    """The rule of an invariant, named by its key (R4 ElementDefinition.constraint)."""
    return Rule(key, "invariant", severity, title=human, text="{human}")


class Invariant:
    """A constraint ready to evaluate; `focus` is a type, or JSON keys to types for a choice."""

    __slots__ = (
        "_expressions",
        "_focus",
        "_formula",
        "_held",
        "_keys",
        "_looks_out",
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
        self._looks_out = _looks_out(formula)
        self._keys: tuple[str, ...] = ()
        self._held: set[tuple[Json, ...]] = set()

    def looks_at(self, keys: Iterable[str]) -> None:
        """Say that it depends on these keys of an object alone: what held once holds again."""
        known = tuple(sorted(keys))
        self._keys = known if len(known) <= _MOST_KEYS else ()

    def __call__(self, x: Json, s: Json, t: Trail, run: Run) -> None:
        """Evaluate the invariant on one value."""
        constraint = self.constraint
        seen = self._seen(x) if self._keys and type(x) is dict else None
        if seen in self._held:
            return
        try:
            expression = self.expression(t)
            environment = run.environment if self._looks_out else None
            if expression.is_true(x, environment, s) or _is_there(
                expression.evaluate(x, environment, s)
            ):
                if seen and not any(type(v) is str and len(v) > _LONGEST for v in seen):
                    if len(self._held) >= _MOST_KEPT:
                        self._held.clear()
                    self._held.add(seen)
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

    def _seen(self, value: Resource) -> tuple[Json, ...] | None:
        """The values it depends on, with their types; None unless each is a text or a flag."""
        values = tuple(map(value.get, self._keys))
        types = tuple(map(type, values))
        return (*values, *types) if _KEPT_TYPES.issuperset(types) else None

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
    words = _words(expression)
    if words is None:
        return None
    return frozenset(key for key, name in names.items() if name in words)


@functools.lru_cache(maxsize=1000)
def _looks_out(expression: str) -> bool:
    """Whether an expression may depend on more than the value that it is evaluated on."""
    return _OUTSIDE.search(expression) is not None


@functools.lru_cache(maxsize=1000)  # many types have the same few
def _words(expression: str) -> frozenset[str] | None:
    """The words of an expression outside its texts; None where it looks around."""
    bare = _TEXT.sub("''", expression)
    return None if _LOOKS_AROUND.search(bare) else frozenset(_WORD.findall(bare))


@functools.lru_cache(maxsize=1000)
def elements_needed(expression: str) -> frozenset[str]:
    """Elements of an object without any one of which an expression on it is true.

    Only those that decide before anything else is looked at: `a.empty() or …`, `a.exists() implies
    …`. Nothing for what is not FHIRPath.

    >>> sorted(elements_needed("(a.exists() and b) implies c.exists()"))
    ['a']
    """
    from fhirpkg.fhirpath.reading.parser import parse  # noqa: PLC0415 - definitions are read without

    try:
        return _deciding(parse(expression), outcome=True)
    except FhirPathError:
        return frozenset()


def _deciding(part: Part, *, outcome: bool) -> frozenset[str]:
    """The elements of which each alone, when it is absent, gives a part this outcome at once."""
    if isinstance(part, Call):
        name = _first_member(part.source) if part.name == _ABSENT[outcome] else ""
        return frozenset((name,) if name and not part.arguments else ())
    if not isinstance(part, Binary):
        return frozenset()
    if part.operator == "implies" and outcome:
        return _deciding(part.left, outcome=False)
    if part.operator != _SHORTCUT[outcome]:
        return frozenset()
    right = _deciding(part.right, outcome=outcome) if _cannot_fail(part.left) else frozenset()
    return _deciding(part.left, outcome=outcome) | right


def _cannot_fail(part: Part) -> bool:
    """Whether a part only asks whether elements are there, which is always true or false."""
    if isinstance(part, Binary):
        return part.operator in {"and", "or"} and all(map(_cannot_fail, (part.left, part.right)))
    is_asked = isinstance(part, Call) and part.name in {"empty", "exists"} and not part.arguments
    return is_asked and bool(_first_member(getattr(part, "source", None)))


def _first_member(part: Part | None) -> str:
    """The first name of a path that is nothing but names."""
    while isinstance(part, Member) and part.source is not None:
        part = part.source
    return part.name if isinstance(part, Member) else ""
