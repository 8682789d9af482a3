"""Whether an item of a Questionnaire is enabled by the answers of a response.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.values import plain
from fhirpkg.identity import ByIdentity
from fhirpkg.issues import Json, Resource
from fhirpkg.untrusted import objects
from fhirpkg.validation.elements.limits import compare, equal, in_one_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.validation.run import Run

Scopes = tuple[list[Resource], ...]
"""The lists of response items around a place, outermost first."""

_BEHAVIORS = frozenset(("all", "any"))
_EXPRESSIONS = ("enablewhen", "enablewhenexpression")
_FHIRPATH = "text/fhirpath"
_INCOMPARABLE = "an answer cannot be compared with that of its condition"
_CHOICE = re.compile(r"\bvalue(Boolean|Decimal|Integer|Date|DateTime|Time|String|Uri)\b")
_COMPLEX_CHOICE = re.compile(r"\bvalue(Attachment|Coding|Quantity|Reference)\b")
_VARIABLE = "http://hl7.org/fhir/StructureDefinition/variable"
_RESPONSE = "QuestionnaireResponse"


class Enabling:
    """Tells which items of a Questionnaire are enabled by the answers of a response.

    `above` has the linkIds around each item, outermost first.
    """

    def __init__(self, questionnaire: Resource, response: Resource, run: Run) -> None:
        self.above: dict[str, tuple[str, ...]] = {}
        self._questionnaire = questionnaire
        self._response = response
        self._run = run
        self._indexes: ByIdentity[dict[str, list[Resource]]] = ByIdentity()
        self._evaluated: ByIdentity[bool | str] = ByIdentity()
        self._definitions: dict[str, Resource] = {}
        todo: list[tuple[Resource, tuple[str, ...]]] = [(questionnaire, ())]
        while todo:
            parent, above = todo.pop()
            for item in objects(parent, "item"):
                link = str(item.get("linkId"))
                self.above[link] = above
                self._definitions[link] = item
                todo.append((item, (*above, link)))

    def is_enabled(self, definition: Resource, scopes: Scopes) -> bool | str:
        """Whether an item is enabled; in words why, when that is unknown."""
        expression = expression_of(definition)
        if expression is not None:
            return self._by_expression(definition, expression)
        conditions = objects(definition, "enableWhen")
        behavior = definition.get("enableBehavior")
        if not conditions or (len(conditions) > 1 and behavior not in _BEHAVIORS):
            return True
        link = str(definition.get("linkId"))
        results = [_holds(each, self._answers(link, each, scopes)) for each in conditions]
        decisive = behavior == "any"
        if decisive in results:
            return decisive
        return _INCOMPARABLE if None in results else not decisive

    def _answers(self, link: str, condition: Resource, scopes: Scopes) -> list[Json]:
        """The answers to the question of a condition within what is around both.

        Of a group that repeats only the instance that the item is in is looked at.
        """
        question = str(condition.get("question"))
        around = zip(self.above.get(link, ()), self.above.get(question, ()), strict=False)
        depth = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], around))
        found = self._index(scopes[min(depth, len(scopes) - 1)]).get(question, [])
        return [value for item in found for value in _values(item)]

    def _index(self, items: list[Resource]) -> dict[str, list[Resource]]:
        """The items of a list and those inside them, by linkId; made once for a list."""
        index = self._indexes.get(items)
        if index is None:
            index = self._indexes.keep(items, {})
            todo = list(reversed(items))
            while todo:
                item = todo.pop()
                index.setdefault(str(item.get("linkId")), []).append(item)
                for holder in (item, *objects(item, "answer")):
                    todo += reversed(objects(holder, "item"))
        return index

    def _by_expression(self, definition: Resource, expression: Json) -> bool | str:
        """What an expression on the whole response gives, evaluated once for an item."""
        known = self._evaluated.get(definition)
        if known is None:
            known = self._evaluated.keep(definition, self._evaluate(definition, expression))
        return known

    def _evaluate(self, definition: Resource, expression: Json) -> bool | str:
        stated = expression if isinstance(expression, dict) else {"expression": expression}
        text, language = stated.get("expression"), stated.get("language", _FHIRPATH)
        if not isinstance(text, str) or language != _FHIRPATH:
            return f"it depends on an expression in {language}"
        try:
            found = self._items(text, self._response, self._variables(definition))
        except FhirPathError as error:
            return error.problem
        return bool(found) and [plain(item) for item in found] != [False]

    def _variables(self, definition: Resource) -> dict[str, Json]:
        """What an expression of an item may name: the variables stated on all that is around it.

        One that cannot be evaluated is not there, so that what asks for it is not decided
        (https://hl7.org/fhir/uv/sdc/STU3/expressions.html#expression-scope).
        """
        found: dict[str, Json] = {"questionnaire": self._questionnaire, "qitem": definition}
        around = (self._definitions[link] for link in self.above[str(definition.get("linkId"))])
        for holder in (self._questionnaire, *around, definition):
            for name, text in variables_of(holder):
                focus = self._focus(holder, text)
                found.pop(name, None)
                if focus is not None:
                    with contextlib.suppress(FhirPathError):
                        found[name] = self._items(text, focus, found)
        return found

    def _focus(self, holder: Resource, text: str) -> Resource | None:
        """What a variable is evaluated on: the response, or the one item that answers its item.

        None where there are several of these, unless the expression begins elsewhere.
        """
        if holder is self._questionnaire or text.lstrip().startswith("%"):
            return self._response
        answering = self._index(objects(self._response, "item"))
        found = answering.get(str(holder.get("linkId")), [{}])
        return found[0] if len(found) == 1 else None

    def _items(self, text: str, focus: Resource, variables: dict[str, Json]) -> list[Json]:
        from fhirpkg.fhirpath.expression import compile_expression  # noqa: PLC0415 - on first use

        environment = dataclasses.replace(self._run.environment, variables=variables)
        type_ = _RESPONSE if focus is self._response else f"{_RESPONSE}.item"
        compiled = compile_expression(_by_element(text), self._run.definitions.types, type_)
        return compiled.items(focus, environment)


def _by_element(text: str) -> str:
    """An expression with `value` for `valueCoding`: many are written by the names of JSON."""
    text = _COMPLEX_CHOICE.sub(r"value.ofType(\1)", text)
    return _CHOICE.sub(lambda m: f"value.ofType({m[1][0].lower()}{m[1][1:]})", text)


def expression_of(definition: Resource) -> Json:
    """The expression that enables an item, as structured data capture has it; None without one."""
    for extension in objects(definition, "extension"):
        url = str(extension.get("url", "")).lower().replace("-", "")
        if url.endswith(_EXPRESSIONS):
            return value_of(extension)[1]
    return None


def variables_of(holder: Resource) -> Iterator[tuple[str, str]]:
    """The names and expressions of the variables that a Questionnaire or an item states."""
    for extension in objects(holder, "extension"):
        stated = extension.get("valueExpression")
        if extension.get("url") != _VARIABLE or not isinstance(stated, dict):
            continue
        name, text = stated.get("name"), stated.get("expression")
        if stated.get("language") == _FHIRPATH and isinstance(name, str) and isinstance(text, str):
            yield name, text


def value_of(holder: Resource) -> tuple[str, Json]:
    """The name and value of a `value[x]`; empty and None when there is none."""
    return next(((k, v) for k, v in holder.items() if k.startswith("value")), ("", None))


def _values(item: Resource) -> list[Json]:
    found = (value_of(answer)[1] for answer in objects(item, "answer"))
    return [value for value in found if value is not None]


def _holds(condition: Resource, answers: list[Json]) -> bool | None:
    """Whether at least one answer meets a condition; None when that is unknown."""
    wanted = next((v for k, v in condition.items() if k.startswith("answer")), None)
    operator = str(condition.get("operator"))
    if operator == "exists":
        return bool(answers) == (wanted is True)
    test = _OPERATORS.get(operator)
    if test is None or wanted is None:
        return None
    results = [test(answer, wanted) for answer in answers]
    return True if True in results else None if None in results else False


def _same(answer: Json, wanted: Json) -> bool:
    if isinstance(answer, dict) and isinstance(wanted, dict):
        if "value" in wanted:
            return compare(answer, wanted) == 0
        keys = [key for key in ("code", "system", "reference") if key in wanted]
        return bool(keys) and all(answer.get(key) == wanted[key] for key in keys)
    if isinstance(answer, str) and isinstance(wanted, str):
        return in_one_zone(answer) == in_one_zone(wanted)
    return equal(wanted, answer)


def _ordered(accepted: Iterable[int]) -> Callable[[Json, Json], bool | None]:
    results = frozenset(accepted)

    def test(answer: Json, wanted: Json) -> bool | None:
        order = compare(answer, wanted)
        if order is None or (order == 0 and not _same(answer, wanted)):
            return None  # 2020 is neither before nor after 2020-06
        return order in results

    return test


# http://hl7.org/fhir/R4/valueset-questionnaire-enable-operator.html
_OPERATORS: dict[str, Callable[[Json, Json], bool | None]] = {
    "=": _same,
    "!=": lambda answer, wanted: not _same(answer, wanted),
    ">": _ordered([1]),
    "<": _ordered([-1]),
    ">=": _ordered([0, 1]),
    "<=": _ordered([-1, 0]),
}
