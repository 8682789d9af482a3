"""What a server says that it offers: its CapabilityStatement, asked in our words.

See http://hl7.org/fhir/R4/capabilitystatement.html. A claim is a claim: preconditions are proven
where they are used (`fhirpkg.publishing.bookkeeping.head`).
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fhirpkg.errors import ServerError
from fhirpkg.fhirjson import dump

if TYPE_CHECKING:
    from fhirpkg.issues import Resource


@dataclass(frozen=True)
class Capabilities:
    """The claims of one server."""

    software: str
    """Name and version of the server's software, as far as it states them."""
    types: dict[str, Resource] = field(repr=False)
    """rest.resource by its type."""
    system: frozenset[str]
    """Interactions of the whole system: transaction, batch, history-system, search-system."""
    statement: Resource = field(repr=False)

    @classmethod
    def of(cls, statement: Resource, base_url: str) -> Capabilities:
        """Read a CapabilityStatement; ServerError when it is not that of an R4 server."""
        version = str(statement.get("fhirVersion", ""))
        if not version.startswith("4.0"):
            told = f"FHIR {version}" if version else "no FHIR version"
            raise ServerError(base_url, f"speaks {told}; fhirpkg speaks R4 (4.0.1)")
        rest: Resource = next(
            (r for r in statement.get("rest", []) if r.get("mode", "server") == "server"), {}
        )
        software = statement.get("software", {})
        named = " ".join(str(software[k]) for k in ("name", "version") if software.get(k))
        return cls(
            software=named or "unnamed software",
            types={str(r["type"]): r for r in rest.get("resource", []) if "type" in r},
            system=_codes(rest.get("interaction", [])),
            statement=statement,
        )

    def offers(self, resource_type: str, *interactions: str) -> bool:
        """Whether a type has all of these interactions (read, update, create, search-type, …)."""
        return set(interactions) <= _codes(self._of(resource_type).get("interaction", []))

    def search_parameters(self, resource_type: str) -> frozenset[str]:
        """The names of the search parameters of a type."""
        return frozenset(str(p.get("name")) for p in self._of(resource_type).get("searchParam", []))

    def takes_client_ids(self, resource_type: str) -> bool:
        """Whether a PUT may create; true unless the server denies it outright."""
        return self._of(resource_type).get("updateCreate") is not False

    def conditional(self, resource_type: str, interaction: str) -> bool:
        """Whether conditional create or update is claimed."""
        key = {"create": "conditionalCreate", "update": "conditionalUpdate"}[interaction]
        return bool(self._of(resource_type).get(key))

    @functools.cached_property
    def digest(self) -> str:
        """A digest of what is offered, equal from day to day (dates are left out)."""
        told: dict[str, Any] = {"software": self.software, "rest": self.statement.get("rest", [])}
        return hashlib.sha256(dump(told).encode()).hexdigest()

    def _of(self, resource_type: str) -> Resource:
        return self.types.get(resource_type, {})


def _codes(interactions: list[Resource]) -> frozenset[str]:
    return frozenset(str(i["code"]) for i in interactions if "code" in i)
