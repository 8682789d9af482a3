"""The adapter for an official FHIRPath scorer: ``evaluate(resource, expression, variables)``."""

from __future__ import annotations

import functools
from typing import Any

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.fhirpath import Environment, compile_expression, static_errors
from fhirpkg.validation.validator import Validator

DEFINITIONS = Definitions.core()
MODEL = DEFINITIONS.types
VALIDATOR = Validator(definitions=DEFINITIONS)


def conforms_to(resource: dict[str, Any], canonical: str) -> bool | None:
    """Whether a resource is valid by a profile; None when there is no such profile."""
    if DEFINITIONS.structure(canonical) is None:
        return None
    return bool(VALIDATOR.validate(resource, [canonical]))


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
