"""Plans of our content: actions, goals and definitions refer to each other, not into the void."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.rules import nearest
from fhirpkg.untrusted import objects, text_in, text_of, texts
from fhirpkg.validation.content.rules import (
    CONTENT_ACTION_ID,
    CONTENT_COMPOSED_OF,
    CONTENT_DEFINITION,
    CONTENT_GOAL_ID,
    CONTENT_MARKDOWN,
    CONTENT_RELATED_ACTION,
    CONTENT_TARGET_SOURCE,
    CONTENT_UNUSED_PART,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json, Path, Resource
    from fhirpkg.validation.run import Run

_MARKDOWN = re.compile(r"\*\*|__|`|\]\(|^\s*(#{1,6}|[-*+]|\d+\.)\s", re.MULTILINE)


def check_plan(plan: Resource, path: Path, run: Run) -> None:
    """Actions, goals and definitions of a plan refer to each other, not into the void."""
    actions = list(_actions(plan, path))
    ids = [action["id"] for _, action in actions if isinstance(action.get("id"), str)]
    goals = [str(goal.get("id")) for goal in objects(plan, "goal")]
    seen: set[str] = set()
    for place, action in actions:
        _check_action_id(action, place, seen, run)
        for at, goal in enumerate(texts(action, "goalId")):
            if goal not in goals:
                where = (*place, "goalId", at)
                run.report(CONTENT_GOAL_ID, where, goal=goal, nearest=nearest(goal, goals))
        for at, relation in enumerate(objects(action, "relatedAction")):
            target = str(relation.get("actionId"))
            if target not in ids:
                run.report(
                    CONTENT_RELATED_ACTION,
                    (*place, "relatedAction", at, "actionId"),
                    action=target,
                    nearest=nearest(target, ids),
                )
        for key in ("description", "textEquivalent"):
            if _MARKDOWN.search(str(action.get(key, ""))):
                run.report(CONTENT_MARKDOWN, (*place, key))
    for at, aim in enumerate(objects(plan, "goal")):
        if "id" not in aim:
            place = (*path, "goal", at)
            run.report(CONTENT_ACTION_ID, place, problem="this goal has no id")
        if "target" in aim and "documentation" not in aim:
            run.report(CONTENT_TARGET_SOURCE, (*path, "goal", at, "target"))
    if _MARKDOWN.search(str(plan.get("usage", ""))):
        run.report(CONTENT_MARKDOWN, (*path, "usage"))
    _check_parts(plan, path, run, actions)
    _check_definitions(plan, run, actions)


def _check_action_id(action: Resource, place: Path, seen: set[str], run: Run) -> None:
    found = action.get("id")
    if not isinstance(found, str):
        run.report(CONTENT_ACTION_ID, place, problem="this action has no id")
    elif found in seen:
        problem = f"another action has the id '{found}' already"
        run.report(CONTENT_ACTION_ID, (*place, "id"), problem=problem)
    else:
        seen.add(found)


def _check_parts(
    plan: Resource, path: Path, run: Run, actions: list[tuple[Path, Resource]]
) -> None:
    """What actions use and what is listed as composed-of are the same definitions."""
    parts = {
        _url(artifact.get("resource")): (*path, "relatedArtifact", at, "resource")
        for at, artifact in enumerate(objects(plan, "relatedArtifact"))
        if artifact.get("type") == "composed-of"
    }
    used = {
        _url(action["definitionCanonical"]): (*place, "definitionCanonical")
        for place, action in actions
        if "definitionCanonical" in action
    }
    for canonical in used.keys() - parts.keys():
        run.report(CONTENT_COMPOSED_OF, used[canonical], canonical=canonical)
    for canonical in parts.keys() - used.keys():
        run.report(CONTENT_UNUSED_PART, parts[canonical], canonical=canonical)


def _check_definitions(plan: Resource, run: Run, actions: list[tuple[Path, Resource]]) -> None:
    """Each condition in CQL names a definition of the plan's library, where that is available."""
    for canonical in texts(plan, "library")[:1]:  # CRMI: an expression is of the first library
        library = run.definitions.find(canonical, "Library") or run.resolve(canonical, ())
        names = _defined(library or {})
        for place, action in actions if names else ():
            for at, condition in enumerate(objects(action, "condition")):
                expression = condition.get("expression")
                language, name = text_of(expression, "language"), text_of(expression, "expression")
                if language in ("text/cql", "text/cql-identifier") and name not in names:
                    run.report(
                        CONTENT_DEFINITION,
                        (*place, "condition", at, "expression", "expression"),
                        library=canonical,
                        name=name,
                        nearest=nearest(name, names),
                    )


def _defined(library: Resource) -> list[str]:
    """The names that the CQL text of a library defines; none when it holds no text to read."""
    from fhirpkg.cql.reading.library import defined_names  # noqa: PLC0415 - costs start-up

    for content in objects(library, "content"):
        if content.get("contentType") == "text/cql":
            return defined_names(text_in(content), functions=False)
    return []


def _url(canonical: Json) -> str:
    return str(canonical).partition("|")[0]


def _actions(holder: Resource, path: Path) -> Iterator[tuple[Path, Resource]]:
    for at, action in enumerate(objects(holder, "action")):
        place = (*path, "action", at)
        yield place, action
        yield from _actions(action, place)
