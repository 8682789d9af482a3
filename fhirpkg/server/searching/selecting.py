# ruff: noqa: S608 - text of a query is only ever an argument
"""SELECTs of the keys that a value of a search parameter fits, plain or composite.

See http://hl7.org/fhir/R4/search.html#ptypes. Text of a query enters SQL only as an argument.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirpkg.server.searching.predicates import EQUAL, PREDICATES, Wanted, split_values
from fhirpkg.server.storing.layout import param_key
from fhirpkg.server.storing.words import CONTAINING, SHORTEST_PART, containing

if TYPE_CHECKING:
    from fhirpkg.server.searching.predicates import Sql

_SAMPLE = 500
_Component = tuple[int, str, list[Any]]
"""The parameter of a component of a composite value, its test and the arguments of that."""


def select(wanted: Wanted, *, of_current: bool = False) -> Sql:
    """A SELECT of the keys that one value of a parameter fits, or of the one key of `current`."""
    parameter = wanted.parameter
    if parameter.components:
        return _select_composite(wanted, of_current=of_current)
    kind, name = parameter.kind, parameter.name
    if wanted.modifier == "identifier":
        kind, name = "token", f"{name}:identifier"
    sql, arguments = PREDICATES[kind](wanted)
    if wanted.modifier == "contains" and not of_current and len(arguments[0]) >= SHORTEST_PART:
        source = f"{CONTAINING} AS word CROSS JOIN searchable"
        sql = f"SELECT key FROM {source} WHERE param = ? AND searchable.value = word.value"
        return sql, [*containing(arguments[0]), param_key(name)]
    # SQLite would look through all values of the parameter rather than through those of one key.
    source = "searchable INDEXED BY searchable_key" if of_current else "searchable"
    within = "key = current.key AND " if of_current else ""
    return (
        f"SELECT key FROM {source} WHERE {within}param = ? AND ({sql})",
        [param_key(name), *arguments],
    )


def is_one_value(wanted: Wanted) -> str | None:
    """The stored value that is asked for, when nothing but that is asked."""
    if wanted.parameter.components or wanted.modifier not in {"", "not"}:
        return None
    sql, arguments = PREDICATES[wanted.parameter.kind](wanted)
    return arguments[0] if sql == EQUAL else None


def other_values(wanted: list[Wanted]) -> list[Sql]:
    """Tests of a row of one parameter: together they hold for all values but those wanted."""
    values_ = [is_one_value(one) for one in wanted]
    known = sorted(value for value in values_ if value is not None)
    if len(known) == len(values_):  # between them, so that an index leads to the others
        inner = [("value > ? AND value < ?", [a, b]) for a, b in itertools.pairwise(known)]
        return [("value < ?", known[:1]), *inner, ("value > ?", known[-1:])]
    tests = [PREDICATES[one.parameter.kind](one) for one in wanted]
    sql = " OR ".join(f"({sql})" for sql, _ in tests)
    return [(f"({sql}) IS NOT TRUE", [each for _, some in tests for each in some])]


def _composite(wanted: Wanted) -> list[_Component]:
    """The parameter, test and arguments of each component of a composite value."""
    texts, components = split_values(wanted.text, "$"), wanted.parameter.components
    if len(texts) != len(components):
        form = "$".join(component.code for component in components)
        raise wanted.wrong(
            f"'{wanted.text}' has {len(texts)} of the {len(components)} parts of {form}"
        )
    return [
        (param_key(component.name), *PREDICATES[component.kind](one))
        for component, text in zip(components, texts, strict=True)
        for one in [Wanted(component, "", text, wanted.base)]
    ]


def begins_with_one_value(wanted: Wanted) -> bool:
    """Whether one stored value is asked of the first component of a composite."""
    return _composite(wanted)[0][1].startswith(EQUAL)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to the keys of a composite value, from one of its components.

    `rows` are the rows that fit the component, `keys` those of them that fit all, `sample` the
    same of a few rows.
    """

    rows: Sql
    keys: Sql
    sample: Sql


def ways(wanted: Wanted) -> tuple[Way, ...]:
    """The ways to the keys of a composite value, one from each component."""
    parts = _composite(wanted)
    return tuple(_way(part, [p for p in parts if p is not part]) for part in parts)


def _way(begin: _Component, others: list[_Component]) -> Way:
    param, test, arguments = begin
    asked = [param, *arguments]
    rows = f"FROM searchable WHERE param = ? AND ({test})"
    fitting, more = _beside(others)
    few = f"SELECT key FROM (SELECT * {rows} LIMIT {_SAMPLE}) AS a WHERE true{fitting}"
    return Way((f"SELECT 1 {rows}", asked), _fitting_all(begin, others), (few, [*asked, *more]))


def _fitting_all(begin: _Component, others: list[_Component], index: str = "") -> Sql:
    """A SELECT of the keys of the rows that fit one component, with those that fit the others."""
    param, test, arguments = begin
    fitting, more = _beside(others)
    sql = f"SELECT key FROM searchable AS a{index} WHERE param = ? AND ({test}){fitting}"
    return sql, [param, *arguments, *more]


def _beside(others: list[_Component]) -> Sql:
    """What is to stand beside a row `a` for the other components."""
    sql, arguments = "", []
    for param, test, some in others:
        sql += (
            " AND EXISTS (SELECT 1 FROM searchable AS b INDEXED BY searchable_key"
            f" WHERE b.key = a.key AND b.param = ? AND b.part = a.part AND ({test}))"
        )
        arguments += [param, *some]
    return sql, arguments


def _select_composite(wanted: Wanted, *, of_current: bool) -> Sql:
    begin, *others = _composite(wanted)
    if not of_current:
        return _fitting_all(begin, others)
    sql, arguments = _fitting_all(begin, others, " INDEXED BY searchable_key")
    return f"{sql} AND key = current.key", arguments
