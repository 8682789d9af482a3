"""What the interactions of the server work on: the store, the definitions and the search index."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg import rules
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.server.exchange import refused
from fhirpkg.server.operations.learning import Learned
from fhirpkg.server.rules import (
    SERVER_SEARCH_LIMIT,
    SERVER_UNKNOWN_TYPE,
    SERVER_VALUE,
)
from fhirpkg.server.searching.indexing import Indexing, Unindexable, indexing_of
from fhirpkg.server.searching.planning import count, find
from fhirpkg.server.storing.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from fhirpkg.issues import Resource
    from fhirpkg.server.searching.conditions import Criteria
    from fhirpkg.server.storing.versions import Rows, Version


MOST_MATCHES = 10_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A FHIR base: everything below it."""

    store: Store
    definitions: Definitions
    indexing: Indexing
    learned: Learned = field(compare=False)
    """What `$validate` and terminology know by the definitions that the store holds."""

    def check_type(self, resource_type: str) -> None:
        """Raises Refused (404) when R4 has no such resource type."""
        types = self.definitions.types.resource_types()
        if resource_type not in types:
            near = rules.nearest(resource_type, list(types))
            raise refused(404, SERVER_UNKNOWN_TYPE, type=resource_type, near=near)

    def matches(self, criteria: Criteria, most: int = MOST_MATCHES) -> list[Version]:
        """The resources that fit, in the order they were made in, at most so many.

        Without a limit of the caller's all of them. Raises Refused when they are too many for one
        answer.
        """
        found = find(self.store, criteria, most=min(most, MOST_MATCHES) + 1).keys
        if len(found) > most == MOST_MATCHES:
            raise refused(422, SERVER_SEARCH_LIMIT, what="matches", most=MOST_MATCHES)
        return list(self.store.each(found[:most]))

    def count(self, criteria: Criteria) -> int:
        """How many resources fit."""
        return count(self.store, criteria)


def open_endpoint(path: Path | None = None, definitions: Definitions | None = None) -> Endpoint:
    """An endpoint over a store file, or over memory.

    Raises SourceError when the file cannot be used.
    """
    definitions = definitions or Definitions.core()
    indexing = indexing_of(definitions)

    def index(resource: Resource) -> Rows:
        try:
            return indexing.rows(resource)
        except Unindexable as error:
            parameter, problem = error.parameter, error.problem
            raise refused(422, SERVER_VALUE, parameter=parameter, problem=problem) from error

    store = Store(path, index=index)
    return Endpoint(store, definitions, indexing, Learned(store, definitions))
