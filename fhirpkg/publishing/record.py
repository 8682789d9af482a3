"""What the server's own record says of a package: its head and the inventories that it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.publishing.head import read_head, read_inventory
from fhirpkg.publishing.state import Phase, Versions, is_listed

if TYPE_CHECKING:
    from fhirpkg.client.client import FhirClient
    from fhirpkg.publishing.members import Member, Release
    from fhirpkg.publishing.state import Head, Inventory, Line


@dataclass(frozen=True, slots=True)
class Record:
    """What the server's inventories say of this package: what we wrote, and where."""

    head: Head | None
    inventories: tuple[Inventory, ...]

    @property
    def versions(self) -> Versions:
        """How versions of a resource stand, as the package was published before."""
        told = self.head.versions if self.head else ""
        return Versions(told) if told in list(Versions) else Versions.SINGLE

    def lines(self, local: str) -> list[Line]:
        """The lines about one resource, the newest first."""
        return [m.members[local] for m in self.inventories if local in m.members]

    def was_published_otherwise(self, release: Release, member: Member) -> bool:
        """Whether the release's version was published as a whole with other content of a member.

        What was written under a version stays what that version means, also where a later version
        replaced it. A push that did not end published nothing yet.
        """
        ended = [m for m in self.inventories if self._has_ended(m)]
        of_version = [m for m in ended if m.version == release.version != ""]
        if any(m.digest == release.digest for m in of_version):
            return False  # the same content, which the server may give back altered
        lines = [m.members[member.local] for m in of_version if member.local in m.members]
        return any(not is_listed(line, member.digest) for line in lines)

    def _has_ended(self, inventory: Inventory) -> bool:
        """Whether all of it was written: each line got its version, or the head says so."""
        if self.head is not None and self.head.digest == inventory.digest:
            return self.head.phase is Phase.COMPLETE
        return all(line.version for line in inventory.members.values())

    def place(self, member: Member) -> str:
        """Where a member stands if it stands at all: where it was written, else its own id."""
        lines = self.lines(member.local)
        return next((line.place for line in lines if line.place), member.local)


def read_record(client: FhirClient, package: str) -> Record:
    """The head of a package and the inventories that it names."""
    head = read_head(client, package)
    if head is None:
        return Record(None, ())
    named = dict.fromkeys(r for r in (head.manifest, head.previous) if r)
    client.ask_ahead((reference, ()) for reference in named)
    found = [read_inventory(client, reference) for reference in named]
    return Record(head, tuple(m for m in found if m is not None))
