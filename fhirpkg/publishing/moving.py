"""Content on one server, to be pushed to another: its releases, and resources in none of them.

A release is read as it was published, in the versions that its own record names; so the other
server gets the same state of it, whatever became of a resource since.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.bundling.checking import Found
from fhirpkg.bundling.reading import content_from
from fhirpkg.errors import ConfigError, ResolutionError, ServerError
from fhirpkg.publishing.bookkeeping.head import read_head, read_inventory
from fhirpkg.publishing.bookkeeping.state import HEAD_TYPES, SYSTEM, Phase, head_of
from fhirpkg.publishing.compare import bare
from fhirpkg.publishing.reading import Reader
from fhirpkg.publishing.rollback import content_before

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fhirpkg.bundling.content import Content
    from fhirpkg.bundling.reading import Selection
    from fhirpkg.client.client import FhirClient
    from fhirpkg.publishing.bookkeeping.state import Head, Inventory

_PAGE = "200"
_SHOWN = 5
_ASKED = 50
"""Ids in one question: each has up to 64 characters, and a url should stay below 4,000."""
_UNFINISHED = {
    Phase.PUSHING: "has not ended",
    Phase.INCOMPLETE: "ended before everything was written",
}


def packages_there(client: FhirClient) -> list[str]:
    """The names of the packages that were published to a server, in their order."""
    found = set()
    for resource_type in HEAD_TYPES:
        if client.capabilities().offers(resource_type, "search-type"):
            for hit in client.search(resource_type, [("identifier", f"{SYSTEM}/package|")]):
                head = head_of(hit, 0)
                if head is not None:
                    found.add(head.package)
    return sorted(found)


def releases_there(client: FhirClient) -> tuple[list[Content], list[str]]:
    """The complete releases on a server, and why each of the others cannot be copied.

    What no release holds is said in the notes of the last. Raises ConfigError when no release is
    complete, ServerError when the server stops answering.
    """
    found: list[Content] = []
    problems: list[str] = []
    for name in packages_there(client):
        try:
            found.append(release_there(client, name))
        except (ConfigError, ResolutionError) as error:
            problems.append(f"{name} was not copied: {error}")
        except ServerError as error:
            if not error.status:
                raise
            problems.append(f"{name} was not copied: {error}")
    if not found:
        nothing = "no release was published there; name a package for its resources with --as"
        raise ConfigError("\n".join(problems) or f"{client.base_url}: {nothing}")
    left = _left_there(client, _held(client))
    if left:
        advice = "push them with --as NAME#VERSION"
        note = f"{client.base_url} also has resources that belong to no release: {left}; {advice}"
        found[-1] = replace(found[-1], notes=(*found[-1].notes, note))
    return found, problems


def release_there(client: FhirClient, package: str, version: str = "") -> Content:
    """A release as it was published to a server.

    Raises ConfigError when that is not on record, in another version or not complete, and
    ResolutionError when the server no longer has a resource in the version that was published.
    """
    head, inventory = _record(client, package)
    if head is None or inventory is None:
        raise ConfigError(f"no push of {package} is on record at {client.base_url}")
    if version not in {"", head.version}:
        raise ConfigError(f"{client.base_url} has {package} {head.version}, not {version}")
    if head.phase is not Phase.COMPLETE:
        problem = f"the last push of {package} {head.version} {_UNFINISHED[head.phase]}"
        raise ConfigError(f"{client.base_url}: {problem}; push it there again first")
    content = content_before(client, inventory)
    changed = sorted(_changed(client, inventory))
    if not changed:
        return content
    few = ", ".join(changed[:_SHOWN]) + f" and {len(changed) - _SHOWN} more" * (
        len(changed) > _SHOWN
    )
    note = f"changed at {client.base_url} after it was published, and taken as it was: {few}"
    return replace(content, notes=(note,))


def unreleased(client: FhirClient, selection: Selection) -> Content:
    """What no release holds: conformance resources, or all of the types that are selected.

    Raises ServerError when the server gives another number of resources than it counts, and as
    `content_from` for what cannot be published.
    """
    types, held = selection.types or conformance_types(client), _held(client)
    found = (each for name in types for each in _all_of(client, name, held))
    return content_from(client.base_url, found, selection)


def conformance_types(client: FhirClient) -> tuple[str, ...]:
    """The types that a server finds by their canonical url."""
    offered = client.capabilities()
    return tuple(name for name in offered.types if "url" in offered.search_parameters(name))


def _record(client: FhirClient, package: str) -> tuple[Head | None, Inventory | None]:
    head = read_head(client, package)
    return head, read_inventory(client, head.manifest) if head else None


def _held(client: FhirClient) -> frozenset[str]:
    """The places that releases hold."""
    inventories = (_record(client, name)[1] for name in packages_there(client))
    return frozenset(line.place for each in inventories if each for line in each.members.values())


def _changed(client: FhirClient, inventory: Inventory) -> Iterator[str]:
    """The places of a release that are gone, or are in another version than was published."""
    by_type: dict[str, dict[str, str]] = {}
    for line in inventory.members.values():
        resource_type, _, resource_id = line.place.partition("/")
        by_type.setdefault(resource_type, {})[resource_id] = line.version
    reader = Reader(client)
    for resource_type, versions in by_type.items():
        now = reader.by_ids(resource_type, list(versions), confirm=True)
        for resource_id, version in versions.items():
            meta = now.get(resource_id, {}).get("meta", {})
            if str(meta.get("versionId", "")) != version:
                yield f"{resource_type}/{resource_id}"


def _all_of(client: FhirClient, resource_type: str, held: Collection[str]) -> Iterator[Found]:
    """The resources of a type, page by page, but for those that a release holds."""
    before = client.count(resource_type, [])
    seen: set[str] = set()
    for resource in client.search(resource_type, [("_count", _PAGE), ("_sort", "_id")]):
        place = f"{resource_type}/{resource['id']}"
        if place not in seen and place not in held:
            yield Found(f"{client.base_url}/{place}", bare(resource))
        seen.add(place)
    if before is not None and before != len(seen):
        problem = f"counted {before} {resource_type} but returned {len(seen)}; run it again"
        raise ServerError(client.base_url, problem)


def _left_there(client: FhirClient, held: Collection[str]) -> str:
    """How many conformance resources no release holds, by type."""
    records = ("type", f"{SYSTEM}|manifest")
    counted = []
    for name in conformance_types(client):
        total = client.count(name, []) or 0
        if name == "Library" and total:
            total -= client.count(name, [records]) or 0
        if total > 0:
            total -= _count_there(client, name, held)
        if total > 0:
            counted.append(f"{total} {name}")
    return ", ".join(counted)


def _count_there(client: FhirClient, resource_type: str, places: Collection[str]) -> int:
    """How many of the places of a type hold a resource: releases list what was deleted, too."""
    ids = [place.partition("/")[2] for place in places if place.startswith(f"{resource_type}/")]
    portions = (ids[start : start + _ASKED] for start in range(0, len(ids), _ASKED))
    return sum(client.count(resource_type, [("_id", ",".join(each))]) or 0 for each in portions)
