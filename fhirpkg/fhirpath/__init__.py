"""FHIRPath (http://hl7.org/fhirpath/N1/, http://hl7.org/fhir/R4/fhirpath.html).

Text to a compiled function; FHIR's types come in as a TypeModel. The public names are loaded on
first use, as the type model is needed by many that evaluate nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.fhirpath.checker import static_errors
    from fhirpkg.fhirpath.environment import Environment
    from fhirpkg.fhirpath.expression import Expression, compile_expression
    from fhirpkg.fhirpath.model import ElementType, TypeModel
    from fhirpkg.issues import Json

_HOMES = {
    "ElementType": "model",
    "Environment": "environment",
    "Expression": "expression",
    "TypeModel": "model",
    "compile_expression": "expression",
    "static_errors": "checker",
}
__all__ = [
    "ElementType",
    "Environment",
    "Expression",
    "TypeModel",
    "compile_expression",
    "static_errors",
]


def __getattr__(name: str) -> Json:
    if name not in _HOMES:
        raise AttributeError(f"module 'fhirpkg.fhirpath' has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only on first use of a public name

    found = getattr(importlib.import_module(f"fhirpkg.fhirpath.{_HOMES[name]}"), name)
    globals()[name] = found  # asked for with each expression
    return found
