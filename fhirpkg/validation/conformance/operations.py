"""OperationDefinitions: the profiles of what goes in and comes out.

See http://hl7.org/fhir/R4/operationdefinition-definitions.html#OperationDefinition.inputProfile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.typemodel import type_code
from fhirpkg.errors import DefinitionError
from fhirpkg.issues import Severity
from fhirpkg.rules import nearest
from fhirpkg.untrusted import objects, text_of
from fhirpkg.validation.conformance.rules import (
    OPERATION_PARAMETER,
    OPERATION_PROFILE,
    OPERATION_PROFILE_UNKNOWN,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_PROFILES = {"inputProfile": "in", "outputProfile": "out"}
_PARAMETER = "Parameters.parameter"


def check_operation_definition(operation: Resource, path: Path, run: Run) -> None:
    """Report profiles of the parameters that are not of Parameters, or exclude a parameter."""
    for key, use in _PROFILES.items():
        canonical = text_of(operation, key)
        if not canonical:
            continue
        profile = run.definitions.find(canonical, "StructureDefinition")
        if profile is None:
            run.report(OPERATION_PROFILE_UNKNOWN, (*path, key), canonical=canonical)
        elif profile.get("type") != "Parameters":
            found = profile.get("type")
            run.report(OPERATION_PROFILE, (*path, key), canonical=canonical, found=found)
        else:
            for problem, severity in _conflicts(operation, use, canonical, run):
                run.report(
                    OPERATION_PARAMETER, (*path, key),
                    severity=severity, canonical=canonical, problem=problem,
                )  # fmt: skip


def _conflicts(
    operation: Resource, use: str, canonical: str, run: Run
) -> Iterator[tuple[str, Severity]]:
    """What a profile says of parameters that the operation does not allow.

    A parameter that only the profile has is no conflict unless it is required.
    """
    try:
        profile = run.definitions.structure(canonical) or {}
    except DefinitionError:
        return  # validating the profile shows why
    wanted = {
        text_of(each, "name"): each
        for each in objects(operation, "parameter")
        if each.get("use") == use
    }
    elements = objects(profile.get("snapshot"), "element")
    for name, part in _slices(elements):
        parameter = wanted.get(name)
        least, most = _bounds(part)
        if parameter is None:
            near = nearest(name, list(wanted))
            problem = f"the operation has no '{name}' with use '{use}'{near}"
            yield problem, Severity.ERROR if least else Severity.WARNING
            continue
        low, high = _bounds(parameter)
        if most < low or least > high:
            problem = f"'{name}' is {_shown(part)} there, and {_shown(parameter)} in the operation"
            yield problem, Severity.ERROR
        types, type_ = _types(part, elements), text_of(parameter, "type")
        if types and type_ and not any(_fits(each, type_, run) for each in types):
            said = " or ".join(sorted(types))
            yield f"'{name}' is of {said} there, and {type_} in the operation", Severity.ERROR


def _slices(elements: list[Resource]) -> Iterator[tuple[str, Resource]]:
    """The slices of the parameters with the names that they fix."""
    by_id = {text_of(each, "id"): each for each in elements}
    for element in elements:
        if element.get("path") != _PARAMETER or not element.get("sliceName"):
            continue
        named = by_id.get(f"{text_of(element, 'id')}.name", {})
        name = text_of(named, "fixedString") or text_of(named, "patternString")
        if name:
            yield name, element


def _types(part: Resource, elements: list[Resource]) -> set[str]:
    """The types that a profile leaves for the value of a parameter; none where it is free."""
    wanted = f"{text_of(part, 'id')}.value[x]"
    values = [each for each in elements if text_of(each, "id") == wanted and each.get("max") != "0"]
    codes = {type_code(type_) for each in values for type_ in objects(each, "type")}
    return codes if len(codes) < 10 else set()  # all of the open choice


def _fits(found: str, type_: str, run: Run) -> bool:
    types = run.definitions.types
    return types.is_a(found, type_) or types.is_a(type_, found) or not types.is_type(type_)


def _bounds(holder: Resource) -> tuple[float, float]:
    least, most = holder.get("min", 0), text_of(holder, "max")
    low = least if isinstance(least, int) else 0
    return low, int(most) if most.isdecimal() else float("inf")


def _shown(holder: Resource) -> str:
    return f"{holder.get('min', 0)}..{holder.get('max', '*')}"
