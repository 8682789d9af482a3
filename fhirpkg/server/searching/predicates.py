"""Conditions in SQL on the table `searchable`: what one value of a search parameter fits.

See http://hl7.org/fhir/R4/search.html#ptypes. Text of a query enters SQL only as an argument.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fhirpkg.server import values
from fhirpkg.server.exchange import refused
from fhirpkg.server.rules import (
    SERVER_SEARCH_VALUE,
)
from fhirpkg.server.searching.rows import LOCAL
from fhirpkg.server.storing.layout import INDEXED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fhirpkg.server.exchange import Refused
    from fhirpkg.server.searching.indexing import Parameter

Sql = tuple[str, list[Any]]
"""A piece of SQL and its arguments."""

EQUAL = "value = ?"
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


def _token(wanted: Wanted) -> Sql:
    system, *code = (unescaped(part) for part in split_values(wanted.text, "|"))
    if not code:
        return EQUAL, [system.casefold()]
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
    return EQUAL, [text]


def _prefix(text: str) -> tuple[str, str]:
    match = _PREFIXED.fullmatch(text)
    assert match is not None, "every text matches"
    return match[1] or "eq", match[2]


_DATES = {
    "eq": "{low} >= :a AND {low} < :b AND {high} <= :b{less}",
    "ne": "NOT ({low} >= :a AND {high} <= :b{less})",
    "gt": "{high} > :b{less}",
    "lt": "{low} < :a",
    "ge": "{high} > :a{less}",
    "le": "{low} < :b",
    "sa": "{low} >= :b",
    "eb": "{high} <= :a{less}",
    "ap": "{low} < :b AND {high} > :a{less}",
}
# The end of a stored instant is a millisecond later; as an argument that leaves it to an index.
UPDATED = {"low": "current.updated", "high": "current.updated", "less": " - 1000"}
_STORED = {"low": "value", "high": "high", "less": ""}


def date(wanted: Wanted, columns: Mapping[str, str] = _STORED) -> Sql:
    """A condition on a stored date, or on other columns that hold the ends of a range."""
    prefix, low, high = _asked_date(wanted)
    return _with_arguments(_DATES[prefix].format(**columns), low, high)


def _asked_date(wanted: Wanted) -> tuple[str, int, int]:
    """The comparison that a date asks for, and the range that it compares with."""
    prefix, text = _prefix(wanted.text)
    try:
        low, high = values.date_range(unescaped(text))
    except ValueError as error:
        raise wanted.wrong(str(error)) from None
    if prefix == "ap":  # a tenth of the time from then to now, as the specification suggests
        margin = abs(values.now() - low) // 10
        low, high = low - margin, high + margin
    return prefix, low, high


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
    prefix, low, high = _asked_number(wanted)
    return _with_arguments(_NUMBERS[prefix], low, high)


def _asked_number(wanted: Wanted) -> tuple[str, float, float]:
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
    return prefix, low, high


def _with_arguments(template: str, low: float, high: float) -> Sql:
    """The template with positional arguments, in the order of their appearance."""
    arguments = [low if mark == ":a" else high for mark in re.findall(":[ab]", template)]
    return re.sub(":[ab]", "?", template), arguments


def _quantity(wanted: Wanted) -> Sql:
    prefix, low, high, system, code = _asked_quantity(wanted)
    sql, arguments = _with_arguments(_NUMBERS[prefix], low, high)
    if system:
        return f"({sql}) AND system = ? AND code = ?", [*arguments, system, code]
    arguments.append(values.BASE_UNITS)  # each amount counts once, as it is written
    if code:
        return f"({sql}) AND system <> ? AND (code = ? OR unit = ?)", [*arguments, code, code]
    return f"({sql}) AND system <> ?", arguments


def _asked_quantity(wanted: Wanted) -> tuple[str, float, float, str, str]:
    """Comparison and range of a quantity, its system and code: in base units if it has some."""
    number, *unit = (unescaped(part) for part in split_values(wanted.text, "|"))
    prefix, low, high = _asked_number(replace(wanted, text=number))
    if len(unit) not in {0, 2}:
        raise wanted.wrong(f"'{wanted.text}' is not number, number|system|code or number||code")
    system, code = unit or ("", "")
    if system == values.UCUM and (base := values.in_base_units(low, high, code)):
        return prefix, *base[:2], values.BASE_UNITS, base[2]
    return prefix, low, high, system, code


@dataclass(frozen=True, slots=True)
class Span:
    """Where the value lies that a condition asks for: it begins from `low` to `high`.

    If `after` is known it ends from there on. `sql` is the whole condition. A `group` means that a
    resource has one such value at most; spans of a group ask of the same one.
    """

    name: str
    sql: str
    arguments: list[Any]
    group: str | None
    low: float = -math.inf
    high: float = math.inf
    after: float | None = None


def span(wanted: Wanted) -> Span | None:
    """The span of a date, number or quantity; None for what may lie on both sides of it."""
    parameter, group = wanted.parameter, ""
    low: float
    high: float
    if parameter.kind == "date":
        prefix, low, high = _asked_date(wanted)
    elif parameter.kind == "number":
        prefix, low, high = _asked_number(wanted)
    elif parameter.kind == "quantity":
        prefix, low, high, group, _ = _asked_quantity(wanted)
        group = "in base units" if group == values.BASE_UNITS else "as written"
    else:
        return None
    sides: dict[str, tuple[float, float, float | None]] = {
        "eq": (low, high, None),
        "gt": (-math.inf, math.inf, high),
        "ge": (-math.inf, math.inf, low),
        "sa": (high, math.inf, None),
        "lt": (-math.inf, low, None),
        "le": (-math.inf, high, None),
        "eb": (-math.inf, low, None),
        "ap": (-math.inf, high, low),
    }
    if prefix not in sides:
        return None
    sql, arguments = PREDICATES[parameter.kind](wanted)
    alone = group if parameter.is_single else None
    return Span(parameter.name, sql, arguments, alone, *sides[prefix])


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
    return EQUAL, [url]


PREDICATES: dict[str, Callable[[Wanted], Sql]] = {
    "token": _token,
    "string": _string,
    "uri": _uri,
    "date": date,
    "number": _number,
    "quantity": _quantity,
    "reference": _reference,
}
assert PREDICATES.keys() == INDEXED.keys(), "each kind that is indexed is searched by"
