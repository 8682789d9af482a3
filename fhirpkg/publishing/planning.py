"""What a push would do to a server, and why: read only, each resource in one of ten classes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fhirpkg.publishing.bookkeeping.record import read_record
from fhirpkg.publishing.bookkeeping.state import Phase, Versions, is_listed
from fhirpkg.publishing.marks import Holders
from fhirpkg.publishing.members import Release, side_by_side
from fhirpkg.publishing.orphans import Orphan, orphans
from fhirpkg.publishing.reading import Reader
from fhirpkg.publishing.survey import CONFLICTS, WRITES, Change, Item, Survey
from fhirpkg.publishing.writing.strategy import Strategy, refusals, strategy_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from fhirpkg.client.client import FhirClient
    from fhirpkg.publishing.bookkeeping.state import Head, Inventory

_MANY = 1000
"""Above this many resources, a server that proves nothing changed is not read whole."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push would do on a server; `plan` makes one and `push` carries it out.

    - `items`: one for each resource, with its `change` (`create`, `update`, `unchanged`, `drift`,
      `foreign` ...), its `local` name (`Type/id`), its `place` on the server and the reason
    - `strategy`: how the server will be written, as far as it offers that
    - `notes`: sentences on what could not be checked
    """

    release: Release
    items: tuple[Item, ...]
    strategy: Strategy
    head: Head | None
    inventory: Inventory | None
    capabilities: str
    versions: Versions = Versions.SINGLE
    notes: tuple[str, ...] = ()

    def of(self, *actions: Change) -> list[Item]:
        """The items of some classes."""
        return [item for item in self.items if item.change in actions]

    @property
    def counts(self) -> Counter[Change]:
        """How many items there are of each class."""
        return Counter(item.change for item in self.items)

    @property
    def is_settled(self) -> bool:
        """Whether the server's own record says that exactly this content was published."""
        if self.head is None or self.head.phase is not Phase.COMPLETE or self.inventory is None:
            return False
        lines, members = self.inventory.members, self.release.members
        return lines.keys() == {m.local for m in members} and all(
            is_listed(lines[m.local], m.digest) for m in members
        )

    @property
    def is_done(self) -> bool:
        """Whether there is nothing at all to write."""
        return self.is_settled and not self.of(*WRITES, *CONFLICTS, Change.UNSUPPORTED)


def make_plan(
    release: Release,
    client: FhirClient,
    *,
    overwrite: Collection[Change] = (),
    versions: Versions | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Plan:
    """Compare a package with a server and return the Plan of what a push would write.

    `overwrite` lists the conflicts to be overwritten: drift, foreign, immutable. `versions` is
    single (a new version replaces the old one) or multiple (both are kept); by default, as the
    package was published before. `progress` is called with the number of resources compared.

    Nothing is written. Raises ServerError for a server that cannot be read.

        client = fhirpkg.FhirClient("http://localhost:8080/fhir")
        plan = fhirpkg.plan(fhirpkg.read_release("resources"), client)
        print([(item.local, item.change) for item in plan.items])
    """
    capabilities = client.capabilities()
    record = read_record(client, release.name)
    versions = versions or record.versions
    if versions is Versions.MULTIPLE:
        release = side_by_side(release)
    refused = refusals(capabilities, release.members)
    reader = Reader(client)
    plan = Plan(
        release=release,
        items=(),
        strategy=strategy_for(capabilities, release.members),
        head=record.head,
        inventory=record.inventories[0] if record.inventories else None,
        capabilities=capabilities.digest,
        versions=versions,
    )
    if not refused and plan.is_settled and _is_untouched(plan, client):
        return replace(plan, items=tuple(_as_recorded(plan)))
    links: dict[str, str] = {m.local: record.place(m.local) for m in release.members}
    holders = Holders(client, release.owner)
    survey = Survey(release, reader, record, links, frozenset(overwrite), holders)
    supported = [m for m in release.members if m.type not in refused]
    survey.ask_ahead(supported)
    items = survey.classify(supported, progress)
    moved = {i.local: i.place for i in items if i.place and links[i.local] != i.place}
    if moved:  # found under ids we could not know: look again, with the references understood
        links |= moved
        items = survey.classify(supported, progress)
    items += [
        Item(m.local, Change.UNSUPPORTED, why=refused[m.type], member=m)
        for m in release.members
        if m.type in refused
    ]
    items += [
        _as_item(orphan, holders)
        for orphan in orphans(release, reader, record, {i.place for i in items}, holders)
        if versions is Versions.SINGLE or not orphan.is_of_another_version(release)
    ]
    return replace(plan, items=tuple(items), notes=tuple(_notes(reader)))


def _as_item(orphan: Orphan, holders: Holders) -> Item:
    marks = list(orphan.holders)
    why = f"also held by {holders.named(marks)}; a prune removes only our mark" if marks else ""
    return Item(orphan.local, Change.ORPHAN, orphan.place, orphan.version, why, tags=orphan.holders)


def _is_untouched(plan: Plan, client: FhirClient) -> bool:
    """Whether counts alone prove that nothing of a large package changed since it was published.

    Counted three ways, so that a server that ignores a parameter proves nothing: none later than
    the last write, all up to it, and all in all.
    """
    members, head = plan.release.members, plan.head
    if len(members) <= _MANY or head is None or not head.settled:
        return False
    tag = plan.release.mark
    for resource_type, expected in Counter(m.type for m in members).items():
        counted = [
            client.count(resource_type, [tag, *more])
            for more in ([], [("_lastUpdated", f"le{head.settled}")])
        ]
        later = client.count(resource_type, [tag, ("_lastUpdated", f"gt{head.settled}")])
        if later != 0 or counted != [expected, expected]:
            return False
    return True


def _as_recorded(plan: Plan) -> Iterator[Item]:
    assert plan.inventory is not None, "only a settled plan is taken from its inventory"
    for member in plan.release.members:
        line = plan.inventory.members[member.local]
        yield Item(member.local, Change.UNCHANGED, line.place, line.version, member=member)


def _notes(reader: Reader) -> Iterator[str]:
    for search in sorted(reader.distrusted):
        yield (
            f"{search}= is unreliable on this server; identities were checked without it, "
            "so a second resource under another id would not be seen"
        )
