"""Questionnaires in themselves: what enables an item, what its value set asks for.

que-1 to que-13 are invariants of R4; how one is derived is in questionnaire_derivation.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.untrusted import objects, text_of
from fhirpkg.validation.questionnaires.answers import ANSWER_TYPES
from fhirpkg.validation.questionnaires.enabling import value_of
from fhirpkg.validation.questionnaires.limits import check_limits
from fhirpkg.validation.questionnaires.rules import (
    QUESTIONNAIRE_ENABLE_ORDER,
    QUESTIONNAIRE_ENABLE_TARGET,
    QUESTIONNAIRE_ENABLE_TYPE,
    QUESTIONNAIRE_PARAMETER,
    QUESTIONNAIRE_VALUE_TYPE,
)
from fhirpkg.validation.terminology.value_sets import parameters_of

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_BINDING_PARAMETER = "http://hl7.org/fhir/tools/StructureDefinition/binding-parameter"
_ANSWERS = {
    "boolean": {"Boolean"},
    "decimal": {"Decimal"},
    "integer": {"Integer"},
    "date": {"Date"},
    "dateTime": {"DateTime"},
    "time": {"Time"},
    "string": {"String"},
    "text": {"String"},
    "url": {"String"},
    "choice": {"Coding", "String", "Integer", "Date", "Time", "Reference"},
    "open-choice": {"Coding", "String", "Integer", "Date", "Time", "Reference"},
    "coding": {"Coding"},
    "reference": {"Reference"},
    "quantity": {"Quantity"},
}
"""The types of `enableWhen.answer[x]` that fit a question, by its type."""
_OFTEN = {"choice": ("Reference",), "open-choice": ("Reference",)}
"""Types of options beside those of every answer: a choice may be among references."""


def check_questionnaire(questionnaire: Resource, path: Path, run: Run) -> None:
    """Report what its items ask of others: of questions, of value sets, of their own answers."""
    items: dict[str, tuple[int, Resource]] = {}
    places: list[tuple[Resource, Path, tuple[int, ...]]] = []
    todo: list[tuple[Resource, Path, tuple[int, ...]]] = [(questionnaire, path, ())]
    while todo:
        parent, place, above = todo.pop()
        if place != path or parent is not questionnaire:
            items.setdefault(str(parent.get("linkId")), (len(places), parent))
            above = (*above, len(places))
            places.append((parent, place, above))
        inner = parent.get("item")
        todo += [
            (item, (*place, "item", number), above)
            for number, item in reversed(list(enumerate(inner if isinstance(inner, list) else ())))
            if isinstance(item, dict)
        ]
    for item, place, above in places:
        _check_parameters(item, place, run)
        check_limits(item, place, run)
        _check_values(item, place, run)
        for number, condition in enumerate(objects(item, "enableWhen")):
            question = condition.get("question")
            if isinstance(question, str):
                where = (*place, "enableWhen", number)
                target = items.get(question)
                inside = target is not None and above[-1] in places[target[0]][2]
                _check_condition(condition, item, target, where, run, inside=inside, at=above[-1])


def _check_parameters(item: Resource, path: Path, run: Run) -> None:
    """A value set with parameters is used with a value for each of them."""
    canonical = text_of(item, "answerValueSet")
    value_set = run.definitions.find(canonical, "ValueSet") if canonical else None
    given = parameters_of(item.get("_answerValueSet"), _BINDING_PARAMETER)
    for name in sorted(parameters_of(value_set) - given):
        place = (*path, "answerValueSet")
        run.report(QUESTIONNAIRE_PARAMETER, place, value_set=canonical, name=name)


def _check_values(item: Resource, path: Path, run: Run) -> None:
    """What an item offers or begins with could be its answer."""
    kind = text_of(item, "type")
    allowed = ANSWER_TYPES.get(kind)
    for name in ("answerOption", "initial"):
        for number, holder in enumerate(objects(item, name)):
            key, value = value_of(holder)
            found = key.removeprefix("value")
            if allowed and value is not None and found not in {*allowed, *_OFTEN.get(kind, ())}:
                where, link = (*path, name, number, key), text_of(item, "linkId")
                run.report(QUESTIONNAIRE_VALUE_TYPE, where, link=link, type=kind, found=found)


def _check_condition(
    condition: Resource,
    item: Resource,
    target: tuple[int, Resource] | None,
    path: Path,
    run: Run,
    *,
    inside: bool,
    at: int,
) -> None:
    question = condition["question"]
    problem = ""
    if target is None:
        problem = "is not in the Questionnaire"
    elif target[1] is item:
        problem = "is the item itself"
    elif inside:
        problem = "is inside the item that it enables"
    if problem or target is None:
        run.report(QUESTIONNAIRE_ENABLE_TARGET, path, question=question, problem=problem)
        return
    if target[0] > at:
        run.report(QUESTIONNAIRE_ENABLE_ORDER, path, question=question)
    found = next((k.removeprefix("answer") for k in condition if k.startswith("answer")), "")
    kind = str(target[1].get("type"))
    if condition.get("operator") != "exists" and found not in _ANSWERS.get(kind, {found}):
        run.report(QUESTIONNAIRE_ENABLE_TYPE, path, question=question, type=kind, found=found)
