"""QuestionnaireResponses against the Questionnaires they answer.

http://hl7.org/fhir/R4/questionnaireresponse.html#notes: items and their nesting, required and
enabled items, repetition; single answers are checked in questionnaire_answers.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.issues import Json, Severity
from fhirpkg.rules import nearest
from fhirpkg.untrusted import objects, text_of
from fhirpkg.validation.elements.limits import compare
from fhirpkg.validation.questionnaires.answers import Question, type_of
from fhirpkg.validation.questionnaires.enabling import Enabling, Scopes
from fhirpkg.validation.questionnaires.rules import (
    NOT_CHECKED_ENABLING,
    NOT_CHECKED_QUESTIONNAIRE,
    RESPONSE_ITEM_ORDER,
    RESPONSE_ITEM_TEXT,
    RESPONSE_MISPLACED_ITEM,
    RESPONSE_NO_ANSWER,
    RESPONSE_NOT_EFFECTIVE,
    RESPONSE_NOT_ENABLED,
    RESPONSE_OCCURS,
    RESPONSE_REPEATS,
    RESPONSE_REQUIRED,
    RESPONSE_SUBJECT,
    RESPONSE_UNKNOWN_ITEM,
    RESPONSE_WITHOUT_QUESTIONNAIRE,
)
from fhirpkg.validation.questionnaires.values import extension_values

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_COMPLETE = frozenset(("completed", "amended"))
_WITHOUT_ANSWER = frozenset(("group", "display", "question"))


def check_questionnaire_response(response: Resource, path: Path, run: Run) -> None:
    """Report where a response does not fit its Questionnaire, or that this was not checked."""
    canonical = response.get("questionnaire")
    if not isinstance(canonical, str):
        run.report(RESPONSE_WITHOUT_QUESTIONNAIRE, path)
        return
    questionnaire = _questionnaire(canonical, path, run)
    if questionnaire is None:
        place = (*path, "questionnaire")
        run.report(NOT_CHECKED_QUESTIONNAIRE, place, questionnaire=canonical)
        return
    _check_period(response, questionnaire, path, run)
    _check_subject(response, questionnaire, path, run)
    holder = run.owner(path) if canonical.startswith("#") else questionnaire
    form = _Form(questionnaire, holder, response, run)
    form.check_items(objects(questionnaire, "item"), response, path, ())


def _questionnaire(canonical: str, path: Path, run: Run) -> Resource | None:
    found = None
    if not canonical.startswith("#"):
        found = run.definitions.find(canonical, "Questionnaire")
    found = found or run.resolve(canonical, path)
    return found if found and found.get("resourceType") == "Questionnaire" else None


def _check_period(response: Resource, questionnaire: Resource, path: Path, run: Run) -> None:
    authored, period = response.get("authored"), questionnaire.get("effectivePeriod")
    if not isinstance(authored, str) or not isinstance(period, dict):
        return
    for key, wrong, words in (("start", -1, "from"), ("end", 1, "until")):
        limit = period.get(key)
        if isinstance(limit, str) and compare(authored, limit) == wrong:
            place = (*path, "authored")
            run.report(RESPONSE_NOT_EFFECTIVE, place, found=authored, period=f"{words} {limit}")


def _check_subject(response: Resource, questionnaire: Resource, path: Path, run: Run) -> None:
    allowed, subject = questionnaire.get("subjectType"), response.get("subject")
    if not isinstance(allowed, list) or not isinstance(subject, dict):
        return
    place = (*path, "subject")
    found = type_of(subject, place, run)
    if found and found not in allowed:
        shown = " or ".join(map(str, allowed))
        run.report(RESPONSE_SUBJECT, place, found=found, allowed=shown)


class _Form:
    """A Questionnaire beside the response to it; `holder` has the value sets it contains."""

    def __init__(
        self, questionnaire: Resource, holder: Resource, response: Resource, run: Run
    ) -> None:
        self._holder = holder
        self._run = run
        self._enabling = Enabling(questionnaire, response, run)
        self._severity = (
            Severity.ERROR if text_of(response, "status") in _COMPLETE else Severity.WARNING
        )
        self._definitions: dict[str, Resource] = {}
        todo = [questionnaire]
        while todo:
            for item in objects(todo.pop(), "item"):
                self._definitions[str(item.get("linkId"))] = item
                todo.append(item)

    def check_items(
        self, definitions: list[Resource], parent: Resource, path: Path, scopes: Scopes
    ) -> None:
        """Check the items of a response, a group or an answer against their definitions."""
        items = parent.get("item")
        items = items if isinstance(items, list) else []
        scopes = (*scopes, objects(parent, "item"))
        known = self._sorted(definitions, items, path, scopes)
        for definition in definitions:
            link = str(definition.get("linkId"))
            found = known.get(link, [])
            enabled = self._enabling.is_enabled(definition, scopes)
            if isinstance(enabled, str) and found:
                self._run.report(NOT_CHECKED_ENABLING, found[0][1], link=link, reason=enabled)
            if not found and enabled is True and definition.get("required") is True:
                self._missing(link, path)
            if found and definition.get("type") == "group":
                self._check_occurs(definition, len(found), found[-1][1], "instances")
            if len(found) > 1 and definition.get("repeats") is not True:
                place, count = found[1][1], len(found)
                self._run.report(RESPONSE_REPEATS, place, link=link, count=count, what="items")
            for item, place in found:
                if enabled is False and ("answer" in item or "item" in item):
                    self._run.report(RESPONSE_NOT_ENABLED, place, link=link)
                self._check_item(definition, item, place, scopes, enabled=enabled is not False)

    def _sorted(
        self, definitions: list[Resource], items: list[Json], path: Path, scopes: Scopes
    ) -> dict[str, list[tuple[Resource, Path]]]:
        """The items by linkId; those that do not belong here are reported."""
        places = {str(each.get("linkId")): n for n, each in enumerate(definitions)}
        known: dict[str, list[tuple[Resource, Path]]] = {}
        last = ""
        for number, item in enumerate(items):
            if not isinstance(item, dict) or not isinstance(item.get("linkId"), str):
                continue
            link, place = item["linkId"], (*path, "item", number)
            if link not in places:
                self._misplaced(link, item, place, scopes)
                continue
            if last and places[link] < places[last]:
                self._run.report(RESPONSE_ITEM_ORDER, place, link=link, after=last)
            last = link
            known.setdefault(link, []).append((item, place))
        return known

    def _misplaced(self, link: str, item: Resource, place: Path, scopes: Scopes) -> None:
        definition = self._definitions.get(link)
        if definition is None:
            near = nearest(link, list(self._definitions))
            self._run.report(RESPONSE_UNKNOWN_ITEM, place, link=link, near=near)
            return
        above = self._enabling.above[link]
        where = f"inside '{above[-1]}'" if above else "at the top"
        self._run.report(RESPONSE_MISPLACED_ITEM, place, link=link, place=where)
        self._check_item(definition, item, place, scopes, enabled=True)

    def _missing(self, link: str, place: Path) -> None:
        self._run.report(RESPONSE_REQUIRED, place, severity=self._severity, link=link)

    def _check_item(
        self,
        definition: Resource,
        item: Resource,
        path: Path,
        scopes: Scopes,
        *,
        enabled: bool,
    ) -> None:
        question = Question(definition, self._holder, self._run)
        self._check_text(question, item, path)
        answers = item.get("answer")
        answers = answers if isinstance(answers, list) else []
        kind = str(definition.get("type"))
        if kind in _WITHOUT_ANSWER:
            if answers:
                self._run.report(RESPONSE_NO_ANSWER, path, link=question.link, type=kind)
        elif enabled:
            self._check_count(question, answers, path)
        if kind == "group":
            is_required = definition.get("required") is True and enabled
            if is_required and not item.get("item"):
                self._run.report(RESPONSE_REQUIRED, path, link=question.link)
            self.check_items(objects(definition, "item"), item, path, scopes)
            return
        for number, inner in enumerate(objects(item, "item")):
            place = f"inside an answer to '{question.link}'" if kind != "display" else "elsewhere"
            link = inner.get("linkId", "")
            where = (*path, "item", number)
            self._run.report(RESPONSE_MISPLACED_ITEM, where, link=link, place=place)
        if kind in _WITHOUT_ANSWER:
            return
        for number, answer in enumerate(answers):
            if isinstance(answer, dict):
                where = (*path, "answer", number)
                question.check(answer, where, len(answers))
                self.check_items(objects(definition, "item"), answer, where, scopes)

    def _check_text(self, question: Question, item: Resource, path: Path) -> None:
        """The text shown may also be a translation that the Questionnaire has."""
        text, wanted = item.get("text"), question.definition.get("text")
        if not isinstance(text, str) or text == wanted:
            return
        translated = _translations(question.definition.get("_text"))
        if text not in translated:
            shown = str(wanted or "")[:60]
            self._run.report(RESPONSE_ITEM_TEXT, (*path, "text"), link=question.link, wanted=shown)

    def _check_count(self, question: Question, answers: list[Json], path: Path) -> None:
        count, link = len(answers), question.link
        if not count and question.definition.get("required") is True:
            self._missing(link, path)
        if count > 1 and question.definition.get("repeats") is not True:
            self._run.report(RESPONSE_REPEATS, path, link=link, count=count, what="answers")
        self._check_occurs(question.definition, count, path, "answers")

    def _check_occurs(self, definition: Resource, count: int, path: Path, what: str) -> None:
        """Groups are counted by their instances, questions by their answers."""
        link = definition.get("linkId")
        for key, wrong, words in (("min", -1, "at least"), ("max", 1, "at most")):
            for limit in extension_values(definition, f"{_CORE}questionnaire-{key}Occurs"):
                if isinstance(limit, int) and compare(count, limit) == wrong:
                    wanted = f"{words} {limit}"
                    self._run.report(
                        RESPONSE_OCCURS, path, link=link, count=count, what=what, wanted=wanted
                    )


def _translations(sibling: Json) -> set[str]:
    """The texts of the translation extensions on a primitive (its `_name` object)."""
    found: set[str] = set()
    for extension in objects(sibling, "extension") if isinstance(sibling, dict) else ():
        if extension.get("url") == f"{_CORE}translation":
            for part in objects(extension, "extension"):
                if part.get("url") == "content":
                    found.update(v for k, v in part.items() if k.startswith("value"))
    return found
