"""StructureDefinitions: types, paths, rules that fit their types, and whether they can be applied.

See http://hl7.org/fhir/R4/structuredefinition.html and profiling.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath import compile_expression
from fhirpkg.rules import nearest
from fhirpkg.validation.items import choice_of, numbered, text_of
from fhirpkg.validation.refinements import check_differential, check_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_TEXTS = "base64Binary canonical code id markdown oid string uri url uuid xhtml".split()
_NUMBERS = "date dateTime decimal instant integer positiveInt time unsignedInt".split()
_QUANTITIES = "Quantity Age Count Distance Duration MoneyQuantity SimpleQuantity".split()
_CODED = "code Coding CodeableConcept CodeableReference string uri url oid uuid".split()
_CHARACTERISTICS = {
    "binding": (
        "a binding",
        [*_CODED, *_QUANTITIES, "canonical", "markdown", "Range", "Extension"],
    ),
    "maxLength": ("a maximal length", [*_TEXTS, *_NUMBERS]),
    "minValue": ("a minimal value", [*_NUMBERS, *_QUANTITIES, "Money"]),
    "maxValue": ("a maximal value", [*_NUMBERS, *_QUANTITIES, "Money"]),
}
"""What an element may state, in words, and the types that it makes sense for."""


def check_structure_definition(structure: Resource, path: Path, run: Run) -> None:
    """Report what keeps a StructureDefinition from being used."""
    base = run.definitions.find(text_of(structure, "baseDefinition"), "StructureDefinition")
    _check_type(structure, base, path, run)
    tail = text_of(structure, "type").rpartition("/")[2]
    for place, element in _elements(structure, path):
        _check_path(element, tail, place, run)
        _check_characteristics(element, place, run)
        _check_value_type(element, place, run)
        for at, constraint in numbered(element, "constraint", place):
            _check_expression(constraint, (*at, "expression"), run)
    if structure.get("type") == "Extension":
        _check_extension(structure, path, run)
    elif structure.get("derivation") == "constraint":
        for place, _ in numbered(structure, "context", path):
            problem = "only the definition of an extension has a context"
            run.report("structure-definition-refinement", place, problem=problem)
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
    if derivation == "constraint" and base and base_type != name:
        problem = f"a constraint keeps the type of its base: '{base_type}', not '{name}'"
    elif derivation == "specialization" and base and base_type == name:
        problem = f"a specialization is a new type, but '{name}' is the type of its base"
    elif name and not {":", "."} & set(name) and not run.definitions.types.is_type(name):
        near = nearest(name, list(run.definitions.types.resource_types()))
        problem = f"FHIR has no type '{name}'; a type of one's own is named by its url{near}"
    if problem:
        run.report("structure-definition-type", (*path, "type"), problem=problem)


def _check_path(element: Resource, tail: str, place: Path, run: Run) -> None:
    path = text_of(element, "path")
    if path and tail and path != tail and not path.startswith(f"{tail}."):
        run.report("structure-definition-path", place, found=path, type=tail)


def _types(element: Resource) -> list[str]:
    """The types an element states; none when one is FHIRPath's own, whose JSON goes by another."""
    codes = [text_of(type_, "code") for _, type_ in numbered(element, "type")]
    return [] if any(":" in code for code in codes) else [code for code in codes if code]


def _check_characteristics(element: Resource, place: Path, run: Run) -> None:
    types = _types(element)
    for name, (words, allowed) in _CHARACTERISTICS.items():
        stated = name in element or choice_of(element, name)[0]
        if stated and types and not set(types) & set(allowed):
            run.report(
                "structure-definition-characteristic",
                place,
                stated=words,
                types=", ".join(types),
                allowed=", ".join(allowed),
            )


def _check_value_type(element: Resource, place: Path, run: Run) -> None:
    types = _types(element)
    for name in ("fixed", "pattern"):
        key, _ = choice_of(element, name)
        found = key.removeprefix(name)
        if key and types and found.lower() not in {code.lower() for code in types}:
            run.report(
                "structure-definition-value-type",
                (*place, key),
                key=key,
                found=found,
                allowed=", ".join(types),
            )


def _check_expression(constraint: Resource, place: Path, run: Run) -> None:
    expression = text_of(constraint, "expression")
    if not expression:
        return
    try:
        compile_expression(expression, run.definitions.types)
    except FhirPathError as error:
        run.report("definition-expression", place, problem=str(error))


def _check_extension(structure: Resource, path: Path, run: Run) -> None:
    url = text_of(structure, "url")
    for place, element in _elements(structure, path):
        fixed = element.get("fixedUri")
        if element.get("path") == "Extension.url" and fixed and fixed != url:
            where = (*place, "fixedUri")
            run.report("structure-definition-extension-url", where, found=fixed, url=url)
    formulas = structure.get("contextInvariant")
    for number, formula in enumerate(formulas if isinstance(formulas, list) else ()):
        _check_expression({"expression": formula}, (*path, "contextInvariant", number), run)
    for place, context in numbered(structure, "context", path):
        expression = text_of(context, "expression")
        if context.get("type") == "element" and expression:
            _check_context(expression, (*place, "expression"), run)


def _check_context(expression: str, place: Path, run: Run) -> None:
    """The path of a context leads through elements of a type that is known."""
    types = run.definitions.types
    here, *steps = expression.split(".")
    if ":" in expression or not types.is_type(here):
        return
    for step in steps:
        elements = types.elements(here)
        element = elements.get(step.removesuffix("[x]"))
        if element is None:
            near = nearest(step, list(elements))
            run.report("structure-definition-context", place, written=expression, near=near)
            return
        if len(element.types) != 1:
            return
        here = element.types[0]
