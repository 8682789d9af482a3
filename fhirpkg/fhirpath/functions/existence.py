"""Existence (http://hl7.org/fhirpath/N1/#existence)."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.comparison import EvaluationError, are_distinct, distinct, identity, name_of
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


def subset_of(items: list[Item], others: list[Item]) -> bool:
    """Whether each item is among the others."""
    return {identity(item) for item in items} <= {identity(item) for item in others}


FUNCTIONS = {
    "empty": Function(operator.not_, "items", gives="Boolean"),
    "exists": Function(exists, "items", ("criteria",), "Boolean", optional=1, scoped=True),
    "all": Function(all_meet, "items", ("criteria",), "Boolean", scoped=True),
    "allTrue": Function(lambda items: all(_booleans(items)), "items", gives="Boolean"),
    "anyTrue": Function(lambda items: any(_booleans(items)), "items", gives="Boolean"),
    "allFalse": Function(lambda items: not any(_booleans(items)), "items", gives="Boolean"),
    "anyFalse": Function(lambda items: not all(_booleans(items)), "items", gives="Boolean"),
    "subsetOf": Function(subset_of, "items", ("items",), "Boolean"),
    "supersetOf": Function(
        lambda items, others: subset_of(others, items), "items", ("items",), "Boolean"
    ),
    "isDistinct": Function(are_distinct, "items", gives="Boolean"),
    "distinct": Function(distinct, "items"),
    "count": Function(len, "items", gives="Integer"),
    "not": Function(operator.not_, "truth", gives="Boolean"),
}
