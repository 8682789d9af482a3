"""Where definitions and patient data are read from: resources in memory, a folder, a Bundle.

One protocol, so that the same plan is applied to files and to a FHIR server.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fhirpkg import fhirjson
from fhirpkg.canonical import Canonical, version_key, version_matches
from fhirpkg.compartment import EVERYBODY, names, owners
from fhirpkg.errors import FhirpkgError, SourceError
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fhirpkg.issues import Resource


class Repository(Protocol):
    """A place that `apply` reads definitions and a patient's data from.

    `open_repository` makes one of files; any object with these three methods is one, such as one
    that reads a database.
    """

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """The resource with this type and id, None if there is none."""

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """The resources of a type; `params` may hold `patient` (a reference) and `name`."""

    def resolve(self, canonical: str, resource_type: str | None = None) -> Resource | None:
        """The definition with a canonical; without a version in it, the newest."""


class MemoryRepository:
    """Resources in memory, found by type and id, by canonical and by patient.

    `shortfalls` gives, by type, the reason why not all of its resources are here. A search for one
    of these types raises FhirpkgError, so that what depends on it is not evaluated: a result that
    is missing must not look like one that does not exist. `base` is the server that patients come
    from, if it is known. Of several versions of a resource the newest counts.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        shortfalls: Mapping[str, str] | None = None,
        base: str = "",
    ) -> None:
        self._shortfalls = shortfalls or {}
        self._base = base
        self._by_type: dict[str, dict[str, Resource]] = {}
        self._by_url: dict[str, list[Resource]] = {}
        for resource in resources:
            same_type = self._by_type.setdefault(resource.get("resourceType", ""), {})
            key = resource.get("id") or f"#{len(same_type)}"
            if key in same_type and _version(same_type[key]) > _version(resource):
                continue
            same_type[key] = resource
            if isinstance(url := resource.get("url"), str):
                # A library of the reference's tests has its version inside its url.
                self._by_url.setdefault(url.partition("|")[0], []).append(resource)

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """The resource of this type and id."""
        return self._by_type.get(resource_type, {}).get(resource_id)

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """All of a type; of one patient (and of none), of one name."""
        if resource_type in self._shortfalls:
            reason = self._shortfalls[resource_type]
            raise FhirpkgError(f"not all {resource_type} resources are known: {reason}")
        found = list(self._by_type.get(resource_type, {}).values())
        for holder_type in _HOLDERS.get(resource_type, ()):
            holders = self._by_type.get(holder_type, {}).values()
            found += [inner for holder in holders for inner in _inside(holder, resource_type)]
        if "patient" in params:
            patient = params["patient"]
            owner = self.read("Patient", patient.removeprefix("Patient/")) or {}
            wanted = {*names(patient, owner), EVERYBODY}
            found = [r for r in found if not wanted.isdisjoint(owners(r, self._base))]
        return [r for r in found if r.get("name") == params["name"]] if "name" in params else found

    def resolve(self, canonical: str, resource_type: str | None = None) -> Resource | None:
        """The definition by `url|version`, by relative `Type/id`, the newest if any will do."""
        asked = Canonical.parse(canonical)
        found = [
            resource
            for resource in self._by_url.get(asked.url, ())
            if resource_type in (None, resource["resourceType"])
            and version_matches(asked.version, resource.get("version"))
        ]
        if len(found) > 1:
            return max(found, key=lambda resource: version_key(resource.get("version") or ""))
        if found:
            return found[0]
        relative_type, _, resource_id = asked.url.rpartition("/")
        if relative_type and resource_type in (None, relative_type):
            return self.read(relative_type, resource_id)
        return None

    def __iter__(self) -> Iterator[Resource]:
        for same_type in self._by_type.values():
            yield from same_type.values()


class Layers:
    """Several repositories as one: the first that has something wins; searches are joined.

    It iterates over what is in memory.
    """

    def __init__(self, *layers: Repository) -> None:
        self._layers = layers

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """The resource from the first layer that has it."""
        return next(
            (r for layer in self._layers if (r := layer.read(resource_type, resource_id))), None
        )

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """What all layers find, an id once."""
        found: dict[object, Resource] = {}
        for layer in self._layers:
            for resource in layer.search(resource_type, params):
                found.setdefault(resource.get("id") or id(resource), resource)
        return list(found.values())

    def resolve(self, canonical: str, resource_type: str | None = None) -> Resource | None:
        """The definition from the first layer that has it."""
        return next(
            (r for layer in self._layers if (r := layer.resolve(canonical, resource_type))), None
        )

    def __iter__(self) -> Iterator[Resource]:
        for layer in self._layers:
            if isinstance(layer, MemoryRepository | Layers):
                yield from layer


def open_repository(path: Path | str) -> MemoryRepository:
    """Read the resources of a folder or file, JSON or the NDJSON of bulk exports, into memory.

    Raises SourceError when a file cannot be read as FHIR JSON.

        repository = fhirpkg.open_repository("export")
        patient = repository.read("Patient", "1")
    """
    path = Path(path)
    if not path.exists():
        raise SourceError(str(path), "there is no such file or folder")
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in (".json", ".ndjson"))
    return in_bundles(found for file in files for found in _read(file))


def in_bundle(resource: Resource) -> list[Resource]:
    """The resources of a Bundle and of Bundles in it; the resource itself when it is none.

    An entry that only has a `urn:` as its name gets that as its id, and references to it follow.
    """
    if resource.get("resourceType") != "Bundle":
        return [resource]
    entries = [entry for entry in _standing(resource) if entry.get("resource")]
    names = {}
    for entry in entries:
        url, inner = entry.get("fullUrl"), entry["resource"]
        if isinstance(url, str) and url.startswith("urn:"):
            names[url] = f"{inner.get('resourceType')}/{inner.get('id') or url.rpartition(':')[2]}"
    found = [entry["resource"] for entry in entries]
    if names:
        found = [
            _renamed(e["resource"], names.get(text_of(e, "fullUrl"), ""), names) for e in entries
        ]
    return [each for one in found for each in in_bundle(one)]


def _standing(bundle: Resource) -> list[Resource]:
    """The entries of a Bundle; of a history, which begins with the newest, without what is gone."""
    entries: list[Resource] = bundle.get("entry", [])
    if bundle.get("type") != "history":
        return entries
    gone: dict[str, bool] = {}
    for entry in entries:
        gone.setdefault(_entry_name(entry), text_of(entry.get("request"), "method") == "DELETE")
    return [entry for entry in reversed(entries) if not gone[_entry_name(entry)]]


def _entry_name(entry: Resource) -> str:
    """`Type/id` of a resource or of what became of it."""
    found = entry.get("resource")
    if found:
        return f"{found.get('resourceType')}/{found.get('id')}"
    return text_of(entry.get("request"), "url")


def _version(resource: Resource) -> tuple[int, str]:
    """What orders the versions of a resource: their number, then when they were written."""
    number = text_of(meta := resource.get("meta"), "versionId")
    return int(number) if number.isdecimal() else 0, text_of(meta, "lastUpdated")


def _renamed(resource: Resource, name: str, names: Mapping[str, str]) -> Resource:
    """A resource with the id it is named by, and with references by names that lead to entries."""
    made: Resource = _followed(resource, names)
    return {"id": name.partition("/")[2], **made} if name else made


def _followed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_followed(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _followed(item, names) for key, item in value.items()}
    if isinstance(target := made.get("reference"), str) and target in names:
        made["reference"] = names[target]
    return made


def _read(file: Path) -> Iterator[Resource]:
    data = file.read_bytes()
    for line in data.splitlines() if file.suffix == ".ndjson" else [data]:
        value, issues = fhirjson.read(line) if line.strip() or line is data else ({}, [])
        if value is None:
            raise SourceError(str(file), issues[-1].text)
        if isinstance(value, dict) and "resourceType" in value:
            yield value


def in_bundles(found: Iterable[Resource]) -> MemoryRepository:
    """The resources in Bundles and beside them; what a part of a search lacks is a shortfall."""
    read = list(found)
    resources = [resource for one in read for resource in in_bundle(one)]
    bundles = [bundle for one in read for bundle in _bundles(one)]
    searches = [bundle for bundle in bundles if bundle.get("type") == "searchset"]
    links = {link for one in searches if (link := _link(one, "self"))}
    shortfalls = {}
    for search in searches:
        for kind in _kinds(search):
            held = sum(r.get("resourceType") == kind for r in resources)
            if _link(search, "next") not in links and (lack := shortfall(search, held)):
                shortfalls[kind] = f"a search {lack}"
    bases = {base for bundle in bundles for base in _bases(bundle)}
    return MemoryRepository(resources, shortfalls, bases.pop() if len(bases) == 1 else "")


def _bundles(value: Any) -> Iterator[Resource]:
    """A Bundle and those in it: the answer to a batch of searches holds each answer."""
    if _is_bundle(value):
        yield value
        for entry in value.get("entry", ()):
            yield from _bundles(entry.get("resource"))


def _is_bundle(value: Any) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == "Bundle"


_HOLDERS = {
    "ImagingStudy": ("DiagnosticReport",),
    "Observation": ("DiagnosticReport", "Observation"),
}
"""What else is searched for a type: reports and panels contain results, reports studies."""


def _inside(holder: Resource, resource_type: str) -> Iterator[Resource]:
    """What a report or panel contains, of its patient; a result also of its moment if it has none.

    The id is that of the holder and its own: `report#result`.
    """
    if holder.get("status") in ("cancelled", "entered-in-error"):
        return
    for one in objects(holder, "contained"):
        if one.get("resourceType") == resource_type:
            dated = resource_type != "Observation" or any(k.startswith(_MOMENT) for k in one)
            moment = {} if dated else {k: v for k, v in holder.items() if k.startswith(_MOMENT)}
            subject = {"subject": holder["subject"]} if "subject" in holder else {}
            name = {"id": f"{holder.get('id')}#{one.get('id')}"}
            yield {"contained": holder["contained"], **subject, **moment, **one, **name}


_MOMENT = ("effective", "_effective", "issued")


def _bases(bundle: Resource) -> Iterator[str]:
    """The servers that the patients in a Bundle are named by."""
    for entry in bundle.get("entry", ()):
        name = f"/Patient/{(entry.get('resource') or {}).get('id')}"
        url = entry.get("fullUrl")
        if isinstance(url, str) and url.startswith("http") and url.endswith(name):
            yield url.removesuffix(name)


def _kinds(search: Resource) -> set[str]:
    """The types that a search is for: what its own address says, else what it found."""
    named = _link(search, "self").partition("?")[0].rpartition("/")[2]
    found = {
        str(entry["resource"].get("resourceType"))
        for entry in search.get("entry", ())
        if entry.get("resource") and _is_match(entry)
    }
    return {named} if named[:1].isupper() else found


def shortfall(value: Any, held: int = 0) -> str:
    """Why the Bundle of a search is not all there is; nothing when it is, or is not a Bundle.

    `held` is how many of its type are available besides.
    """
    if not _is_bundle(value):
        return ""
    entries = value.get("entry")
    matches = sum(map(_is_match, entries)) if isinstance(entries, list) else 0
    total = value.get("total")
    if isinstance(total, int) and not isinstance(total, bool):
        if total <= max(matches, held):
            return ""
        return f"holds {max(matches, held)} of {total} resources"
    return "is one page of several" if _link(value, "next") else ""


def _link(bundle: Resource, relation: str) -> str:
    links = bundle.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == relation:
            return str(link.get("url") or relation)
    return ""


def _is_match(entry: Any) -> bool:
    search = entry.get("search") if isinstance(entry, dict) else None
    return not isinstance(search, dict) or search.get("mode", "match") == "match"
