"""What a profile may change of its base: only to less (profiling.html#cardinality, #types)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.errors import DefinitionError
from fhirpkg.issues import Severity
from fhirpkg.validation.items import choice_of, numbered, text_of

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_OF_ALL = {"Element", "Resource", "DomainResource", "BackboneElement"}


def check_refinements(structure: Resource, path: Path, run: Run) -> None:
    """Report elements that a constraint widens: more repeats, other types, values of other types.

    Elements that the base does not have by their path, and slices, are left to the snapshot.
    """
    base = _base(structure, run)
    if base is None:
        return
    kind = base.get("kind")
    if structure.get("kind") != kind:
        problem = f"its kind is '{structure.get('kind')}', but that of its base is '{kind}'"
        severity = Severity.ERROR if run.settings.strict else Severity.WARNING  # R4's examples err
        place = (*path, "kind")
        run.report("structure-definition-refinement", place, severity=severity, problem=problem)
    known: dict[str, Resource] = {}
    for _, element in numbered(base.get("snapshot"), "element"):
        if not text_of(element, "sliceName"):
            known.setdefault(text_of(element, "path"), element)
    for place, element in numbered(
        structure.get("differential"), "element", (*path, "differential")
    ):
        wider = known.get(text_of(element, "path"))
        if wider is not None:
            _check_element(element, wider, place, run)


def _base(structure: Resource, run: Run) -> Resource | None:
    """The base of a constraint, with its snapshot, where it can be had."""
    canonical = text_of(structure, "baseDefinition")
    if structure.get("derivation") != "constraint" or not canonical:
        return None
    try:
        base = run.definitions.structure(canonical)
    except DefinitionError:
        return None  # told where that definition is checked
    return base if base and base.get("type") == structure.get("type") else None


def _check_element(element: Resource, wider: Resource, place: Path, run: Run) -> None:
    problem = ""
    most, allowed = text_of(element, "max"), text_of(wider, "max")
    if allowed.isdigit() and (most == "*" or (most.isdigit() and int(most) > int(allowed))):
        problem = f"max is {most}, but {allowed} in its base"
    types = _codes(wider)
    others = sorted(_codes(element) - types)
    if not problem and others and types and not types & _OF_ALL:
        problem = f"its type is {', '.join(others)}, but {', '.join(sorted(types))} in its base"
    fixed = choice_of(element, "fixed")[0] or choice_of(element, "pattern")[0]
    found = fixed.removeprefix("fixed").removeprefix("pattern")
    simple = {code.lower() for code in types}
    if not problem and fixed and types and not types & _OF_ALL and found.lower() not in simple:
        problem = f"{fixed} is no value of its type in its base, {', '.join(sorted(types))}"
    if (
        not problem
        and _strength(wider) == "required"
        and _strength(element) not in {"", "required"}
    ):
        problem = f"its binding is {_strength(element)}, but required in its base"
    if problem:
        run.report("structure-definition-refinement", place, problem=problem)


def _strength(element: Resource) -> str:
    binding = element.get("binding")
    return text_of(binding, "strength") if isinstance(binding, dict) else ""


def _codes(element: Resource) -> set[str]:
    """The types of an element; none when one is FHIRPath's own, whose JSON goes by another."""
    codes = {text_of(type_, "code") for _, type_ in numbered(element, "type")} - {""}
    return set() if any(":" in code for code in codes) else codes
