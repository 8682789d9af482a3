"""The patient's data that a data requirement asks for: action.input as a variable of conditions.

See http://hl7.org/fhir/R4/metadatatypes.html#DataRequirement. The reference engine searches without
a patient and fails when it finds nothing; here nothing is an empty list, so absence can be asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating.elements import codes, element
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.contents import Resolved
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.definitions.terminology.verdicts import Verdict
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from fhirpkg.issues import Resource
    from fhirpkg.repository import Repository


def required(requirement: Resource, subject: str, repository: Repository) -> list[Resource]:
    """The resources of a patient that meet a requirement.

    Raises FhirpkgError for a filter that is not supported and for a membership that is unknown.
    """
    name = requirement.get("id")
    if "type" not in requirement:
        raise FhirpkgError(f"the input %{name} has no type")
    if "dateFilter" in requirement:
        raise FhirpkgError(f"the input %{name} has a dateFilter, which is not supported")
    found = repository.search(requirement["type"], {"patient": subject})
    terminology = Terminology(Resolved(repository.resolve, Definitions.core()))
    for code_filter in requirement.get("codeFilter", ()):
        if "path" not in code_filter:
            raise FhirpkgError(f"the input %{name} has a codeFilter without path")
        found = [r for r in found if _passes(r, code_filter, terminology)]
    return found


def _passes(resource: Resource, code_filter: Resource, terminology: Terminology) -> bool:
    present = codes(element(resource, code_filter["path"]))
    if canonical := code_filter.get("valueSet"):
        found = terminology.any_in(canonical, ((code.system, code.code) for code in present))
        if found.verdict is Verdict.UNKNOWN:
            raise FhirpkgError(found.reason)
        return found.verdict is Verdict.YES
    wanted = codes(code_filter.get("code", []))
    return not wanted or any(
        a.code == b.code and a.system in {"", b.system} for a in present for b in wanted
    )
