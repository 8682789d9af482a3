"""Parts of a collection, and two made one (http://hl7.org/fhirpath/N1/#subsetting)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.fhirpath.comparison import EvaluationError, distinct, identity
from fhirpkg.fhirpath.functions.function import Function

if TYPE_CHECKING:
    from fhirpkg.fhirpath.environment import Scope
    from fhirpkg.fhirpath.values import Item


def single(items: list[Item]) -> list[Item]:
    """The only item; raises EvaluationError when there are more."""
    if len(items) > 1:
        raise EvaluationError(f"single() is for one item, but there are {len(items)}")
    return items


def intersect(items: list[Item], others: list[Item]) -> list[Item]:
    """The items that are among the others too, each once."""
    keys = {identity(other) for other in others}
    return distinct([item for item in items if identity(item) in keys])


def exclude(items: list[Item], others: list[Item]) -> list[Item]:
    """The items that are not among the others."""
    keys = {identity(other) for other in others}
    return [item for item in items if identity(item) not in keys]


def combine(scope: Scope, items: list[Item], others: list[Item]) -> list[Item]:
    """Both collections, with doubles."""
    scope.spend(len(items) + len(others))
    return items + others


def union(scope: Scope, items: list[Item], others: list[Item]) -> list[Item]:
    """Both collections, each item once."""
    return distinct(combine(scope, items, others))


FUNCTIONS = {
    "single": Function(single, "items"),
    "first": Function(lambda items: items[:1], "items"),
    "last": Function(lambda items: items[-1:], "items"),
    "tail": Function(lambda items: items[1:], "items"),
    "skip": Function(lambda items, count: items[max(count, 0) :], "items", ("integer",)),
    "take": Function(lambda items, count: items[: max(count, 0)], "items", ("integer",)),
    "intersect": Function(intersect, "items", ("items",)),
    "exclude": Function(exclude, "items", ("items",)),
    "combine": Function(combine, "items", ("items",), scoped=True),
    "union": Function(union, "items", ("items",), scoped=True),
}
