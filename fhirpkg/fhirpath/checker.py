"""Static checks: what is wrong with an expression whatever it is evaluated on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.expression import compile_expression

if TYPE_CHECKING:
    from fhirpkg.fhirpath.model import TypeModel


def static_errors(text: str, model: TypeModel, focus_type: str | None) -> list[FhirPathError]:
    """The errors of an expression on a type, in the order of their columns."""
    try:
        compile_expression(text, model, focus_type)
    except FhirPathError as error:
        return [error]
    return []
