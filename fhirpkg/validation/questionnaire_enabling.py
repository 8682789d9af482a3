"""Whether an item of a Questionnaire is enabled by the answers of a response.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.fhirjson import objects
from fhirpkg.issues import Resource
from fhirpkg.validation.limits import compare, equal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Scopes = tuple[list[Resource], ...]
"""The lists of response items around a place, outermost first."""

_EXPRESSIONS = frozenset(("enablewhen", "enablewhenexpression"))


class Answers:
    """Finds the answers to a question that are nearest to a place in a response."""

    def __init__(self) -> None:
        self._indexes: dict[int, dict[str, list[Resource]]] = {}

    def nearest(self, question: str, scopes: Scopes) -> list[Any]:
        """The values that answer a question in the innermost list of items that has it."""
        for items in reversed(scopes):
            found = self._index(items).get(question)
            if found:
                return [value for item in found for value in _values(item)]
        return []

    def _index(self, items: list[Resource]) -> dict[str, list[Resource]]:
        """The items of a list and those inside them, by linkId; made once for a list."""
        if id(items) not in self._indexes:
            index = self._indexes[id(items)] = {}
            todo = list(reversed(items))
            while todo:
                item = todo.pop()
                index.setdefault(str(item.get("linkId")), []).append(item)
                for holder in (item, *objects(item, "answer")):
                    todo += reversed(objects(holder, "item"))
        return self._indexes[id(items)]


def is_enabled(definition: Resource, scopes: Scopes, answers: Answers) -> bool | None:
    """Whether an item is enabled; None when that cannot be told."""
    if has_expression(definition):
        return None
    conditions = objects(definition, "enableWhen")
    if not conditions:
        return True
    results = [
        _holds(each, answers.nearest(str(each.get("question")), scopes)) for each in conditions
    ]
    if definition.get("enableBehavior") == "any":
        return True if True in results else None if None in results else False
    return False if False in results else None if None in results else True


def has_expression(definition: Resource) -> bool:
    """Whether an item is enabled by an expression, as structured data capture has it."""
    urls = (str(e.get("url", "")) for e in objects(definition, "extension"))
    return any(url.lower().replace("-", "").endswith(tuple(_EXPRESSIONS)) for url in urls)


def value_of(holder: Resource) -> tuple[str, Any]:
    """The name and value of a `value[x]`; empty and None when there is none."""
    return next(((k, v) for k, v in holder.items() if k.startswith("value")), ("", None))


def _values(item: Resource) -> list[Any]:
    found = (value_of(answer)[1] for answer in objects(item, "answer"))
    return [value for value in found if value is not None]


def _holds(condition: Resource, answers: list[Any]) -> bool | None:
    wanted = next((v for k, v in condition.items() if k.startswith("answer")), None)
    operator = condition.get("operator")
    if operator == "exists":
        return bool(answers) == (wanted is True)
    test = _OPERATORS.get(str(operator))
    if test is None or wanted is None:
        return None
    return test(answers, wanted)


def _same(answer: Any, wanted: Any) -> bool:
    if isinstance(answer, dict) and isinstance(wanted, dict):
        if "value" in wanted:
            return compare(answer, wanted) == 0
        keys = [key for key in ("code", "system", "reference") if key in wanted]
        return bool(keys) and all(answer.get(key) == wanted[key] for key in keys)
    return equal(wanted, answer)


def _ordered(accepted: Iterable[int]) -> Callable[[list[Any], Any], bool]:
    results = frozenset(accepted)
    return lambda answers, wanted: any(compare(answer, wanted) in results for answer in answers)


# http://hl7.org/fhir/R4/valueset-questionnaire-enable-operator.html: at least one answer does so.
_OPERATORS: dict[str, Callable[[list[Any], Any], bool]] = {
    "=": lambda answers, wanted: any(_same(answer, wanted) for answer in answers),
    "!=": lambda answers, wanted: not all(_same(answer, wanted) for answer in answers),
    ">": _ordered([1]),
    "<": _ordered([-1]),
    ">=": _ordered([0, 1]),
    "<=": _ordered([-1, 0]),
}
