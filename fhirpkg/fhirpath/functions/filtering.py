"""Filtering and projection, and what goes along a collection: where, select, repeat, aggregate."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.comparison import EvaluationError, compare, identity
from fhirpkg.fhirpath.environment import MOST_ITEMS
from fhirpkg.fhirpath.functions.function import Criteria, Function, Projection
from fhirpkg.fhirpath.values import system
from fhirpkg.fhirpath.walking import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from fhirpkg.fhirpath.environment import Scope
    from fhirpkg.fhirpath.values import Item


def where(scope: Scope, items: list[Item], criteria: Criteria) -> list[Item]:
    """The items that meet the criteria."""
    scope.spend(len(items))
    return [item for item in items if criteria(item, scope)]


def select(scope: Scope, items: list[Item], projection: Projection) -> list[Item]:
    """What each item is projected to, in one collection."""
    out: list[Item] = []
    for item in items:
        out += projection(item, scope)
        if len(out) > MOST_ITEMS:
            break
    scope.spend(len(items) + len(out))
    return out


def repeat(scope: Scope, items: list[Item], projection: Projection) -> list[Item]:
    """What is projected from the items, from that, and so on, each found once."""
    found: dict[Hashable, Item] = {}
    waiting = items
    while waiting:
        scope.spend(len(waiting) + len(found) // 8)
        new: list[Item] = []
        for item in waiting:
            for result in projection(item, scope):
                key = identity(result)
                if key not in found:
                    found[key] = result
                    new.append(result)
        waiting = new
    return list(found.values())


def repeat_all(scope: Scope, items: list[Item], projection: Projection) -> list[Item]:
    """What is projected from the items, from that, and so on, as often as it is found."""
    found: list[Item] = []
    waiting = items
    while waiting:
        scope.spend(len(waiting) + 1)
        waiting = [result for item in waiting for result in projection(item, scope)]
        found += waiting
        if len(found) > MOST_ITEMS:
            raise EvaluationError("repeatAll() does not come to an end")
    return found


def coalesce(_: list[Item], *values: Callable[[], list[Item]]) -> list[Item]:
    """The first collection that is not empty; those after it are not evaluated."""
    return next((found for value in values if (found := value())), [])


def define_variable(
    scope: Scope, items: list[Item], name: str, value: Callable[[], list[Item]] | None = None
) -> list[Item]:
    """The items as they are; what follows knows them, or the value, as ``%name``."""
    scope.define(name, items if value is None else value())
    return items


def aggregate(
    scope: Scope, items: list[Item], projection: Projection, start: list[Item] | None = None
) -> list[Item]:
    """The last of the totals, each made from ``$this`` and the ``$total`` before it."""
    inner = scope.inner()
    inner.total = start or []
    for index, item in enumerate(items):
        inner.index = index
        inner.total = projection(item, inner)
        scope.spend(len(inner.total) + 1)
    return inner.total


def conditional(
    scope: Scope,
    items: list[Item],
    criterion: Projection,
    then: Projection,
    otherwise: Projection | None = None,
) -> list[Item]:
    """``iif``: one of two collections; the other is not evaluated."""
    if len(items) > 1:
        raise EvaluationError("iif() is for a single item")
    focus = items[0] if items else NOTHING
    met = criterion(focus, scope)
    if len(met) > 1:
        raise EvaluationError("the criterion of iif() gives more than one item")
    if met and type(system(met[0])) is not bool:
        raise EvaluationError("the criterion of iif() is not a Boolean")
    if met and system(met[0]):
        return then(focus, scope)
    return otherwise(focus, scope) if otherwise else []


def sort(scope: Scope, items: list[Item], *keys: tuple[Projection, bool]) -> list[Item]:
    """The items in order of the keys; a key written with a minus goes from the last to the first.

    Items without a key come first either way. https://build.fhir.org/ig/HL7/FHIRPath/#sort
    """
    out = list(items)
    scope.spend(len(items) * 16 * max(len(keys), 1))
    if not keys:
        return sorted(out, key=functools.cmp_to_key(_order))
    for projection, descending in reversed(keys):
        keyed = [(_key(projection(item, scope)), item) for item in out]
        with_key = [pair for pair in keyed if pair[0] is not None]
        with_key.sort(key=functools.cmp_to_key(_order_of_pairs), reverse=descending)
        out = [item for key, item in keyed if key is None] + [item for _, item in with_key]
    return out


def _key(items: list[Item]) -> Item:
    if len(items) > 1:
        raise EvaluationError("a key of sort() gives more than one item")
    return items[0] if items else None


def _order_of_pairs(one: tuple[Item, Item], two: tuple[Item, Item]) -> int:
    return _order(one[0], two[0])


def _order(one: Item, two: Item) -> int:
    return compare(system(one), system(two)) or 0


FUNCTIONS = {
    "where": Function(where, "items", ("criteria",), scoped=True),
    "select": Function(select, "items", ("projection",), scoped=True),
    "repeat": Function(repeat, "items", ("projection",), scoped=True),
    "aggregate": Function(aggregate, "items", ("projection", "items"), optional=1, scoped=True),
    "iif": Function(
        conditional, "items", ("projection", "projection", "projection"), optional=1, scoped=True
    ),
    "repeatAll": Function(repeat_all, "items", ("projection",), scoped=True),
    "coalesce": Function(coalesce, "items", ("lazy",), endless=True),
    "defineVariable": Function(
        define_variable, "items", ("string", "lazy"), optional=1, scoped=True
    ),
    "sort": Function(sort, "items", ("key",), optional=1, scoped=True, endless=True),
}
