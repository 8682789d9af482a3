"""StructureDefinitions: their types here, all else they state by the modules that are called.

See http://hl7.org/fhir/R4/structuredefinition.html and profiling.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.rules import nearest
from fhirpkg.untrusted import text_of
from fhirpkg.validation.conformance.constraints import check_constraint_keys
from fhirpkg.validation.conformance.elements import check_elements
from fhirpkg.validation.conformance.expressions import check_expressions
from fhirpkg.validation.conformance.extensions import check_extension_definition
from fhirpkg.validation.conformance.obligations import check_obligations
from fhirpkg.validation.conformance.refinements import check_differential, check_kind
from fhirpkg.validation.conformance.rules import (
    STRUCTURE_DEFINITION_TYPE,
)
from fhirpkg.validation.conformance.type_profiles import is_type

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run


def check_structure_definition(structure: Resource, path: Path, run: Run) -> None:
    """Report what keeps a StructureDefinition from being used."""
    base = run.definitions.find(text_of(structure, "baseDefinition"), "StructureDefinition")
    _check_type(structure, base, path, run)
    check_elements(structure, path, run)
    check_constraint_keys(structure, path, run)
    check_expressions(structure, path, run)
    check_extension_definition(structure, path, run)
    check_obligations(structure, path, run)
    if base:
        check_kind(structure, base, path, run)
        check_differential(structure, path, run)


def _check_type(structure: Resource, base: Resource | None, path: Path, run: Run) -> None:
    name, derivation = text_of(structure, "type"), structure.get("derivation")
    base_type = text_of(base or {}, "type")
    problem = ""
    if base and not derivation:
        problem = "it has a base but no derivation"
    elif derivation == "constraint" and base and base_type != name:
        problem = f"a constraint keeps the type of its base: '{base_type}', not '{name}'"
    elif derivation == "specialization" and base and base_type == name:
        problem = f"a specialization is a new type, but '{name}' is the type of its base"
    elif name and not {":", "."} & set(name) and not is_type(name, run):
        near = nearest(name, list(run.definitions.types.resource_types()))
        problem = f"FHIR has no type '{name}'; a custom type is named by its url{near}"
    if problem:
        run.report(STRUCTURE_DEFINITION_TYPE, (*path, "type"), problem=problem)
