"""Profiles that only add obligations, and profiles that take them over.

See the obligation-profile-flag and inherit-obligations extensions
(http://hl7.org/fhir/extensions/obligations.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.errors import DefinitionError
from fhirpkg.untrusted import choice_of, numbered, text_of
from fhirpkg.validation.conformance.rules import (
    STRUCTURE_DEFINITION_OBLIGATION,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json, Path, Resource
    from fhirpkg.validation.run import Run

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_TOOLS = "http://hl7.org/fhir/tools/StructureDefinition/"
_FLAGS = {
    f"{_CORE}obligation-profile-flag",
    f"{_CORE}obligation-profile",  # its name for a while
    f"{_TOOLS}obligation-profile",
}
_INHERITED = {f"{_CORE}inherit-obligations", f"{_TOOLS}inherit-obligations"}
_OBLIGATIONS = {f"{_CORE}obligation", f"{_TOOLS}obligation"}
_ADDITIONAL = f"{_TOOLS}additional-binding"
_ALLOWED = {"id", "path", "extension", "mustSupport", "min", "max", "binding"}
_BINDING = {"id", "extension", "strength"}
_STRICTER = {"maximum", "required", "extensible"}


def check_obligations(structure: Resource, path: Path, run: Run) -> None:
    """Report what an obligation profile may not say, and inherited ones of another kind."""
    for place, extension in numbered(structure, "extension", path):
        if text_of(extension, "url") in _INHERITED:
            problem = _inherited(structure, extension, run)
            if problem:
                run.report(STRUCTURE_DEFINITION_OBLIGATION, place, problem=problem)
    if _is_flagged(structure):
        for place, problem in _profile_problems(structure, path, run):
            run.report(STRUCTURE_DEFINITION_OBLIGATION, place, problem=problem)


def _is_flagged(structure: Resource) -> bool:
    return any(
        text_of(extension, "url") in _FLAGS and choice_of(extension, "value")[1] is True
        for _, extension in numbered(structure, "extension")
    )


def _inherited(structure: Resource, extension: Resource, run: Run) -> str:
    canonical: Json = choice_of(extension, "value")[1]
    if not isinstance(canonical, str):
        return "it names no profile whose obligations it adopts"
    found = run.definitions.find(canonical, "StructureDefinition")
    if found is None:
        return ""  # reported as a canonical that leads nowhere
    if not _is_flagged(found):
        return f"{canonical} is not marked as an obligation profile"
    mine, other = text_of(structure, "baseDefinition"), text_of(found, "baseDefinition")
    return "" if mine == other else f"{canonical} is based on {other}, but this profile on {mine}"


def _profile_problems(structure: Resource, path: Path, run: Run) -> Iterator[tuple[Path, str]]:
    if structure.get("derivation") != "constraint":
        yield path, "only a constraint can be an obligation profile"
        return
    try:
        base = run.definitions.structure(text_of(structure, "baseDefinition"))
    except DefinitionError:
        return  # reported where that definition is checked
    if base is None:
        return
    known = {text_of(e, "id"): e for _, e in numbered(base.get("snapshot"), "element")}
    for place, element in numbered(
        structure.get("differential"), "element", (*path, "differential")
    ):
        wider = known.get(text_of(element, "id"))
        if wider is None:
            yield place, f"the base has no element '{text_of(element, 'id')}'"
            continue
        yield from _element_problems(element, wider, place)


def _element_problems(
    element: Resource, wider: Resource, place: Path
) -> Iterator[tuple[Path, str]]:
    if element.get("path") != wider.get("path"):
        yield (*place, "path"), f"the path is '{wider.get('path')}' in the base"
    for key in element:
        if key.removeprefix("_") not in _ALLOWED:
            yield (*place, key), f"{key} has no place in an obligation profile"
    for at, extension in numbered(element, "extension", place):
        if text_of(extension, "url") not in _OBLIGATIONS:
            yield at, f"{extension.get('url')} has no place in an obligation profile"
    binding, before = element.get("binding"), wider.get("binding")
    if not isinstance(binding, dict):
        return
    if not isinstance(before, dict):
        yield (*place, "binding"), "an obligation profile binds nothing that its base does not"
        return
    yield from _binding_problems(binding, before, (*place, "binding"))


def _binding_problems(
    binding: Resource, before: Resource, place: Path
) -> Iterator[tuple[Path, str]]:
    for key in binding:
        if key.removeprefix("_") not in _BINDING:
            yield (*place, key), f"binding.{key} has no place in an obligation profile"
    if binding.get("strength") != before.get("strength"):
        yield (*place, "strength"), f"the strength is {before.get('strength')} in the base"
    for at, extension in numbered(binding, "extension", place):
        purposes = {
            choice_of(part, "value")[1]
            for _, part in numbered(extension, "extension")
            if part.get("url") == "purpose"
        }
        if extension.get("url") != _ADDITIONAL or purposes & _STRICTER:
            yield at, "an obligation profile adds no bindings that demand codes"
