"""Marks of ownership: the tags by which a server's resources say whose they are.

A resource that several packages hold in common has a tag of each; what a package's own record no
longer lists, an old tag of it does not hold (HAPI keeps every tag that a resource ever had).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.publishing.bookkeeping.record import Record, read_record
from fhirpkg.publishing.bookkeeping.state import is_listed

if TYPE_CHECKING:
    from fhirpkg.client.client import FhirClient
    from fhirpkg.issues import Resource

OWNER_SYSTEM = "https://w3id.org/fhirpkg/package"
"""System of the tag that says which package a resource on a server belongs to."""
_OWN_SYSTEMS = "/package"
"""What `fhirpkg build` makes is tagged in the package's own system: its canonical and this."""


def owned(resource: Resource, owner: Resource) -> Resource:
    """The resource with the owner's tag and no other package's; the same object if that is so."""
    meta = resource.get("meta", {})
    tags = meta.get("tag", [])
    kept = [tag for tag in tags if tag.get("system") != OWNER_SYSTEM or is_same_tag(tag, owner)]
    if is_tagged(resource, owner) and len(kept) == len(tags):
        return resource
    return with_tags(resource, kept if is_tagged(resource, owner) else [*kept, owner])


def with_tags(resource: Resource, tags: list[Resource]) -> Resource:
    """The resource with exactly these tags."""
    meta = {key: value for key, value in resource.get("meta", {}).items() if key != "tag"}
    if tags:
        meta["tag"] = tags
    head: Resource = {k: resource[k] for k in ("resourceType", "id") if k in resource}
    rest = {k: v for k, v in resource.items() if k != "meta"}
    return head | ({"meta": meta} if meta else {}) | rest


def is_tagged(resource: Resource, tag: Resource) -> bool:
    """Whether `meta.tag` has this system and code."""
    return any(is_same_tag(each, tag) for each in tags_of(resource))


def tags_of(resource: Resource) -> list[Resource]:
    """The tags of a resource."""
    found: list[Resource] = resource.get("meta", {}).get("tag", [])
    return found


def is_same_tag(one: Resource, other: Resource) -> bool:
    """Whether two tags have one system and code."""
    return one.get("system") == other.get("system") and one.get("code") == other.get("code")


def marks_of_others(resource: Resource, owner: Resource) -> list[Resource]:
    """The tags of other packages than the owner's."""
    return [
        tag
        for tag in tags_of(resource)
        if _is_mark(tag, owner) and tag.get("code") != owner["code"]
    ]


def _is_mark(tag: Resource, owner: Resource) -> bool:
    system = str(tag.get("system", ""))
    known = system in {OWNER_SYSTEM, owner["system"]} or system.endswith(_OWN_SYSTEMS)
    return known and bool(tag.get("code"))


@dataclass
class Holders:
    """Which other packages hold a resource, by its tags and by their own records."""

    client: FhirClient
    owner: Resource
    _records: dict[str, Record] = field(default_factory=dict)

    def of(self, resource: Resource) -> list[Resource]:
        """The marks of the packages that hold a resource now."""
        place = f"{resource['resourceType']}/{resource.get('id')}"
        marks = marks_of_others(resource, self.owner)
        return [mark for mark in marks if self._holds(str(mark["code"]), place)]

    def named(self, marks: list[Resource]) -> str:
        """The packages with their versions, as far as they are on record."""
        names = []
        for mark in marks:
            head = self._record(str(mark["code"])).head
            names.append(f"{mark['code']} {head.version}".strip() if head else str(mark["code"]))
        return " and ".join(names)

    def wrote(self, marks: list[Resource], place: str, version: str, digest: str) -> bool:
        """Whether one of them wrote this version out of content with this digest."""
        return any(
            bool(version) and line.version == version and is_listed(line, digest)
            for mark in marks
            for inventory in self._record(str(mark["code"])).inventories
            for line in inventory.members.values()
            if line.place == place
        )

    def _holds(self, package: str, place: str) -> bool:
        record = self._record(package)
        if record.head is None or not record.inventories:
            return True  # only the tag tells
        return any(line.place == place for line in record.inventories[0].members.values())

    def _record(self, package: str) -> Record:
        if package not in self._records:
            self._records[package] = read_record(self.client, package)
        return self._records[package]


def unmark(client: FhirClient, place: str, tags: list[Resource]) -> str:
    """Take tags from a resource whose server keeps them over a PUT, as HAPI does.

    Gives what went wrong, or nothing. See R4 resource-operation-meta-delete.html.
    """
    meta = {"name": "meta", "valueMeta": {"tag": tags}}
    body = {"resourceType": "Parameters", "parameter": [meta]}
    response = client.request("POST", f"{place}/$meta-delete", body=body, repeatable=True)
    return "" if response.worked else f"its tag cannot be taken away: {response.problem}"
