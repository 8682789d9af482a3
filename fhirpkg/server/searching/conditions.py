# ruff: noqa: S608 - text of a query is only ever an argument
"""Conditions in SQL over `current`, `searchable` and `shape`, and what they are together.

Text of a query enters SQL only as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fhirpkg.server.searching.predicates import Wanted, wrong_value
from fhirpkg.server.searching.selecting import (
    begins_with_one_value,
    is_one_value,
    other_values,
    select,
    ways,
)
from fhirpkg.server.storing.layout import param_key
from fhirpkg.server.storing.shapes import HAVING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fhirpkg.server.searching.indexing import Parameter
    from fhirpkg.server.searching.predicates import Span, Sql
    from fhirpkg.server.searching.selecting import Way

PRESENT = "current.type = ? AND current.digest IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: `keys`, a SELECT of all keys that fit, and `test`, for one row of `current`.

    Without `keys` it only tests; `is_ordered` keys come sorted from the index. The keys of a chain
    are quickly found only when few resources fit `beyond`, its next link. `span` is where the
    value lies that it asks for, `shapes` what it asks of a `shape`, `ways` lead to the keys of a
    composite. What a condition `negates` stands with it: its keys are then all that fit and others.
    `again` makes a condition anew, with what lies beyond changed by a function.
    """

    test: Sql
    keys: Sql | None = None
    is_ordered: bool = False
    beyond: Criteria | None = None
    span: Span | None = None
    shapes: Sql | None = None
    negates: Condition | None = None
    ways: tuple[Way, ...] = ()
    again: Callable[[Callable[[Criteria], Criteria]], Condition] | None = None


@dataclass(slots=True)
class Criteria:
    """What selects resources of a type; what was used of a query, and what was not and why."""

    type: str
    conditions: list[Condition] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def tests(self, but: Condition | None = None) -> Sql:
        """All conditions in one test of a row of `current`, without one that is seen to."""
        tests = [one.test for one in self.conditions if one is not but]
        sql, arguments = joined(" AND ", [(PRESENT, [self.type]), *tests])
        return sql, arguments

    def keys(self) -> Sql:
        """A SELECT of the keys of all that fit."""
        lone = self.conditions[0] if len(self.conditions) == 1 else None
        if lone and lone.keys and not lone.negates:
            return lone.keys
        tests, arguments = self.tests()
        return f"SELECT key FROM current WHERE {tests}", arguments


def indexed(wanted: list[Wanted]) -> Condition:
    """A condition on the table `searchable`: one of these values."""
    single = [value for one in wanted if (value := is_one_value(one)) is not None]
    if len(single) == len(wanted):
        places = ",".join("?" * len(single))
        sql = f"FROM searchable WHERE param = ? AND value IN ({places})"
        arguments = [param_key(wanted[0].parameter.name), *single]
        return Condition(
            (f"EXISTS (SELECT 1 {sql} AND key = current.key)", arguments),
            (f"SELECT key {sql}", arguments),
            is_ordered=len(single) == 1,
        )
    tests = [select(one, of_current=True) for one in wanted]
    test, arguments = joined(" OR ", [(f"EXISTS ({sql})", some) for sql, some in tests])
    is_lone_composite = len(wanted) == 1 and bool(wanted[0].parameter.components)
    return Condition(
        (f"({test})", arguments),
        joined(" UNION ALL ", map(select, wanted)),
        is_ordered=is_lone_composite and begins_with_one_value(wanted[0]),
        ways=ways(wanted[0]) if is_lone_composite else (),
    )


def of_columns(sql: str, arguments: list[Any], resource_type: str) -> Condition:
    """A condition on the columns of `current` itself.

    The test is kept from an index: whoever walks along another order would have to sort.
    """
    test = sql.replace("current.", "+current.")
    keys = f"SELECT key FROM current WHERE {PRESENT} AND ({sql})"
    return Condition((f"({test})", arguments), (keys, [resource_type, *arguments]))


def missing(parameter: Parameter, text: str, resource_type: str) -> Condition:
    """A condition on whether a parameter has a value. Raises Refused (400)."""
    if text not in {"true", "false"}:
        raise wrong_value(parameter, f"':missing' must be true or false, not '{text}'")
    if parameter.code in {"_id", "_lastUpdated"}:  # never missing
        return Condition((str(int(text == "false")), []))
    return of_shapes(resource_type, [valued(parameter.name, is_so=text == "false")])


def valued(name: str, *, is_so: bool) -> Sql:
    """A test of a shape: whether it has a value for a parameter."""
    return f"shape.id {'IN' if is_so else 'NOT IN'} {HAVING}", [param_key(name)]


def of_shapes(resource_type: str, tests: list[Sql]) -> Condition:
    """The resources of a type whose shapes fit all tests."""
    test, arguments = joined(" AND ", [("shape.type = ?", [resource_type]), *tests])
    within = f"IN (SELECT id FROM shape WHERE {test})"
    return Condition(
        (f"+current.shape {within}", arguments),
        (f"SELECT key FROM current WHERE shape {within}", arguments),
        shapes=(test, arguments),
    )


def negated(found: Condition, wanted: list[Wanted], resource_type: str) -> Condition:
    """What has no such value: it lacks the parameter, or has another value and not this one."""
    test = f"NOT {found.test[0]}", found.test[1]
    name = wanted[0].parameter.name
    if name.endswith("._id"):
        return Condition(test)
    lacking = of_shapes(resource_type, [valued(name, is_so=False)]).keys
    assert lacking is not None, "shapes lead to keys"
    others = [(f"SELECT key FROM searchable WHERE param = ? AND {sql}", [param_key(name), *some])
              for sql, some in other_values(wanted)]  # fmt: skip
    return Condition(test, joined(" UNION ALL ", [lacking, *others]), negates=found)


def joined(word: str, conditions: Iterable[Sql]) -> Sql:
    """Pieces of SQL with a word between them, and all their arguments."""
    found = list(conditions)
    return word.join(sql for sql, _ in found), [each for _, some in found for each in some]
