"""What belongs to a procedure: the resources that its plan leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.pages.shelf import local, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json, Resource
    from fhirpkg.repository import Repository

MOST = 500
"""The most resources that a page lists as those of one procedure."""
_NOT_FOLLOWED = {"ImplementationGuide", "PlanDefinition", "StructureDefinition"}
"""Types whose links lead away from the procedure: to a whole package, another plan, a profile."""
_NO_LINKS = {"contained", "extension", "meta", "modifierExtension", "text"}
_LINKS = {
    "definitionCanonical", "derivedFrom", "instantiates", "library", "reference", "resource",
    "url", "valueSet",
}  # fmt: skip
"""Elements whose text leads to a resource; url does so in relatedArtifact and in attachments."""


def reached(plan: Resource, shelf: Repository) -> list[Resource]:
    """The plan and the resources it leads to, directly and through those, the nearest first."""
    found = {local(plan): plan}
    waiting = [plan]
    while waiting and len(found) < MOST:
        resource = waiting.pop(0)
        for text in dict.fromkeys(_links(resource, top=True)):
            there = place(text, shelf)
            if not there or there in found:
                continue
            kind, _, identity = there.partition("/")
            other = shelf.read(kind, identity)
            assert other is not None, "a place is one of a resource that is there"
            found[there] = other
            if kind not in _NOT_FOLLOWED:
                waiting.append(other)
    return list(found.values())


def _links(value: Json, *, top: bool = False) -> Iterator[str]:
    """Texts that may lead to a resource; a resource's own url does not."""
    if isinstance(value, list):
        for item in value:
            yield from _links(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _LINKS and not (top and key == "url"):
                texts = item if isinstance(item, list) else [item]
                yield from (text for text in texts if isinstance(text, str))
            if key not in _NO_LINKS and isinstance(item, dict | list):
                yield from _links(item)
