"""The resources of a package as a publisher sees them: who they are, whose, what they need.

A member is small; the resource itself stays in the content until it is sent or compared, so that
a package of ten thousand resources needs little memory.
"""

from __future__ import annotations

import hashlib
import re
import sys
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fhirpkg.bundling.reading import read_content
from fhirpkg.publishing.bookkeeping.state import fitting_id
from fhirpkg.publishing.compare import digest
from fhirpkg.publishing.marks import OWNER_SYSTEM, owned
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from fhirpkg.bundling.content import Content
    from fhirpkg.issues import Resource

_CODE_PATHS = (
    ("context", ("useContext", "valueCodeableConcept", "coding")),
    ("topic", ("topic", "coding")),
    ("event", ("context", "event", "coding")),
)
"""Search parameter, and where in a resource the codes lie that it finds."""
_PORTION = 200
_RELATIVE = re.compile(r"[A-Za-z]+/[A-Za-z0-9.-]{1,64}")
_NAMESPACE = uuid.UUID("5f6b1c5e-2f0c-5b8e-9a55-3f7d0f0c9d11")


@dataclass(frozen=True, slots=True)
class Member:
    """One resource of the content, by position; `local` is its ``Type/id`` in the content."""

    index: int
    type: str
    id: str
    url: str
    version: str
    identifier: str
    """``system|value`` of the first identifier that has both."""
    status: str
    digest: str
    references: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]
    """Search parameter and ``system|code`` of each code by which others look for it."""
    has_gaps: bool = False
    """Whether a list of primitives has extensions only, and nulls are to be written for it."""

    @property
    def local(self) -> str:
        """``Type/id`` as other members refer to it."""
        return f"{self.type}/{self.id}"

    @property
    def urn(self) -> str:
        """A link for a transaction that leaves the id to the server."""
        return f"urn:uuid:{uuid.uuid5(_NAMESPACE, self.local)}"

    def __str__(self) -> str:
        return self.local


@dataclass(frozen=True, slots=True)
class Release:
    """A package as it is published; `read_release` makes one.

    - `name`, `version`: those of the package
    - `members`: what is known of each resource: type, id, url, digest; `resources` has the
      resources themselves, in the same order
    - `digest`: changes whenever the content changes
    - `owner`: the tag in Resource.meta that marks the resources as this package's
    - `notes`: sentences on what is published differently from how the content has it
    """

    name: str
    version: str
    digest: str
    owner: Resource
    """The tag of ownership that each resource gets."""
    members: tuple[Member, ...]
    resources: Sequence[Resource]
    notes: tuple[str, ...] = ()
    """What differs between the content and what is published of it."""
    held: frozenset[str] = frozenset()
    """``Type/id`` of each resource as the content names it."""
    links: Mapping[str, str] = field(default_factory=dict)
    """That name to the one it is published under, where that has the version in it."""

    @property
    def mark(self) -> tuple[str, str]:
        """The search for everything that carries the package's tag."""
        return "_tag", f"{self.owner['system']}|{self.owner['code']}"

    def resource(self, member: Member) -> Resource:
        """The member's resource as it is published."""
        resource = self.resources[member.index]
        if member.type == "ImplementationGuide":
            resource = _listing_only(resource, self.held)
        if self.links:
            resource = with_references(resource, self.links) | {"id": member.id}
        return owned(filled_out(resource) if member.has_gaps else resource, self.owner)


def read_release(source: Path | str | None) -> Release:
    """Read content for `plan`, `push` and `verify` as a Release.

    `source` is a folder, a package (.tgz), a Bundle, NDJSON or ``name#version``; None stands for
    the content of the current folder.

    Raises SourceError or PackageError, with every file that cannot be published.

        release = fhirpkg.read_release("resources")
        client = fhirpkg.FhirClient("http://localhost:8080/fhir")
        report = fhirpkg.push(fhirpkg.plan(release, client), client)
        assert report.is_complete and fhirpkg.verify(release, client)
    """
    return release_of(read_content(source))


def release_of(content: Content) -> Release:
    """The content as it is published: with its owner's tag, its guides listing what it holds.

    The tag is the one that the content has already, or ours. Entries of a guide for examples that
    are not published are left out of it: servers that check references would refuse the guide.
    """
    owner = _owner_tag(content)
    members: list[Member] = []
    guides: list[tuple[int, Resource]] = []
    for index, resource in enumerate(content.resources):
        if resource["resourceType"] == "ImplementationGuide":
            guides.append((index, resource))
        else:
            members.append(_member(index, owned(resource, owner)))
    held = {m.local for m in members} | {f"ImplementationGuide/{g['id']}" for _, g in guides}
    notes = list(content.notes)
    for index, guide in guides:
        published = _listing_only(guide, held)
        notes += _left_out_of_guide(guide, published)
        members.append(_member(index, owned(published, owner)))
    members.sort(key=lambda member: member.index)
    return Release(
        name=content.id.name,
        version=content.id.version or "",
        digest=content.digest,
        owner=owner,
        members=tuple(members),
        resources=content.resources,
        notes=tuple(notes),
        held=frozenset(held),
    )


def side_by_side(release: Release) -> Release:
    """The release with the version in the id of each canonical resource.

    So another version can exist beside it, and references to it by id stay valid.
    """
    named = {m.local: replace(m, id=_versioned(m)) for m in release.members if m.url and m.version}
    links = {local: member.local for local, member in named.items() if local != member.local}
    renamed = replace(release, links=links, digest=side_by_side_digest(release.digest))
    members = [named.get(m.local, m) for m in release.members]
    return replace(renamed, members=tuple(_member(m.index, renamed.resource(m)) for m in members))


def side_by_side_digest(digest: str) -> str:
    """The digest of a content whose resources are named with their versions."""
    return hashlib.sha256(f"{digest} side by side".encode()).hexdigest()


def _versioned(member: Member) -> str:
    ending = f"-{member.version}"
    return member.id if member.id.endswith(ending) else fitting_id(f"{member.id}{ending}")


def _listing_only(guide: Resource, published: Collection[str]) -> Resource:
    """The guide without the entries of `definition.resource` that name what is not published."""
    listed, wanted = _listed(guide), {"", *published}
    kept = [entry for entry in listed if _target(entry) in wanted]
    if len(kept) == len(listed):
        return guide
    definition = {**guide["definition"], "resource": kept}
    if not kept:
        definition.pop("resource")
    return guide | {"definition": definition}


def _left_out_of_guide(guide: Resource, published: Resource) -> Iterator[str]:
    before, after = len(_listed(guide)), len(_listed(published))
    if after < before:
        gone = before - after
        yield (
            f"ImplementationGuide/{guide['id']} lists {before} resources, of which {gone} will not "
            "be published; the copy on the server leaves them out (--examples publishes a "
            "package's examples too)"
        )


def _listed(guide: Resource) -> list[Resource]:
    return objects(guide.get("definition"), "resource")


def _target(entry: Resource) -> str:
    """The ``Type/id`` that an entry names; empty for what only a canonical or url names."""
    reference = text_of(entry.get("reference"), "reference")
    return reference if _RELATIVE.fullmatch(reference) else ""


def references_in(value: Any) -> list[str]:
    """Every literal reference in a resource, those to contained ones left out."""
    named = (each.get("reference") for each in _objects(value))
    return [name for name in named if isinstance(name, str) and not name.startswith("#")]


def with_references(value: Any, links: Mapping[str, str]) -> Any:
    """The resource with literal references replaced; the same object when there are no links."""
    if not links:
        return value
    if isinstance(value, dict):
        return {
            key: links.get(item, item)
            if key == "reference" and isinstance(item, str)
            else with_references(item, links)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [with_references(item, links) for item in value]
    return value


def portions_by_type(members: Iterable[Member]) -> Iterator[list[Member]]:
    """Members in portions of one type, small enough for one bulk read."""
    by_type: dict[str, list[Member]] = {}
    for member in members:
        by_type.setdefault(member.type, []).append(member)
    for group in by_type.values():
        for start in range(0, len(group), _PORTION):
            yield group[start : start + _PORTION]


def _member(index: int, resource: Resource) -> Member:
    url = resource.get("url")
    return Member(
        index=index,
        type=resource["resourceType"],
        id=resource["id"],
        url=url if isinstance(url, str) else "",
        version=text_of(resource, "version"),
        identifier=next((i for i in identifiers_of(resource) if "|" not in {i[0], i[-1]}), ""),
        status=text_of(resource, "status"),
        digest=digest(resource),
        references=tuple(dict.fromkeys(references_in(resource))),
        codes=tuple(dict.fromkeys(_codes(resource))),
        has_gaps=any(_gaps(each) for each in _objects(resource)),
    )


def filled_out(value: Any) -> Any:
    """The resource with both arrays of each list of primitives, as R4 json.html#primitive has it.

    HAPI drops ``_given`` without ``given``, and keeps it beside ``[null]``.
    """
    if isinstance(value, list):
        return [filled_out(item) for item in value]
    if not isinstance(value, dict):
        return value
    filled = {key: filled_out(item) for key, item in value.items()}
    return filled | {key[1:]: [None] * len(value[key]) for key in _gaps(value)}


def _gaps(value: Resource) -> list[str]:
    """The keys of extensions of primitives in a list that has no values."""
    return [
        key
        for key, item in value.items()
        if key.startswith("_") and isinstance(item, list) and key[1:] not in value
    ]


def _objects(value: Any) -> Iterator[Resource]:
    """Every object in a resource, itself included."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += [item for item in value.values() if isinstance(item, (dict, list))]
        elif isinstance(value, list):
            waiting += value


def _codes(resource: Resource) -> Iterator[tuple[str, str]]:
    for parameter, path in _CODE_PATHS:
        if parameter == "event" and resource["resourceType"] != "DocumentReference":
            continue
        for coding in _at(resource, path):
            if text_of(coding, "system") and text_of(coding, "code"):
                yield parameter, sys.intern(f"{coding['system']}|{coding['code']}")


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _at(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def identifiers_of(resource: Resource) -> list[str]:
    """``system|value`` of each identifier."""
    given = resource.get("identifier", [])
    listed = given if isinstance(given, list) else [given]
    return [f"{i.get('system', '')}|{i.get('value', '')}" for i in listed]


def _owner_tag(content: Content) -> Resource:
    """The tag by which the content names its package itself, if all its resources have it."""
    name = content.id.name
    for resource in content.resources:
        named = [t for t in resource.get("meta", {}).get("tag", []) if t.get("code") == name]
        if named and named[0].get("system"):
            return {"system": named[0]["system"], "code": name}
        break
    return {"system": OWNER_SYSTEM, "code": name}
