"""Every operator of ELM, and a session with them.

Operators are functions of their values, in tables by chapter; what has to look at its operands
itself is in the tables called SPECIAL, membership and time here.
"""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.cql import models
from fhirpkg.cql.evaluating import (
    aggregates,
    arithmetic,
    comparison,
    conditionals,
    conversions,
    instances,
    lists,
    queries,
    references,
    strings,
    types,
)
from fhirpkg.cql.evaluating.elements import codes, codes_to_look_up, is_coded
from fhirpkg.cql.evaluating.intervals import bounds, relations, sets
from fhirpkg.cql.evaluating.moments import EARLIEST, duration_between
from fhirpkg.cql.evaluating.session import Operators, Session
from fhirpkg.cql.evaluating.values import (
    CodeSystem,
    Long,
    ValueSet,
)
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath import temporal
from fhirpkg.fhirpath.values import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.evaluating.session import Evaluation
    from fhirpkg.cql.tree import Node, Value

# -- membership, time, data ----------------------------------------------------


def _in(evaluation: Evaluation, node: Node) -> Value:
    item, whole = (evaluation.of(operand) for operand in node["operand"])
    return membership(evaluation, item, whole, node.get("precision"))


def _contains(evaluation: Evaluation, node: Node) -> Value:
    whole, item = (evaluation.of(operand) for operand in node["operand"])
    return membership(evaluation, item, whole, node.get("precision"))


def membership(evaluation: Evaluation, item: Value, whole: Value, precision: str | None) -> Value:
    """`in`: a code in a value set or code system, a point in an interval, an item in a list."""
    if isinstance(whole, ValueSet):
        found = codes_to_look_up(item)
        return bool(found) and evaluation.session.is_member(whole.canonical, found)
    if isinstance(whole, CodeSystem):
        return any(code.system == whole.url for code in codes(item))
    if isinstance(whole, list):
        return comparison.member(whole, item)
    if is_coded(whole):  # what was not done may be a value set, which QICore puts into a concept
        named = models.not_done_value_set(whole)
        return membership(evaluation, item, ValueSet(named), None) if named else None
    return False if whole is None else relations.contains(whole, item, precision)


def _in_value_set(evaluation: Evaluation, node: Node) -> Value:
    reference = node.get("valuesetExpression") or {"type": "ValueSetRef"} | node["valueset"]
    key = "codes" if "codes" in node else "code"
    return membership(evaluation, evaluation.of(node[key]), evaluation.of(reference), None)


def _length(evaluation: Evaluation, node: Node) -> Value:
    """A text that is null has no length; a list that is null has no items."""
    operand = node["operand"]
    value = evaluation.of(operand)
    is_list = operand.get("asTypeSpecifier", {}).get("type") == "ListTypeSpecifier"
    return 0 if value is None and is_list else strings.length(value)


def _today(evaluation: Evaluation, _: Node) -> Value:
    return temporal.today(evaluation.session.now)


def _now(evaluation: Evaluation, _: Node) -> Value:
    return temporal.moment(evaluation.session.now)


def _time_of_day(evaluation: Evaluation, _: Node) -> Value:
    return temporal.time_of_day(evaluation.session.now)


def _age(evaluation: Evaluation, node: Node) -> Value:
    born = evaluation.of(node["operand"])
    today = temporal.today(evaluation.session.now)
    return duration_between(born, today, node.get("precision", "Year"))


def _age_at(evaluation: Evaluation, node: Node) -> Value:
    born, then = (evaluation.of(operand) for operand in node["operand"])
    return duration_between(born, then, node.get("precision", "Year"))


def _message(evaluation: Evaluation, node: Node) -> Value:
    """Its source; one of severity Error whose condition holds ends the evaluation."""
    if evaluation.of(node.get("condition", _FALSE)) is True:
        severity = evaluation.of(node.get("severity", _FALSE))
        if severity == "Error":
            raise FhirpkgError(f"the logic says: {evaluation.of(node.get('message', _FALSE))}")
    return evaluation.of(node["source"])


_FALSE: Node = {"type": "Literal", "valueType": "Boolean", "value": "false"}


def _in_code_system(evaluation: Evaluation, node: Node) -> Value:
    reference = node.get("codesystemExpression") or {"type": "CodeSystemRef"} | node["codesystem"]
    key = "codes" if "codes" in node else "code"
    return membership(evaluation, evaluation.of(node[key]), evaluation.of(reference), None)


_TYPICAL: dict[str, Value] = {
    "Integer": 0,
    "Long": Long(0),
    "Decimal": Decimal(0),
    "Date": conversions.to_date(EARLIEST),
    "DateTime": EARLIEST,
    "Time": conversions.to_time(EARLIEST),
    "Quantity": Quantity(Decimal(0), "1"),
}


def _limit(_: Evaluation, node: Node) -> Value:
    """The least or greatest value of a type."""
    local = node["valueType"].rpartition("}")[2]
    if local not in _TYPICAL:
        raise FhirpkgError(f"{node['type']} of {local} is not supported")
    return bounds.limit(_TYPICAL[local], high=node["type"] == "MaxValue")


_SPECIAL: dict[str, Callable[[Evaluation, Node], Value]] = {
    "CalculateAge": _age,
    "CalculateAgeAt": _age_at,
    "Contains": _contains,
    "In": _in,
    "InValueSet": _in_value_set,
    "AnyInValueSet": _in_value_set,
    "InCodeSystem": _in_code_system,
    "AnyInCodeSystem": _in_code_system,
    "MaxValue": _limit,
    "Length": _length,
    "Message": _message,
    "MinValue": _limit,
    "Now": _now,
    "TimeOfDay": _time_of_day,
    "Today": _today,
    **conditionals.SPECIAL,
    **queries.SPECIAL,
    **references.SPECIAL,
    **instances.SPECIAL,
    **types.SPECIAL,
}
_PLAIN: dict[str, Callable[..., Value]] = {
    **comparison.OPERATORS,
    **arithmetic.OPERATORS,
    **relations.OPERATORS,
    **sets.OPERATORS,
    **lists.OPERATORS,
    **aggregates.OPERATORS,
    **strings.OPERATORS,
    **conversions.OPERATORS,
}

open_session = functools.partial(
    Session,
    Operators(
        {kind: operator for kind, operator in _PLAIN.items() if kind not in _SPECIAL},
        relations.WITH_PRECISION,
        _SPECIAL,
    ),
)
"""A session for a repository, the subject's reference, parameters, libraries by name and version,
the types of FHIR, and the time that counts as now (by default the clock's)."""
