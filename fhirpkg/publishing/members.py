"""The resources of a package as a publisher sees them: who they are, whose, what they need.

A member is small; the resource itself stays in the content until it is sent or compared, so that
a package of ten thousand resources needs little memory.
"""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirpkg.publishing.compare import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fhirpkg.bundling import Content
    from fhirpkg.issues import Resource

OWNER_SYSTEM = "https://w3id.org/fhirpkg/package"
"""System of the tag that says which package a resource on a server belongs to."""
_CODE_PATHS = (
    ("context", ("useContext", "valueCodeableConcept", "coding")),
    ("topic", ("topic", "coding")),
    ("event", ("context", "event", "coding")),
)
"""Search parameter, and where in a resource the codes lie that it finds."""
_PORTION = 200
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
    """A package to be published: its members and, behind them, its resources."""

    name: str
    version: str
    digest: str
    owner: Resource
    """The tag of ownership that each resource gets."""
    members: tuple[Member, ...]
    resources: Sequence[Resource]

    @property
    def mark(self) -> tuple[str, str]:
        """The search for everything that carries the package's tag."""
        return "_tag", f"{self.owner['system']}|{self.owner['code']}"

    def resource(self, member: Member) -> Resource:
        """The member's resource as it is to stand on a server."""
        return owned(self.resources[member.index], self.owner)


def release_of(content: Content) -> Release:
    """The content with its owner's tag: the one that it has already, or ours."""
    owner = _owner_tag(content)
    members = tuple(
        _member(index, owned(resource, owner)) for index, resource in enumerate(content.resources)
    )
    return Release(
        name=content.id.name,
        version=content.id.version or "",
        digest=content.digest,
        owner=owner,
        members=members,
        resources=content.resources,
    )


def owned(resource: Resource, owner: Resource) -> Resource:
    """The resource with the owner's tag; the same object when it has it."""
    meta = resource.get("meta", {})
    if is_tagged(resource, owner):
        return resource
    tagged = {**meta, "tag": [*meta.get("tag", []), owner]}
    head: Resource = {k: resource[k] for k in ("resourceType", "id") if k in resource}
    return head | {"meta": tagged} | {k: v for k, v in resource.items() if k != "meta"}


def is_tagged(resource: Resource, tag: Resource) -> bool:
    """Whether `meta.tag` has this system and code."""
    return any(_same_tag(t, tag) for t in resource.get("meta", {}).get("tag", []))


def other_owner(resource: Resource, owner: Resource) -> str:
    """The package that owns a resource by its tag, when it is not this one."""
    for tag in resource.get("meta", {}).get("tag", []):
        if tag.get("system") == owner["system"] and tag.get("code") != owner["code"]:
            return str(tag.get("code"))
    return ""


def references_in(value: Any) -> list[str]:
    """Every literal reference in a resource, those to contained ones left out."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            reference = value.get("reference")
            if isinstance(reference, str) and not reference.startswith("#"):
                found.append(reference)
            waiting += [item for item in value.values() if isinstance(item, (dict, list))]
        elif isinstance(value, list):
            waiting += value
    return found


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
        version=str(resource.get("version", "")),
        identifier=next((i for i in identifiers_of(resource) if "|" not in {i[0], i[-1]}), ""),
        status=str(resource.get("status", "")),
        digest=digest(resource),
        references=tuple(dict.fromkeys(references_in(resource))),
        codes=tuple(dict.fromkeys(_codes(resource))),
    )


def _codes(resource: Resource) -> Iterator[tuple[str, str]]:
    for parameter, path in _CODE_PATHS:
        if parameter == "event" and resource["resourceType"] != "DocumentReference":
            continue
        for coding in _at(resource, path):
            if coding.get("system") and coding.get("code"):
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


def _same_tag(one: Resource, other: Resource) -> bool:
    return one.get("system") == other.get("system") and one.get("code") == other.get("code")
