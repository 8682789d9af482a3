"""One answer of a QuestionnaireResponse against the question it answers: type, options, limits."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg.definitions.terminology.verdicts import Verdict
from fhirpkg.fhirpath.patterns import fits
from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import objects, text_of
from fhirpkg.validation.elements.limits import compare
from fhirpkg.validation.questionnaires.enabling import value_of
from fhirpkg.validation.questionnaires.rules import (
    NOT_CHECKED_ANSWER,
    RESPONSE_ANSWER_TYPE,
    RESPONSE_EXCLUSIVE,
    RESPONSE_LIMIT,
    RESPONSE_OPTION,
    RESPONSE_REFERENCE,
    RESPONSE_UNIT,
)
from fhirpkg.validation.questionnaires.values import (
    describe,
    extension_values,
    is_chosen,
    is_exclusive,
    is_kind,
    is_mime_type,
    is_unit,
    nearest_of,
    size_of,
    system_of,
)
from fhirpkg.validation.run import contained

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Path, Resource
    from fhirpkg.rules import Rule
    from fhirpkg.validation.run import Run

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
_CHOICES = ("Coding", "String", "Integer", "Date", "Time")
ANSWER_TYPES: dict[str, tuple[str, ...]] = {
    "boolean": ("Boolean",),
    "decimal": ("Decimal",),
    "integer": ("Integer",),
    "date": ("Date",),
    "dateTime": ("DateTime",),
    "time": ("Time",),
    "string": ("String",),
    "text": ("String",),
    "url": ("Uri",),
    "choice": _CHOICES,
    "open-choice": _CHOICES,
    "coding": ("Coding",),
    "attachment": ("Attachment",),
    "reference": ("Reference",),
    "quantity": ("Quantity",),
}
"""The types of value that answer a question, by its type (`coding` is R5's, for both choices)."""

_REFERENCE = re.compile(r"(?:.*/)?(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/.*)?")


class Question:
    """A question and what is needed to check its answers; reports at the places given."""

    def __init__(self, definition: Resource, questionnaire: Resource, run: Run) -> None:
        self.definition = definition
        self.link = str(definition.get("linkId"))
        self._questionnaire = questionnaire
        self._run = run

    def check(self, answer: Resource, path: Path, count: int) -> None:
        """Check one of `count` answers; one without a value is allowed."""
        key, value = value_of(answer)
        if value is None:
            return
        place = (*path, key)
        type_name, kind = str(self.definition.get("type")), key.removeprefix("value")
        wanted = ANSWER_TYPES.get(type_name)
        if wanted is _CHOICES:
            wanted = self._choices
        if wanted is None:
            return
        if kind not in wanted and not (kind == "String" and self._is_open):
            self._report(RESPONSE_ANSWER_TYPE, place, wanted=" or ".join(wanted), found=kind)
            return
        self._check_options(value, kind, place, count)
        self._check_value_set(value, kind, place)
        limits = _LIMITS.get(kind)
        if limits:
            limits(self, value, place)

    @property
    def _choices(self) -> tuple[str, ...]:
        """The types that answer a choice: a reference only where one is an option."""
        keys = (value_of(option)[0] for option in objects(self.definition, "answerOption"))
        return (*_CHOICES, "Reference") if "valueReference" in keys else _CHOICES

    def _report(
        self, rule: Rule, place: Path, severity: Severity | None = None, **found: Any
    ) -> None:
        self._run.report(rule, place, severity=severity, link=self.link, **found)

    def _limit(self, place: Path, value: Json, problem: str, limit: Json) -> None:
        found, shown = describe(value), describe(limit)
        self._run.report(RESPONSE_LIMIT, place, found=found, problem=problem, limit=shown)

    def _unchecked(self, value: Json, allowed: Json, reason: str, place: Path) -> None:
        found = describe(value)
        self._run.report(NOT_CHECKED_ANSWER, place, found=found, value_set=allowed, reason=reason)

    def _extensions(self, url: str) -> list[Json]:
        return extension_values(self.definition, url)

    def _check_options(self, value: Json, kind: str, place: Path, count: int) -> None:
        options = objects(self.definition, "answerOption")
        if not options or self._is_free or (self._is_open and kind == "String"):
            return
        chosen = [o for o in options if is_chosen(value_of(o), value, kind)]
        if not chosen:
            same_kind = [v for k, v in map(value_of, options) if is_kind(k, kind)]
            hint = f", none of which is a {kind}" if not same_kind else nearest_of(value, same_kind)
            self._report(RESPONSE_OPTION, place, found=describe(value), hint=hint)
        elif count > 1 and any(is_exclusive(option) for option in chosen):
            self._report(RESPONSE_EXCLUSIVE, place, found=describe(value))

    @property
    def _is_open(self) -> bool:
        """Whether a text may be answered instead of an option."""
        is_open = self.definition.get("type") == "open-choice"
        return is_open or self._constraint == "optionsOrString"

    @property
    def _is_free(self) -> bool:
        """Whether options only suggest answers: R5's `optionsOrType`."""
        return self._constraint == "optionsOrType"

    @property
    def _constraint(self) -> object:
        return self.definition.get("answerConstraint")

    def _check_value_set(self, value: Json, kind: str, place: Path) -> None:
        """A text may be a code as well, but only the type string promises so."""
        canonical = self.definition.get("answerValueSet")
        if not isinstance(canonical, str) or self._is_free or kind not in {"Coding", "String"}:
            return
        if kind == "Coding":
            self._check_member(canonical, value, place, RESPONSE_OPTION)
        elif not self._is_open:
            severity = None if self.definition.get("type") == "string" else Severity.WARNING
            self._check_member(canonical, value, place, RESPONSE_OPTION, severity)

    def _check_member(
        self,
        canonical: str,
        value: Json,
        place: Path,
        rule: Rule,
        severity: Severity | None = None,
    ) -> None:
        """Report that a coded value or a text is not in a value set, or that this is unknown."""
        problem, unknown = self._membership(canonical, value)
        found = describe(value)
        if unknown:
            self._unchecked(value, canonical, unknown, place)
        elif problem is not None and rule == RESPONSE_OPTION:
            hint = f" ({canonical}){problem}"
            self._report(rule, place, severity=severity, found=found, hint=hint)
        elif problem is not None:
            self._run.report(rule, place, found=found, allowed=canonical + problem)

    def _membership(self, canonical: str, value: Json) -> tuple[str | None, str]:
        """What keeps a value from being in a value set, None if nothing does; what is unknown.

        A value set may be contained in the Questionnaire.
        """
        value_set: str | Resource | None = canonical
        if canonical.startswith("#"):
            value_set = contained(self._questionnaire, canonical[1:])
        if value_set is None:
            return None, "it is not contained in the Questionnaire"
        coding = value if isinstance(value, dict) else {"code": value}
        code, system = text_of(coding, "code"), text_of(coding, "system")
        if code and (system or isinstance(value, str) or self._lists(value_set, code)):
            found = self._run.terminology.membership(value_set, code, system or None)
            unknown = found.reason if found.verdict is Verdict.UNKNOWN else ""
            return "" if found.verdict is Verdict.NO else None, unknown
        if isinstance(value_set, str) and not self._run.definitions.find(value_set, "ValueSet"):
            return None, "it is not loaded"
        return f": it has no {'system' if code else 'code'}", ""

    def _lists(self, value_set: str | Resource, code: str) -> bool:
        """Whether a value set names a code itself, so that it is clear without its system."""
        known = value_set
        if isinstance(value_set, str):
            known = self._run.definitions.find(value_set, "ValueSet") or {}
        includes = objects(known.get("compose"), "include") if isinstance(known, dict) else ()
        return any(c.get("code") == code for each in includes for c in objects(each, "concept"))

    def _check_range(self, value: Json, place: Path) -> None:
        for url, wrong, problem in (
            (f"{_CORE}minValue", -1, "is less than"),
            (f"{_CORE}maxValue", 1, "is greater than"),
        ):
            for limit in self._extensions(url):
                if compare(value, limit) == wrong:
                    self._limit(place, value, problem, limit)

    def _check_text(self, value: Json, place: Path) -> None:
        if not isinstance(value, str):
            return
        longest = self.definition.get("maxLength")
        if isinstance(longest, int) and len(value) > longest:
            self._limit(place, value, "is longer than", longest)
        for shortest in self._extensions(f"{_CORE}minLength"):
            if isinstance(shortest, int) and len(value) < shortest:
                self._limit(place, value, "is shorter than", shortest)
        for pattern in self._extensions(f"{_CORE}regex"):
            formats = self._extensions(f"{_CORE}entryFormat") or [pattern]
            is_met = fits(value, pattern) if isinstance(pattern, str) else None
            if is_met is False:
                self._limit(place, value, "does not have the form", formats[0])
            elif is_met is None:
                self._unchecked(value, pattern, "it cannot be evaluated", place)

    def _check_number(self, value: Json, place: Path) -> None:
        self._check_range(value, place)
        self._check_digits(value, value, place)

    def _check_digits(self, number: Json, value: Json, place: Path) -> None:
        if not isinstance(number, Decimal):
            return
        exponent = number.as_tuple().exponent  # zeros count as well: they claim to be known
        for most in self._extensions(f"{_CORE}maxDecimalPlaces"):
            if isinstance(most, int) and isinstance(exponent, int) and -exponent > most:
                self._limit(place, value, "has more digits after the point than", most)

    def _check_quantity(self, value: Json, place: Path) -> None:
        if not isinstance(value, dict):
            return
        self._check_range(value, place)
        self._check_digits(value.get("value"), value, place)
        for url, wrong, problem in (
            (f"{_SDC}minQuantity", -1, "is less than"),
            (f"{_SDC}maxQuantity", 1, "is greater than"),
        ):
            for limit in self._extensions(url):
                self._check_quantity_limit(value, limit, wrong, problem, place)
        self._check_unit(value, place)

    def _check_quantity_limit(
        self, value: Resource, limit: Json, wrong: int, problem: str, place: Path
    ) -> None:
        """A limit without coded unit cannot be kept: nobody knows what it is compared with."""
        order = compare(value, limit)
        systems = {system_of(value), system_of(limit)}
        if None in systems:
            self._limit(place, value, "cannot be compared, without units in code, with", limit)
        elif order is None or len(systems) > 1:
            self._limit(place, value, "cannot be compared with", limit)
        elif order == wrong:
            self._limit(place, value, problem, limit)

    def _check_unit(self, value: Resource, place: Path) -> None:
        options = [o for o in self._extensions(f"{_CORE}questionnaire-unitOption") if o]
        if options and not any(is_unit(value, option) for option in options):
            allowed = ", ".join(describe(option) for option in options)
            self._run.report(RESPONSE_UNIT, place, found=describe(value), allowed=allowed)
        for canonical in self._extensions(f"{_CORE}questionnaire-unitValueSet"):
            if isinstance(canonical, str):
                self._check_member(canonical, value, place, RESPONSE_UNIT)

    def _check_attachment(self, value: Json, place: Path) -> None:
        if not isinstance(value, dict):
            return
        types = self._extensions(f"{_CORE}mimeType")
        found = str(value.get("contentType", ""))
        if types and not any(is_mime_type(found, str(wanted)) for wanted in types):
            shown = found or "an attachment without type"
            self._limit(place, shown, "is not of the type", " or ".join(map(str, types)))
        size = size_of(value)
        for most in self._extensions(f"{_CORE}maxSize"):
            if size is not None and compare(size, most) == 1:
                self._limit(place, f"{size} bytes", "are more than", most)

    def _check_reference(self, value: Json, place: Path) -> None:
        type_name = type_of(value, place, self._run)
        if not type_name:
            return
        allowed = self._extensions(f"{_CORE}questionnaire-referenceResource")
        problem = ""
        if not self._run.definitions.types.is_resource(type_name):
            problem = "not a resource type"
        elif allowed and type_name not in allowed:
            problem = f"none of {', '.join(map(str, allowed))}"
        if problem:
            shown = describe(text_of(value, "reference") or value)
            self._run.report(
                RESPONSE_REFERENCE, place, found=shown, type=type_name, problem=problem
            )


_LIMITS: dict[str, Callable[[Question, Json, Path], None]] = {
    "Decimal": Question._check_number,  # noqa: SLF001 - a table of its own methods
    "Integer": Question._check_number,  # noqa: SLF001
    "Date": Question._check_range,  # noqa: SLF001
    "DateTime": Question._check_range,  # noqa: SLF001
    "Time": Question._check_range,  # noqa: SLF001
    "String": Question._check_text,  # noqa: SLF001
    "Uri": Question._check_text,  # noqa: SLF001
    "Quantity": Question._check_quantity,  # noqa: SLF001
    "Attachment": Question._check_attachment,  # noqa: SLF001
    "Reference": Question._check_reference,  # noqa: SLF001
}
"""What is checked of a value besides options, by its type."""


def type_of(reference: Json, path: Path, run: Run) -> str:
    """The type of what a Reference leads to: as it says, else as is found; empty if neither."""
    text = text_of(reference, "reference")
    match = _REFERENCE.fullmatch(text)
    stated = text_of(reference, "type") or (match["type"] if match else "")
    return stated or text_of(run.resolve(text, path) if text else None, "resourceType")
