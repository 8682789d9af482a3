"""Content as it travels: a folder or archive to resources, and these to Bundles and NDJSON."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload
from urllib.parse import quote

from fhirpkg import fhirjson
from fhirpkg.canonical import PackageId
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.snapshot import snapshot
from fhirpkg.errors import PackageError, SourceError
from fhirpkg.issues import Resource
from fhirpkg.packages.package import (
    content_root,
    read_package,
    read_profiles,
    write_package,
)
from fhirpkg.render.narrative import narrative

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Content:
    """A package's resources, in the order in which each comes after what it refers to."""

    id: PackageId
    canonical: str
    resources: Sequence[Resource]
    source: str
    digest: str


class Shelf(Sequence[Resource]):
    """Resources that are kept compressed and read anew at each access.

    Ten thousand of them need 40 MB here and 400 MB as dictionaries.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._order: list[tuple[tuple[int, str, str], bytes]] = []
        digests = []
        for resource in resources:
            text = fhirjson.dump(resource).encode()
            digests.append(hashlib.sha256(text).digest())
            self._order.append((_rank(resource), zlib.compress(text, 1)))
        self._order.sort(key=lambda ranked: ranked[0])
        self.digest = hashlib.sha256(b"".join(sorted(digests))).hexdigest()
        """SHA-256 over the resources, whatever order they came in."""

    def __len__(self) -> int:
        return len(self._order)

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, Shelf) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def of_type(self, resource_type: str) -> list[Resource]:
        """The resources of one type."""
        places = [n for n, (rank, _) in enumerate(self._order) if rank[1] == resource_type]
        return [self[place] for place in places]

    @overload
    def __getitem__(self, index: int) -> Resource: ...
    @overload
    def __getitem__(self, index: slice) -> list[Resource]: ...
    def __getitem__(self, index: int | slice) -> Resource | list[Resource]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        resource: Resource = fhirjson.read(zlib.decompress(self._order[index][1]))[0]
        return resource


def read_content(path: Path | None) -> Content:
    """The content of a folder with a package.yaml, of a .tgz, or (None) the one at hand.

    At hand is ./resources if it holds a package.yaml, else what is installed with fhirpkg. The
    package's identity is that of its ImplementationGuide. Profiles come with their snapshots.
    Raises SourceError or PackageError for what is no content.
    """
    if path is None:
        here = Path("resources")
        path = here if (here / "package.yaml").is_file() else content_root() / "resources"
    if not path.exists():
        raise SourceError(str(path), "there is no such file or folder")
    shelf = Shelf(_of_folder(path) if path.is_dir() else _of_package(path))
    guides = shelf.of_type("ImplementationGuide")
    if len(guides) != 1:
        advice = "run 'fhirpkg build' on it first"
        raise PackageError(str(path), f"it holds {len(guides)} ImplementationGuides, not 1", advice)
    guide = guides[0]
    return Content(
        id=PackageId(guide["packageId"], guide.get("version")),
        canonical=guide["url"].rpartition("/ImplementationGuide/")[0],
        resources=shelf,
        source=str(path),
        digest=shelf.digest,
    )


def _of_folder(folder: Path) -> Iterator[Resource]:
    guide = None
    for file in sorted(folder.glob("*/fhir/*.json")):
        resource = _read(file)
        if resource["resourceType"] == "ImplementationGuide":
            guide = resource
        yield resource
    if guide:
        yield from _profiles(folder, guide)


def _read(file: Path) -> Resource:
    value, issues = fhirjson.read(file.read_bytes())
    if issues or not isinstance(value, dict) or "resourceType" not in value:
        raise SourceError(str(file), "it is no FHIR resource", "run 'fhirpkg validate' on it")
    return value


def _profiles(folder: Path, guide: Resource) -> list[Resource]:
    """The profiles that the guide lists as the package's own, ready to be published."""
    listed = {part["reference"]["reference"] for part in guide["definition"]["resource"]}
    definitions = Definitions.core()
    return [
        _published(profile, guide, definitions)
        for profile in read_profiles(folder)
        if f"{profile['resourceType']}/{profile['id']}" in listed
    ]


def _published(profile: Resource, guide: Resource, definitions: Definitions) -> Resource:
    """A profile with the package's version and tag, its snapshot and a narrative."""
    complete = {**profile, "version": guide["version"], "date": guide["date"]}
    if profile["resourceType"] == "StructureDefinition" and "snapshot" not in profile:
        complete = _with_snapshot(complete, definitions)
    first = {key: complete[key] for key in ("resourceType", "id")}
    return {**first, "meta": {"tag": guide["meta"]["tag"]}, "text": narrative(complete), **complete}


def _with_snapshot(profile: Resource, definitions: Definitions) -> Resource:
    """The profile with its snapshot before its differential, each element defined (sdf-3).

    The definitions shipped here leave the prose of the specification out; its summary stands in.
    """
    elements = [
        {**element, "definition": element.get("definition", element.get("short", element["path"]))}
        for element in snapshot(profile, definitions)["snapshot"]["element"]
    ]
    rest = {key: value for key, value in profile.items() if key != "differential"}
    return {**rest, "snapshot": {"element": elements}, "differential": profile["differential"]}


def _of_package(file: Path) -> Iterator[Resource]:
    return (resource for _, resource in read_package(file).resources())


_ORDER = (
    "CodeSystem", "ValueSet", "StructureDefinition", "Questionnaire", "ActivityDefinition",
    "PlanDefinition", "Library", "DocumentReference", "ImplementationGuide",
)  # fmt: skip
"""Types in the order of their dependence: what is referred to comes first."""
_PLACE = {name: number for number, name in enumerate(_ORDER)}


def _rank(resource: Resource) -> tuple[int, str, str]:
    """Where a resource stands: after those that it refers to, then by type and id."""
    name = resource["resourceType"]
    # A type that is not listed refers to terms, and is referred to.
    return _PLACE.get(name, _PLACE["Questionnaire"]), name, resource["id"]


def transaction_bundle(content: Content) -> Resource:
    """A transaction that makes or updates each resource: posted twice, it makes no duplicate.

    Each entry is a conditional update: by url and version, or by identifier where the type has no
    url (http://hl7.org/fhir/R4/http.html#cond-update). A conditional create would never update
    a draft. Servers keep the ids inside a transaction, so references stay relative.
    """
    entries = [
        {**_entry(content, resource), "request": {"method": "PUT", "url": condition(resource)}}
        for resource in content.resources
    ]
    return _bundle(content, "transaction", entries)


def collection_bundle(content: Content) -> Resource:
    """All resources in one Bundle, for tools that read or validate a Bundle."""
    return _bundle(content, "collection", [_entry(content, r) for r in content.resources])


def condition(resource: Resource) -> str:
    """The search that finds a resource by what identifies it, whatever its id on the server.

    >>> condition({"resourceType": "Library", "url": "http://example.org/l", "version": "1.0"})
    'Library?url=http://example.org/l&version=1.0'
    """
    resource_type = resource["resourceType"]
    if "url" in resource:
        return f"{resource_type}?url={_quoted(resource['url'])}&version={resource['version']}"
    identifier = resource["identifier"][0]
    value = _quoted(f"{identifier['system']}|{identifier['value']}")
    return f"{resource_type}?identifier={value}"


def _quoted(value: str) -> str:
    return quote(value, safe=":/.-_~")


def _entry(content: Content, resource: Resource) -> Resource:
    url = f"{content.canonical}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource}


def _bundle(content: Content, kind: str, entries: list[Resource]) -> Resource:
    name = f"{content.id.name}-{content.id.version}-{kind}"
    return {"resourceType": "Bundle", "id": name, "type": kind, "entry": entries}


def ndjson(content: Content) -> str:
    """One resource a line (http://hl7.org/fhir/R4/nd-json.html)."""
    return "".join(f"{fhirjson.dump(resource)}\n" for resource in content.resources)


def archive(content: Content, examples: Mapping[str, Resource] | None = None) -> bytes:
    """The FHIR NPM package: equal bytes for equal content (https://hl7.org/fhir/packages.html)."""
    guide = next(r for r in content.resources if r["resourceType"] == "ImplementationGuide")
    files = {f"{r['resourceType']}-{r['id']}.json": r for r in content.resources}
    files |= {f"example/{name}": resource for name, resource in (examples or {}).items()}
    texts = {name: (fhirjson.dump(r, indent=2) + "\n").encode() for name, r in files.items()}
    return write_package(manifest(content, guide), texts)


def examples(source: Path) -> dict[str, Resource]:
    """The examples beside built content, by file name: they travel, but are never pushed."""
    if source.is_dir():
        return {file.name: _read(file) for file in sorted(source.glob("*/examples/*.json"))}
    files = read_package(source)
    return {name.rpartition("/")[2]: found for name, found in files.resources("example")}


def manifest(content: Content, guide: Resource) -> dict[str, Any]:
    """package.json, out of the ImplementationGuide alone."""
    places = [coding for item in guide.get("jurisdiction", []) for coding in item["coding"]]
    dependencies = {_CORE[version]: version for version in guide["fhirVersion"]}
    needed = {item["packageId"]: item["version"] for item in guide.get("dependsOn", [])}
    return {
        "name": content.id.name,
        "version": content.id.version,
        "type": "IG",
        "canonical": content.canonical,
        "url": guide["url"],
        "title": guide["title"],
        "description": guide["description"],
        "date": guide["date"].replace("-", "") + "000000",
        "fhirVersions": guide["fhirVersion"],
        "dependencies": dependencies | needed,
        "author": guide["publisher"],
        "license": guide["license"],
        "jurisdiction": "".join(f"{c['system']}#{c['code']}" for c in places[:1]),
    }


_CORE = {"4.0.1": "hl7.fhir.r4.core"}
"""The core package of a FHIR version: the one that fixes the version of a package."""
