"""Bindings: coded values against the value sets that elements are bound to.

Required is an error, extensible a warning, preferred information; what no loaded package decides
is said, not failed (http://hl7.org/fhir/R4/terminologies.html#strength).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology.coded import Code, codes_of
from fhirpkg.definitions.terminology.codesystems import is_display
from fhirpkg.definitions.terminology.grammars import UCUM, check
from fhirpkg.definitions.terminology.verdicts import Verdict
from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import text_of
from fhirpkg.validation.elements.binding_rules import (
    BINDING_CODE_SYSTEM,
    BINDING_EXTENSIBLE,
    BINDING_MAX,
    BINDING_PREFERRED,
    BINDING_REQUIRED,
    NOT_CHECKED_BINDING,
)
from fhirpkg.validation.elements.errata import EXTENSIBLE
from fhirpkg.validation.elements.forms import bad_primitive
from fhirpkg.validation.elements.primitives import PREDICATES, cut

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from fhirpkg.rules import Rule
    from fhirpkg.validation.compiling.schema import Binding
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

_MOST_KEPT = 10_000
_ERRORS = {BINDING_REQUIRED, BINDING_MAX}
_RULES = {
    "required": BINDING_REQUIRED,
    "extensible": BINDING_EXTENSIBLE,
    "preferred": BINDING_PREFERRED,
}
_PURPOSES = {
    "required": BINDING_REQUIRED,
    "maximum": BINDING_MAX,
    "extensible": BINDING_EXTENSIBLE,
    "preferred": BINDING_PREFERRED,
}
"""Of the other purposes (candidate, ui, starter, minimum) none is for instances to keep."""

QUANTITIES = {
    "Quantity", "Age", "Count", "Distance", "Duration", "MoneyQuantity", "SimpleQuantity",
}  # fmt: skip
_CONCEPTS = {"CodeableConcept", "CodeableReference"}
BINDABLE = {"CodeableConcept", "Coding", "code", "string", "uri", "id", "markdown", *QUANTITIES}
"""The types whose values can be bound."""

_UNITS = "http://hl7.org/fhir/ValueSet/ucum-vitals-common"
"""The units that the vital signs profile binds `component.value[x]` to, whatever its type: meant
for quantities (http://hl7.org/fhir/R4/observation-vitalsigns.html)."""

_WORK_GROUPS = "http://hl7.org/fhir/ValueSet/hl7-work-group"
"""HL7's work groups (structuredefinition-wg): they come and go, R4 lists those of 2019."""

_TYPES = "http://hl7.org/fhir/StructureDefinition/"
"""Where FHIR's own types are defined, which are called by their names."""


class Bound:
    """The binding of one element: call it with each value; answers are kept by code."""

    def __init__(
        self, binding: Binding, element: str, types: str | Mapping[str, str], profile: str
    ) -> None:
        self._binding = binding
        self._element = element
        self._types = types
        self._profile = profile
        self._known: dict[tuple[str, str | None, str], Verdict] = {}
        self._listed: dict[str, Collection[tuple[str, str]] | None] = {}

    def __call__(self, x: Json, t: Trail, run: Run) -> None:
        """Check one value."""
        type_name = self._type(t)
        if type_name == "CodeableReference" and isinstance(x, dict):
            type_name, x, t = "CodeableConcept", x.get("concept"), (t, "concept")
        if x is None or type_name not in BINDABLE:
            return
        if type_name not in QUANTITIES and self._binding.value_set.startswith(_UNITS):
            return
        if type_name == "code" and not PREDICATES["code"](x):
            return  # the check of the type reports it
        binding = self._binding
        rule = _RULES.get(binding.strength, BINDING_PREFERRED)
        if (
            rule is BINDING_REQUIRED
            and not run.settings.by_letter
            and _only_extends(binding.value_set)
        ):
            rule = BINDING_EXTENSIBLE
        if type_name in QUANTITIES and rule is not BINDING_PREFERRED:
            codes = list(codes_of(x))
            problem = _refused_unit(codes)
            if problem:
                words: dict[str, Json] = {"value_set": binding.value_set, "reason": problem}
                run.report(BINDING_REQUIRED, t, profile=self._profile, code=_shown(codes), **words)
                return
        if binding.value_set:
            self._check(binding.value_set, rule, x, t, run)
        if binding.max_value_set:
            self._check(binding.max_value_set, BINDING_MAX, x, t, run)
        for purpose, value_set in binding.additional:
            if purpose in _PURPOSES:
                self._check(value_set, _PURPOSES[purpose], x, t, run)

    def _type(self, t: Trail) -> str:
        """The type of the value at a place."""
        return self._types if isinstance(self._types, str) else self._types.get(t[1], "")

    def check_code(self, x: Json, t: Trail, run: Run) -> None:
        """Check the value of an element of type `code`, its form included."""
        if PREDICATES["code"](x):
            self(x, t, run)
        else:
            bad_primitive(x, "code", t, run)

    def _check(self, value_set: str, rule: Rule, x: Json, t: Trail, run: Run) -> None:
        codes = list(codes_of(x))
        if not codes:
            self._check_uncoded(value_set, rule, x, t, run)
            return
        verdicts = [self._verdict(value_set, code, run) for code in codes]
        if Verdict.YES in verdicts:
            if run.displays:
                _allow_displays(value_set, x, t, run)
            return
        if rule is BINDING_EXTENSIBLE and isinstance(x, str) and _is_own_type(x):
            return
        unknown = Verdict.UNKNOWN in verdicts
        system, code = codes[verdicts.index(Verdict.UNKNOWN) if unknown else 0]
        found: dict[str, Json] = {"code": _shown(codes), "value_set": value_set}
        if unknown or rule in _ERRORS:
            found["reason"] = run.terminology.membership(value_set, code, system).reason
        if unknown:
            rule = NOT_CHECKED_BINDING
            if run.definitions.find(value_set, "CodeSystem"):
                rule = BINDING_CODE_SYSTEM
        is_of_type = "." not in self._element and not self._profile  # R4's own example errs
        is_often_broken = is_of_type or value_set.startswith(_WORK_GROUPS)
        is_minor = is_often_broken and not run.settings.strict
        # HL7's validator asks for a Coding in a value set only if it has a system.
        is_loose = self._type(t) == "Coding" and not system
        severity = Severity.WARNING if rule in _ERRORS and (is_minor or is_loose) else None
        run.report(rule, t, severity=severity, profile=self._profile, **found)

    def _check_uncoded(self, value_set: str, rule: Rule, x: Json, t: Trail, run: Run) -> None:
        """A concept of text alone breaks a required binding, or an extensible one with a maximum.

        A preferred one, whatever its maximum, leaves it free whether to use a code at all.
        An extension may say why there is none, except for a concept, which could be left out. A
        quantity or a coding without code is only warned of: HL7's validator lets them pass.
        """
        if rule is BINDING_MAX and self._binding.strength == "preferred":
            return
        is_concept = self._type(t) in _CONCEPTS
        if isinstance(x, dict) and rule in _ERRORS and (is_concept or "extension" not in x):
            run.report(
                rule,
                t,
                severity=None if is_concept else Severity.WARNING,
                profile=self._profile,
                code="",
                value_set=value_set,
                reason="it has no code",
            )

    def _verdict(self, value_set: str, code: Code, run: Run) -> Verdict:
        """Whether a code is in a value set; what the set lists needs no asking."""
        key = (value_set, *code)
        verdict = self._known.get(key)
        if verdict is None:
            if len(self._known) > _MOST_KEPT:
                self._known.clear()
            verdict = self._known[key] = self._ask(value_set, code, run)
        return verdict

    def _ask(self, value_set: str, code: Code, run: Run) -> Verdict:
        if value_set not in self._listed:
            self._listed[value_set] = run.terminology.expansion(value_set)
        listed = self._listed[value_set]
        system, symbol = code
        if system is None:
            codes = run.terminology.codes(value_set)
            if codes is not None:
                return Verdict.YES if symbol in codes else Verdict.NO
        if listed is None or system is None:
            return run.terminology.membership(value_set, symbol, system).verdict
        if code in listed:
            return Verdict.YES
        # its system may ignore case
        return run.terminology.membership(value_set, symbol, system).verdict


def _allow_displays(value_set: str, x: Json, t: Trail, run: Run) -> None:
    """A display that a value set gives to a code is right where the value set is bound."""
    codings = [(x, t)]
    if isinstance(x, dict) and isinstance(x.get("coding"), list):
        codings = [(coding, (t, "coding", at)) for at, coding in enumerate(x["coding"])]
    for coding, place in codings:
        display = text_of(coding, "display")
        system, code = text_of(coding, "system"), text_of(coding, "code")
        if display and is_display(
            display, run.terminology.listed_displays(value_set, system, code)
        ):
            run.allow_display((place, "display"))


def _refused_unit(codes: list[Code]) -> str:
    """Why a text is not a unit of UCUM, as far as its form shows; a mistake whatever the binding.

    HL7's validator says so only with a terminology server.
    """
    answers = (check(UCUM, code) for system, code in codes if system == UCUM)
    return next((each.reason for each in answers if each.verdict is Verdict.NO), "")


def _only_extends(value_set: str) -> bool:
    """Whether a value set is one that HL7's own profiles cannot keep to."""
    return value_set.partition("|")[0] in EXTENSIBLE


def _is_own_type(x: str) -> bool:
    """Whether a type is named by its url, as a logical model is: FHIR's list cannot hold it."""
    return "://" in x and not x.startswith(_TYPES)


def _shown(codes: list[Code]) -> str:
    return ", ".join(cut(f"{system}#{code}" if system else code, 80) for system, code in codes[:3])
