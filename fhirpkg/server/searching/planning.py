# ruff: noqa: S608 - text of a query is only ever an argument
"""How matches are found: from the fewest keys, or along an index in the wanted order.

SQLite keeps no statistics of what lies in `searchable`, so the way is chosen here. If some
condition fits few resources, its keys are taken, tested by the others and sorted. Else the
resources are walked in the order of the page, by an index, until the page is full. Both take a
time that grows with the page, not with the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirpkg.server.searching.narrowing import narrowed
from fhirpkg.server.storing.layout import param_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fhirpkg.server.searching.criteria import Condition, Criteria
    from fhirpkg.server.searching.predicates import Sql
    from fhirpkg.server.storing.store import Store

_FEW = 2000
"""Keys that are sorted rather than met on a walk."""
COLUMNS = {"_id": "current.id", "_lastUpdated": "current.updated"}


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of `_sort`: a search parameter of the type, and whether its order is reversed."""

    text: str
    code: str
    name: str
    is_down: bool

    @property
    def direction(self) -> str:
        """The direction in SQL."""
        return "DESC" if self.is_down else "ASC"

    @property
    def sql(self) -> str:
        """A term of ORDER BY over `current`: its lowest value, reversed its highest."""
        if self.code in COLUMNS:
            return f"{COLUMNS[self.code]} {self.direction}"
        edge = "max" if self.is_down else "min"
        value = (
            f"(SELECT {edge}(value) FROM searchable INDEXED BY searchable_key"
            f" WHERE key = current.key AND param = {param_key(self.name)})"
        )
        return f"{value} {self.direction} NULLS LAST"


@dataclass(frozen=True, slots=True)
class Found:
    """Keys of matches in order, and how many match in all if that is known."""

    keys: list[int]
    total: int | None = None


def find(
    store: Store,
    criteria: Criteria,
    order: Sequence[SortKey] = (),
    *,
    most: int,
    offset: int = 0,
    after: int = 0,
) -> Found:
    """The keys of at most that many matches, after an offset or after a key. Raises TooCostly."""
    criteria = narrowed(store, criteria)
    few = _fewest(store, criteria)
    if few is not None:
        found = few.fitting(store, criteria, order, after)
        return Found(found[offset : offset + most], None if after else len(found))
    if not order or order[0].code in COLUMNS:
        sql, arguments = _walked(criteria, order, after)
        return Found(store.keys(f"{sql} LIMIT ? OFFSET ?", [*arguments, most, offset]))
    return Found(_walked_by_value(store, criteria, order, most, offset))


def count(store: Store, criteria: Criteria) -> int:
    """How many resources match. Raises TooCostly."""
    criteria = narrowed(store, criteria)
    few = _fewest(store, criteria)
    if few is not None:
        return len(few.fitting(store, criteria, (), 0))
    if not criteria.conditions:
        return store.number(criteria.type)
    sql, arguments = criteria.keys()
    # Keys that come sorted are counted once each as they come: DISTINCT would sort them.
    lone = _lone_ordered(criteria)
    sql = f"{sql} GROUP BY key" if lone else f"SELECT DISTINCT key FROM ({sql})"
    return int(store.query(f"SELECT count(*) FROM ({sql})", arguments)[0][0])


@dataclass(frozen=True, slots=True)
class _Few:
    """All keys that fit a condition."""

    condition: Condition
    keys: list[int]

    def fitting(
        self, store: Store, criteria: Criteria, order: Sequence[SortKey], after: int
    ) -> list[int]:
        """Those that fit the other conditions as well, in order."""
        tests, arguments = criteria.tests(self.condition)
        sql = (
            "SELECT current.key AS key FROM json_each(?) AS few CROSS JOIN current"
            f" ON current.key = few.value WHERE {tests} AND current.key > ?"
            f" ORDER BY {_order(order)}"
        )
        return store.keys(sql, [str(list(set(self.keys))), *arguments, after])


def _fewest(store: Store, criteria: Criteria) -> _Few | None:
    """The condition with the fewest keys, if it has few."""
    best, least = None, _FEW + 1
    for condition in criteria.conditions:
        if condition.keys is None:
            continue
        if condition.beyond and _fewest(store, condition.beyond) is None:
            continue
        sql, arguments = condition.keys
        keys = store.keys(f"SELECT key FROM ({sql}) LIMIT {least}", arguments)
        if len(keys) < least:
            best, least = _Few(condition, keys), max(len(keys), 1)
        if not keys:
            break
    return best


def _order(order: Sequence[SortKey], last: str = "") -> str:
    last = last or (order[0].direction if order else "ASC")
    return ", ".join([*(key.sql for key in order), f"current.key {last}"])


def _later(after: int) -> Sql:
    """A test that is left out when it says nothing: it would lead SQLite away from an index."""
    return (" AND current.key > ?", [after]) if after else ("", [])


def _lone_ordered(criteria: Criteria) -> Sql | None:
    """The keys of the only condition, if they come sorted."""
    lone = criteria.conditions[0] if len(criteria.conditions) == 1 else None
    return lone.keys if lone and lone.is_ordered else None


def _walked(criteria: Criteria, order: Sequence[SortKey], after: int) -> Sql:
    """Along the keys, or along the column of `current` that the first key of the order is."""
    lone = _lone_ordered(criteria)
    if lone and not order:
        keys, arguments = lone
        return f"SELECT DISTINCT key FROM ({keys}) WHERE key > ? ORDER BY key", [*arguments, after]
    tests, arguments = criteria.tests()
    later, bound = _later(after)
    sql = f"SELECT current.key AS key FROM current WHERE {tests}{later}"
    return f"{sql} ORDER BY {_order(order)}", [*arguments, *bound]


def _walked_by_value(
    store: Store, criteria: Criteria, order: Sequence[SortKey], most: int, offset: int
) -> list[int]:
    """Along the values of the first key of the order; those without a value come last."""
    first, *rest = order
    tests, arguments = criteria.tests()
    param = param_key(first.name)
    beyond = ">" if first.is_down else "<"
    terms = ", ".join(
        [f"s.value {first.direction}", *(k.sql for k in rest), f"s.key {first.direction}"]
    )
    spans = [one.span for one in criteria.conditions if one.span]
    ends = next((one for one in spans if (one.name, one.group) == (first.name, "")), None)
    asked = [param, *([ends.low, ends.high] if ends else []), *arguments]
    # Of several values of one resource the first that is met counts.
    valued = (
        "FROM searchable s CROSS JOIN current ON current.key = s.key WHERE s.param = ?"
        f"{' AND s.value BETWEEN ? AND ?' if ends else ''}"
        " AND NOT EXISTS (SELECT 1 FROM searchable t INDEXED BY searchable_key WHERE"
        f" t.key = s.key AND t.param = s.param AND"
        f" (t.value, t.part, t.n) {beyond} (s.value, s.part, s.n)) AND {tests}"
    )
    keys = store.keys(
        f"SELECT s.key AS key {valued} ORDER BY {terms} LIMIT ? OFFSET ?",
        [*asked, most, offset],
    )
    if len(keys) < most and not ends:
        passed = offset + len(keys)
        if not keys and offset:
            ((passed,),) = store.query(f"SELECT count(*) {valued}", asked)
        without = (
            f"SELECT current.key AS key FROM current WHERE {tests} AND NOT EXISTS (SELECT 1 FROM"
            " searchable WHERE key = current.key AND param = ?)"
            f" ORDER BY {_order(rest, first.direction)} LIMIT ? OFFSET ?"
        )
        limits: list[Any] = [most - len(keys), max(offset - passed, 0)]
        keys += store.keys(without, [*arguments, param, *limits])
    return keys
