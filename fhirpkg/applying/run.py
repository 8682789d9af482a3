"""One application of one plan: what it works with, and what has come out of it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.applying.dialects import Dialect
    from fhirpkg.applying.expressions import Evaluator
    from fhirpkg.applying.outcomes import Why
    from fhirpkg.applying.requests.cells import Parties
    from fhirpkg.issues import Resource
    from fhirpkg.repository import Repository


@dataclass(slots=True)
class Run:
    """One application of one plan: what it works with and what has come out so far."""

    parties: Parties
    repository: Repository
    evaluator: Evaluator
    dialect: Dialect
    contained: bool
    """References as `#id`, for a CarePlan that contains the requests; else `Type/id`."""
    resources: list[Resource] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    outcomes: list[Resource] = field(default_factory=list)
    whys: list[Why] = field(default_factory=list)
    actions: list[Resource] = field(default_factory=list)
    """The action that each of `whys` led to, empty for one that is left out."""
    definitions: list[Resource] = field(default_factory=list)
    """What actions led to, looked at when applying it fails."""
    nesting: int = 0
    depth: int = 0
    """How deep the action lies whose plan is being applied."""

    def reference(self, resource: Resource) -> dict[str, str]:
        """A reference to a resource that is part of the result."""
        if self.contained:
            return {"reference": f"#{resource['id']}"}
        return {"reference": f"{resource['resourceType']}/{resource['id']}"}

    def group_author(self) -> str:
        """Who asks for a RequestGroup: never an organization, but with the reference engine."""
        if self.dialect.carries:
            return self.parties.practitioner
        return self.parties.organization or self.parties.practitioner

    def add(self, resource: Resource) -> None:
        """Take a request into the result, under an id that no other has."""
        resource["id"] = free_id(resource["id"] or resource["resourceType"], self.ids)
        self.ids.add(resource["id"])
        self.resources.append(resource)


def free_id(wanted: str, taken: set[str]) -> str:
    """The id, with 2, 3 … at its end when it is taken."""
    candidate, count = wanted, 1
    while candidate in taken:
        count += 1
        candidate = f"{wanted}{count}"
    return candidate
