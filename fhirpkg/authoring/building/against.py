"""Contraindications that a record shows: rules of the logic, and an action of its own for each.

Such an action applies when the record shows the reason, or holds something that cannot be judged.
It says so and how much it weighs; it never takes an order away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building.asked import contraindication_link
from fhirpkg.authoring.building.elements import HOOKS, filled, named_events, related
from fhirpkg.authoring.building.value_sets import listed_value_set
from fhirpkg.authoring.logic import Limit, Rule, cql_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.reasons import Contraindication, FoundBy
    from fhirpkg.issues import Resource

_STRENGTHS = {
    "absolute": "Absolute contraindication",
    "relative": "Relative contraindication",
    "caution": "Caution",
}
_PRIORITIES = {"absolute": "stat", "relative": "urgent"}
"""How soon it is to be seen, which is what makes a card critical or a warning."""


def rules(context: BuildContext) -> list[Rule]:
    """The rule of each contraindication that a record can show."""
    return [
        Rule(
            title,
            found_by.kind,
            context.url("ValueSet", context.id(_part(item))) if found_by.names else "",
            wanted=_age(found_by),
            within=cql_duration(found_by.within),
            limit=Limit(*_bounds(found_by)) if found_by.limit else None,
            source=", ".join(context.procedure.evidence[name].label for name in item.cite),
            against=f"{_weight(item)}: ",
        )
        for title, item, found_by in _looked_up(context)
    ]


def value_sets(context: BuildContext) -> list[Resource]:
    """The codes that each of them is found by."""
    name = context.procedure.name.text
    return [
        listed_value_set(
            context,
            _part(item),
            f"{name}: {title}",
            f"Codes by which this is found in a record: {', '.join(found_by.names)}.",
            found_by.names,
        )
        | {"purpose": "To find a reason against the procedure in a patient's record."}
        for title, item, found_by in _looked_up(context)
        if found_by.names
    ]


def actions(context: BuildContext) -> list[Resource]:
    """The actions that warn of each of them, for the top level of the plan.

    One more warns of what the checklist on record answers with yes.
    """
    found = (
        _action(context, item, "found", f"{title} against", f"{title} told")
        for title, item, _ in _looked_up(context)
    )
    asked = (
        _action(context, item, "asked", f"{contraindication_link(item)} is answered with yes")
        for item in context.procedure.contraindications
        if item.ask
    )
    return [*found, *asked]


def _action(
    context: BuildContext, item: Contraindication, how: str, holds: str, told: str = ""
) -> Resource:
    """`holds` and `told` name definitions of the logic; without the second the title stays."""
    expression = {"language": "text/cql", "expression": holds}
    waits = item.strength != "caution"
    return filled(
        {
            "id": f"{how}-{item.id}",
            "title": f"{_weight(item)}: {item.heading}",
            "description": item.text,
            "textEquivalent": item.say or item.text,
            "priority": _PRIORITIES.get(item.strength or "", "asap"),
            "code": context.concepts(item.code),
            "documentation": context.citations(item),
            "trigger": named_events(HOOKS),
            "condition": [
                {
                    "kind": "applicability",
                    "expression": {"description": item.say or item.text, **expression},
                }
            ],
            "relatedAction": [related("procedure", "before-start")] if waits else [],
            "dynamicValue": [
                {
                    "path": "title",
                    "expression": {"language": "text/cql", "expression": told},
                }
            ]
            if told
            else [],
        }
    )


def _looked_up(context: BuildContext) -> Iterator[tuple[str, Contraindication, FoundBy]]:
    """What a record can show, each under a title that nothing else of the logic has."""
    taken = {criterion.title for criterion in context.procedure.criteria}
    for item in context.procedure.contraindications:
        if item.found_by is None:
            continue
        title = item.found_by.names[0] if item.found_by.limit else item.heading
        if title in taken:
            title = f"{title} (against)"
        taken.add(title)
        yield title, item, item.found_by


def _bounds(found_by: FoundBy) -> tuple[str, str, str]:
    direction, number, *unit = (found_by.limit or "").split(" ")
    return direction, number, unit[0] if unit else ""


def _age(found_by: FoundBy) -> str:
    direction, _, years = (found_by.age or "").partition(" ")
    return f"{_SIGNS[direction]} {years}" if years else ""


_SIGNS = {"above": ">", "below": "<"}


def _part(item: Contraindication) -> str:
    return f"against-{item.id}"


def _weight(item: Contraindication) -> str:
    return _STRENGTHS.get(item.strength or "", "Contraindication")
