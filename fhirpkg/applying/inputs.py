"""The patient's data that a data requirement asks for: action.input as a variable of conditions.

See http://hl7.org/fhir/R4/metadatatypes.html#DataRequirement. The reference engine searches without
a patient and fails when it finds nothing; here nothing is an empty list, so absence can be asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating.types import element
from fhirpkg.cql.evaluating.values import codes
from fhirpkg.cql.evaluating.valuesets import ValueSets
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from fhirpkg.applying.repository import Repository
    from fhirpkg.issues import Resource


def required(requirement: Resource, subject: str, repository: Repository) -> list[Resource]:
    """The resources of a patient that meet a requirement.

    Raises FhirpkgError for a filter that is not supported, ResolutionError for a missing value set.
    """
    name = requirement.get("id")
    if "dateFilter" in requirement:
        raise FhirpkgError(f"the input %{name} has a dateFilter, which is not supported")
    found = repository.search(requirement["type"], {"patient": subject})
    value_sets = ValueSets(repository.resolve)
    for code_filter in requirement.get("codeFilter", ()):
        if "path" not in code_filter:
            raise FhirpkgError(f"the input %{name} has a codeFilter without path")
        found = [r for r in found if _passes(r, code_filter, value_sets)]
    return found


def _passes(resource: Resource, code_filter: Resource, value_sets: ValueSets) -> bool:
    present = codes(element(resource, code_filter["path"]))
    if canonical := code_filter.get("valueSet"):
        return bool(present) and value_sets.contains(canonical, present)
    wanted = codes(code_filter.get("code", []))
    return not wanted or any(
        a.code == b.code and a.system in {"", b.system} for a in present for b in wanted
    )
