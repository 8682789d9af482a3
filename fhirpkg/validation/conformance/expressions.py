"""The FHIRPath in definitions: constraints, invariants of contexts, discriminators.

Whether each can be read, and whether it suits what it is about, as far as types show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.typemodel import type_code
from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath import compile_expression, static_errors
from fhirpkg.untrusted import numbered, text_of
from fhirpkg.validation.conformance.rules import (
    DEFINITION_EXPRESSION,
    DEFINITION_EXPRESSION_TYPE,
    STRUCTURE_DEFINITION_DISCRIMINATOR,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_PARTS = {"BackboneElement", "Element"}


def check_expressions(structure: Resource, path: Path, run: Run) -> None:
    """Report FHIRPath of a StructureDefinition that cannot be read, or asks for what is not there.

    The types of a snapshot show what a constraint is about; inherited constraints are skipped.
    """
    url = text_of(structure, "url")
    for part in ("differential", "snapshot"):
        for place, element in numbered(structure.get(part), "element", (*path, part)):
            focus = _focus(element, structure, run)
            _check_discriminators(element, focus, place, run)
            for at, constraint in numbered(element, "constraint", place):
                is_own = part == "snapshot" and text_of(constraint, "source") in {"", url}
                expression = text_of(constraint, "expression")
                _check(expression, focus if is_own else (), (*at, "expression"), run)
    contexts = [
        text_of(context, "expression")
        for _, context in numbered(structure, "context")
        if context.get("type") == "element"
    ]
    formulas = structure.get("contextInvariant")
    for number, formula in enumerate(formulas if isinstance(formulas, list) else ()):
        _check(str(formula), contexts, (*path, "contextInvariant", number), run)


def _focus(element: Resource, structure: Resource, run: Run) -> list[str]:
    """The types an element states; a part with elements of its own is one by its path."""
    path = text_of(element, "path")
    if "." not in path:
        return [text_of(structure, "type")]
    codes = [type_code(type_) for _, type_ in numbered(element, "type")]
    return [
        path if code in _PARTS and run.definitions.types.is_type(path) else code for code in codes
    ]


def _check(expression: str, focus: Iterable[str], place: Path, run: Run) -> None:
    if not expression:
        return
    try:
        compile_expression(expression, run.definitions.types)
    except FhirPathError as error:
        run.report(DEFINITION_EXPRESSION, place, problem=str(error))
        return
    problem = misfit(expression, focus, run)
    if problem:
        run.report(DEFINITION_EXPRESSION_TYPE, place, problem=problem)


def misfit(expression: str, focus: Iterable[str], run: Run) -> str:
    """What is wrong with an expression on some types; nothing if it is right on one."""
    types = run.definitions.types
    known = frozenset(name for name in focus if types.is_type(name))
    errors = static_errors(expression, types, known) if known else []
    return str(errors[0]) if errors else ""


def _check_discriminators(element: Resource, focus: list[str], place: Path, run: Run) -> None:
    slicing = element.get("slicing")
    for at, discriminator in numbered(slicing, "discriminator", (*place, "slicing")):
        written = text_of(discriminator, "path")
        try:
            problem = misfit(written, focus, run) if written else ""
        except FhirPathError as error:
            problem = str(error)
        if problem:
            run.report(STRUCTURE_DEFINITION_DISCRIMINATOR, at, problem=problem)
