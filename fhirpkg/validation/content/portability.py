"""What of a plan known servers drop, cannot compile or evaluate differently.

Looked for when the user asks for it. The facts were measured on HAPI FHIR; the portable subset of
FHIRPath is what it and FHIRPath engines agree on, whatever the options of its CQL compiler.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.reading import ast
from fhirpkg.fhirpath.reading.parser import parse
from fhirpkg.untrusted import objects, text_of
from fhirpkg.validation.content.portability_rules import (
    PORTABILITY_DROPPED,
    PORTABILITY_FHIRPATH,
    PORTABILITY_HOOKS,
    PORTABILITY_INLINE_CQL,
    PORTABILITY_NO_CQL,
    PORTABILITY_NO_LIBRARY,
    PORTABILITY_SPEED,
    PORTABILITY_VALUE_SET,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_DROPPED_OF_ACTION = (
    "prefix", "participant", "goalId", "reason", "groupingBehavior", "requiredBehavior",
    "precheckBehavior", "cardinalityBehavior",
)  # fmt: skip
_DROPPED_OF_ACTIVITY = ("location", "participant", "priority", "quantity", "timing")
_CARRIED_BY = {
    "location": ("location",),
    "participant": ("performer", "recipient", "owner"),
    "priority": ("priority",),
    "quantity": ("quantity", "dispenseRequest"),
    "timing": ("occurrence", "dosageInstruction", "restriction"),
}
"""How the path begins of a dynamic value that says the same in the request."""
_DROPPED_OF_GOAL = ("addresses", "documentation")
_NAMES = ("text/cql", "text/cql-identifier", "text/cql.identifier", "text/cql.name")
_PLAIN_NAME = re.compile(r"[\w .?:/&'-]+")
_FEW = 3

_PORTABLE = frozenset(
    "all count exists first length matches not select startsWith where toString".split()
)
"""Functions that mean the same as FHIRPath and as CQL."""
_KNOWN_VARIABLES = frozenset({"subject", "encounter", "practitioner", "context", "resource"})


def check_portability(resource: Resource, path: Path, run: Run) -> None:
    """Report what of a PlanDefinition, ActivityDefinition, Library or ValueSet is not portable."""
    if not run.settings.portability:
        return
    _CHECKS[resource["resourceType"]](resource, path, run)


def _check_plan(plan: Resource, path: Path, run: Run) -> None:
    actions = list(_actions(plan, path))
    for element in _DROPPED_OF_ACTION:
        _dropped([(*at, element) for at, action in actions if element in action], element, run)
    second = [(*at, "code", 1) for at, action in actions if len(action.get("code", ())) > 1]
    _dropped(second, "code after the first", run)
    goals = [((*path, "goal", i), goal) for i, goal in enumerate(objects(plan, "goal"))]
    for element in _DROPPED_OF_GOAL:
        found = [(*at, element) for at, goal in goals if element in goal]
        _dropped(found, f"goal.{element}", run)
    expressions = [found for at, action in actions for found in _expressions(action, at)]
    _check_expressions(plan, path, expressions, run)
    _check_hooks(actions, path, run)


def _check_activity(activity: Resource, path: Path, run: Run) -> None:
    for element in _DROPPED_OF_ACTIVITY:
        if element == "quantity" and activity.get("kind") == "SupplyRequest":
            continue
        if _is_carried(activity, element):
            continue
        keys = [key for key in activity if key.startswith(element)]
        _dropped([(*path, key) for key in keys], element, run)
    _check_expressions(activity, path, list(_expressions(activity, path)), run)


def _is_carried(activity: Resource, element: str) -> bool:
    paths = [text_of(value, "path") for value in objects(activity, "dynamicValue")]
    return any(path.startswith(_CARRIED_BY[element]) for path in paths)


def _check_library(library: Resource, path: Path, run: Run) -> None:
    types = {part.get("contentType", "") for part in objects(library, "content")}
    if any("elm" in name for name in types) and "text/cql" not in types:
        run.report(PORTABILITY_NO_CQL, (*path, "content"))


def _check_value_set(value_set: Resource, path: Path, run: Run) -> None:
    if "expansion" in value_set and "compose" not in value_set:
        run.report(PORTABILITY_VALUE_SET, (*path, "expansion"))


_CHECKS = {
    "ActivityDefinition": _check_activity,
    "Library": _check_library,
    "PlanDefinition": _check_plan,
    "ValueSet": _check_value_set,
}


def _dropped(places: list[Path], element: str, run: Run) -> None:
    """What gets lost is reported once for an element, with how often it occurs."""
    if places:
        run.report(PORTABILITY_DROPPED, places[0], element=element, count=len(places))


def _check_hooks(actions: list[tuple[Path, Resource]], path: Path, run: Run) -> None:
    hooks = [
        ((*at, "trigger", number, "name"), trigger["name"])
        for at, action in actions
        for number, trigger in enumerate(objects(action, "trigger"))
        if trigger.get("type") == "named-event" and isinstance(trigger.get("name"), str)
    ]
    others = [(at, name) for at, name in hooks[1:] if name != hooks[0][1]]
    for at, name in others[:1]:
        run.report(PORTABILITY_HOOKS, at or path, first=hooks[0][1], other=name)


def _check_expressions(
    definition: Resource, path: Path, expressions: list[tuple[Path, Resource]], run: Run
) -> None:
    fhirpath = 0
    for at, expression in expressions:
        language, text = expression.get("language"), expression.get("expression")
        if not isinstance(text, str):
            continue
        if language == "text/fhirpath":
            fhirpath += 1
            for problem in not_portable(text):
                run.report(PORTABILITY_FHIRPATH, (*at, "expression"), problem=problem)
        elif language in _NAMES:
            if language == "text/cql" and not _PLAIN_NAME.fullmatch(text):
                run.report(PORTABILITY_INLINE_CQL, (*at, "expression"))
            elif not definition.get("library") and "reference" not in expression:
                run.report(PORTABILITY_NO_LIBRARY, (*at, "expression"), name=text)
    if fhirpath > _FEW:
        run.report(PORTABILITY_SPEED, path, count=fhirpath)


def not_portable(text: str) -> list[str]:
    """What of a FHIRPath expression another engine does not take, or takes otherwise.

    >>> not_portable("%subject.gender = 'female'")
    []
    """
    try:
        tree = parse(text)
    except FhirPathError:
        return []  # reported elsewhere
    return list(dict.fromkeys(_problems(tree, inside=False)))


def _problems(part: ast.Part, *, inside: bool) -> Iterator[str]:
    """Problems of a part; `inside` an argument a bare name is an element of the item."""
    if isinstance(part, ast.Variable) and part.name not in _KNOWN_VARIABLES:
        yield f"%{part.name} is not known, unless it is a parameter"
    elif isinstance(part, ast.Member) and part.source is None and not inside:
        yield f"the path '{part.name}' has no focus to begin at"
    elif isinstance(part, ast.Call):
        yield from _problems_of_call(part)
    elif isinstance(part, ast.TypeCall):
        yield f"{part.name}({part.type_name}) fails without list promotion"
    elif isinstance(part, ast.Binary) and part.operator == "|":
        yield "the union '|' of different types does not compile"
    for inner in ast.parts_within(part):
        is_argument = isinstance(part, ast.Call) and inner is not part.source
        yield from _problems(inner, inside=inside or is_argument)


def _problems_of_call(part: ast.Call) -> Iterator[str]:
    if part.name not in _PORTABLE:
        yield f"{part.name}() is missing or means something else"
    elif part.name == "exists" and not part.arguments:
        after_where = isinstance(part.source, ast.Call) and part.source.name == "where"
        if not after_where:
            yield "exists() of a single value fails without list promotion"


def _actions(parent: Resource, path: Path) -> Iterator[tuple[Path, Resource]]:
    for number, action in enumerate(objects(parent, "action")):
        at = (*path, "action", number)
        yield at, action
        yield from _actions(action, at)


def _expressions(holder: Resource, path: Path) -> Iterator[tuple[Path, Resource]]:
    """The expressions of the conditions and dynamic values of an action or definition."""
    for key in ("condition", "dynamicValue"):
        for number, item in enumerate(objects(holder, key)):
            if isinstance(item.get("expression"), dict):
                yield (*path, key, number, "expression"), item["expression"]
