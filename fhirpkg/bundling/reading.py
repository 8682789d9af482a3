"""From whatever holds FHIR content to a release: a folder, package, Bundle, NDJSON or NAME#VERSION.

The identity is that of package.json, else of the ImplementationGuide, else the one that the caller
gives. What cannot be published safely is refused here, before anything is written.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg.bundling.built import built_resources
from fhirpkg.bundling.checking import Checker, Found
from fhirpkg.bundling.content import CompressedResources, Content
from fhirpkg.bundling.gathering import SUFFIXES, Gathering
from fhirpkg.canonical import PackageId, is_moving
from fhirpkg.errors import ConfigError, PackageError, SourceError
from fhirpkg.packages.cache import PackageCache, check_origin_sha256, resolve_package
from fhirpkg.packages.freshness import members_of, stale
from fhirpkg.packages.installed import folder_in_use
from fhirpkg.packages.package import Package, read_package
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.issues import Resource
    from fhirpkg.packages.package import Manifest

_ARCHIVES = (".tgz", ".tar.gz")
_OURS = "package.yaml"
_GUIDE = "ImplementationGuide"
_SUSHI = Path("fsh-generated") / "resources"
_BESIDE_SUSHI = ("capabilities", "extensions", "maps", "models", "operations",
                 "profiles", "resources", "vocabulary")  # fmt: skip
"""Folders below `input` with the resources of a SUSHI project that are not written in FSH."""
_FHIR_VERSION = re.compile(r"\.(r\d+b?|\d+\.\d+\.\d+)$")
RECORDS = "https://w3id.org/fhirpkg/publishing/"
"""The systems of the identifiers of what pushes keep on a server."""
_COPIES_OF_GUIDE = {"ig-r3.json", "ig-r4.json"}
"""HL7's publisher put the guide for its tools beside the guide itself, until about 2021."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which resources of a source are taken, and who they are when nothing in it says so."""

    types: tuple[str, ...] = ()
    """Only these types; all when empty."""
    exclude: tuple[str, ...] = ()
    """Patterns with ``*``: a type, a ``Type/id``, a canonical url, or a file below the folder."""
    examples: bool = False
    """Also the examples of a package."""
    identity: PackageId | None = None
    sha256: str = ""
    """What the file or the archive of the package must hash to, where that is demanded."""

    def takes(self, resource: Resource) -> bool:
        """Whether a resource is selected."""
        resource_type = resource["resourceType"]
        if self.types and resource_type not in self.types:
            return False
        names = (
            resource_type,
            f"{resource_type}/{resource.get('id')}",
            str(resource.get("url", "")),
        )
        return not any(fnmatch.fnmatchcase(n, pattern) for n in names for pattern in self.exclude)


@dataclass
class _Source:
    """What a path or name stands for, before it is read."""

    name: str
    found: Iterable[Found]
    gathering: Gathering = field(default_factory=Gathering)
    manifest: Manifest | None = None
    notes: tuple[str, ...] = ()


def read_content(source: Path | str | None, selection: Selection | None = None) -> Content:
    """The content of a folder, package, Bundle, file, NAME#VERSION or url; None: the one in use.

    In use is the current folder if it is a package, else its `resources`; ConfigError without one.
    Raises SourceError or PackageError, naming every file, for what cannot be published.
    """
    selection = selection or Selection()
    return _content(_open(folder_in_use() if source is None else source, selection), selection)


def read_members(source: Path | str | None, selection: Selection | None = None) -> list[Content]:
    """The packages of a catalogue's folder, in its order; none of anything else.

    Raises as `read_content`.
    """
    folder = folder_in_use() if source is None else Path(source)
    return [read_content(each, selection) for each in members_of(folder)]


def content_of(package: Package, selection: Selection | None = None) -> Content:
    """The content of a package that has been read already, such as a dependency."""
    selection = selection or Selection()
    return _content(_of_package(package, str(package.id), selection), selection)


def content_from(name: str, found: Iterable[Found], selection: Selection) -> Content:
    """The content of resources that were found somewhere, such as on a server called `name`.

    Raises as `read_content`.
    """
    return _content(_Source(name, found), selection)


def _content(opened: _Source, selection: Selection) -> Content:
    checker = Checker(opened.name)
    guides: dict[str, Resource] = {}
    taken = _without_records(opened.found, opened.gathering)
    resources = CompressedResources(_checked(taken, selection, checker, guides))
    checker.finish()
    if not len(resources):
        raise PackageError(opened.name, _nothing(selection, opened.gathering))
    identity = _identity(opened, guides, selection)
    _check_guides(opened.name, identity, guides)
    return Content(
        id=identity,
        canonical=_canonical(opened.manifest, guides),
        resources=resources,
        source=opened.name,
        digest=resources.digest,
        manifest=opened.manifest,
        notes=(*opened.gathering.notes(), *opened.notes),
    )


def _open(source: Path | str, selection: Selection) -> _Source:
    """Tell by its name and by what is in it what a source is."""
    path = Path(source)
    name = str(source)
    if path.is_dir():
        if selection.sha256:
            raise ConfigError(f"{name}: --sha256 is for one file or archive, and this is a folder")
        return _open_folder(path, selection)
    if path.is_file():
        _check_file(path, selection.sha256)
        if name.endswith(_ARCHIVES):
            return _of_package(read_package(path), name, selection)
        if path.suffix in SUFFIXES:
            gathering = Gathering()
            return _Source(name, gathering.file(path), gathering)
        kinds = "a package (.tgz), JSON, XML or NDJSON"
        raise SourceError(name, f"'{path.suffix}' is not a kind of file that holds content", kinds)
    if "#" in name or name.startswith(("http://", "https://")):
        notes: list[str] = []
        opened = _of_package(_resolved(name, selection.sha256, notes.append), name, selection)
        opened.notes = tuple(notes)
        return opened
    raise SourceError(name, "there is no such file or folder")


def _check_file(path: Path, wanted: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest() if wanted else ""
    if found != wanted:
        raise ConfigError(f"{path}: its SHA-256 is {found}, not {wanted}; nothing was written")


def _resolved(name: str, sha256: str, tell: Callable[[str], None]) -> Package:
    """The package of a name or url; the one in the cache counts as the archive it came from."""
    package = resolve_package(name, sha256=sha256, tell=tell)
    if sha256 and not name.startswith(("http://", "https://")):
        check_origin_sha256(package, PackageCache(), sha256)
    return package


def _open_folder(folder: Path, selection: Selection) -> _Source:
    if (folder / _OURS).is_file():
        notes = tuple(f"{problem}; run 'fhirpkg build'" for problem in stale(folder))
        return _Source(str(folder), built_resources(folder), notes=notes)
    wrapped = (folder / "package" / "package.json").is_file()
    package = read_package(folder) if wrapped or _is_package(folder) else None
    if package is not None and (wrapped or any(True for _ in package.resources())):
        return _of_package(package, str(folder), selection)
    gathering = Gathering(selection.exclude)
    manifest = package.manifest if package else None
    if manifest is not None:
        _check_version(manifest, str(folder))
    return _Source(str(folder), _folder_files(folder, gathering, selection), gathering, manifest)


def _folder_files(folder: Path, gathering: Gathering, selection: Selection) -> Iterator[Found]:
    """What is in a folder; of a SUSHI project, what SUSHI made and what stands beside its FSH."""
    if (folder / _SUSHI).is_dir():
        names = (*_BESIDE_SUSHI, "examples") if selection.examples else _BESIDE_SUSHI
        beside = [folder / "input" / name for name in names]
        for root in (folder / _SUSHI, *(each for each in beside if each.is_dir())):
            yield from gathering.folder(root, project=folder)
        return
    if (folder / "sushi-config.yaml").is_file() or (folder / "input" / "fsh").is_dir():
        gathering.left_out.append("left out the FSH, of which SUSHI makes resources; run it first")
    yield from gathering.folder(folder)


def _is_package(folder: Path) -> bool:
    """Whether a folder's package.json is that of a FHIR package."""
    try:
        return read_package(folder).manifest.is_of_fhir
    except PackageError:
        return False


def _of_package(package: Package, name: str, selection: Selection) -> _Source:
    _check_version(package.manifest, name)
    gathering = Gathering()
    return _Source(
        name, _package_files(package, name, gathering, selection), gathering, package.manifest
    )


def _check_version(manifest: Manifest, name: str) -> None:
    """Raise PackageError for a package of another FHIR version, of which a server drops parts."""
    versions = manifest.fhir_versions
    if versions and not any(v.startswith(("4.0", "4.3")) for v in versions):
        said = ", ".join(versions)
        raise PackageError(name, f"it is for FHIR {said}, and fhirpkg publishes R4 (4.0.1)")


def _package_files(
    package: Package, name: str, gathering: Gathering, selection: Selection
) -> Iterator[Found]:
    for folder in ("", "example", "examples") if selection.examples else ("",):
        files = [file for file in package.names(folder) if file not in _COPIES_OF_GUIDE]
        also = {file.removesuffix(".json") for file in files}
        for file in package.names(folder, ".xml"):
            if file.removesuffix(".xml") in also:
                gathering.left_out.append(f"{file}: left out: the same resource is there as JSON")
            else:
                files.append(file)
        for file in files:
            yield from gathering.text(package.files[file], f"{name}:package/{file}")


def _without_records(found: Iterable[Found], gathering: Gathering) -> Iterator[Found]:
    """What is content; what a push keeps on its server, as in an export, is not."""
    left_out = 0
    for each in found:
        identifiers = objects(each.resource, "identifier")
        if any(text_of(i, "system").startswith(RECORDS) for i in identifiers):
            left_out += 1
        else:
            yield each
    if left_out:
        records = "1 record" if left_out == 1 else f"{left_out} records"
        gathering.left_out.append(f"left out {records} that pushes keep on their server")


def _checked(
    found: Iterable[Found], selection: Selection, checker: Checker, guides: dict[str, Resource]
) -> Iterator[Resource]:
    """The resources that are selected and in order; the guides among them are noted."""
    for each in found:
        if selection.takes(each.resource) and checker.accept(each):
            if each.resource["resourceType"] == _GUIDE:
                guides[each.file] = each.resource
            yield each.resource


def _nothing(selection: Selection, gathering: Gathering) -> str:
    chosen = " that --type and --exclude leave" if selection.types or selection.exclude else ""
    passed = "; ".join(gathering.notes())
    return f"it holds no FHIR resource{chosen}" + (f" ({passed})" if passed else "")


def _identity(opened: _Source, guides: dict[str, Resource], selection: Selection) -> PackageId:
    """The package's name and version: package.json's, the guide's, or the one that was given."""
    given = selection.identity
    named = opened.manifest.id if opened.manifest else None
    if named is None:
        ids = {_guide_id(g, opened.name) for g in guides.values() if "packageId" in g}
        if len(ids) > 1:
            listed = ", ".join(sorted(map(str, ids)))
            raise PackageError(opened.name, f"its guides are of several packages: {listed}")
        named = next(iter(ids), None)
    if named is None and given is None:
        problem = "nothing in it says which package it is (package.json, ImplementationGuide)"
        raise PackageError(opened.name, problem, "name it with --as NAME#VERSION")
    if named is not None and given is not None and named != given:
        raise PackageError(opened.name, f"it is {named}; --as is for content without a name")
    identity = named or given
    assert identity is not None, "one of the two is given"
    if is_moving(identity.version or ""):
        problem = f"its version, {identity.version}, names a build that changes, not a release"
        raise PackageError(opened.name, problem, "give it a release version, such as 1.0.0")
    return identity


def _guide_id(guide: Resource, source: str) -> PackageId:
    try:
        name = PackageId.parse(guide["packageId"]).name
        return PackageId(name, guide.get("version"))
    except ValueError as error:
        raise PackageError(source, f"its ImplementationGuide's packageId: {error}") from error


def _base(name: str) -> str:
    """A name without the version of FHIR: the guide in HL7's `x.r4` is that of `x.4.0.1`."""
    return _FHIR_VERSION.sub("", name)


def _check_guides(source: str, identity: PackageId, guides: dict[str, Resource]) -> None:
    """Raise PackageError for a guide of another package: it would be published in its name."""
    for file, guide in guides.items():
        if _base(str(guide.get("packageId", identity.name))) != _base(identity.name):
            problem = f"{file} is the ImplementationGuide of the package {guide['packageId']}"
            advice = f"leave it out with --exclude '{_GUIDE}/{guide['id']}'"
            raise PackageError(f"{source} ({identity})", problem, advice)


def _canonical(manifest: Manifest | None, guides: dict[str, Resource]) -> str:
    if manifest is not None and manifest.canonical:
        return manifest.canonical
    urls = [text_of(guide, "url") for guide in guides.values()]
    return next((u.rpartition(f"/{_GUIDE}/")[0] for u in urls if f"/{_GUIDE}/" in u), "")
