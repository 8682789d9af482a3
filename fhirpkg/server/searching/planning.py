# ruff: noqa: S608 - text of a query is only ever an argument
"""How matches are found: from the fewest keys, or along an index in the wanted order.

SQLite keeps no statistics of what lies in `searchable`, so the way is chosen here. If some
condition fits few resources, its keys are taken, tested by the others and sorted. Else the
resources are walked in the order of the page, by an index, until the page is full. Both take a
time that grows with the page, not with the store.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fhirpkg.server.searching.conditions import Condition, of_shapes, valued
from fhirpkg.server.searching.narrowing import narrowed
from fhirpkg.server.storing.layout import param_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fhirpkg.server.searching.conditions import Criteria
    from fhirpkg.server.searching.predicates import Span, Sql
    from fhirpkg.server.storing.store import Store

_FEW = 2000
"""Keys that are sorted rather than met on a walk."""
_ALL_TESTED = 500
"""Keys that are all tested, so that their total is known, though no order asks for it."""
_FITTING = 25
"""Of a sample so many fit that a walk soon finds a page."""
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
    return _find(store, narrowed(store, criteria), order, _Part(most, offset, after))


@dataclass(frozen=True, slots=True)
class _Part:
    """Which matches are wanted; `last` is the direction of the key, which ends each order."""

    most: int
    offset: int = 0
    after: int = 0
    last: str = ""


def _find(store: Store, criteria: Criteria, order: Sequence[SortKey], part: _Part) -> Found:
    few = _fewest(store, criteria)
    if few is not None:
        return few.found(store, criteria, order, part)
    if not order or order[0].code in COLUMNS:
        sql, arguments = _walked(criteria, order, part)
        limits = [part.most, part.offset]
        return Found(store.keys(f"{sql} LIMIT ? OFFSET ?", [*arguments, *limits]))
    return Found(_walked_by_value(store, criteria, order, part))


def count(store: Store, criteria: Criteria) -> int:
    """How many resources match. Raises TooCostly."""
    criteria = narrowed(store, criteria)
    if not criteria.conditions:
        return store.number(criteria.type)
    lone = criteria.conditions[0] if len(criteria.conditions) == 1 else None
    if lone and lone.shapes:
        sql, arguments = lone.shapes
        ((number,),) = store.query(f"SELECT sum(number) FROM shape WHERE {sql}", arguments)
        return number or 0
    if lone and lone.negates:
        others = replace(criteria, conditions=[lone.negates])
        return store.number(criteria.type) - count(store, others)
    few = _fewest(store, criteria)
    if few is not None:
        return len(few.found(store, criteria, (), _Part(_FEW)).keys)
    sql, arguments = criteria.keys()
    return int(store.query(f"SELECT count(DISTINCT key) FROM ({sql})", arguments)[0][0])


@dataclass(frozen=True, slots=True)
class _Few:
    """All keys that fit a condition, in the order in which resources were made."""

    condition: Condition
    keys: list[int]

    def found(
        self, store: Store, criteria: Criteria, order: Sequence[SortKey], part: _Part
    ) -> Found:
        """Those that fit the other conditions as well, in order."""
        keys = [key for key in self.keys if key > part.after]
        seen_to = None if self.condition.negates else self.condition
        if order or len(criteria.conditions) > 1 or not seen_to:
            soon = not order and len(keys) > max(_ALL_TESTED, part.most)
            limit = part.offset + part.most if soon else -1
            tests, arguments = criteria.tests(seen_to)
            source = (
                f"json_each(?) AS few CROSS JOIN current ON current.key = few.value WHERE {tests}"
            )
            if (
                len(criteria.conditions) == 1
                and seen_to
                and COLUMNS.keys().isdisjoint(key.code for key in order)
            ):  # only their order is asked for, and that stands in the index
                source, arguments = "(SELECT value AS key FROM json_each(?)) AS current", []
            terms = f" ORDER BY {_order(order, part.last)}" if order else ""
            sql = f"SELECT current.key AS key FROM {source}{terms} LIMIT {limit}"
            keys = store.keys(sql, [str(keys), *arguments])
        else:
            soon = False
        if not order and part.last == "DESC":
            keys.reverse()
        total = None if part.after or soon else len(keys)
        return Found(keys[part.offset : part.offset + part.most], total)


def _fewest(store: Store, criteria: Criteria) -> _Few | None:
    """The condition with the fewest keys, if it has few."""
    best, least = None, _FEW + 1
    for condition in criteria.conditions:
        if (way := _way(store, condition)) is None:
            continue
        sql, arguments = way
        keys = store.keys(f"SELECT key FROM ({sql}) LIMIT {least}", arguments)
        if len(keys) < least:
            best, least = _Few(condition, sorted(set(keys))), max(len(keys), 1)
        if not keys:
            break
    return best


def _way(store: Store, condition: Condition) -> Sql | None:
    """The keys that fit; None where that would take long and a walk soon finds a page."""
    if condition.beyond and _fewest(store, condition.beyond) is None:
        return None
    if not condition.ways:
        return condition.keys
    sql, arguments = condition.ways[0].sample
    if store.query(f"SELECT 1 FROM ({sql}) LIMIT 1 OFFSET {_FITTING}", arguments):
        return None
    for way in condition.ways:
        sql, arguments = way.rows
        if not store.query(f"{sql} LIMIT 1 OFFSET {_FEW}", arguments):
            return way.keys
    return condition.keys


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


def _walked(criteria: Criteria, order: Sequence[SortKey], part: _Part) -> Sql:
    """Along the keys, or along the column of `current` that the first key of the order is."""
    lone = _lone_ordered(criteria)
    if lone and not order:
        keys, arguments = lone
        sql = f"SELECT DISTINCT key FROM ({keys}) WHERE key > ? ORDER BY key {part.last}"
        return sql, [*arguments, part.after]
    tests, arguments = criteria.tests()
    later, bound = _later(part.after)
    sql = f"SELECT current.key AS key FROM current WHERE {tests}{later}"
    return f"{sql} ORDER BY {_order(order, part.last)}", [*arguments, *bound]


def _walked_by_value(
    store: Store, criteria: Criteria, order: Sequence[SortKey], part: _Part
) -> list[int]:
    """Along the values of the first key of the order; those without a value come last.

    What has a value that many have is found group by group, each in the rest of the order.
    """
    first, *rest = order
    ends = next((s for s in _spans(criteria) if (s.name, s.group) == (first.name, "")), None)
    walk = _Walk(store, criteria, first, rest, part)
    start: object = None
    if rest and ends is None:
        while not walk.is_full and (start := _next_value(store, first, start)) is not None:
            if not _is_large(store, first, start):
                break
            walk.add(_of_value(first, start))
    if not walk.is_full and (start is not None or not rest or ends):
        walk.along(start, ends)
    if not walk.is_full and not ends:
        walk.add(of_shapes(criteria.type, [valued(first.name, is_so=False)]))
    return walk.keys


def _spans(criteria: Criteria) -> list[Span]:
    return [one.span for one in criteria.conditions if one.span]


@dataclass(slots=True)
class _Walk:
    """A part of the matches in the order of the values of `first`, as it fills."""

    store: Store
    criteria: Criteria
    first: SortKey
    rest: Sequence[SortKey]
    part: _Part
    keys: list[int] = field(default_factory=list)
    passed: int = 0
    """Matches before the part."""

    @property
    def last(self) -> str:
        """The direction of the key, which ends the order."""
        return self.part.last or self.first.direction

    @property
    def is_full(self) -> bool:
        """Whether all matches that are wanted were found."""
        return len(self.keys) >= self.part.most

    def add(self, condition: Condition) -> None:
        """The matches that fit one more condition, in the rest of the order."""
        conditions = [*self.criteria.conditions, condition]
        criteria = replace(self.criteria, conditions=conditions)
        skipped = self.part.offset - self.passed
        wanted = _Part(self.part.most - len(self.keys) + skipped, last=self.last)
        found = _find(self.store, criteria, self.rest, wanted).keys
        self.keys += found[skipped:]
        self.passed += min(skipped, len(found))

    def along(self, start: object, ends: Span | None) -> None:
        """The matches with values from one on, as they stand in the index."""
        first, part = self.first, self.part
        tests, arguments = self.criteria.tests()
        up = not first.is_down
        terms = ", ".join(
            [f"s.value {first.direction}", *(k.sql for k in self.rest), f"s.key {self.last}"]
        )
        asked: list[Any] = [param_key(first.name)]
        bounds = ""
        if ends:
            bounds, asked = " AND s.value BETWEEN ? AND ?", [*asked, ends.low, ends.high]
        if start is not None:
            bounds, asked = f" AND s.value {'>=' if up else '<='} ?", [*asked, start]
        # Of several values of one resource the first that is met counts.
        valued = (
            f"FROM searchable s CROSS JOIN current ON current.key = s.key WHERE s.param = ?{bounds}"
            " AND NOT EXISTS (SELECT 1 FROM searchable t INDEXED BY searchable_key WHERE"
            f" t.key = s.key AND t.param = s.param AND"
            f" (t.value, t.part, t.n) {'<' if up else '>'} (s.value, s.part, s.n)) AND {tests}"
        )
        skipped = part.offset - self.passed
        found = self.store.keys(
            f"SELECT s.key AS key {valued} ORDER BY {terms} LIMIT ? OFFSET ?",
            [*asked, *arguments, part.most - len(self.keys), skipped],
        )
        self.keys += found
        passed = skipped
        if not found and skipped:
            sql = f"SELECT count(*) {valued}"
            ((passed,),) = self.store.query(sql, [*asked, *arguments])
        self.passed += passed


def _next_value(store: Store, key: SortKey, before: object) -> object:
    """The value of a parameter that follows another in an order, or its first one; None: none."""
    edge, beyond = ("max", "<") if key.is_down else ("min", ">")
    sql = f"SELECT {edge}(value) FROM searchable WHERE param = ?"
    if before is None:
        return store.query(sql, [param_key(key.name)])[0][0]
    return store.query(f"{sql} AND value {beyond} ?", [param_key(key.name), before])[0][0]


def _is_large(store: Store, key: SortKey, value: object) -> bool:
    """Whether so many have a value that to sort them takes long."""
    sql = "SELECT 1 FROM searchable WHERE param = ? AND value = ? LIMIT 1 OFFSET ?"
    return bool(store.query(sql, [param_key(key.name), value, _FEW]))


def _of_value(key: SortKey, value: object) -> Condition:
    """What stands at a value in an order: it has that value, and none that comes first."""
    sql = (
        "SELECT key FROM searchable s WHERE s.param = ? AND s.value = ? AND NOT EXISTS (SELECT 1"
        " FROM searchable t INDEXED BY searchable_key WHERE t.key = s.key AND t.param = s.param"
        f" AND t.value {'>' if key.is_down else '<'} s.value)"
    )
    arguments = [param_key(key.name), value]
    test = f"EXISTS ({sql.replace(' s WHERE', ' s WHERE s.key = current.key AND')})"
    return Condition((test, arguments), (sql, arguments), is_ordered=True)
