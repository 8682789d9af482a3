"""Existence (http://hl7.org/fhirpath/N1/#existence)."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.comparison import EvaluationError, distinct, identity, name_of
from fhirpkg.fhirpath.functions.function import Criteria, Function
from fhirpkg.fhirpath.values import system

if TYPE_CHECKING:
    from fhirpkg.fhirpath.environment import Scope
    from fhirpkg.fhirpath.values import Item


def exists(scope: Scope, items: list[Item], criteria: Criteria) -> bool:
    """Whether an item meets the criteria; without criteria the compiler needs no call."""
    scope.spend(len(items))
    return any(criteria(item, scope) for item in items)


def all_meet(scope: Scope, items: list[Item], criteria: Criteria) -> bool:
    """Whether each item meets the criteria; true for no items."""
    scope.spend(len(items))
    return all(criteria(item, scope) for item in items)


def _booleans(items: list[Item]) -> list[bool]:
    values = [system(item) for item in items]
    for value in values:
        if type(value) is not bool:
            raise EvaluationError(f"a Boolean is needed, but {name_of(value)} found")
    return values


def all_true(items: list[Item]) -> bool:
    """Whether all are true."""
    return all(_booleans(items))


def any_true(items: list[Item]) -> bool:
    """Whether one is true."""
    return any(_booleans(items))


def all_false(items: list[Item]) -> bool:
    """Whether all are false."""
    return not any(_booleans(items))


def any_false(items: list[Item]) -> bool:
    """Whether one is false."""
    return not all(_booleans(items))


def subset_of(items: list[Item], others: list[Item]) -> bool:
    """Whether each item is among the others."""
    return {identity(item) for item in items} <= {identity(item) for item in others}


def superset_of(items: list[Item], others: list[Item]) -> bool:
    """Whether each of the others is among the items."""
    return subset_of(others, items)


def is_distinct(items: list[Item]) -> bool:
    """Whether no two are equal."""
    return len(items) < 2 or len({identity(item) for item in items}) == len(items)


FUNCTIONS = {
    "empty": Function(operator.not_, "items", gives="Boolean"),
    "exists": Function(exists, "items", ("criteria",), "Boolean", optional=1, scoped=True),
    "all": Function(all_meet, "items", ("criteria",), "Boolean", scoped=True),
    "allTrue": Function(all_true, "items", gives="Boolean"),
    "anyTrue": Function(any_true, "items", gives="Boolean"),
    "allFalse": Function(all_false, "items", gives="Boolean"),
    "anyFalse": Function(any_false, "items", gives="Boolean"),
    "subsetOf": Function(subset_of, "items", ("items",), "Boolean"),
    "supersetOf": Function(superset_of, "items", ("items",), "Boolean"),
    "isDistinct": Function(is_distinct, "items", gives="Boolean"),
    "distinct": Function(distinct, "items"),
    "count": Function(len, "items", gives="Integer"),
    "not": Function(operator.not_, "truth", gives="Boolean"),
}
