"""Reading a server in bulk, fresh, and without believing it: every hit is checked.

A search for two hundred ids is one request; a lenient server may ignore the parameter and send
anything, so what was not asked for shows that this kind of search cannot be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from fhirpkg.errors import ServerError
from fhirpkg.publishing.members import identifiers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from fhirpkg.client.client import FhirClient
    from fhirpkg.issues import Resource

_MOST_VALUES = 200
_LONGEST_QUERY = 7000
"""Characters as they are sent; proxies and servers refuse request lines beyond about 8 kB."""


@dataclass
class Reader:
    """Bulk reads from one server; `distrusted` names the searches that it turned out to ignore."""

    client: FhirClient
    distrusted: set[str] = field(default_factory=set)

    def by_ids(
        self, resource_type: str, ids: Sequence[str], *, confirm: bool = False
    ) -> dict[str, Resource]:
        """The resources that exist among these ids, by id.

        With `confirm`, what a search does not find is also read: a search may be behind.
        """
        found: dict[str, Resource] = {}
        for batch in batches(ids):
            if all(self.client.is_ahead(f"{resource_type}/{i}") for i in batch):
                found |= self._one_by_one(resource_type, batch)
                if any(i not in found for i in batch):
                    # HAPI reads its own OperationDefinitions, and finds those stored only so.
                    hits = self._search(resource_type, "_id", batch, lambda r: [str(r.get("id"))])
                    found |= {hit["id"]: hit for hit in hits or []}
                continue
            hits = self._search(resource_type, "_id", batch, lambda r: [str(r.get("id"))])
            if hits is None:
                found |= self._one_by_one(resource_type, batch)
            else:
                found |= {hit["id"]: hit for hit in hits}
                missing = [i for i in batch if i not in found] if confirm else []
                found |= self._one_by_one(resource_type, missing)
        return found

    def by_url(self, resource_type: str, urls: Sequence[str]) -> list[Resource]:
        """The resources with one of these urls, of any version."""
        found: list[Resource] = []
        for batch in batches(urls):
            found += self._search(resource_type, "url", batch, lambda r: [str(r.get("url"))]) or []
        return found

    def by_identifier(self, resource_type: str, identifiers: Sequence[str]) -> list[Resource]:
        """The resources with one of these identifiers, written ``system|value``."""
        found: list[Resource] = []
        for batch in batches(identifiers):
            hits = self._search(resource_type, "identifier", batch, identifiers_of)
            found += hits or []
        return found

    def exist(self, resource_type: str, parameter: str, values: Sequence[str]) -> bool:
        """Whether any resource may match; False only when the server counts none at all."""
        for batch in batches(values):
            query = [(parameter, ",".join(map(escaped, batch)))]
            if self.client.count(resource_type, query) != 0:
                return True
        return False

    def count_ids(self, resource_type: str, ids: Sequence[str]) -> int | None:
        """How many of these ids exist by the server's count; None when it does not count."""
        total = 0
        for batch in batches(ids):
            counted = self.client.count(resource_type, [("_id", ",".join(map(escaped, batch)))])
            if counted is None:
                return None
            total += counted
        return total

    def _search(
        self,
        resource_type: str,
        parameter: str,
        values: Sequence[str],
        of_hit: Callable[[Resource], Iterable[str]],
    ) -> list[Resource] | None:
        """The hits that were asked for; None when the server cannot be asked in this way."""
        key = f"{resource_type}?{parameter}"
        if key in self.distrusted:
            return None
        query = search_of(parameter, values)
        wanted = set(values)
        found: list[Resource] = []
        try:
            for hit in self.client.search(resource_type, query):
                if hit.get("resourceType") != resource_type or wanted.isdisjoint(of_hit(hit)):
                    self.distrusted.add(key)
                    return None
                found.append(hit)
        except ServerError as error:
            if not 400 <= error.status < 500 or error.status in {401, 403, 429}:
                raise
            self.distrusted.add(key)
            return None
        return found

    def _one_by_one(self, resource_type: str, ids: Iterable[str]) -> dict[str, Resource]:
        read = ((i, self.client.read(resource_type, i)) for i in ids)
        return {i: resource for i, resource in read if resource is not None}


def standing(client: FhirClient, place: str) -> Resource | None:
    """What is at ``Type/id``; also what a server finds by a search and does not read.

    HAPI reads its own OperationDefinitions, and finds those stored only by search.
    """
    resource_type, _, resource_id = place.partition("/")
    read = client.read(resource_type, resource_id)
    return read or Reader(client).by_ids(resource_type, [resource_id]).get(resource_id)


def search_of(parameter: str, values: Sequence[str]) -> list[tuple[str, str]]:
    """The parameters of a search for one of several values."""
    return [(parameter, ",".join(map(escaped, values))), ("_count", str(2 * len(values)))]


def batches(values: Sequence[str]) -> Iterator[list[str]]:
    """Values in portions that fit into one request line, as OR lists."""
    batch: list[str] = []
    length = 0
    for value in values:
        size = len(quote_plus(value)) + len("%2C")
        if batch and (len(batch) == _MOST_VALUES or length + size > _LONGEST_QUERY):
            yield batch
            batch, length = [], 0
        batch.append(value)
        length += size
    if batch:
        yield batch


def escaped(value: str, marks: str = "\\,") -> str:
    r"""A value in an OR list; ``,`` and ``\`` have a meaning there (R4 search.html#escaping)."""
    return "".join(f"\\{char}" if char in marks else char for char in value)
