"""What a part of an expression is compiled to, and the turns between lists and single values.

A closure takes the focus (one item, ``$this``) and the scope. It gives a list of items or, where
there can be only one value of FHIRPath's own, that value or None: `Code.is_single` says which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.comparison import EvaluationError, name_of
from fhirpkg.fhirpath.values import Item, system, text_of
from fhirpkg.issues import Json

if TYPE_CHECKING:
    from fhirpkg.fhirpath.environment import Scope

Run = Callable[[Item, "Scope"], Json]


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled part."""

    run: Run
    is_single: bool = False


def as_items(run: Run) -> Run:
    """A closure of a single value, to give a list."""

    def items(this: Item, scope: Scope) -> list[Item]:
        value = run(this, scope)
        return [] if value is None else [value]

    return items


def as_truth(run: Run, *, is_single: bool) -> Run:
    """A closure to give True, False or None; one item that is not a Boolean counts as true.

    http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
    """
    if is_single:

        def truth(this: Item, scope: Scope) -> bool | None:
            value = run(this, scope)
            return value if value is None or value is False else True

        return truth

    def truth_of_items(this: Item, scope: Scope) -> bool | None:
        items = run(this, scope)
        if not items:
            return None
        if len(items) > 1:
            raise EvaluationError(f"one Boolean is needed, but there are {len(items)} items")
        item = items[0]
        value = item[0] if type(item) is tuple else item
        return value if value is None or value is False else True

    return truth_of_items


def as_value(run: Run, kind: str, *, is_single: bool) -> Run:
    """A closure to give one value of a kind or None; EvaluationError for more or another kind."""
    take = _KINDS[kind]
    if is_single and kind == "value":
        return run

    def value(this: Item, scope: Scope) -> Json:
        found = run(this, scope)
        if not is_single:
            if not found:
                return None
            if len(found) > 1:
                raise EvaluationError(f"one item is needed, but there are {len(found)}")
            found = found[0]
        return None if found is None else take(found)

    return value


def _string(item: Item) -> str | None:
    value = item[0] if type(item) is tuple else item
    if value is None or isinstance(value, str):
        return value
    raise EvaluationError(f"a String is needed, but {name_of(value)} found")


def _of(types: type | tuple[type, ...], name: str) -> Callable[[Item], Json]:
    """What takes a value of some types from an item; a Boolean is not a number."""

    def take(item: Item) -> Json:
        value = system(item)
        if value is None or (isinstance(value, types) and not isinstance(value, bool)):
            return value
        raise EvaluationError(f"{name} is needed, but {name_of(value)} found")

    return take


def _text(item: Item) -> str | None:
    """What ``&`` joins: strings, and what is written as one."""
    value = item[0] if type(item) is tuple else item
    if value is None or isinstance(value, str):
        return value
    text = text_of(system(item))
    if text is None:
        raise EvaluationError(f"a String is needed, but {name_of(value)} found")
    return text


_KINDS: dict[str, Callable[[Item], Json]] = {
    "value": system,
    "string": _string,
    "integer": _of(int, "an Integer"),
    "number": _of((int, Decimal), "a number"),
    "text": _text,
}
