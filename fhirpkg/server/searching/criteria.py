# ruff: noqa: S608 - text of a query is only ever an argument
"""Search criteria: query parameters as conditions in SQL over `current` and `searchable`.

See http://hl7.org/fhir/R4/search.html. Text of a query enters SQL only as an argument.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fhirpkg import rules
from fhirpkg.server.exchange import Refused, refused
from fhirpkg.server.rules import (
    SERVER_SEARCH_LIMIT,
    SERVER_SEARCH_MODIFIER,
    SERVER_SEARCH_PARAMETER,
)
from fhirpkg.server.searching.conditions import (
    PRESENT,
    Condition,
    Criteria,
    indexed,
    joined,
    missing,
    negated,
    of_columns,
)
from fhirpkg.server.searching.predicates import (
    UPDATED,
    Wanted,
    date,
    span,
    split_values,
    unescaped,
    wrong_value,
)
from fhirpkg.server.storing.layout import param_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.server.searching.indexing import Indexing, Parameter
    from fhirpkg.server.searching.predicates import Sql

_MOST_VALUES = 400  # SQLite takes 500 parts of a union
_MOST_PARAMETERS = 40
_MOST_ALTOGETHER = 1000
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


class _Unknown(Refused):
    """A search parameter that a type does not have: a lenient search goes on without it."""


@dataclass(slots=True)
class _Reader:
    """Reads one query; `left` are the values that it may still have."""

    indexing: Indexing
    base: str
    left: int = _MOST_ALTOGETHER

    def condition(self, resource_type: str, name: str, text: str, depth: int = 0) -> Condition:
        """One parameter as a condition. Raises Refused."""
        if depth > _LONGEST_CHAIN:
            raise refused(400, SERVER_SEARCH_LIMIT, what="links in a chain", most=_LONGEST_CHAIN)
        if name.startswith("_has:"):
            return self._having(resource_type, name, text, depth)
        first, dot, rest = name.partition(".")
        code, _, modifier = first.partition(":")
        parameter = self.indexing.parameters(resource_type).get(code)
        if parameter is None:
            raise unknown_parameter(code, resource_type, self.indexing)
        if dot:
            return self._chained(resource_type, parameter, modifier, rest, text, depth)
        return self._plain(resource_type, parameter, modifier, text)

    def _plain(
        self, resource_type: str, parameter: Parameter, modifier: str, text: str
    ) -> Condition:
        _check_modifier(parameter, modifier)
        if modifier == "missing":
            return missing(parameter, text, resource_type)
        texts = list(dict.fromkeys(split_values(text)))
        self.left -= len(texts)
        if len(texts) > _MOST_VALUES or self.left < 0:
            most = _MOST_VALUES if len(texts) > _MOST_VALUES else _MOST_ALTOGETHER
            raise refused(400, SERVER_SEARCH_LIMIT, what="values", most=most)
        wanted = [Wanted(parameter, modifier, one, self.base) for one in texts]
        if parameter.code == "_id":
            places = ",".join("?" * len(texts))
            ids = [unescaped(text.removeprefix("|")) for text in texts]  # ids have no system
            found = of_columns(f"current.id IN ({places})", ids, resource_type)
        elif parameter.code == "_lastUpdated":
            dates = [date(one, UPDATED) for one in wanted]
            found = of_columns(*joined(" OR ", dates), resource_type)
        else:
            found = indexed(wanted)
            if len(wanted) == 1:
                found = replace(found, span=span(wanted[0]))
        return negated(found, wanted, resource_type) if modifier == "not" else found

    def _chained(
        self,
        resource_type: str,
        parameter: Parameter,
        target: str,
        rest: str,
        text: str,
        depth: int,
    ) -> Condition:
        """`subject:Patient.name=x`: what refers to a resource that fits (search.html#chaining)."""
        targets = [target] if target else [t for t in parameter.targets if t != "Resource"]
        if parameter.kind != "reference":
            raise unknown_parameter(f"{parameter.code}.{rest}", resource_type, self.indexing)
        if not targets:
            problem = f"it may refer to any type: write {parameter.code}:Type.{rest}"
            raise wrong_value(parameter, problem)
        code = rest.partition(".")[0].partition(":")[0]
        fitting = [t for t in targets if target or self._knows(t, code)]
        if not fitting:
            raise unknown_parameter(code, targets[0], self.indexing)
        beyond = [self._beyond(t, rest, text, depth) for t in fitting]
        return self._referring(parameter, beyond)

    def _referring(self, parameter: Parameter, beyond: list[Criteria]) -> Condition:
        """What refers by a parameter to what fits."""
        test, arguments = joined(" OR ", self._leading_to(beyond, by_test=True))
        param = f"r.param = {param_key(parameter.name)}"
        one = f"searchable r INDEXED BY searchable_key WHERE r.key = current.key AND {param}"
        return Condition(
            (f"EXISTS (SELECT 1 FROM {one} AND ({test}))", arguments),
            joined(
                " UNION ALL ",
                [
                    (f"SELECT r.key FROM searchable r WHERE {param} AND {there}", those)
                    for there, those in self._leading_to(beyond)
                ],
            ),
            beyond=beyond[0] if len(beyond) == 1 else None,
            again=lambda change: self._referring(parameter, list(map(change, beyond))),
        )

    def _leading_to(self, beyond: Iterable[Criteria], *, by_test: bool = False) -> list[Sql]:
        """Tests of a row `r` of a reference or canonical: one holds if it leads to what fits.

        They look among the keys of all that fit, or test the one that the row leads to.
        """
        return [way for one in beyond for way in self._ways_to(one, by_test=by_test)]

    def _ways_to(self, beyond: Criteria, *, by_test: bool) -> list[Sql]:
        target = beyond.type
        inner, arguments = beyond.tests() if by_test else beyond.keys()
        if by_test:
            there = f"EXISTS (SELECT 1 FROM current WHERE current.id = r.value AND {inner})"
            fits = f"EXISTS (SELECT 1 FROM current WHERE current.key = u.key AND {inner})"
        else:
            there = f"r.value IN (SELECT id FROM current WHERE key IN ({inner}))"
            fits = f"u.key IN ({inner})"
        local = f"r.type = ? AND {there}", [target, *arguments]
        if "url" not in self.indexing.parameters(target):
            return [local]
        url, version = param_key(f"{target}.url"), param_key(f"{target}.version")
        canonical = (
            f"r.type IS NULL AND EXISTS (SELECT 1 FROM searchable u WHERE u.param = {url}"
            f" AND u.value = r.value AND {fits} AND (r.version IS NULL OR EXISTS (SELECT 1 FROM"
            f" searchable v WHERE v.key = u.key AND v.param = {version}"
            " AND v.value = lower(r.version))))"
        )
        return [local, (canonical, arguments)]

    def _knows(self, resource_type: str, code: str) -> bool:
        return code in self.indexing.parameters(resource_type) or code == "_has"

    def _beyond(self, resource_type: str, name: str, text: str, depth: int) -> Criteria:
        """What the resources at the other end of a link are to fit."""
        return Criteria(resource_type, [self.condition(resource_type, name, text, depth + 1)])

    def _having(self, resource_type: str, name: str, text: str, depth: int) -> Condition:
        """`_has:Observation:patient:code=x`: what is referred to by a resource that fits."""
        match = re.fullmatch(r"_has:(\w+):([\w-]+):(.+)", name)
        if match is None:
            raise refused(
                400, SERVER_SEARCH_PARAMETER, type=resource_type, parameter=name,
                near="; write _has:Type:reference:parameter",
            )  # fmt: skip
        source, code, rest = match.groups()
        parameter = self.indexing.parameters(source).get(code)
        if parameter is None or parameter.kind != "reference":
            raise unknown_parameter(code, source, self.indexing)
        return self._referred(parameter, resource_type, self._beyond(source, rest, text, depth))

    def _referred(self, parameter: Parameter, resource_type: str, beyond: Criteria) -> Condition:
        """What is referred to by a parameter of what fits."""
        there = f"FROM searchable h WHERE h.param = {param_key(parameter.name)} AND h.type = ?"
        keys, arguments = beyond.keys()
        tests, more = beyond.tests()
        fitting = f"EXISTS (SELECT 1 FROM current WHERE current.key = h.key AND {tests})"
        # Few fit, or these keys are not asked for: SQLite would look through all references.
        quick = there.replace("h WHERE", "h INDEXED BY searchable_key WHERE")
        referred = f"id IN (SELECT h.value {quick} AND h.key IN ({keys}))"
        return Condition(
            (
                f"EXISTS (SELECT 1 {there} AND h.value = current.id AND {fitting})",
                [resource_type, *more],
            ),
            (
                f"SELECT key FROM current WHERE {PRESENT} AND {referred}",
                [resource_type, resource_type, *arguments],
            ),
            beyond=beyond,
            again=lambda change: self._referred(parameter, resource_type, change(beyond)),
        )


def read_criteria(
    query: Iterable[tuple[str, str]],
    resource_type: str,
    indexing: Indexing,
    *,
    base: str = "",
    strict: bool = True,
) -> Criteria:
    """The criteria of a query on one type.

    An unknown parameter is refused (400) when strict, else added to `ignored`; an unknown modifier
    or a value that does not fit is always refused, as the specification demands.
    """
    criteria = Criteria(resource_type)
    reader = _Reader(indexing, base)
    for name, text in query:
        if not text:
            criteria.ignored.append(f"'{name}' has no value")
            continue
        try:
            criteria.conditions.append(reader.condition(resource_type, name, text))
        except _Unknown as error:
            if strict:
                raise
            criteria.ignored.append(f"{name}: {error}")
        else:
            criteria.used.append((name, text))
    if len(criteria.conditions) > _MOST_PARAMETERS:
        raise refused(400, SERVER_SEARCH_LIMIT, what="parameters", most=_MOST_PARAMETERS)
    return criteria


def unknown_parameter(code: str, resource_type: str, indexing: Indexing) -> Refused:
    """The refusal of a search parameter that a type does not have."""
    near = rules.nearest(code, list(indexing.parameters(resource_type)))
    rule = SERVER_SEARCH_PARAMETER
    return _Unknown(400, rules.issue(rule, type=resource_type, parameter=code, near=near))


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
    raise refused(400, SERVER_SEARCH_MODIFIER, parameter=code, modifier=modifier, allowed=allowed)
