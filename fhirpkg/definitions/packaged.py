"""What a package defines; its value sets and their like stay unread until they are asked for.

There are packages of tens of thousands of value sets. Their .index.json is trusted for a few types
only: it lacks a structure's derivation, and loses the url of what has an object for its
`type` (PlanDefinition, Library). For value sets that it omits the beginning of the file is read.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.definitions.datafile import Entry, entry_of
from fhirpkg.errors import PackageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json, Resource
    from fhirpkg.packages.package import Package

_BY_URL = {"CodeSystem", "ConceptMap", "ValueSet"}
_WITHOUT_URL = {"Bundle", "List", "NamingSystem"}
_TOLD_BY = {
    **dict.fromkeys(_BY_URL, frozenset({"resourceType", "id", "url", "version"})),
    **dict.fromkeys(_WITHOUT_URL, frozenset({"resourceType", "id"})),
}
"""The members that a resource's entry is made of; they come before the large ones."""
_KEY = re.compile(r'[\s{,]*"(\w+)"\s*:\s*')
_DECODER = json.JSONDecoder()


class Unread:
    """A definition in a package, read when it is first asked for."""

    def __init__(self, package: Package, name: str, url: str) -> None:
        self._package = package
        self._name = name
        self._url = url

    @functools.cached_property
    def resource(self) -> Resource:
        """The definition; PackageError when it differs from its entry."""
        found = self._package.resource(self._name)
        if found is None or found.get("url", "") != self._url:
            package, problem = str(self._package.id), f"its {self._name} is not {self._url}"
            raise PackageError(package, problem, "install it again")
        return found


def definitions_of(package: Package) -> Iterator[tuple[Entry, Resource | Unread]]:
    """Each resource in the top folder of a package with its entry."""
    listed = _listed(package)
    for name in package.names():
        entry = listed.get(name) or _begun(package, name)
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
        return {}  # an older one does not list supplements
    files = content.get("files")
    found: dict[str, Entry] = {}
    for each in files if isinstance(files, list) else ():
        if _is_believed(each):
            found[each["filename"]] = entry_of(each, str(package.id))
    return found


def _begun(package: Package, name: str) -> Entry | None:
    """The entry of a file, from its beginning; a supplement is read as a whole."""
    try:
        text = package.files[name].decode()
        found = {} if '"supplements"' in text else _beginning(text)
    except (ValueError, RecursionError):
        return None
    told = {"filename": name, **found}
    return entry_of(told, str(package.id)) if _is_believed(told) else None


def _beginning(text: str) -> dict[str, Json]:
    """The members of a JSON object as far as they are needed; only the type for other types."""
    found: dict[str, Json] = {}
    by_type = wanted = frozenset({"resourceType"})
    place = 0
    while not wanted <= found.keys() and (key := _KEY.match(text, place)):
        found[key[1]], place = _DECODER.raw_decode(text, key.end())
        wanted = _TOLD_BY.get(str(found.get("resourceType")), by_type)
    return found


def _is_believed(listed: Json) -> bool:
    if not isinstance(listed, dict) or not isinstance(listed.get("filename"), str):
        return False
    type_ = str(listed.get("resourceType"))
    return type_ in (_BY_URL if isinstance(listed.get("url"), str) else _WITHOUT_URL)
