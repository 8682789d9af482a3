"""StructureDefinitions of extensions: their url, and where they may be used.

See http://hl7.org/fhir/R4/defining-extensions.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.rules import nearest
from fhirpkg.untrusted import numbered, text_of
from fhirpkg.validation.conformance.rules import (
    STRUCTURE_DEFINITION_CONTEXT,
    STRUCTURE_DEFINITION_EXTENSION_URL,
    STRUCTURE_DEFINITION_REFINEMENT,
)
from fhirpkg.validation.elements.extensions import is_for

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_EXTENSION = "http://hl7.org/fhir/StructureDefinition/Extension"
_CORE = "http://hl7.org/fhir/StructureDefinition/"
_NOT_IN_R4 = {
    "Base": "Element",
    "CanonicalResource": "CodeSystem",
    "MetadataResource": "PlanDefinition",
}
"""What later versions made types of, each with a type of R4 that has its elements."""


def check_extension_definition(structure: Resource, path: Path, run: Run) -> None:
    """Report an extension that does not fix its url, and contexts that lead nowhere."""
    if structure.get("type") == "Extension":
        _check_url(structure, path, run)
        for place, context in numbered(structure, "context", path):
            expression = text_of(context, "expression")
            if (
                context.get("type") == "element"
                and expression
                and is_for(context, run.definitions.release)
            ):
                _check_context(expression, (*place, "expression"), run)
    elif structure.get("derivation") == "constraint":
        for key in ("context", "contextInvariant"):
            values = structure.get(key)
            for number, _ in enumerate(values if isinstance(values, list) else ()):
                problem = f"only the definition of an extension has a {key}"
                place = (*path, key, number)
                run.report(STRUCTURE_DEFINITION_REFINEMENT, place, problem=problem)


def _check_url(structure: Resource, path: Path, run: Run) -> None:
    """Of an extension itself; one on another extension has the url of that one."""
    url = text_of(structure, "url")
    if structure.get("baseDefinition") != _EXTENSION or not url:
        return
    elements = [e for _, e in numbered(structure.get("differential"), "element")]
    elements = elements or [e for _, e in numbered(structure.get("snapshot"), "element")]
    fixed = next((e.get("fixedUri") for e in elements if e.get("path") == "Extension.url"), None)
    if fixed != url:
        found = fixed or "missing"
        run.report(STRUCTURE_DEFINITION_EXTENSION_URL, path, found=found, url=url)


def _check_context(expression: str, place: Path, run: Run) -> None:
    """The path of a context leads through elements of a type, named by a profile if need be."""
    url, _, path = expression.rpartition("#")
    here, *steps = path.split(".")
    types = run.definitions.types
    if url:
        is_known = run.definitions.find(url, "StructureDefinition") is not None
    else:
        here = _NOT_IN_R4.get(here, here)
        is_known = types.is_type(here)
    if not is_known:
        if url and not url.startswith(_CORE) and not run.settings.strict:
            return  # a profile of another guide, of which nothing is known here
        near = nearest(here, list(types.resource_types()))
        run.report(STRUCTURE_DEFINITION_CONTEXT, place, written=expression, near=near)
        return
    for step in steps:
        elements = types.elements(here)
        element = elements.get(step.removesuffix("[x]"))
        if element is None:
            near = nearest(step, list(elements))
            run.report(STRUCTURE_DEFINITION_CONTEXT, place, written=expression, near=near)
            return
        if len(element.types) != 1:
            return
        here = element.types[0]
