"""The answers to consumers' searches, compared with what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.errors import ServerError
from fhirpkg.publishing.reading import batches, escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fhirpkg.client.client import FhirClient
    from fhirpkg.publishing.proving.consumers import Search


_MANY_OF_A_CODE = 100
SHOWN = 10
"""How many ids or differences a report names."""


def compared(
    client: FhirClient, search: Search, links: dict[str, str], mark: tuple[str, str]
) -> str:
    """What is wrong with the answer to a consumer's search; nothing when it is right."""
    wanted = {links[local].partition("/")[2] for local in search.expected}
    try:
        if search.exactly:
            return _compared_exactly(client, search, wanted)
        return _compared_among_others(client, search, wanted, mark)
    except ServerError as error:
        return error.problem


def _compared_exactly(client: FhirClient, search: Search, wanted: set[str]) -> str:
    if len(wanted) > 1 and client.count(search.type, search.query) == len(wanted):
        return ""  # they were distinguished when planning; only counted, as there are many
    found = _ids(client, search, [("_count", str(2 * len(wanted)))])
    if wanted - found:
        return f"does not find {_named(wanted - found)}"
    return f"also finds {_named(found - wanted)}" if found - wanted else ""


def _compared_among_others(
    client: FhirClient, search: Search, wanted: set[str], mark: tuple[str, str]
) -> str:
    """Whether all are found by a code that a busy server knows of many others too."""
    if len(wanted) > _MANY_OF_A_CODE and client.count(search.type, [*search.query, mark]) == len(
        wanted
    ):
        return ""  # counted among ours: a page of them says little, and all pages take long
    first = client.pages(search.type, first_page(search))
    on_page = {str(e.get("resource", {}).get("id")) for e in next(first).get("entry", [])}
    missing: set[str] = set()
    for batch in batches(sorted(wanted - on_page)):
        among = [("_id", ",".join(map(escaped, batch)))]
        if client.count(search.type, [*search.query, *among]) != len(batch):
            missing |= set(batch) - _ids(client, search, [*among, ("_count", str(len(batch)))])
    return f"does not find {_named(missing)}" if missing else ""


def _ids(client: FhirClient, search: Search, more: Sequence[tuple[str, str]]) -> set[str]:
    return {str(hit.get("id")) for hit in client.search(search.type, ids_query(search, more))}


def ids_query(search: Search, more: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """A consumer's search with more parameters, which gives the ids alone."""
    return [*search.query, ("_elements", "id"), *more]


def first_page(search: Search) -> list[tuple[str, str]]:
    """A consumer's search for the first hundred ids."""
    return ids_query(search, [("_count", "100")])


def _named(ids: Iterable[str]) -> str:
    listed = sorted(ids)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
