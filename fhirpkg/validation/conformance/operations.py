"""OperationDefinitions: the profiles of what goes in and comes out.

See http://hl7.org/fhir/R4/operationdefinition-definitions.html#OperationDefinition.inputProfile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.untrusted import text_of
from fhirpkg.validation.conformance.rules import (
    OPERATION_PROFILE,
    OPERATION_PROFILE_UNKNOWN,
)

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run


def check_operation_definition(operation: Resource, path: Path, run: Run) -> None:
    """Report profiles of the parameters that are not of Parameters."""
    for key in ("inputProfile", "outputProfile"):
        canonical = text_of(operation, key)
        if not canonical:
            continue
        profile = run.definitions.find(canonical, "StructureDefinition")
        if profile is None:
            run.report(OPERATION_PROFILE_UNKNOWN, (*path, key), canonical=canonical)
        elif profile.get("type") != "Parameters":
            found = profile.get("type")
            run.report(OPERATION_PROFILE, (*path, key), canonical=canonical, found=found)
