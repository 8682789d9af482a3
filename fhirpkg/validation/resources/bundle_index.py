"""The resources in a Bundle or Parameters by what refers to them; built in one pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json, Resource
    from fhirpkg.validation.places import Trail

_RESTFUL = re.compile(
    r"(?P<base>https?://.*?/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})"
)
_HISTORY = re.compile(r"/_history/[A-Za-z0-9.-]{1,64}$")


class BundleIndex:
    """Finds the entry that a reference leads to (http://hl7.org/fhir/R4/bundle.html#references)."""

    def __init__(self, bundle: Resource) -> None:
        self.by_url: dict[str, list[Resource]] = {}
        """The entries by fullUrl; more than one where versions or mistakes repeat it."""
        self.by_id: dict[str, list[Resource]] = {}
        """The entries by ``Type/id`` of their resource."""
        for _, entry in _filled(bundle.get("entry") or bundle.get("parameter")):
            self._add(entry)

    def _add(self, entry: dict[str, Json]) -> None:
        url, resource = entry.get("fullUrl"), entry["resource"]
        if isinstance(url, str):
            self.by_url.setdefault(url, []).append(entry)
        if isinstance(resource.get("id"), str):
            key = f"{resource.get('resourceType')}/{resource['id']}"
            self.by_id.setdefault(key, []).append(entry)

    def find(self, reference: str, full_url: str = "") -> Resource | None:
        """The resource for a reference that is in the entry of `full_url`, or None."""
        for entry in self.entries(reference, full_url):
            resource: Resource = entry["resource"]
            return resource
        return None

    def entries(self, reference: str, full_url: str = "") -> list[Resource]:
        """The entries that a reference in the entry of `full_url` may mean, best first."""
        reference = _HISTORY.sub("", reference.partition("#")[0])
        found = self.by_url.get(reference)
        if found or not (match := _RESTFUL.fullmatch(reference)):
            return found or []
        base = _RESTFUL.fullmatch(_HISTORY.sub("", full_url))
        if base and base["base"] and not match["base"]:
            found = self.by_url.get(base["base"] + reference)
        return found or ([] if match["base"] else self.by_id.get(reference, []))


def named_entries(bundle: Resource, name: str) -> Iterator[tuple[Resource, Trail]]:
    """The resources of the entries of a name: a type, a number from 0, or a number in a type."""
    wanted, _, number = (f":{name}" if name.isdecimal() else name).partition(":")
    found = 0
    for at, entry in _filled(bundle.get("entry")):
        resource = entry["resource"]
        if wanted not in {"", resource.get("resourceType")}:
            continue
        if number in {"", str(found if wanted else at)}:
            yield resource, (((), "entry", at), "resource")
        found += 1


def _filled(entries: Json) -> Iterator[tuple[int, dict[str, Json]]]:
    """The entries that hold a resource, with their numbers."""
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
            yield number, entry
