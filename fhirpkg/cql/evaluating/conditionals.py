"""Operators that evaluate their operands only as far as is needed (ELM If, Case, And, Or)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating import comparison, lists
from fhirpkg.cql.evaluating.values import KindError

if TYPE_CHECKING:
    from fhirpkg.cql.evaluating.session import Evaluation
    from fhirpkg.cql.tree import Node, Value


def _if(evaluation: Evaluation, node: Node) -> Value:
    holds = evaluation.of(node["condition"]) is True
    return evaluation.of(node["then" if holds else "else"])


def _case(evaluation: Evaluation, node: Node) -> Value:
    comparand = evaluation.of(node["comparand"]) if "comparand" in node else None
    for item in node["caseItem"]:
        when = evaluation.of(item["when"])
        if (comparison.equal(comparand, when) if "comparand" in node else when) is True:
            return evaluation.of(item["then"])
    return evaluation.of(node["else"])


def _and(evaluation: Evaluation, node: Node) -> Value:
    """And, which does not look at the second operand when the first is false."""
    one = evaluation.of(node["operand"][0])
    return False if one is False else comparison.both(one, evaluation.of(node["operand"][1]))


def _or(evaluation: Evaluation, node: Node) -> Value:
    one = evaluation.of(node["operand"][0])
    return True if one is True else comparison.either(one, evaluation.of(node["operand"][1]))


def _coalesce(evaluation: Evaluation, node: Node) -> Value:
    for operand in node["operand"]:
        value = evaluation.of(operand)
        if len(node["operand"]) == 1:
            return lists.coalesce(value)
        if value is not None:
            return value
    return None


def _if_of_kind(evaluation: Evaluation, node: Node) -> Value:
    """An operator on an element that is a choice: null when its value is of another type."""
    try:
        return evaluation.of(node["operand"])
    except KindError:
        return None


SPECIAL = {
    "And": _and,
    "Case": _case,
    "Coalesce": _coalesce,
    "If": _if,
    "IfOfKind": _if_of_kind,
    "Or": _or,
}
