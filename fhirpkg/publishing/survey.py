"""Each resource of a package beside what a server holds: which of ten classes it is in, and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from fhirpkg.client.client import counting
from fhirpkg.publishing.bookkeeping.state import is_listed
from fhirpkg.publishing.compare import differences, digest, same
from fhirpkg.publishing.marks import Holders, is_tagged, owned, tags_of
from fhirpkg.publishing.members import identifiers_of, portions_by_type, with_references
from fhirpkg.publishing.orphans import before_let_go, is_let_go
from fhirpkg.publishing.reading import batches, search_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fhirpkg.issues import Resource
    from fhirpkg.publishing.bookkeeping.record import Record
    from fhirpkg.publishing.members import Member, Release
    from fhirpkg.publishing.reading import Reader

FEW = 100
"""Up to this many resources, what a search does not find is also asked for by its id."""
_SHOWN_DIFFERENCES = 20


class Change(StrEnum):
    """What a resource is to a push."""

    CREATE = "create"
    UNCHANGED = "unchanged"
    UPDATE = "update"
    ADOPT = "adopt"
    """The same content, but not marked as this package's."""
    DRIFT = "drift"
    """This package's, but edited on the server."""
    FOREIGN = "foreign"
    """The same identity with other content, not this package's."""
    DUPLICATE = "duplicate"
    """Two or more resources claim the identity."""
    IMMUTABLE = "immutable"
    """Published or active under this version, with other content: needs a new version."""
    UNSUPPORTED = "unsupported"
    ORPHAN = "orphan"
    """This package's on the server, but no longer in the content; `prune` is for it."""


WRITES = frozenset({Change.CREATE, Change.UPDATE, Change.ADOPT})
CONFLICTS = frozenset({Change.DRIFT, Change.FOREIGN, Change.DUPLICATE, Change.IMMUTABLE})
ADVICE = {
    Change.DRIFT: "see the differences with 'plan'; 'push --overwrite drift' writes over them",
    Change.FOREIGN: "'push --overwrite foreign' takes over resources that belong to others",
    Change.IMMUTABLE: "raise the version, since others rely on what it was published with, or "
    "'push --overwrite immutable'",
    Change.DUPLICATE: "on the server, delete all but one of the resources with this identity",
}
"""What to do about each kind of conflict."""
OVERWRITABLE = frozenset({Change.DRIFT, Change.FOREIGN, Change.IMMUTABLE})


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a plan. `place` is ``Type/id`` on the server, empty for what is to be created.

    `version` is the server's version that the decision rests on: the precondition of the write.
    """

    local: str
    change: Change
    place: str = ""
    version: str = ""
    why: str = ""
    differences: tuple[str, ...] = ()
    tags: tuple[Resource, ...] = ()
    """For a write that adopts: the tags there, which it keeps. For an orphan or a write over what
    others hold: the marks of the packages that hold it."""
    member: Member | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Survey:
    """The comparison of members with what a server holds, slice by slice."""

    release: Release
    reader: Reader
    record: Record
    links: dict[str, str]
    overwrite: frozenset[Change]
    holders: Holders

    def ask_ahead(self, members: Sequence[Member]) -> None:
        """Ask for all that `classify` and the search for orphans need, if that is little."""
        if len(self.release.members) > FEW:
            return
        wanted: list[tuple[str, Iterable[tuple[str, str]]]] = []
        for group in portions_by_type(members):
            wanted += [(self.links[m.local], ()) for m in group]
            ids = [self.links[m.local].partition("/")[2] for m in group]
            wanted += [(group[0].type, search_of("_id", batch)) for batch in batches(ids)]
            for parameter, values in _by_identity(group).items():
                wanted += [
                    (group[0].type, search_of(parameter, batch)) for batch in batches(values)
                ]
        types = sorted({m.type for m in self.release.members})
        wanted += [(each, counting([self.release.mark])) for each in types]
        self.reader.client.ask_ahead(wanted)

    def classify(self, members: Sequence[Member], progress: Callable[[int], None]) -> list[Item]:
        """An item for each member, in the order of their types."""
        items: list[Item] = []
        for group in portions_by_type(members):
            items += self._classify_portion(group)
            progress(len(items))
        return items

    def _classify_portion(self, members: Sequence[Member]) -> Iterator[Item]:
        resource_type = members[0].type
        found = self._candidates(resource_type, members)
        back = {place: local for local, place in self.links.items() if place != local}
        for member in members:
            candidates = found.get(member.local, [])
            item = self._item(member, candidates, back)
            if item.change in self.overwrite and item.change in OVERWRITABLE:
                item = replace(item, change=Change.UPDATE, why=f"{item.change}: {item.why}")
            yield item

    def _candidates(
        self, resource_type: str, members: Sequence[Member]
    ) -> dict[str, list[Resource]]:
        """By member: the resource at its place, then others that claim its identity."""
        ids = [self.links[m.local].partition("/")[2] for m in members]
        sought = _by_identity(members)
        urls, identifiers = sought["url"], sought["identifier"]
        reader = self.reader
        new = not self.record.inventories  # counting nothing is much quicker than reading nothing
        at_place: Mapping[str, Resource] = {}
        hits: list[Resource] = []
        few = len(self.release.members) <= FEW
        if not new or few or reader.exist(resource_type, "_id", ids):
            at_place = reader.by_ids(resource_type, ids, confirm=few or not new)
        if urls and (not new or few or reader.exist(resource_type, "url", urls)):
            hits += reader.by_url(resource_type, urls)
        if identifiers:
            hits += reader.by_identifier(resource_type, identifiers)
        by_identity: dict[str, list[Resource]] = {}
        for hit in hits:
            for name in _identities(hit):
                by_identity.setdefault(name, []).append(hit)
        # Two of ours may share an identifier, as examples of one patient do; neither is too much.
        places = set(self.links.values())
        found: dict[str, list[Resource]] = {}
        for member, place_id in zip(members, ids, strict=True):
            own = [at_place[place_id]] if place_id in at_place else []
            claims = by_identity.get(_identity(member), [])
            found[member.local] = own + [
                hit for hit in claims if f"{resource_type}/{hit.get('id')}" not in places
            ]
        return found

    def _item(self, member: Member, candidates: list[Resource], back: Mapping[str, str]) -> Item:
        if not candidates:
            return Item(member.local, Change.CREATE, member=member)
        theirs = candidates[0]
        place = f"{member.type}/{theirs['id']}"
        version = str(theirs.get("meta", {}).get("versionId", ""))
        if len(candidates) > 1:
            places = ", ".join(f"{member.type}/{c['id']}" for c in candidates)
            why = f"{len(candidates)} resources claim {_identity(member)}: {places}"
            return Item(member.local, Change.DUPLICATE, place, version, why, member=member)
        ours = self.release.resource(member)
        translated = with_references(theirs, back)
        holders = self.holders.of(theirs)
        change, why = self._judge(member, ours, translated, version, holders)
        shown: tuple[str, ...] = ()
        if change is not Change.UNCHANGED or why:
            base = self.reader.client.base_url
            found = differences(ours | {"id": theirs["id"]}, translated, base)
            shown = tuple(str(difference) for difference in found[:_SHOWN_DIFFERENCES])
        tags = tags_of(theirs) if change is Change.ADOPT else holders
        return Item(member.local, change, place, version, why, shown, tuple(tags), member)

    def _judge(
        self,
        member: Member,
        ours: Resource,
        theirs: Resource,
        version: str,
        holders: list[Resource],
    ) -> tuple[Change, str]:
        """The class of a member that is there, and the reason."""
        owner = self.release.owner
        lines = self.record.lines(member.local)
        is_ours = is_tagged(theirs, owner) or (bool(lines) and not holders)
        place = f"{member.type}/{theirs['id']}"
        base = self.reader.client.base_url
        equal = same(ours | {"id": theirs["id"]}, owned(theirs, owner), base)
        as_written = any(
            line.version == version and is_listed(line, member.digest) for line in lines[:1]
        ) or self.holders.wrote(holders, place, version, member.digest)
        if equal or (version and as_written):
            why = "" if equal else "as this server altered it when it was written"
            if is_ours and is_let_go(theirs, owner):  # HAPI took the mark without a new version
                return Change.ADOPT, "a prune released it"
            if is_ours:
                return Change.UNCHANGED, why
            also = f", also held by {self.holders.named(holders)}" if holders else ""
            return Change.ADOPT, f"the same{also}" if holders else "the same, not yet ours"
        if holders:
            return Change.FOREIGN, self._conflict(holders, is_ours=is_ours)
        if not is_ours:
            return (
                Change.FOREIGN,
                "it exists with different content and without the mark of this package",
            )
        return self._judge_ours(member, theirs, version)

    def _conflict(self, holders: list[Resource], *, is_ours: bool) -> str:
        """Why a write would take something from another package; both are named."""
        us, them = f"{self.release.name} {self.release.version}", self.holders.named(holders)
        if is_ours:
            return f"the resource there is also held by {them}, and {us} has different content"
        return f"it belongs to {them}, and {us} has different content"

    def _judge_ours(self, member: Member, theirs: Resource, version: str) -> tuple[Change, str]:
        """The class of a member that only this package holds, where the content differs."""
        lines = self.record.lines(member.local)
        listing_only = _differs_in_listing(self.release.resource(member), theirs)
        if _is_immutable(member, theirs) and not listing_only:
            return Change.IMMUTABLE, f"{member.version} is active there; give it a new version"
        written = digest(theirs | {"id": member.id})
        there = str(theirs.get("version", ""))
        replaces = f"it replaces version {there}" if there != member.version and there else ""
        untouched = any(line.version and line.version == version for line in lines)
        if untouched or any(is_listed(line, written) for line in lines):
            if self._was_published_otherwise(member) and not listing_only:
                return (
                    Change.IMMUTABLE,
                    f"published as {self.release.version} with different content",
                )
            return Change.UPDATE, replaces
        for before in before_let_go(theirs, self.release.owner):
            retired = digest(before | {"id": member.id})
            if any(is_listed(line, retired) for line in lines):
                return Change.UPDATE, "a prune took it out of use"
        if not lines:
            return Change.DRIFT, "it is ours by its tag, but no inventory lists what was published"
        return Change.DRIFT, "it was edited on the server after it was published"

    def _was_published_otherwise(self, member: Member) -> bool:
        """Whether the release's version was published as a whole with other content of a member.

        What was written under a version stays what that version means, also where a later version
        replaced it. A push that did not end published nothing yet.
        """
        version, digest = self.release.version, self.release.digest
        ended = [m for m in self.record.inventories if self.record.has_ended(m)]
        of_version = [m for m in ended if m.version == version != ""]
        if any(m.digest == digest for m in of_version):
            return False  # the same content, which the server may give back altered
        lines = [m.members[member.local] for m in of_version if member.local in m.members]
        return any(not is_listed(line, member.digest) for line in lines)


def _is_immutable(member: Member, theirs: Resource) -> bool:
    """Whether this url and version is active and stays so: its content must not change (CRMI)."""
    statuses = {member.status, str(theirs.get("status"))}
    return bool(member.url) and statuses == {"active"} and theirs.get("version") == member.version


def _differs_in_listing(ours: Resource, theirs: Resource) -> bool:
    """Whether a guide differs only in the resources it lists, which depend on the selection."""
    if ours["resourceType"] != "ImplementationGuide":
        return False
    nothing = {"id": "", "definition": {}}
    return same(ours | nothing, theirs | nothing)


def _by_identity(members: Sequence[Member]) -> dict[str, list[str]]:
    """The values by which members are sought, by search parameter."""
    return {
        "url": [m.url for m in members if m.url],
        "identifier": [m.identifier for m in members if not m.url and m.identifier],
    }


def _identity(member: Member) -> str:
    """What must be unique on a server: url and version, else the identifier."""
    return f"{member.url}|{member.version}" if member.url else member.identifier or member.local


def _identities(resource: Resource) -> list[str]:
    if resource.get("url"):
        return [f"{resource['url']}|{resource.get('version', '')}"]
    return identifiers_of(resource)
