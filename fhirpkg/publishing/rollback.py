"""The way back: the previous state of a package, as a content that can be pushed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.bundling.content import CompressedResources, Content
from fhirpkg.canonical import PackageId
from fhirpkg.errors import ConfigError, ResolutionError
from fhirpkg.publishing.bookkeeping.head import read_head, read_inventory
from fhirpkg.publishing.compare import bare
from fhirpkg.publishing.members import side_by_side_digest, with_references

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.client.client import FhirClient
    from fhirpkg.issues import Resource
    from fhirpkg.publishing.bookkeeping.state import Inventory

_PORTION = 100


def previous_inventory(client: FhirClient, package: str) -> Inventory:
    """What the server holds on record as the state before this one.

    Raises ConfigError when there is none.
    """
    head = read_head(client, package)
    if head is None:
        raise ConfigError(f"no push of {package} is on record at {client.base_url}")
    inventory = read_inventory(client, head.previous)
    if inventory is None:
        raise ConfigError(f"{package} has no previous state on record at {client.base_url}")
    return inventory


def content_before(client: FhirClient, inventory: Inventory) -> Content:
    """The resources in the versions that the inventory names, read from the server's history.

    Raises ResolutionError when the server no longer has one of them.
    """
    back = {line.place: local for local, line in inventory.members.items() if line.place != local}
    return Content(
        id=PackageId(inventory.package, inventory.version or None),
        canonical="",
        resources=CompressedResources(_resources(client, inventory, back)),
        source=client.base_url,
        digest=inventory.digest,
    )


def _resources(
    client: FhirClient, inventory: Inventory, back: dict[str, str]
) -> Iterator[Resource]:
    """The resources one by one, asked for in portions where the server takes batches."""
    order = list(inventory.members)
    for start in range(0, len(order), _PORTION):
        portion = order[start : start + _PORTION]
        lines = [inventory.members[local] for local in portion]
        client.ask_ahead((f"{x.place}/_history/{x.version}", ()) for x in lines if x.version)
        for local in portion:
            yield _before(client, inventory, local, back)


def check_package(content: Content, inventory: Inventory) -> None:
    """Raise ConfigError when a package is not the state that the inventory describes."""
    if inventory.digest not in {content.digest, side_by_side_digest(content.digest)}:
        raise ConfigError(
            f"{content.source} is not what was published before ({inventory.package} "
            f"{inventory.version}, content {inventory.digest[:12]}); to publish it anyway, push it"
        )


def _before(client: FhirClient, inventory: Inventory, local: str, back: dict[str, str]) -> Resource:
    line = inventory.members[local]
    resource_type, _, resource_id = line.place.partition("/")
    found = client.read(resource_type, resource_id, line.version) if line.version else None
    if found is None:
        wanted = f"{line.place}/_history/{line.version or '?'}"
        gone = "the server no longer has this version"
        raise ResolutionError(wanted, gone if line.version else "that push did not write it")
    resource: Resource = with_references(bare(found), back)
    return resource | {"id": local.partition("/")[2]}
