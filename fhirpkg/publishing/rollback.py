"""The way back: the previous state of a package, as a content that can be pushed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.bundling import Content
from fhirpkg.canonical import PackageId
from fhirpkg.errors import ConfigError, ResolutionError
from fhirpkg.publishing.compare import bare
from fhirpkg.publishing.head import read_head, read_manifest
from fhirpkg.publishing.members import with_references

if TYPE_CHECKING:
    from fhirpkg.client.client import FhirClient
    from fhirpkg.issues import Resource
    from fhirpkg.publishing.state import Manifest


def previous_manifest(client: FhirClient, package: str) -> Manifest:
    """What the server holds on record as the state before this one.

    Raises ConfigError when there is none.
    """
    head = read_head(client, package)
    if head is None:
        raise ConfigError(f"no push of {package} is on record at {client.base_url}")
    manifest = read_manifest(client, head.previous)
    if manifest is None:
        raise ConfigError(f"{package} has no previous state on record at {client.base_url}")
    return manifest


def content_before(client: FhirClient, manifest: Manifest) -> Content:
    """The resources in the versions that the manifest names, read from the server's history.

    Raises ResolutionError when the server no longer has one of them.
    """
    back = {line.place: local for local, line in manifest.members.items() if line.place != local}
    return Content(
        id=PackageId(manifest.package, manifest.version or None),
        canonical="",
        resources=tuple(_before(client, manifest, local, back) for local in manifest.members),
        source=client.base_url,
        digest=manifest.digest,
    )


def check_package(content: Content, manifest: Manifest) -> None:
    """Raise ConfigError when a package is not the state that the manifest describes."""
    if content.digest != manifest.digest:
        raise ConfigError(
            f"{content.source} is not what was published before ({manifest.package} "
            f"{manifest.version}, content {manifest.digest[:12]}); to publish it anyway, push it"
        )


def _before(client: FhirClient, manifest: Manifest, local: str, back: dict[str, str]) -> Resource:
    line = manifest.members[local]
    resource_type, _, resource_id = line.place.partition("/")
    found = client.read(resource_type, resource_id, line.version) if line.version else None
    if found is None:
        wanted = f"{line.place}/_history/{line.version or '?'}"
        problem = "the server no longer has this version; give the package with --package"
        raise ResolutionError(wanted, problem)
    resource: Resource = with_references(bare(found), back)
    return resource | {"id": local.partition("/")[2]}
