# ruff: noqa: S608 - text of a query is only ever an argument
"""Search criteria: query parameters as conditions in SQL over the table `searchable`.

See http://hl7.org/fhir/R4/search.html. Text of a query enters SQL only as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fhirpkg import rules
from fhirpkg.server.exchange import refused
from fhirpkg.server.predicates import UPDATED, Wanted, date, select, split_values, wrong_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.server.exchange import Refused
    from fhirpkg.server.indexing import Indexing, Parameter
    from fhirpkg.server.predicates import Condition

_MOST_VALUES = 400  # SQLite takes 500 parts of a union
_LONGEST_CHAIN = 3
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


@dataclass(slots=True)
class Criteria:
    """What selects: `where` over the table `current`; what was used, and what was not and why."""

    where: str = "current.digest IS NOT NULL"
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
    scope = _Scope(resource_type, indexing, base)
    criteria = Criteria()
    criteria.narrow(("current.type = ?", [resource_type]))
    for name, text in query:
        try:
            condition = _condition_of(name, text, scope) if text else None
        except _UnknownParameter as unknown:
            error = unknown.refusal()
            if strict:
                raise error from None
            criteria.ignored.append(error.issues[0].text)
            continue
        if condition is None:
            criteria.ignored.append(f"'{name}' has no value")
        else:
            criteria.narrow(condition)
            criteria.used.append((name, text))
    return criteria


class _UnknownParameter(Exception):  # noqa: N818 - refused or ignored, as the client wants it
    """A search parameter that a type does not have."""

    def __init__(self, code: str, scope: _Scope) -> None:
        self.code = code
        self.scope = scope

    def refusal(self) -> Refused:
        type_, code = self.scope.type, self.code
        near = rules.nearest(code, list(self.scope.indexing.parameters(type_)))
        return refused(400, "server-search-parameter", type=type_, parameter=code, near=near)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The type that a parameter is of; `depth` counts the links of a chain."""

    type: str
    indexing: Indexing
    base: str
    depth: int = 0

    def find(self, code: str) -> Parameter:
        """The parameter of a code. Raises _UnknownParameter."""
        parameter = self.indexing.parameters(self.type).get(code)
        if parameter is None:
            raise _UnknownParameter(code, self)
        return parameter

    def at(self, resource_type: str) -> _Scope:
        """The scope of another type, one link further on."""
        return replace(self, type=resource_type, depth=self.depth + 1)


def _condition_of(name: str, text: str, scope: _Scope) -> Condition:
    if scope.depth > _LONGEST_CHAIN:
        problem = f"a chain has at most {_LONGEST_CHAIN} links"
        raise refused(400, "server-search-value", parameter=name, problem=problem)
    if name.startswith("_has:"):
        return _has(name, text, scope)
    head, _, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    parameter = scope.find(code)
    if rest and parameter.kind == "reference":
        return _chain(parameter, modifier, rest, text, scope)
    if rest:
        raise _UnknownParameter(name, scope)
    return _condition(parameter, modifier, text, scope.base)


def _selected(name: str, text: str, scope: _Scope) -> Condition:
    """The WHERE of the resources of a type that meet one criterion."""
    sql, arguments = _condition_of(name, text, scope)
    where = f"current.digest IS NOT NULL AND current.type = ? AND ({sql})"
    return where, [scope.type, *arguments]


def _chain(parameter: Parameter, modifier: str, rest: str, text: str, scope: _Scope) -> Condition:
    """``subject:Patient.name=x``: what refers to a resource that meets a criterion of its own."""
    if modifier:
        _check_modifier(parameter, modifier)
    code = rest.partition(".")[0].partition(":")[0]
    types = [modifier] if modifier else parameter.targets
    fitting = [t for t in types if code in scope.indexing.parameters(t) or code == "_has"]
    if not fitting:
        raise _UnknownParameter(f"{parameter.code}.{code}", scope)
    links: list[Condition] = []
    for target in fitting:
        where, arguments = _selected(rest, text, scope.at(target))
        there = f"SELECT current.id FROM current WHERE {where}"
        refers = "SELECT key FROM searchable WHERE param = ? AND"
        by_id = f"{refers} type = ? AND value IN ({there})"
        by_url = f"{refers} type IS NULL AND value IN ({_values(where)})"
        links.append((by_id, [parameter.name, target, *arguments]))
        links.append((by_url, [parameter.name, f"{target}.url", *arguments]))
    union = " UNION ".join(sql for sql, _ in links)
    return f"current.key IN ({union})", [argument for _, some in links for argument in some]


def _has(name: str, text: str, scope: _Scope) -> Condition:
    """``_has:Observation:patient:code=x``: what such a resource refers to."""
    _, source, code, rest = ([*name.split(":", 3), "", "", ""])[:4]
    if source not in scope.indexing.types or not rest:
        problem = "it is _has:Type:reference:parameter, with a type of R4"
        raise refused(400, "server-search-value", parameter=name, problem=problem)
    inner = scope.at(source)
    where, arguments = _selected(rest, text, inner)
    referring, param = _values(where), [inner.find(code).name, *arguments]
    by_id = f"current.id IN ({referring} AND type = ?)"
    by_url = f"SELECT key FROM searchable WHERE param = ? AND value IN ({referring})"
    return (
        f"{by_id} OR current.key IN ({by_url})",
        [*param, scope.type, f"{scope.type}.url", *param],
    )


def _values(where: str) -> str:
    """What a parameter, the first argument, holds in the resources that a WHERE picks."""
    there = f"SELECT current.key FROM current WHERE {where}"
    return f"SELECT value FROM searchable WHERE param = ? AND key IN ({there})"


def _condition(parameter: Parameter, modifier: str, text: str, base: str) -> Condition:
    _check_modifier(parameter, modifier)
    if modifier == "missing":
        return _missing(parameter, text)
    texts = split_values(text)
    if parameter.code == "_id":
        places = ",".join("?" * len(texts))
        return f"current.id {'NOT ' if modifier else ''}IN ({places})", list(texts)
    if len(texts) > _MOST_VALUES:
        raise wrong_value(
            parameter, f"{len(texts)} values, at most {_MOST_VALUES} are taken at once"
        )
    wanted = [Wanted(parameter, modifier, one, base) for one in texts]
    if parameter.code == "_lastUpdated":
        return _any_of(date(one, UPDATED) for one in wanted)
    parts = [select(one) for one in wanted]
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
        raise wrong_value(parameter, f"':missing' is true or false, not '{text}'")
    if parameter.code in {"_id", "_lastUpdated"}:  # never missing
        return str(int(text == "false")), []
    negation = "NOT " if text == "true" else ""
    there = "SELECT key FROM searchable WHERE param = ?"
    return f"current.key {negation}IN ({there})", [parameter.name]


def _any_of(conditions: Iterable[Condition]) -> Condition:
    found = list(conditions)
    sql = " OR ".join(f"({sql})" for sql, _ in found)
    return sql, [argument for _, some in found for argument in some]
