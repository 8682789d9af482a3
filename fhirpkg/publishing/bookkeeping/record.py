"""What the server's own record says of a package: its head and the inventories that it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.publishing.bookkeeping.head import read_head, read_inventory
from fhirpkg.publishing.bookkeeping.state import Phase, Versions

if TYPE_CHECKING:
    from fhirpkg.client.client import FhirClient
    from fhirpkg.publishing.bookkeeping.state import Head, Inventory, Line


@dataclass(frozen=True, slots=True)
class Record:
    """What the server's inventories say of this package: what we wrote, and where."""

    head: Head | None
    inventories: tuple[Inventory, ...]

    @property
    def versions(self) -> Versions:
        """Whether versions of a resource exist side by side, as in the last publication."""
        told = self.head.versions if self.head else ""
        return Versions(told) if told in list(Versions) else Versions.SINGLE

    def lines(self, local: str) -> list[Line]:
        """The lines about one resource, the newest first."""
        return [m.members[local] for m in self.inventories if local in m.members]

    def has_ended(self, inventory: Inventory) -> bool:
        """Whether all of it was written: each line got its version, or the head says so."""
        if self.head is not None and self.head.digest == inventory.digest:
            return self.head.phase is Phase.COMPLETE
        return all(line.version for line in inventory.members.values())

    def place(self, local: str) -> str:
        """Where a member is, if it exists: where it was written, else at its own id."""
        return next((line.place for line in self.lines(local) if line.place), local)


def read_record(client: FhirClient, package: str) -> Record:
    """The head of a package and the inventories that it names."""
    head = read_head(client, package)
    if head is None:
        return Record(None, ())
    named = dict.fromkeys(r for r in (head.manifest, head.previous) if r)
    client.ask_ahead((reference, ()) for reference in named)
    found = [read_inventory(client, reference) for reference in named]
    return Record(head, tuple(m for m in found if m is not None))
