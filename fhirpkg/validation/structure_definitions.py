"""StructureDefinitions: types, paths, rules that fit their types, and whether they can be applied.

See http://hl7.org/fhir/R4/structuredefinition.html and profiling.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath import compile_expression
from fhirpkg.rules import nearest
from fhirpkg.validation.definition_constraints import check_constraint_keys
from fhirpkg.validation.definition_elements import check_elements
from fhirpkg.validation.extension_definitions import check_extension_definition
from fhirpkg.validation.items import numbered, text_of
from fhirpkg.validation.obligations import check_obligations
from fhirpkg.validation.refinements import check_differential, check_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run


def check_structure_definition(structure: Resource, path: Path, run: Run) -> None:
    """Report what keeps a StructureDefinition from being used."""
    base = run.definitions.find(text_of(structure, "baseDefinition"), "StructureDefinition")
    _check_type(structure, base, path, run)
    check_elements(structure, path, run)
    check_constraint_keys(structure, path, run)
    for place, element in _elements(structure, path):
        for at, constraint in numbered(element, "constraint", place):
            _check_expression(text_of(constraint, "expression"), (*at, "expression"), run)
    formulas = structure.get("contextInvariant")
    for number, formula in enumerate(formulas if isinstance(formulas, list) else ()):
        _check_expression(str(formula), (*path, "contextInvariant", number), run)
    check_extension_definition(structure, path, run)
    check_obligations(structure, path, run)
    if base:
        check_kind(structure, base, path, run)
        check_differential(structure, path, run)


def _elements(structure: Resource, path: Path) -> Iterator[tuple[Path, Resource]]:
    for part in ("differential", "snapshot"):
        yield from numbered(structure.get(part), "element", (*path, part))


def _check_type(structure: Resource, base: Resource | None, path: Path, run: Run) -> None:
    name, derivation = text_of(structure, "type"), structure.get("derivation")
    base_type = text_of(base or {}, "type")
    problem = ""
    if base and not derivation:
        problem = "it has a base, but no derivation says what it is to that"
    elif derivation == "constraint" and base and base_type != name:
        problem = f"a constraint keeps the type of its base: '{base_type}', not '{name}'"
    elif derivation == "specialization" and base and base_type == name:
        problem = f"a specialization is a new type, but '{name}' is the type of its base"
    elif name and not {":", "."} & set(name) and not run.definitions.types.is_type(name):
        near = nearest(name, list(run.definitions.types.resource_types()))
        problem = f"FHIR has no type '{name}'; a type of one's own is named by its url{near}"
    if problem:
        run.report("structure-definition-type", (*path, "type"), problem=problem)


def _check_expression(expression: str, place: Path, run: Run) -> None:
    if not expression:
        return
    try:
        compile_expression(expression, run.definitions.types)
    except FhirPathError as error:
        run.report("definition-expression", place, problem=str(error))
