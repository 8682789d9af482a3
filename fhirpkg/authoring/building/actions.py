"""An action that an author wrote, to an action of the plan: parts, moments, conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building.answered import answer_conditions, medicine_site
from fhirpkg.authoring.building.carried import reason_and_site
from fhirpkg.authoring.building.conditions import chosen_conditions, order_condition
from fhirpkg.authoring.building.elements import (
    CREATE,
    action_timing,
    filled,
    relations,
)
from fhirpkg.authoring.model.actions import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.issues import Resource


def actions_of(context: BuildContext, actions: Iterable[Action]) -> list[Resource]:
    """The actions of a section; one that needs a step to be chosen is below that step."""
    return [action_of(context, a) for a in actions if not context.is_below_another(a)]


def action_of(context: BuildContext, action: Action) -> Resource:
    """An action with its parts, and those that are done only if it is chosen."""
    parts = actions_of(context, action.parts)
    parts += [action_of(context, other) for other in context.done_only_with(action)]
    made: Resource = {
        "id": action.id,
        "title": _title(context, action),
        "description": action.text,
        "priority": action.priority,
        "code": context.concepts(action.code),
        "documentation": context.citations(action),
        "goalId": context.goal_ids(action.goals),
        "condition": [
            *order_condition(context, action.id),
            *chosen_conditions(context, action),
            *answer_conditions(action),
        ],
        "participant": context.participants(context.procedure.people_of(action)),
        "groupingBehavior": "logical-group" if parts else None,
        "selectionBehavior": action.choose,
        "requiredBehavior": action.needed or ("could" if action.questions else None),
        "cardinalityBehavior": "multiple" if action.repeats else None,
        "action": parts,
    }
    if action.makes:
        made["type"] = CREATE
        made["definitionCanonical"] = context.definition(action)
        made["dynamicValue"] = [*reason_and_site(context, action.id), *medicine_site(action)]
    made["timingTiming"] = action_timing(action)
    if len(action.when) > 1 and relations(action):
        return filled(_at_each_moment(action, made))
    made["relatedAction"] = relations(action)
    return filled(made)


def _title(context: BuildContext, action: Action) -> str:
    """The heading, with what R4 has no element for: conditions in words, one of several people."""
    title = action.heading
    if one_of := context.one_of(action):
        title += f", by {one_of}"
    for each in action.only_if:
        if isinstance(each, Condition):
            title += f" (ask: {each.asked})" if each.asked else ""
        elif " " in each:
            title += f", only if {each}"
    return title


def _at_each_moment(action: Action, made: Resource) -> Resource:
    """One action for each of several moments, in a group that is all of them."""
    moved = ("type", "definitionCanonical", "dynamicValue", "timingTiming", "participant")
    common = {key: made.pop(key) for key in moved if key in made}
    moments = [
        filled(
            {
                "id": f"{action.id}-{number}",
                "title": f"{action.heading}: {text}",
                "description": action.text,
                **common,
                "relatedAction": relations(action, text),
            }
        )
        for number, text in enumerate(action.when, 1)
    ]
    made["groupingBehavior"] = "logical-group"
    made["selectionBehavior"] = action.choose or "all"
    made["action"] = [*moments, *made.get("action", ())]
    return made
