"""Questionnaires derived from others: what an item may change when the two are to fit.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.derivedFrom and the extension
http://hl7.org/fhir/StructureDefinition/questionnaire-derivationType, which says how it is derived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.untrusted import choice_of, numbered, objects, text_of
from fhirpkg.validation.elements.limits import equal
from fhirpkg.validation.questionnaires.rules import (
    NOT_CHECKED_DERIVATION,
    QUESTIONNAIRE_DERIVED,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json, Path, Resource
    from fhirpkg.validation.run import Run

_TYPE = "http://hl7.org/fhir/StructureDefinition/questionnaire-derivationType"
_SYSTEM = "http://hl7.org/fhir/questionnaire-derivationType"
_EXTENDS, _COMPLIES, _INSPIRED = "extends", "compliesWith", "inspiredBy"


def check_derivation(questionnaire: Resource, path: Path, run: Run) -> None:
    """Report items that do not fit those of the Questionnaires that this one derives from."""
    bases = questionnaire.get("derivedFrom")
    siblings = questionnaire.get("_derivedFrom")
    siblings = siblings if isinstance(siblings, list) else []
    for number, canonical in enumerate(bases if isinstance(bases, list) else ()):
        if not isinstance(canonical, str):
            continue
        place = (*path, "derivedFrom", number)
        mode = _mode(siblings[number] if number < len(siblings) else None)
        if mode == _INSPIRED:
            continue
        base = run.definitions.find(canonical, "Questionnaire")
        problem = "it is not loaded" if base is None else "the kind of derivation is not stated"
        if base is None or not mode:
            run.report(NOT_CHECKED_DERIVATION, place, base=canonical, problem=problem)
            continue
        _check_items(questionnaire, base, path, run, may_add=mode == _EXTENDS)


def _mode(sibling: Json) -> str:
    """How a Questionnaire is derived: a code that is known, or nothing."""
    for extension in objects(sibling, "extension"):
        coding = extension.get("valueCoding")
        if extension.get("url") == _TYPE and text_of(coding, "system") == _SYSTEM:
            code = text_of(coding, "code")
            return code if code in {_EXTENDS, _COMPLIES, _INSPIRED} else ""
    return ""


def _check_items(
    questionnaire: Resource, base: Resource, path: Path, run: Run, *, may_add: bool
) -> None:
    items = {text_of(item, "linkId"): item for _, item in _all_items(base, ())}
    for place, item in _all_items(questionnaire, path):
        original = items.get(text_of(item, "linkId"))
        if original is not None:
            _check_item(item, original, text_of(base, "url"), place, run)
        elif not may_add:
            run.report(
                QUESTIONNAIRE_DERIVED,
                place,
                link=item.get("linkId"),
                base=base.get("url"),
                problem="is not there",
            )


def _all_items(parent: Resource, path: Path) -> Iterator[tuple[Path, Resource]]:
    todo = [*numbered(parent, "item", path)]
    while todo:
        place, item = todo.pop()
        yield place, item
        todo += numbered(item, "item", place)


def _check_item(item: Resource, original: Resource, base: str, path: Path, run: Run) -> None:
    for key, problem in (*_changes(item, original), *_option_changes(item, original)):
        place = (*path, *key) if key[0] in item else path
        run.report(
            QUESTIONNAIRE_DERIVED, place, link=item.get("linkId"), base=base, problem=problem
        )


def _changes(item: Resource, original: Resource) -> Iterator[tuple[Path, str]]:
    """The key of what may not differ so, and what is there; the key may be missing here."""
    kind, length = original.get("type"), original.get("maxLength")
    if "type" in item and item["type"] != kind:
        yield ("type",), f"is of type {kind} there"
    if item.get("repeats") is True and original.get("repeats") is not True:
        yield ("repeats",), "does not repeat there"
    if item.get("required") is False and original.get("required") is True:
        yield ("required",), "is required there"
    if isinstance(length, int) and not _is_within(item.get("maxLength"), length):
        yield ("maxLength",), f"has at most {length} characters there"


def _is_within(length: Json, most: int) -> bool:
    return isinstance(length, int) and length <= most


def _option_changes(item: Resource, original: Resource) -> Iterator[tuple[Path, str]]:
    options = objects(original, "answerOption")
    if "answerValueSet" in original and "answerOption" in item:
        yield ("answerOption",), "has a value set there, not options"
    if not options:
        return
    if "answerValueSet" in item:
        yield ("answerValueSet",), "has options there, not a value set"
    elif "answerOption" not in item:
        yield ("answerOption",), "has options there, which are missing here"
    for (*_, number), option in numbered(item, "answerOption"):
        value = choice_of(option, "value")
        if value[0] and not any(_is_same(value, choice_of(each, "value")) for each in options):
            yield ("answerOption", number), "does not have this option there"


def _is_same(option: tuple[str, Json], other: tuple[str, Json]) -> bool:
    if option[0] != other[0]:
        return False
    keys = {"valueCoding": ("system", "code"), "valueReference": ("reference",)}.get(option[0], ())
    if keys:
        one, two = option[1], other[1]
        return all(text_of(one, key) == text_of(two, key) for key in keys)
    return equal(option[1], other[1])
