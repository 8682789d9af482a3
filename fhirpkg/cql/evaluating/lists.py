"""Lists (CQL reference, section 9.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating.comparison import equal, member
from fhirpkg.cql.evaluating.elements import is_interval
from fhirpkg.cql.evaluating.intervals import sets
from fhirpkg.cql.evaluating.values import Element, as_list
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from fhirpkg.cql.tree import Value


def exists(items: Value) -> bool:
    """Whether there is anything; nulls do not count."""
    return any(item is not None for item in as_list(items))


def distinct(items: Value) -> list[Value] | None:
    """Each value once, in the order they came; null once too."""
    if items is None:
        return None
    kept: list[Value] = []
    alike: dict[Hashable, list[Value]] = {}
    for item in as_list(items):
        known = alike.setdefault(_mark(item), [])
        if not any(item is each or _is_same(item, each) for each in known):
            known.append(item)
            kept.append(item)
    return kept


def _mark(value: Value) -> Hashable:
    """What equal values have in common; only those that share it need to be compared."""
    if isinstance(value, str):
        return value
    if isinstance(value, Element):
        identity = value.get("id") if "resourceType" in value else None
        return identity if isinstance(identity, str) else None
    if isinstance(value, dict):
        return tuple(_mark(value[key]) for key in sorted(value))
    return None


def _is_same(one: Value, two: Value) -> bool:
    """Equal; elements of FHIR when they hold the same, whatever values they stand for."""
    if isinstance(one, Element) and isinstance(two, Element):
        return one == two
    return equal(one, two) is True


def flatten(items: Value) -> list[Value] | None:
    """The items of the lists in a list; a list that is null stays an item, as in the reference."""
    if items is None:
        return None
    return [inner for item in items for inner in ([None] if item is None else as_list(item))]


def singleton(items: Value) -> Value:
    """The one item there is; more than one is an error."""
    found = as_list(items)
    if len(found) > 1:
        raise FhirpkgError(f"singleton from: there are {len(found)} items")
    return found[0] if found else None


def union(one: Value, two: Value) -> Value:
    """All of both, each once; intervals that touch become one."""
    if is_interval(one) and is_interval(two):
        return sets.union(one, two)
    if one is None and two is None:
        return None
    if (is_interval(one) and two is None) or (one is None and is_interval(two)):
        return None
    return distinct(as_list(one) + as_list(two))


def intersect(one: Value, two: Value) -> Value:
    """What is in both, each once."""
    if is_interval(one) or is_interval(two):
        return sets.intersect(one, two)
    if one is None or two is None:
        return None
    return distinct([item for item in as_list(one) if member(two, item)])


def difference(one: Value, two: Value) -> Value:
    """What is in the one and not in the other."""
    if is_interval(one) or is_interval(two):
        return sets.difference(one, two)
    if one is None:
        return None
    return distinct([item for item in as_list(one) if not member(two, item)])


def _slice(items: Value, begin: int, end: int | None) -> list[Value] | None:
    return None if items is None else as_list(items)[begin:end]


def _skip(items: Value, count: Value) -> list[Value] | None:
    """Without the first ones; without any for a negative count (CQL reference, Skip)."""
    return _slice(items, 0, 0) if (count or 0) < 0 else _slice(items, count or 0, None)


def _sliced(items: Value, begin: Value = None, end: Value = None) -> list[Value] | None:
    """Slice: from an index to before another, which counts from the end when it is negative."""
    return _slice(items, begin or 0, end)


def indexed(items: Value, index: Value) -> Value:
    """The item or character at an index from 0; nothing beyond the end."""
    if items is None or index is None:
        return None
    found = items if isinstance(items, str) else as_list(items)
    return found[index] if 0 <= index < len(found) else None


def _index_of(items: Value, wanted: Value) -> int | None:
    if items is None or wanted is None:
        return None
    return next((i for i, item in enumerate(as_list(items)) if equal(item, wanted)), -1)


def coalesce(*values: Value) -> Value:
    """The first that is not null; of a single list its first."""
    if len(values) == 1 and isinstance(values[0], list):
        values = tuple(values[0])
    return next((value for value in values if value is not None), None)


OPERATORS: dict[str, Callable[..., Value]] = {
    "Exists": exists,
    "Distinct": distinct,
    "Flatten": flatten,
    "SingletonFrom": singleton,
    "Union": union,
    "Intersect": intersect,
    "Except": difference,
    "First": lambda items: next(iter(as_list(items)), None),
    "Last": lambda items: next(iter(as_list(items)[-1:]), None),
    "Indexer": indexed,
    "IndexOf": _index_of,
    "Skip": _skip,
    "Take": lambda items, count: _slice(items, 0, max(count or 0, 0)),
    "Tail": lambda items: _slice(items, 1, None),
    "Slice": _sliced,
    "Coalesce": coalesce,
}
