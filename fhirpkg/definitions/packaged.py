"""What a package defines; its value sets and their like stay unread until they are asked for.

There are packages of tens of thousands of value sets. Their .index.json is believed for a few types
alone: it tells nothing of a structure's derivation, and loses the url of what has an object for its
`type` (PlanDefinition, Library).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from fhirpkg import fhirjson
from fhirpkg.definitions.datafile import Entry, entry_of
from fhirpkg.errors import PackageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource
    from fhirpkg.packages.package import Package

_BY_URL = {"CodeSystem", "ConceptMap", "ValueSet"}
_WITHOUT_URL = {"Bundle", "List", "NamingSystem"}


class Unread:
    """A definition in a package, read when it is first asked for."""

    def __init__(self, package: Package, name: str, url: str) -> None:
        self._package = package
        self._name = name
        self._url = url

    @functools.cached_property
    def resource(self) -> Resource:
        """The definition; PackageError when it is not the one that the index tells."""
        found = self._package.resource(self._name)
        if found is None or found.get("url", "") != self._url:
            package, problem = str(self._package.id), f"its {self._name} is not {self._url}"
            raise PackageError(package, problem, "delete its .index.json and install it again")
        return found


def definitions_of(package: Package) -> Iterator[tuple[Entry, Resource | Unread]]:
    """Each resource in the top folder of a package with its entry."""
    listed = _listed(package)
    for name in package.names():
        entry = listed.get(name)
        if entry is not None:
            yield entry, Unread(package, name, entry.url)
            continue
        resource = package.resource(name)
        if resource is not None:
            yield entry_of(resource, str(package.id)), resource


def _listed(package: Package) -> dict[str, Entry]:
    """The entries of .index.json that can be believed, by file."""
    text = package.files.get(".index.json")
    content = fhirjson.read(text)[0] if text else None
    if not isinstance(content, dict) or content.get("index-version") != 2:
        return {}  # an older one does not tell supplements
    files = content.get("files")
    found: dict[str, Entry] = {}
    for each in files if isinstance(files, list) else ():
        if _is_believed(each):
            found[each["filename"]] = entry_of(each, str(package.id))
    return found


def _is_believed(listed: Any) -> bool:
    if not isinstance(listed, dict) or not isinstance(listed.get("filename"), str):
        return False
    type_ = str(listed.get("resourceType"))
    return type_ in (_BY_URL if isinstance(listed.get("url"), str) else _WITHOUT_URL)
