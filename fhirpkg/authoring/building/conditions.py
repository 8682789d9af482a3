"""Conditions on what a patient's record shows: expressions that name the logic of a criterion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building import answered

if TYPE_CHECKING:
    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.authoring.model.criterion import Criterion
    from fhirpkg.issues import Resource

_MOST_FHIRPATH = 3


def needs_library(context: BuildContext) -> bool:
    """Whether more than a few facts of the patient's own resource are asked for."""
    criteria = context.procedure.criteria
    looks_further = any(c.sex is None for c in criteria) or any(
        item.found_by for item in context.procedure.contraindications
    )
    return len(criteria) > _MOST_FHIRPATH or looks_further or answered.decides(context)


def order_condition(context: BuildContext, action_id: str) -> list[Resource]:
    """The condition of an action that settles a criterion: the criterion is not met."""
    return [
        condition(context, criterion, "open", f"{criterion.title}: not met by the record")
        for criterion in context.procedure.criteria
        if criterion.order == action_id
    ]


def chosen_conditions(context: BuildContext, action: Action) -> list[Resource]:
    """The conditions of an action that is done only if criteria are on record.

    Of a criterion with a limit, it is done only if the value is beyond it.
    """
    return [
        condition(context, criterion, what, f"{criterion.title}: {words}")
        for criterion in context.procedure.criteria
        if criterion.id in action.criteria
        for what, words in [_HOLDS[bool(criterion.limit)]]
    ]


_HOLDS = {False: ("met", "on record"), True: ("exceeded", "beyond its limit")}


def condition(context: BuildContext, criterion: Criterion, what: str, words: str) -> Resource:
    """The condition that a definition of the logic holds, with the author's words on it."""
    return {
        "kind": "applicability",
        "expression": {"description": words, **expression(context, criterion, what)},
    }


def expression(context: BuildContext, criterion: Criterion, part: str) -> Resource:
    """An expression that names a definition of the logic; of the sex alone it is FHIRPath."""
    if needs_library(context):
        return {"language": "text/cql", "expression": f"{criterion.title} {part}"}
    holds = f"(%subject.gender = '{criterion.sex}')"
    forms = {
        "state": f"iif({holds}, 'met', 'missing')",
        "met": holds,
        "value": "%subject.gender",
        "resource": "'Patient/' + %subject.id",
    }
    return {"language": "text/fhirpath", "expression": forms.get(part, f"{holds}.not()")}
