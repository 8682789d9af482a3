"""The adapter for an official FHIRPath scorer: ``evaluate(resource, expression, variables)``."""

from __future__ import annotations

import functools
from typing import Any

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.fhirpath import Environment, compile_expression, static_errors

DEFINITIONS = Definitions.core()
MODEL = DEFINITIONS.types


def conforms_to(resource: dict[str, Any], canonical: str) -> bool | None:
    """Whether a resource is of the type that a base definition defines; None without one."""
    structure = DEFINITIONS.structure(canonical)
    return structure["type"] == resource.get("resourceType") if structure else None


@functools.lru_cache(maxsize=4096)
def checked(expression: str, focus_type: str | None) -> Any:
    """The compiled expression; raises the first of its static errors."""
    for error in static_errors(expression, MODEL, focus_type):
        raise error
    return compile_expression(expression, MODEL, focus_type)


def evaluate(resource: dict[str, Any], expression: str, variables: dict[str, Any]) -> list[Any]:
    """The results on a resource or element as plain values."""
    focus_type = variables.get("contextType") or resource.get("resourceType")
    environment = Environment(
        resource=variables["resource"],
        root_resource=variables["rootResource"],
        conforms_to=conforms_to,
    )
    return checked(expression, focus_type).evaluate(resource, environment)  # type: ignore[no-any-return]
