"""What the store holds, as pages show it: the shelf of one request, which reads nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.canonical import Canonical
from fhirpkg.languages.words import language
from fhirpkg.pages.listing import Entry, entry, plain
from fhirpkg.pages.shelf import LISTED, TITLES
from fhirpkg.repository import MemoryRepository
from fhirpkg.server.operations.apply import StoreRepository
from fhirpkg.server.searching.criteria import read_criteria
from fhirpkg.server.storing.layout import param_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint

_EARLIER = 5
_CODED = ("context", "topic", "code", "event", "identifier")


class StoreShelf(StoreRepository):
    """The newest versions of what is stored; `earlier` has those before."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._read: dict[tuple[str, str], Resource | None] = {}
        self._resolved: dict[tuple[str, str | None], Resource | None] = {}

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """The resource of this type and id."""
        key = (resource_type, resource_id)
        if key not in self._read:
            self._read[key] = super().read(*key)
        return self._read[key]

    def resolve(self, canonical: str, resource_type: str | None = None) -> Resource | None:
        """The definition behind a canonical, of any type that has urls."""
        key = (canonical, resource_type)
        if key not in self._resolved:
            self._resolved[key] = self._found(canonical, resource_type)
        return self._resolved[key]

    def _found(self, canonical: str, resource_type: str | None) -> Resource | None:
        kinds = [resource_type] if resource_type else _with_url(self._endpoint)
        keys = [param_key(f"{kind}.url") for kind in kinds]
        rows = self._endpoint.store.query(
            "SELECT current.type, current.id FROM searchable JOIN current USING (key)"  # noqa: S608
            f" WHERE searchable.param IN ({', '.join('?' * len(keys))})"
            " AND searchable.value = ? AND current.digest IS NOT NULL",
            (*keys, Canonical.parse(canonical).url),
        )
        there = [found for row in rows if (found := self.read(*row))]
        return MemoryRepository(there).resolve(canonical, resource_type)

    def counts(self) -> dict[str, int]:
        """How many resources there are of each type."""
        return dict(
            self._endpoint.store.query(
                "SELECT type, count(*) FROM current WHERE digest IS NOT NULL"
                " GROUP BY type ORDER BY type"
            )
        )

    def listed(self, resource_type: str) -> list[Resource]:
        """The first LISTED resources of a type, by id."""
        found = self._endpoint.store.all_present(
            "current.type = ? ORDER BY current.id LIMIT ?", (resource_type, LISTED)
        )
        return [version.resource() for version in found]

    def earlier(self, resource: Resource) -> list[Resource]:
        """The versions of a resource that were stored before, the newest first."""
        found = self._endpoint.store.versions(
            "version",
            "version.type = ? AND version.id = ? ORDER BY version.seq DESC LIMIT ?",
            (resource["resourceType"], resource["id"], _EARLIER + 1),
        )
        return [version.resource() for version in found[1:] if version.content is not None]

    def searched(self, query: str) -> list[Entry]:
        """What has all the words of a query among its names, words and codes; plans first."""
        words = plain(query).split()
        if not words:
            return []
        longest = max(query.lower().split(), key=len)
        kinds = [kind for kind in self.counts() if kind in _searched(self._endpoint)]
        found: dict[str, Entry] = {}
        for kind in sorted(kinds, key=lambda kind: kind != "PlanDefinition"):
            for resource in self._candidates(kind, longest):
                row = entry(resource)
                if all(word in row.words for word in words):
                    found[row.place] = row
            if len(found) >= LISTED:
                break
        return list(found.values())[:LISTED]

    def _candidates(self, kind: str, word: str) -> Iterator[Resource]:
        """The resources of a type that have a word somewhere; of plans also in a translation."""
        if kind == "PlanDefinition" and language() != "en":
            yield from self.listed(kind)
        known = self._endpoint.definitions.search_parameters(kind)
        asked = [(f"{name}:contains", word) for name in TITLES if name in known]
        asked += [(name, word.upper()) for name in _CODED if name in known]
        for pair in asked:
            criteria = read_criteria([pair], kind, self._endpoint.indexing)
            for version in self._endpoint.matches(criteria, LISTED):
                yield version.resource()


def _with_url(endpoint: Endpoint) -> list[str]:
    """The types that a canonical can lead to."""
    definitions = endpoint.definitions
    return [
        t for t in definitions.types.resource_types() if "url" in definitions.search_parameters(t)
    ]


def _searched(endpoint: Endpoint) -> set[str]:
    """The types that pages search: definitions and documents, no patient's data."""
    return {*_with_url(endpoint), "DocumentReference"}
