"""Sum, least, greatest and average of a collection (FHIRPath 3.0, aggregates)."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.arithmetic import apply
from fhirpkg.fhirpath.comparison import EvaluationError, compare, name_of
from fhirpkg.fhirpath.functions.function import Function
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import Quantity, is_number, system

if TYPE_CHECKING:
    from fhirpkg.fhirpath.values import Item
    from fhirpkg.issues import Json


def total(items: list[Item]) -> list[Item]:
    """The sum; nothing where the units of quantities do not fit or it is too large."""
    return _found(_sum(_values(items, "sum")))


def average(items: list[Item]) -> list[Item]:
    """The mean: a Decimal, of quantities a quantity."""
    values = _values(items, "avg")
    if values and is_number(values[0]):
        values = [Decimal(value) for value in values]
    found = _sum(values)
    return [] if found is None else _found(apply("/", found, Decimal(len(values))))


def least(items: list[Item]) -> list[Item]:
    """The least of the items; nothing where two cannot be compared."""
    return _extreme(items, "min", -1)


def greatest(items: list[Item]) -> list[Item]:
    """The greatest of the items; nothing where two cannot be compared."""
    return _extreme(items, "max", 1)


def _sum(values: list[Json]) -> Json:
    return functools.reduce(_plus, values) if values else None


def _plus(one: Json, two: Json) -> Json:
    return None if one is None else apply("+", one, two)


def _extreme(items: list[Item], name: str, sign: int) -> list[Item]:
    values = _values(items, name)
    found = values[0] if values else None
    for value in values[1:]:
        order = compare(value, found)
        if order is None:
            return []
        found = value if order == sign else found
    return _found(found)


def _values(items: list[Item], name: str) -> list[Json]:
    """The values of items, which must be of one type that the function knows."""
    values = [system(item) for item in items]
    kinds = {name_of(value) for value in values}
    if len(kinds) > 1:
        raise EvaluationError(
            f"{name}() is for items of one type, not {' and '.join(sorted(kinds))}"
        )
    known = is_number(values[0]) or isinstance(values[0], Quantity) if values else True
    ordered = name in {"min", "max"} and values and isinstance(values[0], (str, Temporal))
    if not known and not ordered:
        raise EvaluationError(f"{name}() does not work on {kinds.pop()}")
    return values


def _found(value: Json) -> list[Item]:
    return [] if value is None else [value]


FUNCTIONS = {
    "sum": Function(total, "items"),
    "avg": Function(average, "items"),
    "min": Function(least, "items"),
    "max": Function(greatest, "items"),
}
