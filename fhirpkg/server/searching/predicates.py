# ruff: noqa: S608 - text of a query is only ever an argument
"""Conditions in SQL on the table `searchable`: what one value of a search parameter fits.

See http://hl7.org/fhir/R4/search.html#ptypes. Text of a query enters SQL only as an argument.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fhirpkg.server import values
from fhirpkg.server.exchange import refused
from fhirpkg.server.rules import (
    SERVER_SEARCH_VALUE,
)
from fhirpkg.server.searching.indexing import LOCAL, Parameter
from fhirpkg.server.storing.layout import INDEXED, param_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fhirpkg.server.exchange import Refused

Sql = tuple[str, list[Any]]
"""A piece of SQL and its arguments."""

_EQUAL = "value = ?"
_LONGEST_URI = 2000
_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)


def split_values(text: str, mark: str = ",") -> list[str]:
    r"""The parts between the marks that no backslash escapes (R4 search.html#escaping).

    >>> split_values(r"a\,b,c")
    ['a\\,b', 'c']
    """
    parts, start = [], 0
    for found in re.finditer(rf"\\.|{re.escape(mark)}", text, re.DOTALL):
        if found[0] == mark:
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def unescaped(text: str) -> str:
    r"""A part as it was meant: a backslash takes the meaning of a mark."""
    return re.sub(r"\\([,$|\\])", r"\1", text)


def wrong_value(parameter: Parameter, problem: str) -> Refused:
    """The refusal of a value that does not fit its parameter."""
    return refused(400, SERVER_SEARCH_VALUE, parameter=parameter.code, problem=problem)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One value that a parameter shall have."""

    parameter: Parameter
    modifier: str
    text: str
    base: str

    def wrong(self, problem: str) -> Refused:
        """The refusal of this value."""
        return wrong_value(self.parameter, problem)


def select(wanted: Wanted, columns: str = "key", *, of_current: bool = False) -> Sql:
    """A SELECT of the keys that one value of a parameter fits, or of the one key of `current`."""
    parameter = wanted.parameter
    if parameter.components:
        return _select_composite(wanted, of_current=of_current)
    kind, name = parameter.kind, parameter.name
    if wanted.modifier == "identifier":
        kind, name = "token", f"{name}:identifier"
    sql, arguments = _PREDICATES[kind](wanted)
    # SQLite would look through all values of the parameter rather than through those of one key.
    source = "searchable INDEXED BY searchable_key" if of_current else "searchable"
    within = "key = current.key AND " if of_current else ""
    return (
        f"SELECT {columns} FROM {source} WHERE {within}param = ? AND ({sql})",
        [param_key(name), *arguments],
    )


def is_one_value(wanted: Wanted) -> str | None:
    """The stored value that is asked for, when nothing but that is asked."""
    if wanted.parameter.components or wanted.modifier not in {"", "not"}:
        return None
    sql, arguments = _PREDICATES[wanted.parameter.kind](wanted)
    return arguments[0] if sql == _EQUAL else None


def _select_composite(wanted: Wanted, *, of_current: bool) -> Sql:
    texts, components = split_values(wanted.text, "$"), wanted.parameter.components
    if len(texts) != len(components):
        form = "$".join(component.code for component in components)
        raise wanted.wrong(f"'{wanted.text}' has {len(texts)} of the {len(components)} of {form}")
    parts = [
        select(Wanted(component, "", text, wanted.base), "key, part", of_current=of_current)
        for component, text in zip(components, texts, strict=True)
    ]
    both = " INTERSECT ".join(sql for sql, _ in parts)
    return f"SELECT key FROM ({both})", [argument for _, some in parts for argument in some]


def _token(wanted: Wanted) -> Sql:
    system, *code = (unescaped(part) for part in split_values(wanted.text, "|"))
    if not code:
        return _EQUAL, [system.casefold()]
    if code == [""]:
        return "system = ?", [system]
    # The system that a `code` element implies is not stored: None fits each.
    value = "|".join(code).casefold()
    return "value = ? AND (system = ? OR system IS NULL)", [value, system]


def _string(wanted: Wanted) -> Sql:
    text = unescaped(wanted.text)
    if wanted.modifier == "exact":
        return "value = ? AND coalesce(exact, value) = ?", [values.plain(text), text]
    if wanted.modifier == "contains":
        return "instr(value, ?)", [values.plain(text)]
    return _starting(values.plain(text))


def _starting(text: str) -> Sql:
    return "value >= ? AND value < ?", [text, text + "\U0010ffff"]


def _uri(wanted: Wanted) -> Sql:
    text = unescaped(wanted.text)
    if wanted.modifier == "below":
        return _starting(text)
    if wanted.modifier == "above":
        if len(text) > _LONGEST_URI:
            raise wanted.wrong(f"a uri of at most {_LONGEST_URI} characters is taken with ':above'")
        starts = [text[:end] for end in range(1, len(text) + 1)]
        return f"value IN ({','.join('?' * len(starts))})", starts
    return _EQUAL, [text]


def _prefix(text: str) -> tuple[str, str]:
    match = _PREFIXED.fullmatch(text)
    assert match is not None, "every text matches"
    return match[1] or "eq", match[2]


_DATES = {
    "eq": "{low} >= :a AND {low} < :b AND {high} <= :b",
    "ne": "NOT ({low} >= :a AND {high} <= :b)",
    "gt": "{high} > :b",
    "lt": "{low} < :a",
    "ge": "{high} > :a",
    "le": "{low} < :b",
    "sa": "{low} >= :b",
    "eb": "{high} <= :a",
    "ap": "{low} < :b AND {high} > :a",
}
UPDATED = {"low": "current.updated", "high": "(current.updated + 1000)"}
_STORED = {"low": "value", "high": "high"}


def date(wanted: Wanted, columns: Mapping[str, str] = _STORED) -> Sql:
    """A condition on a stored date, or on other columns that hold the ends of a range."""
    prefix, text = _prefix(wanted.text)
    try:
        low, high = values.date_range(unescaped(text))
    except ValueError as error:
        raise wanted.wrong(str(error)) from None
    if prefix == "ap":  # a tenth of the time from then to now, as the specification suggests
        margin = abs(values.now() - low) // 10
        low, high = low - margin, high + margin
    return _with_arguments(_DATES[prefix].format(**columns), low, high)


_NUMBERS = {
    "eq": "value >= :a AND value < :b AND high < :b",
    "ne": "NOT (value >= :a AND high < :b)",
    "gt": "high > :a",
    "lt": "value < :a",
    "ge": "high >= :a",
    "le": "value <= :a",
    "sa": "value > :a",
    "eb": "high < :a",
    "ap": "value <= :b AND high >= :a",
}


def _number(wanted: Wanted) -> Sql:
    return _with_arguments(*_bounds(wanted))


def _bounds(wanted: Wanted) -> tuple[str, float, float]:
    """The comparison that a number asks for, and the range that it compares with."""
    prefix, number = _prefix(wanted.text)
    try:
        low, high = values.number_range(number)
    except ValueError as error:
        raise wanted.wrong(str(error)) from None
    if prefix == "ap":
        margin = abs(float(number)) / 10
        low, high = float(number) - margin, float(number) + margin
    elif prefix not in {"eq", "ne"}:  # they take the number as exact
        low = high = float(number)
    return _NUMBERS[prefix], low, high


def _with_arguments(template: str, low: float, high: float) -> Sql:
    """The template with positional arguments, in the order in which they stand in it."""
    arguments = [low if mark == ":a" else high for mark in re.findall(":[ab]", template)]
    return re.sub(":[ab]", "?", template), arguments


def _quantity(wanted: Wanted) -> Sql:
    number, *unit = (unescaped(part) for part in split_values(wanted.text, "|"))
    template, low, high = _bounds(replace(wanted, text=number))
    if len(unit) not in {0, 2}:
        raise wanted.wrong(f"'{wanted.text}' is not number, number|system|code or number||code")
    system, code = unit or ("", "")
    if system == values.UCUM and (base := values.in_base_units(low, high, code)):
        low, high, code = base
        system = values.BASE_UNITS
    sql, arguments = _with_arguments(template, low, high)
    if system:
        return f"({sql}) AND system = ? AND code = ?", [*arguments, system, code]
    arguments.append(values.BASE_UNITS)  # each amount counts once, as it is written
    if code:
        return f"({sql}) AND system <> ? AND (code = ? OR unit = ?)", [*arguments, code, code]
    return f"({sql}) AND system <> ?", arguments


def _reference(wanted: Wanted) -> Sql:
    text = unescaped(wanted.text).removeprefix(f"{wanted.base}/" if wanted.base else "")
    if wanted.modifier and "/" not in text:
        text = f"{wanted.modifier}/{text}"
    if local := LOCAL.fullmatch(text):
        absolute = f"{wanted.base}/{local['type']}/{local['id']}"
        either = "value IN (?, ?) AND (value = ? AND type = ? OR value = ? AND type IS NULL)"
        return either, [local["id"], absolute, local["id"], local["type"], absolute]
    url, _, version = text.partition("|")
    if version:
        return "value = ? AND version = ?", [url, version]
    return _EQUAL, [url]


_PREDICATES: dict[str, Callable[[Wanted], Sql]] = {
    "token": _token,
    "string": _string,
    "uri": _uri,
    "date": date,
    "number": _number,
    "quantity": _quantity,
    "reference": _reference,
}
assert _PREDICATES.keys() == INDEXED.keys(), "each kind that is indexed is searched by"
