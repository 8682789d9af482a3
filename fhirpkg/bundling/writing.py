"""Content as it is handed on: Bundles, NDJSON and the FHIR NPM package."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fhirpkg import fhirjson
from fhirpkg.bundling.built import read_resource
from fhirpkg.bundling.content import identities
from fhirpkg.packages.package import read_package
from fhirpkg.packages.packing import index_of, pack
from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fhirpkg.bundling.content import Content
    from fhirpkg.issues import Resource
    from fhirpkg.packages.packing import SupportsWrite


def transaction_bundle(content: Content) -> Resource:
    """A transaction that makes or updates each resource: posted twice, it makes no duplicate.

    Each entry is a conditional update: by url and version, or by identifier where the type has no
    url (http://hl7.org/fhir/R4/http.html#cond-update). A conditional create would never update
    a draft. Servers keep the ids inside a transaction, so references stay relative.
    """
    entries = [{**_entry(content, each), **_request(each)} for each in content.resources]
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
        version = f"&version={resource['version']}" if "version" in resource else ""
        return f"{resource_type}?url={_quoted(resource['url'])}{version}"
    given = resource.get("identifier")
    single = [given] if isinstance(given, dict) else []  # 0..1 in some types: SpecimenDefinition
    for identifier in single or objects(resource, "identifier"):
        if "system" in identifier and "value" in identifier:
            value = _quoted(f"{identifier['system']}|{identifier['value']}")
            return f"{resource_type}?identifier={value}"
    return f"{resource_type}/{resource['id']}"


def _quoted(value: str) -> str:
    return quote(value, safe=":/.-_~")


def _request(resource: Resource) -> Resource:
    return {"request": {"method": "PUT", "url": condition(resource)}}


def _entry(content: Content, resource: Resource) -> Resource:
    url = f"{content.canonical}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource}


def _bundle(content: Content, kind: str, entries: list[Resource]) -> Resource:
    name = f"{content.id.name}-{content.id.version}-{kind}"
    return {"resourceType": "Bundle", "id": name, "type": kind, "entry": entries}


class BundleText:
    """The text of a Bundle of a content, entry by entry: the whole may be too large to hold."""

    def __init__(self, content: Content, kind: str) -> None:
        self._content = content
        self._kind = kind
        self._is_first = True

    def start(self) -> str:
        """What precedes the entries."""
        head = fhirjson.dump(_bundle(self._content, self._kind, []), indent=2)
        return head.removesuffix("]\n}")

    def entry(self, resource: Resource, text: str) -> str:
        """The entry of a resource, whose text is given as :func:`in_entry` has it."""
        around = _entry(self._content, resource)
        around["resource"] = None
        if self._kind == "transaction":
            around |= _request(resource)
        whole = fhirjson.dump(around, indent=2).replace("\n", "\n    ").replace("null", text, 1)
        comma, self._is_first = "" if self._is_first else ",", False
        return f"{comma}\n    {whole}"

    def end(self) -> str:
        """What follows the entries."""
        return "\n  ]\n}\n"


def in_entry(text: str) -> str:
    """The text of a resource, indented by 2, as it is in an entry."""
    return text.replace("\n", "\n      ")


def archive(content: Content, examples: Mapping[str, Resource] | None = None) -> bytes:
    """The FHIR NPM package: equal bytes for equal content (https://hl7.org/fhir/packages.html)."""
    packed = io.BytesIO()
    write_archive(packed, content, examples)
    return packed.getvalue()


def write_archive(
    stream: SupportsWrite,
    content: Content,
    examples: Mapping[str, Resource] | None = None,
    made: Mapping[str, bytes] | None = None,
) -> str:
    """Write the FHIR NPM package of a content; the SHA-256 of the tar inside.

    `made` are the texts of its resources, by the names of their files, where there are any yet.
    Raises PackageError when it would be larger than what we and others read.
    """
    texts = _Texts(content.resources, examples or {}, made or {})
    return pack(stream, manifest(content), texts, texts.index)


def file_name(identity: Resource) -> str:
    """The file of a resource in a package."""
    return f"{identity['resourceType']}-{identity['id']}.json"


class _Texts(Mapping[str, bytes]):
    """The files of a package, each made when it is its turn."""

    def __init__(
        self,
        resources: Sequence[Resource],
        examples: Mapping[str, Resource],
        made: Mapping[str, bytes],
    ) -> None:
        self._resources = resources
        self._made = made
        named = {file_name(found): (at, found) for at, found in enumerate(identities(resources))}
        self.index = index_of((name, found) for name, (_, found) in sorted(named.items()))
        """What .index.json says of them."""
        self._places = {name: place for name, (place, _) in named.items()}
        self._examples = {f"example/{name}": resource for name, resource in examples.items()}

    def __getitem__(self, name: str) -> bytes:
        if name in self._made:
            return self._made[name]
        found = self._examples.get(name) or self._resources[self._places[name]]
        return (fhirjson.dump(found, indent=2) + "\n").encode()

    def __iter__(self) -> Iterator[str]:
        yield from self._places
        yield from self._examples

    def __len__(self) -> int:
        return len(self._places) + len(self._examples)


def examples(source: Path) -> dict[str, Resource]:
    """The examples of a built folder or a package, by file name; none of anything else."""
    if (source / "package.yaml").is_file():
        return {file.name: read_resource(file) for file in sorted(source.glob("*/examples/*.json"))}
    if source.name.endswith((".tgz", ".tar.gz")) or (source / "package.json").is_file():
        package = read_package(source)
        found = [*package.resources("example"), *package.resources("examples")]
        return {name.rpartition("/")[2]: resource for name, resource in found}
    return {}


def manifest(content: Content) -> dict[str, Any]:
    """package.json: the one the content came with, else made from its ImplementationGuide."""
    if content.manifest is not None:
        needed = content.manifest.dependencies  # those of its own that can be read
        return {k: v if k != "dependencies" else needed for k, v in content.manifest.data.items()}
    kinds = [found["resourceType"] for found in identities(content.resources)]
    has_guide = "ImplementationGuide" in kinds
    guide = content.resources[kinds.index("ImplementationGuide")] if has_guide else {}
    versions = [v for v in guide.get("fhirVersion", []) if v in _CORE] or ["4.0.1"]
    needed = {item["packageId"]: item["version"] for item in _dependencies(guide)}
    places = [
        f"{coding['system']}#{coding['code']}"
        for concept in objects(guide, "jurisdiction")
        for coding in objects(concept, "coding")
        if coding.keys() >= {"system", "code"}
    ]
    known = {
        "name": content.id.name,
        "version": content.id.version,
        "type": "IG",
        "canonical": content.canonical,
        "url": guide.get("url"),
        "title": guide.get("title"),
        "description": guide.get("description", f"FHIR content of {content.source}"),
        "date": str(guide["date"]).replace("-", "")[:8] + "000000" if "date" in guide else None,
        "fhirVersions": versions,
        "dependencies": {_CORE[version]: version for version in versions} | needed,
        "author": guide.get("publisher"),
        "license": guide.get("license"),
        "jurisdiction": places[0] if places else None,
    }
    return {key: value for key, value in known.items() if value}


def _dependencies(guide: Resource) -> list[Resource]:
    found = objects(guide, "dependsOn")
    return [item for item in found if item.keys() >= {"packageId", "version"}]


_CORE = {"4.0.1": "hl7.fhir.r4.core", "4.3.0": "hl7.fhir.r4b.core"}
"""The core package of a FHIR version: the one that fixes the version of a package."""
