"""Search criteria: query parameters as conditions in SQL over the table `searchable`.

See http://hl7.org/fhir/R4/search.html. Text of a query enters SQL only as an argument.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fhirpkg import rules
from fhirpkg.server import values
from fhirpkg.server.exchange import refused
from fhirpkg.server.indexing import LOCAL, Parameter
from fhirpkg.server.store import INDEXED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fhirpkg.server.exchange import Refused
    from fhirpkg.server.indexing import Indexing

Condition = tuple[str, list[Any]]
"""A piece of SQL and its arguments."""

_MOST_VALUES = 400  # SQLite takes 500 parts of a union
_MODIFIERS = {
    "token": ("missing", "not"),
    "string": ("missing", "exact", "contains"),
    "uri": ("missing", "above", "below"),
    "date": ("missing",),
    "number": ("missing",),
    "quantity": ("missing",),
    "reference": ("missing", "identifier", "[type]"),
    "composite": (),
}
_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)


@dataclass(slots=True)
class Criteria:
    """What selects: `where` over the table `current`; what was used, and what was not and why."""

    where: str = "digest IS NOT NULL"
    arguments: list[Any] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def narrow(self, condition: Condition) -> None:
        """Ask for one more condition."""
        self.where += f" AND ({condition[0]})"
        self.arguments += condition[1]


def read_criteria(
    query: Iterable[tuple[str, str]],
    resource_type: str,
    indexing: Indexing,
    *,
    base: str = "",
    strict: bool = True,
) -> Criteria:
    """The criteria of a query on one type.

    An unknown parameter is refused (400) when strict, else told in `ignored`; an unknown modifier
    or a value that does not fit is always refused, as the specification demands.
    """
    criteria = Criteria()
    criteria.narrow(("current.type = ?", [resource_type]))
    for name, text in query:
        code, _, modifier = name.partition(":")
        parameter = indexing.parameters(resource_type).get(code)
        if parameter is None:
            error = _unknown(code, resource_type, indexing)
            if strict:
                raise error
            criteria.ignored.append(error.issues[0].text)
        elif not text:
            criteria.ignored.append(f"'{name}' has no value")
        else:
            criteria.narrow(_condition(parameter, modifier, text, base))
            criteria.used.append((name, text))
    return criteria


def split_values(text: str, mark: str = ",") -> list[str]:
    r"""The parts between the marks that no backslash escapes (R4 search.html#escaping).

    >>> split_values(r"a\\,b,c")
    ['a\\,b', 'c']
    """
    return re.split(rf"(?<!\\){re.escape(mark)}", text)


def _unknown(code: str, resource_type: str, indexing: Indexing) -> Refused:
    near = rules.nearest(code, list(indexing.parameters(resource_type)))
    return refused(400, "server-search-parameter", type=resource_type, parameter=code, near=near)


def _unescape(text: str) -> str:
    return re.sub(r"\\([,$|\\])", r"\1", text)


def _wrong(parameter: Parameter, problem: str) -> Refused:
    return refused(400, "server-search-value", parameter=parameter.code, problem=problem)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One value that a parameter shall have."""

    parameter: Parameter
    modifier: str
    text: str
    base: str

    def wrong(self, problem: str) -> Refused:
        return _wrong(self.parameter, problem)


def _condition(parameter: Parameter, modifier: str, text: str, base: str) -> Condition:
    _check_modifier(parameter, modifier)
    if modifier == "missing":
        return _missing(parameter, text)
    texts = split_values(text)
    if parameter.code == "_id":
        places = ",".join("?" * len(texts))
        return f"current.id {'NOT ' if modifier else ''}IN ({places})", list(texts)
    if len(texts) > _MOST_VALUES:
        raise _wrong(parameter, f"{len(texts)} values, at most {_MOST_VALUES} are taken at once")
    wanted = [_Wanted(parameter, modifier, one, base) for one in texts]
    if parameter.code == "_lastUpdated":
        return _any_of(_date(one, _UPDATED) for one in wanted)
    parts = [_select(one) for one in wanted]
    union = " UNION ".join(sql for sql, _ in parts)
    arguments = [argument for _, some in parts for argument in some]
    return f"current.key {'NOT ' if modifier == 'not' else ''}IN ({union})", arguments


def _check_modifier(parameter: Parameter, modifier: str) -> None:
    offered = _MODIFIERS[parameter.kind]
    if not modifier or modifier in offered or (parameter.code == "_id" and modifier == "not"):
        return
    if modifier in parameter.targets or (
        not parameter.targets and parameter.kind == "reference" and modifier[0].isupper()
    ):
        return
    allowed = f"it takes {', '.join(':' + name for name in offered)}" if offered else "it has none"
    code = parameter.code
    rule = "server-search-modifier"
    raise refused(400, rule, parameter=code, modifier=modifier, allowed=allowed)


def _missing(parameter: Parameter, text: str) -> Condition:
    if text not in {"true", "false"}:
        raise _wrong(parameter, f"':missing' is true or false, not '{text}'")
    if parameter.code in {"_id", "_lastUpdated"}:  # never missing
        return str(int(text == "false")), []
    negation = "NOT " if text == "true" else ""
    there = "SELECT key FROM searchable WHERE param = ?"
    return f"current.key {negation}IN ({there})", [parameter.name]


def _any_of(conditions: Iterable[Condition]) -> Condition:
    found = list(conditions)
    sql = " OR ".join(f"({sql})" for sql, _ in found)
    return sql, [argument for _, some in found for argument in some]


def _select(wanted: _Wanted) -> Condition:
    """A SELECT of the keys that one value of a parameter fits."""
    parameter = wanted.parameter
    if parameter.components:
        return _select_composite(wanted)
    kind, name = parameter.kind, parameter.name
    if wanted.modifier == "identifier":
        kind, name = "token", f"{name}:identifier"
    sql, arguments = _PREDICATES[kind](wanted)
    return f"SELECT key FROM searchable WHERE param = ? AND ({sql})", [name, *arguments]  # noqa: S608


def _select_composite(wanted: _Wanted) -> Condition:
    texts, components = split_values(wanted.text, "$"), wanted.parameter.components
    if len(texts) != len(components):
        form = "$".join(component.code for component in components)
        raise wanted.wrong(f"'{wanted.text}' has {len(texts)} of the {len(components)} of {form}")
    parts = [
        _select(_Wanted(component, "", text, wanted.base))
        for component, text in zip(components, texts, strict=True)
    ]
    both = " INTERSECT ".join(sql.replace("SELECT key", "SELECT key, part", 1) for sql, _ in parts)
    return f"SELECT key FROM ({both})", [argument for _, some in parts for argument in some]  # noqa: S608


def _token(wanted: _Wanted) -> Condition:
    system, *code = (_unescape(part) for part in split_values(wanted.text, "|"))
    if not code:
        return "value = ?", [system.casefold()]
    if code == [""]:
        return "system = ?", [system]
    # The system that a `code` element implies is not stored: None fits each.
    value = "|".join(code).casefold()
    return "value = ? AND (system = ? OR system IS NULL)", [value, system]


def _string(wanted: _Wanted) -> Condition:
    text = _unescape(wanted.text)
    if wanted.modifier == "exact":
        return "exact = ?", [text]
    if wanted.modifier == "contains":
        return "instr(value, ?)", [values.plain(text)]
    start = values.plain(text)
    return "value >= ? AND value < ?", [start, start + "\U0010ffff"]


def _uri(wanted: _Wanted) -> Condition:
    text = _unescape(wanted.text)
    if wanted.modifier == "below":
        return "substr(value, 1, ?) = ?", [len(text), text]
    if wanted.modifier == "above":
        return "value = substr(?, 1, length(value))", [text]
    return "value = ?", [text]


def _prefix(text: str) -> tuple[str, str]:
    match = _PREFIXED.fullmatch(text)
    assert match is not None, "every text matches"
    return match[1] or "eq", match[2]


_DATES = {
    "eq": "{low} >= :a AND {high} <= :b",
    "ne": "NOT ({low} >= :a AND {high} <= :b)",
    "gt": "{high} > :b",
    "lt": "{low} < :a",
    "ge": "{high} > :a",
    "le": "{low} < :b",
    "sa": "{low} >= :b",
    "eb": "{high} <= :a",
    "ap": "{low} < :b AND {high} > :a",
}
_UPDATED = {"low": "current.updated", "high": "(current.updated + 1000)"}
_STORED = {"low": "value", "high": "high"}


def _date(wanted: _Wanted, columns: Mapping[str, str] = _STORED) -> Condition:
    prefix, date = _prefix(wanted.text)
    try:
        low, high = values.date_range(_unescape(date))
    except ValueError as error:
        raise wanted.wrong(str(error)) from None
    if prefix == "ap":  # a tenth of the time from then to now, as the specification suggests
        margin = abs(values.now() - low) // 10
        low, high = low - margin, high + margin
    return _with_arguments(_DATES[prefix].format(**columns), low, high)


_NUMBERS = {
    "eq": "value >= :a AND high < :b",
    "ne": "NOT (value >= :a AND high < :b)",
    "gt": "high > :a",
    "lt": "value < :a",
    "ge": "high >= :a",
    "le": "value <= :a",
    "sa": "value > :a",
    "eb": "high < :a",
    "ap": "value <= :b AND high >= :a",
}


def _number(wanted: _Wanted) -> Condition:
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
    return _with_arguments(_NUMBERS[prefix], low, high)


def _with_arguments(template: str, low: float, high: float) -> Condition:
    """The template with positional arguments, in the order in which they stand in it."""
    arguments = [low if mark == ":a" else high for mark in re.findall(":[ab]", template)]
    return re.sub(":[ab]", "?", template), arguments


def _quantity(wanted: _Wanted) -> Condition:
    number, *unit = (_unescape(part) for part in split_values(wanted.text, "|"))
    sql, arguments = _number(replace(wanted, text=number))
    if not unit:
        return sql, arguments
    if len(unit) != 2:
        raise wanted.wrong(f"'{wanted.text}' is not number, number|system|code or number||code")
    system, code = unit
    if system:
        return f"({sql}) AND system = ? AND code = ?", [*arguments, system, code]
    return f"({sql}) AND (code = ? OR unit = ?)", [*arguments, code, code]


def _reference(wanted: _Wanted) -> Condition:
    text = _unescape(wanted.text).removeprefix(f"{wanted.base}/" if wanted.base else "")
    if wanted.modifier and "/" not in text:
        text = f"{wanted.modifier}/{text}"
    if local := LOCAL.fullmatch(text):
        absolute = f"{wanted.base}/{local['type']}/{local['id']}"
        local_or_absolute = "value = ? AND type = ? OR value = ? AND type IS NULL"
        return local_or_absolute, [local["id"], local["type"], absolute]
    url, _, version = text.partition("|")
    if version:
        return "value = ? AND version = ?", [url, version]
    return "value = ?", [url]


_PREDICATES: dict[str, Callable[[_Wanted], Condition]] = {
    "token": _token,
    "string": _string,
    "uri": _uri,
    "date": _date,
    "number": _number,
    "quantity": _quantity,
    "reference": _reference,
}
assert _PREDICATES.keys() == INDEXED.keys(), "each kind that is indexed is searched by"
