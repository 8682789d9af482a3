"""Aggregates of lists (CQL reference, section 9.11); nulls do not count."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating.arithmetic import (
    add,
    converted,
    divide,
    multiply,
    rounded,
)
from fhirpkg.cql.evaluating.comparison import compare, equal
from fhirpkg.cql.evaluating.elements import system
from fhirpkg.cql.evaluating.values import as_list
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.values import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.tree import Value


def _values(items: Value) -> list[Value]:
    found = (system(item) for item in as_list(items))
    return [item for item in found if item is not None]


def _folded(operator: Callable[[Value, Value], Value]) -> Callable[[Value], Value]:
    """Sum and Product: the items of a list put together by an operator."""

    def fold(items: Value) -> Value:
        found = _values(items)
        total = found[0] if found else None
        for item in found[1:]:
            total = operator(total, item)
        return total

    return fold


_sum = _folded(add)
_product = _folded(multiply)


def average(items: Value) -> Value:
    """The mean; nothing of nothing."""
    found = _values(items)
    return divide(_sum(found), Decimal(len(found))) if found else None


def _extreme(wanted: int) -> Callable[[Value], Value]:
    def extreme(items: Value) -> Value:
        best = None
        for item in _values(items):
            if best is None or compare(item, best) == wanted:
                best = item
        return best

    return extreme


def _median(items: Value) -> Value:
    found = _values(items)
    found.sort(key=cmp_to_key(lambda a, b: compare(a, b) or 0))
    middle = len(found) // 2
    if not found:
        return None
    return found[middle] if len(found) % 2 else average(found[middle - 1 : middle + 1])


def _mode(items: Value) -> Value:
    found = _values(items)
    counts = [sum(equal(item, other) is True for other in found) for item in found]
    return found[counts.index(max(counts))] if found else None


def _geometric_mean(items: Value) -> Value:
    found = _values(items)
    if not found:
        return None
    return rounded(Decimal(_product(found)) ** (1 / Decimal(len(found))))


def _spread(fewer: int, finish: Callable[[Decimal], Decimal], *, squared: bool) -> Value:
    """The mean square of the distances from the mean, or its root; one fewer for a sample."""

    def spread(items: Value) -> Value:
        found = _values(items)
        if len(found) <= fewer:
            return None
        unit = found[0].unit if isinstance(found[0], Quantity) else None
        numbers = [_in_unit(item, unit) for item in found]
        mean = sum(numbers, Decimal(0)) / len(numbers)
        total = sum(((x - mean) ** 2 for x in numbers), Decimal(0)) / (len(numbers) - fewer)
        value = rounded(finish(total))
        if unit is None:
            return value
        measured = Quantity(Decimal(1), unit)
        shown = multiply(measured, measured).unit if squared else unit
        return Quantity(value, shown)

    return spread


def _in_unit(item: Value, unit: str | None) -> Decimal:
    if unit is None:
        return Decimal(item)
    found = converted(item, unit)
    if found is None:
        raise FhirpkgError(f"the quantities are not all in units like '{unit}'")
    return found.value


def _same(value: Decimal) -> Decimal:
    return value


OPERATORS: dict[str, Callable[..., Value]] = {
    "Count": lambda items: len([item for item in as_list(items) if item is not None]),
    "Sum": _sum,
    "Avg": average,
    "Min": _extreme(-1),
    "Max": _extreme(1),
    "Median": _median,
    "Mode": _mode,
    "Product": _product,
    "GeometricMean": _geometric_mean,
    "Variance": _spread(1, _same, squared=True),
    "PopulationVariance": _spread(0, _same, squared=True),
    "StdDev": _spread(1, Decimal.sqrt, squared=False),
    "PopulationStdDev": _spread(0, Decimal.sqrt, squared=False),
    "AllTrue": lambda items: all(item is not False for item in as_list(items)),
    "AnyTrue": lambda items: any(item is True for item in as_list(items)),
}
