"""Lists and what is computed over them (CQL reference, sections 9.10 and 9.11)."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from fhirpkg.cql.evaluating import interval_sets
from fhirpkg.cql.evaluating.arithmetic import add, divide, multiply
from fhirpkg.cql.evaluating.comparison import compare, equal, member
from fhirpkg.cql.evaluating.values import as_list, is_interval, scalar
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from collections.abc import Callable


def exists(items: Any) -> bool:
    """Whether there is anything; nulls do not count."""
    return any(item is not None for item in as_list(items))


def distinct(items: Any) -> list[Any] | None:
    """Each value once, in the order they came."""
    if items is None:
        return None
    kept: list[Any] = []
    for item in as_list(items):
        if not any(item is known or equal(item, known) is True for known in kept):
            kept.append(item)
    return kept


def flatten(items: Any) -> list[Any] | None:
    """The items of the lists in a list."""
    return None if items is None else [inner for item in items for inner in as_list(item)]


def singleton(items: Any) -> Any:
    """The one item there is; more than one is an error."""
    found = as_list(items)
    if len(found) > 1:
        raise FhirpkgError(f"singleton from: there are {len(found)} items")
    return found[0] if found else None


def union(one: Any, two: Any) -> Any:
    """All of both, each once; intervals that touch become one."""
    if is_interval(one) and is_interval(two):
        return interval_sets.union(one, two)
    return distinct(as_list(one) + as_list(two))


def intersect(one: Any, two: Any) -> Any:
    """What is in both."""
    if is_interval(one) and is_interval(two):
        return interval_sets.intersect(one, two)
    return [item for item in as_list(one) if member(two, item)]


def difference(one: Any, two: Any) -> Any:
    """What is in the one and not in the other."""
    if is_interval(one) and is_interval(two):
        return interval_sets.difference(one, two)
    return [item for item in as_list(one) if not member(two, item)]


def _sum(items: Any) -> Any:
    total = None
    for item in as_list(items):
        if item is not None:
            total = scalar(item) if total is None else add(total, item)
    return total


def _average(items: Any) -> Any:
    found = [item for item in as_list(items) if item is not None]
    return divide(_sum(found), Decimal(len(found))) if found else None


def _extreme(items: Any, wanted: int) -> Any:
    best = None
    for item in as_list(items):
        if item is not None and (best is None or compare(item, best) == wanted):
            best = item
    return best


def _median(items: Any) -> Any:
    found = [scalar(item) for item in as_list(items) if item is not None]
    found.sort(key=cmp_to_key(lambda a, b: compare(a, b) or 0))
    middle = len(found) // 2
    if not found:
        return None
    return found[middle] if len(found) % 2 else _average(found[middle - 1 : middle + 1])


def _mode(items: Any) -> Any:
    found = [scalar(item) for item in as_list(items) if item is not None]
    return max(found, key=found.count) if found else None


def _product(items: Any) -> Any:
    total = None
    for item in as_list(items):
        if item is not None:
            total = item if total is None else multiply(total, item)
    return total


def _geometric_mean(items: Any) -> Any:
    count = sum(item is not None for item in as_list(items))
    return Decimal(_product(items)) ** (1 / Decimal(count)) if count else None


def _variance(items: Any, fewer: int) -> Decimal | None:
    """The mean square of the distances from the mean; one fewer for a sample."""
    found = [Decimal(scalar(item)) for item in as_list(items) if item is not None]
    if len(found) <= fewer:
        return None
    mean = sum(found, Decimal(0)) / len(found)
    return sum(((x - mean) ** 2 for x in found), Decimal(0)) / (len(found) - fewer)


def _deviation(items: Any, fewer: int) -> Decimal | None:
    found = _variance(items, fewer)
    return None if found is None else found.sqrt()


def _slice(items: Any, begin: int, end: int | None) -> list[Any] | None:
    return None if items is None else as_list(items)[begin:end]


def indexed(items: Any, index: Any) -> Any:
    """The item or character at an index from 0; nothing beyond the end."""
    if items is None or index is None:
        return None
    found = items if isinstance(items, str) else as_list(items)
    return found[index] if 0 <= index < len(found) else None


def _index_of(items: Any, wanted: Any) -> int | None:
    if items is None or wanted is None:
        return None
    return next((i for i, item in enumerate(as_list(items)) if equal(item, wanted)), -1)


def coalesce(*values: Any) -> Any:
    """The first that is not null; of a single list its first."""
    if len(values) == 1 and isinstance(values[0], list):
        values = tuple(values[0])
    return next((value for value in values if value is not None), None)


OPERATORS: dict[str, Callable[..., Any]] = {
    "Exists": exists,
    "Distinct": distinct,
    "Flatten": flatten,
    "SingletonFrom": singleton,
    "Union": union,
    "Intersect": intersect,
    "Except": difference,
    "Count": lambda items: sum(item is not None for item in as_list(items)),
    "Sum": _sum,
    "Avg": _average,
    "Min": lambda items: _extreme(items, -1),
    "Max": lambda items: _extreme(items, 1),
    "Median": _median,
    "Mode": _mode,
    "Product": _product,
    "GeometricMean": _geometric_mean,
    "Variance": lambda items: _variance(items, 1),
    "PopulationVariance": lambda items: _variance(items, 0),
    "StdDev": lambda items: _deviation(items, 1),
    "PopulationStdDev": lambda items: _deviation(items, 0),
    "First": lambda items: next(iter(as_list(items)), None),
    "Last": lambda items: next(iter(as_list(items)[-1:]), None),
    "AllTrue": lambda items: all(item is not False for item in as_list(items)),
    "AnyTrue": lambda items: any(item is True for item in as_list(items)),
    "Indexer": indexed,
    "IndexOf": _index_of,
    "Skip": lambda items, count: _slice(items, count or 0, None),
    "Take": lambda items, count: _slice(items, 0, count or 0),
    "Tail": lambda items: _slice(items, 1, None),
    "Slice": lambda items, begin, end=None: _slice(items, begin or 0, end),
    "Coalesce": coalesce,
}
