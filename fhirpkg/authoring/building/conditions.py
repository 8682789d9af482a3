"""Conditions on what a patient's record shows: expressions that name the logic of a criterion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.model.actions import Condition

if TYPE_CHECKING:
    from fhirpkg.authoring.building.edition import Edition
    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.authoring.model.criterion import Criterion
    from fhirpkg.issues import Resource

_MOST_FHIRPATH = 3


def needs_library(edition: Edition) -> bool:
    """Whether more than a few facts of the patient's own resource are asked for."""
    criteria = edition.procedure.criteria
    looks_further = any(c.sex is None for c in criteria) or any(
        item.found_by for item in edition.procedure.contraindications
    )
    return len(criteria) > _MOST_FHIRPATH or looks_further


def order_condition(edition: Edition, action_id: str) -> list[Resource]:
    """The condition of an action that settles a criterion: the criterion is not met."""
    return [
        condition(edition, criterion, "open", f"{criterion.title}: not met by the record")
        for criterion in edition.procedure.criteria
        if criterion.order == action_id
    ]


def chosen_condition(edition: Edition, action: Action) -> list[Resource]:
    """The condition of an action that is done only if a criterion is on record.

    Of a criterion with a limit, it is done only if the value is beyond it.
    """
    named = action.only_if.criterion if isinstance(action.only_if, Condition) else None
    return [
        condition(edition, criterion, what, f"{criterion.title}: {words}")
        for criterion in edition.procedure.criteria
        if criterion.id == named
        for what, words in [_HOLDS[bool(criterion.limit)]]
    ]


_HOLDS = {False: ("met", "on record"), True: ("exceeded", "beyond its limit")}


def condition(edition: Edition, criterion: Criterion, what: str, words: str) -> Resource:
    """The condition that a definition of the logic holds, with the author's words on it."""
    return {
        "kind": "applicability",
        "expression": {"description": words, **expression(edition, criterion, what)},
    }


def expression(edition: Edition, criterion: Criterion, part: str) -> Resource:
    """An expression that names a definition of the logic; of the sex alone it is FHIRPath."""
    if needs_library(edition):
        return {"language": "text/cql", "expression": f"{criterion.title} {part}"}
    holds = f"(%subject.gender = '{criterion.sex}')"
    forms = {
        "state": f"iif({holds}, 'met', 'missing')",
        "met": holds,
        "value": "%subject.gender",
        "resource": "'Patient/' + %subject.id",
    }
    return {"language": "text/fhirpath", "expression": forms.get(part, f"{holds}.not()")}
