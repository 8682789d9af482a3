"""The profiles that a definition names for the types of its elements.

See http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type.profile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.typemodel import type_code
from fhirpkg.errors import DefinitionError
from fhirpkg.untrusted import numbered, objects, text_of
from fhirpkg.validation.conformance.rules import (
    STRUCTURE_DEFINITION_ELEMENT_TYPE,
    STRUCTURE_DEFINITION_TYPE_PROFILE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_TYPES = "http://hl7.org/fhir/StructureDefinition/"
_ELEMENT = "http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element"
_REFERENCES = {"Reference", "CodeableReference"}


def check_type_profiles(element: Resource, place: Path, run: Run) -> None:
    """Report profiles of other types than the element's, and targets that cannot be ones."""
    path = text_of(element, "path")
    for at, type_ in numbered(element, "type", place):
        code = type_code(type_)
        for where, canonical in _listed(type_, "profile", at):
            if not _is_of_element(type_, where):
                _report(_profile_problem(canonical, code, path, run), where, run)
        for where, canonical in _listed(type_, "targetProfile", at):
            if not _is_of_core(path, canonical, run):
                _report(_target_problem(canonical, code, run), where, run)


def check_types(element: Resource, place: Path, run: Run) -> None:
    """Report types that FHIR does not have; logical models have some of their own."""
    for at, type_ in numbered(element, "type", place):
        code = text_of(type_, "code").removeprefix(_TYPES)
        if code and not {":", "."} & set(code) and not is_type(code, run):
            run.report(STRUCTURE_DEFINITION_ELEMENT_TYPE, (*at, "code"), code=code)


def is_type(name: str, run: Run) -> bool:
    """Whether FHIR has a type; R5 has one without elements, which the table of types leaves out."""
    return run.definitions.types.is_type(name) or (
        run.definitions.find(f"{_TYPES}{name}", "StructureDefinition") is not None
    )


def _listed(type_: Resource, key: str, place: Path) -> Iterator[tuple[Path, str]]:
    values = type_.get(key)
    for number, value in enumerate(values if isinstance(values, list) else ()):
        if isinstance(value, str):
            yield (*place, key, number), value


def _is_of_element(type_: Resource, where: Path) -> bool:
    """Whether what is meant is one element of a profile, whose type the profile's is not."""
    beside = type_.get("_profile")
    number = where[-1]
    if not isinstance(beside, list) or not isinstance(number, int) or number >= len(beside):
        return False
    return any(e.get("url") == _ELEMENT for e in objects(beside[number] or {}, "extension"))


def _report(problem: str, place: Path, run: Run) -> None:
    if problem:
        run.report(STRUCTURE_DEFINITION_TYPE_PROFILE, place, problem=problem)


def _profile_problem(canonical: str, code: str, path: str, run: Run) -> str:
    found = run.definitions.find(canonical, "StructureDefinition")
    if found is None or not code:
        return ""
    types = list(_types(found, run))
    if types and code not in types:
        return f"{canonical} is for {types[0]}, but the type here is {code}"
    if types[:1] != ["Extension"]:
        return ""
    is_modifier = _is_modifier(canonical, run)
    if is_modifier is None or is_modifier == path.endswith(".modifierExtension"):
        return ""
    return f"{canonical} is {'a' if is_modifier else 'no'} modifier extension, unlike {path}"


def _types(structure: Resource, run: Run) -> Iterator[str]:
    """The type a profile is for, and what that specializes; none when that is not known."""
    name = text_of(structure, "type")
    yield name.rpartition("/")[2]
    if "/" in name:
        yield name
    yield from run.definitions.types.ancestors(name)


def _is_modifier(canonical: str, run: Run) -> bool | None:
    """Whether a definition is that of a modifier extension; None when it cannot be used."""
    try:
        structure = run.definitions.structure(canonical)
    except DefinitionError:
        return None
    elements = structure["snapshot"]["element"] if structure else [{}]
    return elements[0].get("isModifier") is True


def _is_of_core(path: str, canonical: str, run: Run) -> bool:
    """Whether FHIR itself names a target for an element, which every profile takes over.

    R4B's PlanDefinition and R5's NutritionIntake name some that have no canonical url.
    """
    name = path.partition(".")[0]
    core = run.definitions.find(f"{_TYPES}{name}", "StructureDefinition") or {}
    return any(
        canonical in type_.get("targetProfile", ())
        for element in core.get("snapshot", {}).get("element", ())
        if element.get("path") == path
        for type_ in element.get("type", ())
    )


def _target_problem(canonical: str, code: str, run: Run) -> str:
    if code and code not in {*_REFERENCES, "canonical"}:
        return f"{code} does not refer to resources, so it has no target profile"
    found = run.definitions.find(canonical, "StructureDefinition")
    if found is None:
        return ""
    name = text_of(found, "type")
    if code in _REFERENCES and text_of(found, "kind") not in {"resource", "logical"}:
        return f"{canonical} is for {name}, which is not a resource"
    if code == "canonical" and not _has_url(name, run):
        return f"{canonical} is for {name}, which has no canonical url"
    return ""


def _has_url(name: str, run: Run) -> bool:
    elements = run.definitions.types.elements(name)
    return not elements or name == "Resource" or {"url", "status"} <= set(elements)
