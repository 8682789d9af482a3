"""The types of resources that the expressions of a plan, and of its parts, may retrieve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.applying.expressions import in_cql
from fhirpkg.applying.goals import all_actions
from fhirpkg.applying.logic import Logic
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource
    from fhirpkg.repository import Repository


def retrieved_types(plan: Resource, repository: Repository) -> set[str]:
    """What the logic of a plan, its activities and the plans in it may retrieve."""
    logic = Logic(repository, "", {}, Definitions.core().types, None)
    found: set[str] = set()
    for definition in _definitions(plan, repository, set()):
        for expression in _expressions(definition):
            found |= _retrieved(logic, expression, definition)
    return found


def _retrieved(logic: Logic, expression: Resource, definition: Resource) -> set[str]:
    """What one expression retrieves; who applies the plan says what is wrong with it."""
    is_inline = in_cql(expression, definition)
    if is_inline is None:
        return set()
    try:
        return logic.retrieved(
            str(expression.get("expression", "")),
            is_name=not is_inline,
            reference=str(expression.get("reference", "")),
            context=definition,
        )
    except FhirpkgError:
        return set()


def _definitions(
    definition: Resource, repository: Repository, seen: set[str]
) -> Iterator[Resource]:
    yield definition
    for action in all_actions(definition):
        canonical = action.get("definitionCanonical")
        if not canonical or canonical in seen:
            continue
        seen.add(canonical)
        if named := repository.resolve(canonical):
            yield from _definitions(named, repository, seen)


def _expressions(definition: Resource) -> Iterator[Resource]:
    """What decides on actions and fills requests, and the expressions of criteria."""
    for holder in (definition, *all_actions(definition)):
        for part in (*holder.get("condition", ()), *holder.get("dynamicValue", ())):
            if "expression" in part:
                yield part["expression"]
    for extension in definition.get("extension", ()):
        for part in extension.get("extension", ()):
            if "valueExpression" in part:
                yield part["valueExpression"]
