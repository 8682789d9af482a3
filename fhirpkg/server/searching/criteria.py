"""Search criteria: query parameters as conditions in SQL over the table `searchable`.

See http://hl7.org/fhir/R4/search.html. Text of a query enters SQL only as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fhirpkg import rules
from fhirpkg.server.exchange import refused
from fhirpkg.server.rules import (
    SERVER_SEARCH_MODIFIER,
    SERVER_SEARCH_PARAMETER,
)
from fhirpkg.server.searching.predicates import (
    UPDATED,
    Wanted,
    date,
    select,
    split_values,
    wrong_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.server.exchange import Refused
    from fhirpkg.server.searching.indexing import Indexing, Parameter
    from fhirpkg.server.searching.predicates import Condition

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


@dataclass(slots=True)
class Criteria:
    """What selects: `where` over the table `current`; what was used, and what was not and why."""

    where: str
    arguments: list[Any]
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
    criteria = Criteria("current.type = ?", [resource_type])
    for name, text in query:
        code, _, modifier = name.partition(":")
        parameter = indexing.parameters(resource_type).get(code)
        if not text:
            criteria.ignored.append(f"'{name}' has no value")
        elif parameter is None:
            error = unknown_parameter(code, resource_type, indexing)
            if strict:
                raise error
            criteria.ignored.append(str(error))
        else:
            criteria.narrow(_condition(parameter, modifier, text, base))
            criteria.used.append((name, text))
    return criteria


def unknown_parameter(code: str, resource_type: str, indexing: Indexing) -> Refused:
    """The refusal of a search parameter that a type does not have."""
    near = rules.nearest(code, list(indexing.parameters(resource_type)))
    return refused(400, SERVER_SEARCH_PARAMETER, type=resource_type, parameter=code, near=near)


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
        return _joined(" OR ", (date(one, UPDATED) for one in wanted))
    union, arguments = _joined(" UNION ", map(select, wanted))
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
    rule = SERVER_SEARCH_MODIFIER
    raise refused(400, rule, parameter=code, modifier=modifier, allowed=allowed)


def _missing(parameter: Parameter, text: str) -> Condition:
    if text not in {"true", "false"}:
        raise wrong_value(parameter, f"':missing' is true or false, not '{text}'")
    if parameter.code in {"_id", "_lastUpdated"}:  # never missing
        return str(int(text == "false")), []
    negation = "NOT " if text == "true" else ""
    there = "SELECT key FROM searchable WHERE param = ?"
    return f"current.key {negation}IN ({there})", [parameter.name]


def _joined(word: str, conditions: Iterable[Condition]) -> Condition:
    found = list(conditions)
    return word.join(sql for sql, _ in found), [each for _, some in found for each in some]
