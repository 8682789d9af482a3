"""Limits that an item sets for its answers: whether they apply to it and leave room between them.

The extensions of http://hl7.org/fhir/R4/questionnaire-profiles.html#extensions and of structured
data capture; what answers make of them is in questionnaire_answers.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.fhirpath.patterns import fits
from fhirpkg.validation.elements.limits import compare
from fhirpkg.validation.questionnaires.rules import (
    QUESTIONNAIRE_LIMIT,
)
from fhirpkg.validation.questionnaires.values import describe, extension_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json, Path, Resource
    from fhirpkg.validation.run import Run

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
_TEXTS = ("string", "text", "url", "open-choice")
_ORDERED = ("integer", "decimal", "date", "dateTime", "time", "quantity")
_APPLIES: dict[str, tuple[str, ...]] = {
    f"{_CORE}minValue": _ORDERED,
    f"{_CORE}maxValue": _ORDERED,
    f"{_CORE}minLength": _TEXTS,
    f"{_CORE}maxDecimalPlaces": ("decimal", "quantity", "integer"),
    f"{_CORE}mimeType": ("attachment",),
    f"{_CORE}maxSize": ("attachment",),
    f"{_SDC}minQuantity": ("quantity",),
    f"{_SDC}maxQuantity": ("quantity",),
}
"""The types of item for which a limit means something."""

_PAIRS = (
    (f"{_CORE}minValue", f"{_CORE}maxValue"),
    (f"{_SDC}minQuantity", f"{_SDC}maxQuantity"),
    (f"{_CORE}questionnaire-minOccurs", f"{_CORE}questionnaire-maxOccurs"),
)


def check_limits(item: Resource, path: Path, run: Run) -> None:
    """Report limits of an item of a Questionnaire that no answer can keep or that do not apply."""
    if "extension" not in item:
        return
    for problem in (*_misplaced(item), *_crossed(item), *_malformed(item)):
        run.report(QUESTIONNAIRE_LIMIT, path, link=item.get("linkId"), problem=problem)


def _misplaced(item: Resource) -> Iterator[str]:
    kind = str(item.get("type"))
    for url, kinds in _APPLIES.items():
        if kind not in kinds and extension_values(item, url):
            yield f"{url.rpartition('/')[2]} limits no answer of type {kind}"


def _crossed(item: Resource) -> Iterator[str]:
    pairs = [(_first(item, least), _first(item, most)) for least, most in _PAIRS]
    pairs.append((_first(item, f"{_CORE}minLength"), item.get("maxLength")))
    for least, most in pairs:
        if compare(least, most) == 1:
            yield f"the least, {describe(least)}, is above the most, {describe(most)}"


def _first(item: Resource, url: str) -> Json:
    return next(iter(extension_values(item, url)), None)


def _malformed(item: Resource) -> Iterator[str]:
    for pattern in extension_values(item, f"{_CORE}regex"):
        if isinstance(pattern, str) and fits("", pattern) is None:
            yield f"'{pattern[:60]}' is not a regular expression that can be evaluated"
