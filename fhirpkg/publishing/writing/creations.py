"""What became of a write, and whether a creation wrote over something.

Not every server refuses to create what is there, so what stood before is looked up afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.client.client import FhirClient
    from fhirpkg.issues import Resource


@dataclass(frozen=True, slots=True)
class Done:
    """A member that is on the server as intended."""

    place: str
    version: str
    created: bool


def version_before(client: FhirClient, done: Done) -> list[Resource] | None:
    """The version before the one written, as the history has it; None where it is unknown.

    Versions that are numbers are counted; others are looked up in the history.
    """
    resource_type, _, resource_id = done.place.partition("/")
    if done.version.isdigit():
        before = int(done.version) - 1
        theirs = client.read(resource_type, resource_id, str(before)) if before > 0 else None
        return [theirs] if theirs else []
    response = client.request("GET", f"{done.place}/_history")
    if not response.ok or response.resource is None or not done.version:
        return None
    versions = [e.get("resource") for e in response.resource.get("entry", [])]
    listed = [v for v in versions if isinstance(v, dict)]
    ids = [str(v.get("meta", {}).get("versionId")) for v in listed]
    if done.version not in ids:
        return None
    return listed[ids.index(done.version) + 1 :][:1]
