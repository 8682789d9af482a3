"""Parts of a result that are made once a plan: its goals, and the relations between its actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.applying.requests.cells import role_text
from fhirpkg.applying.rules import (
    APPLY_RELATION,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.applying.outcomes import Messages
    from fhirpkg.applying.run import Run
    from fhirpkg.issues import Json, Resource


def goals_of(run: Run, plan: Resource) -> dict[str, Resource]:
    """The goals of a plan as Goal resources of the patient, by the id they have in the plan."""
    made: dict[str, Resource] = {}
    for index, goal in enumerate(plan.get("goal", ()), start=1):
        resource: Resource = {
            "resourceType": "Goal",
            "id": str(index),
            "lifecycleStatus": "proposed",
        }
        if "category" in goal:
            resource["category"] = [goal["category"]]
        resource |= kept(goal, ("priority", "description"))
        resource["subject"] = {"reference": run.parties.subject}
        if "start" in goal:
            resource["startCodeableConcept"] = goal["start"]
        if "target" in goal:
            resource["target"] = [_target(target) for target in goal["target"]]
        if run.dialect.carries:
            resource |= kept(goal, ("extension", "modifierExtension"))
            _carry_addresses(goal, resource)
        run.add(resource)
        made[goal.get("id", f"#{index}")] = resource
    return made


def _target(target: Resource) -> Resource:
    """The target of a plan's goal; when it is due can only be a Duration there."""
    return {("dueDuration" if key == "due" else key): value for key, value in target.items()}


def _carry_addresses(goal: Resource, resource: Resource) -> None:
    """What a goal addresses is a reference in Goal, a concept in the plan: it becomes words."""
    words = [in_words(concept) for concept in goal.get("addresses", ())]
    words += [a.get("display") or a.get("url", "") for a in goal.get("documentation", ())]
    if words:
        resource["note"] = [{"text": "Addresses: " + "; ".join(str(word) for word in words)}]


def prune_relations(group: Resource, messages: Messages) -> None:
    """Remove relations to actions that were left out, and report them."""
    present = {action["id"] for action in all_actions(group) if "id" in action}
    for action in all_actions(group):
        related = action.get("relatedAction", ())
        kept = [r for r in related if r.get("actionId") in present]
        if len(kept) == len(related):
            continue
        gone = ", ".join(r.get("actionId", "") for r in related if r not in kept)
        messages.report(
            APPLY_RELATION,
            f"action {action.get('id', '')}: no relation to {gone}, which is left out",
        )
        if kept:
            action["relatedAction"] = kept
        else:
            del action["relatedAction"]


_OF_PARTS = ("groupingBehavior", "selectionBehavior")


def with_one_of_both(action: Resource, title: str) -> Resource:
    """An action as R4's rqg-1 wants it: with a resource or with actions.

    One that orders something and has parts gets two children: the order, and the parts with the
    way to choose among them. One that is words alone refers to them as its resource.
    """
    if "resource" in action and "action" in action:
        made = {k: v for k, v in action.items() if k not in {"resource", "action", *_OF_PARTS}}
        order: Resource = {"title": title, "resource": action["resource"]}
        parts: Resource = {k: action[k] for k in (*_OF_PARTS, "action") if k in action}
        if "id" in action:
            order = {"id": f"{action['id']}-order", **order}
            parts = {"id": f"{action['id']}-parts", **parts}
        both = {"groupingBehavior": "logical-group", "selectionBehavior": "all"}
        return {**made, **both, "action": [order, parts]}
    if "resource" not in action and "action" not in action:
        return {**action, "resource": {"display": title or action.get("id", "action")}}
    return action


def without_request(action: Resource) -> Iterator[str]:
    """What only a request could carry, of an action that has none."""
    for element in ("goalId", "reason"):
        if action.get(element):
            words = ", ".join(str(v) for v in map(in_words, action[element]))
            yield f"{element} has no place in a RequestGroup: {words}"


_NOT_MADE_OF = ("trigger", "input", "output", "transform", "subject")


def unused(action: Resource, asked: list[Resource]) -> Iterator[str]:
    """What an action says that no result is made of; `asked` are inputs that become questions."""
    for key in action:
        if not key.startswith(_NOT_MADE_OF):
            continue
        element = "subject" if key.startswith("subject") else key
        items = action[key] if isinstance(action[key], list) else [action[key]]
        names = [
            _named(item) for item in items if item not in asked and not _is_named(item, action)
        ]
        if names:
            yield f"{element} is not used: {', '.join(names)}"


def _is_named(requirement: Json, action: Resource) -> bool:
    """Whether a condition names an input, whose data it then gets."""
    name = requirement.get("id") if isinstance(requirement, dict) else None
    expressions = (c.get("expression", {}) for c in action.get("condition", ()))
    return bool(name) and any(f"%{name}" in e.get("expression", "") for e in expressions)


def _named(item: Json) -> str:
    """A trigger, data requirement, canonical or subject in a word or two."""
    if not isinstance(item, dict):
        return str(item)
    name = item.get("name") or item.get("type") or item.get("reference") or role_text(item)
    profiles = ", ".join(item.get("profile", ()))
    return f"{name} ({profiles})" if profiles else str(name)


def all_actions(parent: Resource) -> Iterator[Resource]:
    """The actions of a plan, group or action, those below them included."""
    for action in parent.get("action", ()):
        yield action
        yield from all_actions(action)


def kept(element: Resource, names: tuple[str, ...]) -> dict[str, Json]:
    """Those elements of one that it has."""
    return {name: element[name] for name in names if name in element}


def in_words(value: Json) -> str:
    """A text or a concept in words."""
    return value if isinstance(value, str) else role_text(value)
