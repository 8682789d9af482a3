"""What pages show: resources by type, and where a reference or canonical leads among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from fhirpkg.languages.choosing import localized
from fhirpkg.languages.words import gettext
from fhirpkg.repository import MemoryRepository, Repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fhirpkg.issues import Resource

_LOCAL = re.compile(
    r"(?:[^\s|#]*/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[\w.-]+)?"
    r"(?:\|[^\s#]*)?(?:#\S*)?"
)
_LONGEST = 500
TITLES = ("title", "name", "description")
"""Elements that say what a resource is called, the best first."""
LISTED = 200
"""As many resources as a list shows on one page of the server."""


class Shelf(Repository, Protocol):
    """A place of resources that pages are made of."""

    def counts(self) -> Mapping[str, int]:
        """How many resources there are of each type."""

    def listed(self, resource_type: str) -> Iterable[Resource]:
        """The resources of a type, by id; on a server the first LISTED of them."""

    def earlier(self, resource: Resource) -> Sequence[Resource]:
        """Versions of a resource before this one, the newest first."""


class MemoryShelf(MemoryRepository):
    """Resources that were read once, such as those of a package."""

    def __init__(self, resources: Iterable[Resource], previous: Iterable[Resource] = ()) -> None:
        super().__init__(resources)
        self._previous = MemoryRepository(previous)

    def counts(self) -> dict[str, int]:
        """How many resources there are of each type."""
        return {name: len(found) for name, found in sorted(self._by_type.items())}

    def listed(self, resource_type: str) -> list[Resource]:
        """The resources of a type, by id."""
        found = self._by_type.get(resource_type, {})
        return [found[name] for name in sorted(found)]

    def earlier(self, resource: Resource) -> list[Resource]:
        """The same resource in what was published before."""
        found = self._previous.read(resource["resourceType"], resource["id"])
        return [found] if found else []


class InLanguage:
    """A shelf whose resources have their texts in a language, where they are translated."""

    def __init__(self, shelf: Shelf, language: str) -> None:
        self._shelf = shelf
        self._language = language

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """The resource of this type and id."""
        return self._localized(self._shelf.read(resource_type, resource_id))

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """The resources of a type by patient and name."""
        return [localized(r, self._language) for r in self._shelf.search(resource_type, params)]

    def resolve(self, canonical: str, resource_type: str | None = None) -> Resource | None:
        """The definition behind a canonical."""
        return self._localized(self._shelf.resolve(canonical, resource_type))

    def counts(self) -> Mapping[str, int]:
        """How many resources there are of each type."""
        return self._shelf.counts()

    def listed(self, resource_type: str) -> list[Resource]:
        """The resources of a type, by id."""
        return [localized(r, self._language) for r in self._shelf.listed(resource_type)]

    def earlier(self, resource: Resource) -> list[Resource]:
        """Versions of a resource before this one, the newest first."""
        return [localized(r, self._language) for r in self._shelf.earlier(resource)]

    def _localized(self, resource: Resource | None) -> Resource | None:
        return None if resource is None else localized(resource, self._language)


def place(text: str, shelf: Repository) -> str:
    """``Type/id`` of what a reference or canonical leads to; empty when it is not here.

    An absolute address counts as that of a resource here when this has no url of its own.
    """
    if "/" not in text or len(text) > _LONGEST or " " in text:
        return ""
    if ":" in text.partition("|")[0] and (found := shelf.resolve(text)):
        return local(found)
    if match := _LOCAL.fullmatch(text):
        resource = shelf.read(match["type"], match["id"])
        if resource and (":" not in text or "url" not in resource):
            return f"{match['type']}/{match['id']}"
    return ""


def local(resource: Resource) -> str:
    """``Type/id`` of a resource."""
    return f"{resource['resourceType']}/{resource['id']}"


def title_of(resource: Resource) -> str:
    """What a person calls a resource; its id where it has no name."""
    found = (resource.get(key) for key in TITLES)
    return next((text for text in found if isinstance(text, str) and text), resource["id"])


def plan_title(plan: Resource) -> str:
    """What a person calls the procedure of a plan."""
    return (
        title_of(plan).removesuffix(": plan of care").removesuffix(f": {gettext('plan of care')}")
    )


def standing(resource: Resource) -> str:
    """Status, version and date in one line: ``draft, version 0.1.0 of 2026-11-23``."""
    status, version = resource.get("status"), resource.get("version")
    date = str(resource.get("date", ""))[:10]
    number = gettext("version {number}", number=version) if isinstance(version, str) else ""
    both = gettext("{version} of {date}", version=number, date=date) if number and date else ""
    said = gettext(status) if isinstance(status, str) and status else ""
    return ", ".join(filter(None, [said, both or number or date]))
