"""A FHIR server as a repository: only what is asked for is fetched, and only once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.canonical import Canonical
from fhirpkg.repository import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.client.client import FhirClient
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Resource

_KNOWLEDGE = ("PlanDefinition", "ActivityDefinition", "Questionnaire", "Library", "ValueSet")


class ServerRepository:
    """Definitions and patient data of a server, through a client.

    Raises ServerError when the server refuses.
    """

    def __init__(self, client: FhirClient, definitions: Definitions) -> None:
        self._client = client
        self._definitions = definitions
        self._read: dict[tuple[str, str], Resource | None] = {}
        self._resolved: dict[tuple[str, str | None], Resource | None] = {}

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """The resource of this type and id."""
        key = (resource_type, resource_id)
        if key not in self._read:
            self._read[key] = self._client.read(*key)
        return self._read[key]

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """The resources of a type by patient and name; hits are looked at again.

        A server may ignore a parameter that it does not know.
        """
        query = search_query(resource_type, params, self._definitions)
        found = MemoryRepository(self._client.search(resource_type, query))
        return found.search(resource_type, params)

    def resolve(self, canonical: str, resource_type: str | None = None) -> Resource | None:
        """The definition behind a canonical."""
        key = (canonical, resource_type)
        if key not in self._resolved:
            self._resolved[key] = self._find(canonical, resource_type)
        return self._resolved[key]

    def _find(self, canonical: str, resource_type: str | None) -> Resource | None:
        asked = Canonical.parse(canonical)
        if ":" not in asked.url:
            relative_type, _, resource_id = asked.url.partition("/")
            return self.read(relative_type, resource_id) if resource_id else None
        query = [("url", asked.url)] + ([("version", asked.version)] if asked.version else [])
        for kind in types_to_ask(asked.url, resource_type):
            found = MemoryRepository(self._client.search(kind, query)).resolve(canonical, kind)
            if found is not None:
                return found
        return None


def types_to_ask(url: str, resource_type: str | None) -> list[str]:
    """The resource types a canonical can be of; the one its url names first."""
    if resource_type is not None:
        return [resource_type]
    named = url.rpartition("/")[0].rpartition("/")[2]
    return sorted(_KNOWLEDGE, key=lambda kind: kind != named)


def search_query(
    resource_type: str, params: Mapping[str, str], definitions: Definitions
) -> list[tuple[str, str]]:
    """What a FHIR search is asked for: `patient` by the name it has for the type, if any."""
    patient = params.get("patient")
    if patient is None:
        return list(params.items())
    if resource_type == "Patient":
        return [("_id", patient.rpartition("/")[2])]
    known = definitions.search_parameters(resource_type)
    name = next((name for name in ("patient", "subject") if name in known), "")
    return [(name, patient)] if name else []
