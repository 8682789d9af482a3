"""The package cache that all FHIR tools on a machine share: ~/.fhir/packages.

``<name>#<version>/package/…``, as https://hl7.org/fhir/packages.html has it. Packages of other
tools are read and never changed; a new one is unpacked beside and renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg.canonical import PackageId, version_key, version_matches
from fhirpkg.errors import PackageError
from fhirpkg.packages.lock import tree_digest
from fhirpkg.packages.package import Package, read_package
from fhirpkg.packages.packing import index_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.packages.package import Manifest

_OF_FHIR = re.compile(r"hl7\.fhir\.(r\d+b?\.\w+|core)")
"""Packages of FHIR itself: R4's definitions come with this program, other versions say nothing to
it, and examples define nothing."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an archive was fetched from, its SHA-256, and that of its files (`tree_digest`).

    Each is empty when it is not known.
    """

    url: str = ""
    sha256: str = ""
    tree: str = ""


_ORIGINS = ".fhirpkg"
"""A folder beside the packages, which holds no package."""


class PackageCache:
    """The FHIR packages in a local cache: `folder`, FHIRPKG_CACHE or ~/.fhir/packages."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _default_folder()

    def installed(self) -> list[PackageId]:
        """The packages in the cache, by name and version."""
        if not self.folder.is_dir():
            return []
        names = (path.name.rpartition("#") for path in self.folder.iterdir() if path.is_dir())
        found = [PackageId(name, version) for name, _, version in names if name and version]
        return sorted(found, key=lambda id_: (id_.name, version_key(id_.version or "")))

    def find(self, wanted: PackageId) -> PackageId | None:
        """The newest package that satisfies an id whose version may be a wildcard or missing."""
        is_open = wanted.version in {None, "latest"}
        version = None if is_open else wanted.version
        fitting = [
            found
            for found in self.installed()
            if found.name == wanted.name and version_matches(version, found.version)
        ]
        releases = [found for found in fitting if "-" not in str(found.version)]
        if is_open and releases:
            return releases[-1]
        return fitting[-1] if fitting else None

    def read(self, wanted: PackageId) -> Package | None:
        """The newest package that satisfies an id; None when the cache has none.

        Raises PackageError when it is damaged.
        """
        found = self.find(wanted)
        return read_package(self.folder / str(found)) if found else None

    def origin(self, id_: PackageId) -> Origin:
        """The url and SHA-256 of the archive of a package; empty if fhirpkg did not fetch it."""
        try:
            facts = json.loads((self.folder / _ORIGINS / f"{id_}.json").read_text("utf-8"))
            return Origin(str(facts["url"]), str(facts["sha256"]), str(facts.get("tree", "")))
        except (OSError, ValueError, KeyError, TypeError):
            return Origin()

    def add(self, archive: bytes, wanted: PackageId, url: str = "") -> Package:
        """Unpack a .tgz (downloaded from `url`) into the cache; a package already there is kept.

        Raises PackageError when the archive is damaged or holds another package, and for a name
        that differs from one in the cache only in case.
        """
        package = read_package(archive)
        if package.id != wanted:
            raise PackageError(str(wanted), f"the downloaded package is {package.id}")
        if not package.id.version:
            raise PackageError(str(wanted), "its package.json gives no version")
        self._check_case(package.id)
        target = self.folder / str(package.id)
        if not target.exists():
            self._unpack(package, target)
            origin = Origin(url, hashlib.sha256(archive).hexdigest(), tree_digest(package))
            origins = self.folder / _ORIGINS
            origins.mkdir(exist_ok=True)
            text = json.dumps(asdict(origin)) + "\n"
            (origins / f"{package.id}.json").write_text(text, "utf-8")
        return package

    def _check_case(self, wanted: PackageId) -> None:
        for found in self.installed():
            names = found.name != wanted.name and found.name.lower() == wanted.name.lower()
            if names or (found != wanted and str(found).lower() == str(wanted).lower()):
                problem = f"the cache holds {found}; ids that differ in case only are refused"
                raise PackageError(str(wanted), problem)

    def _unpack(self, package: Package, target: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        unpacked = Path(tempfile.mkdtemp(dir=self.folder, prefix=".new-"))
        try:
            files = {".index.json": index_file(package.files), **package.files}
            for name, content in files.items():
                path = unpacked / "package" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            unpacked.chmod(0o755)
            unpacked.rename(target)
        except OSError:
            if not target.exists():  # else another process was quicker, with the same package
                raise
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)


def resolve_package(
    text: str,
    cache: PackageCache | None = None,
    *,
    offline: bool = False,
    sha256: str = "",
    tell: Callable[[str], None] = lambda _: None,
) -> Package:
    """The package that ``name#version``, a url, a .tgz or a folder names.

    What is not in the cache is fetched from the registry and kept, unless `offline`; `tell` is
    called with remarks on the choice. Raises PackageError when it is nowhere, or when the archive
    that is fetched has another `sha256`.
    """
    if text.startswith(("https://", "http://")):
        return _downloaded(text, offline=offline, sha256=sha256)
    if text.endswith((".tgz", ".tar.gz")) or Path(text).is_dir():
        return read_package(Path(text))
    return resolve_named(text, cache, offline=offline, sha256=sha256, tell=tell)


def resolve_named(
    text: str,
    cache: PackageCache | None = None,
    *,
    offline: bool = False,
    progress: Callable[[int, int], None] | None = None,
    sha256: str = "",
    tell: Callable[[str], None] = lambda _: None,
) -> Package:
    """As `resolve_package`, by ``name#version`` alone: no package leads to a url or a folder.

    For what others wrote, such as the dependencies of a package. `progress` is called with the
    bytes so far and in all.
    """
    try:
        wanted = PackageId.parse(text)
    except ValueError as error:
        raise PackageError(text, str(error)) from error
    cache = cache or PackageCache()
    package = cache.read(wanted)
    if package is not None:
        _check_origin(package.id, cache.origin(package.id).url)
        return package
    if offline:
        problem = f"it is not in the package cache {cache.folder}"
        raise PackageError(text, problem, f"fetch it once, online: fhirpkg install {text}")
    from fhirpkg.packages.registry import find  # noqa: PLC0415 - requests is slow to load

    registry, distribution = find(wanted)
    if distribution.note:
        tell(f"{distribution.id}: {distribution.note}")
    archive = registry.download(distribution, progress)
    _check_sha256(str(distribution.id), archive, sha256)
    return cache.add(archive, distribution.id, distribution.url)


def _check_origin(id_: PackageId, url: str) -> None:
    """Raise PackageError where a package came from elsewhere than FHIRPKG_REGISTRIES demands."""
    if not url or not os.environ.get("FHIRPKG_REGISTRIES"):
        return
    from fhirpkg.packages.registry import registry_for  # noqa: PLC0415 - requests is slow to load

    registry = registry_for(id_.name)
    if registry.is_own_namespace and not registry.serves(url):
        problem = f"the cache has it from {url}, but its namespace belongs to {registry.base}"
        raise PackageError(str(id_), problem, "delete it from the cache")


def _check_sha256(name: str, archive: bytes, wanted: str) -> None:
    found = hashlib.sha256(archive).hexdigest()
    if wanted and found != wanted:
        raise PackageError(name, f"the SHA-256 of its archive is {found}, not {wanted}")


def check_origin_sha256(package: Package, cache: PackageCache, wanted: str) -> None:
    """Raise PackageError unless a package in the cache is the archive with this SHA-256, unchanged.

    What another tool put there does not say which archive it was.
    """
    origin, name = cache.origin(package.id), str(package.id)
    advice = f"delete {cache.folder / name} to fetch it again"
    if not origin.sha256 or not origin.tree:
        problem = "the cache does not say which archive it came from, so it has no SHA-256 to check"
        raise PackageError(name, problem, advice)
    if origin.sha256 != wanted:
        raise PackageError(name, f"the SHA-256 of its archive is {origin.sha256}, not {wanted}")
    if origin.tree != tree_digest(package):
        raise PackageError(name, "its files in the cache were changed after it was fetched", advice)


def _downloaded(url: str, *, offline: bool, sha256: str) -> Package:
    """The package at a url, which is not kept: what is there may change."""
    if offline:
        raise PackageError(url, "it would have to be fetched, and --offline forbids that")
    from fhirpkg.packages.registry import (  # noqa: PLC0415 - requests is slow to load
        Distribution,
        RegistryClient,
    )

    archive = RegistryClient().download(Distribution(PackageId(url), url))
    _check_sha256(url, archive, sha256)
    return read_package(archive)


def needed(manifest: Manifest) -> Iterator[PackageId]:
    """The packages that a package depends on, but for those of FHIR itself."""
    for name, version in manifest.dependencies.items():
        if not _OF_FHIR.fullmatch(name):
            yield _dependency(name, version)


def install_dependencies(
    manifest: Manifest, cache: PackageCache, *, offline: bool = False
) -> list[Package]:
    """All that a package depends on, transitively, the needed ones first; fetched where missing.

    Raises PackageError when one cannot be had.
    """
    found: dict[PackageId, Package] = {}
    entered: set[PackageId] = set()

    def take(wanted: PackageId) -> None:
        if wanted in entered:
            return
        entered.add(wanted)
        package = resolve_named(str(wanted), cache, offline=offline)
        for further in needed(package.manifest):
            take(further)
        found.setdefault(package.id, package)

    for each in needed(manifest):
        take(each)
    return list(found.values())


def with_dependencies(
    packages: Iterable[Package], cache: PackageCache
) -> tuple[list[Package], list[PackageId]]:
    """Packages with all they depend on, dependencies first, and what is not in the cache."""
    given = list(packages)
    found: dict[PackageId, Package] = {}
    missing: dict[PackageId, None] = {}
    entered: set[PackageId] = set()

    def take(package: Package) -> None:
        if package.id in entered:
            return
        entered.add(package.id)
        for wanted in needed(package.manifest):
            dependency = _among(given, wanted) or cache.read(wanted)
            if dependency is None:
                missing[wanted] = None
            else:
                take(dependency)
        found[package.id] = package

    for package in given:
        take(package)
    return list(found.values()), list(missing)


def _among(packages: list[Package], wanted: PackageId) -> Package | None:
    for package in packages:
        name, version = package.id.name, package.id.version
        if name == wanted.name and version_matches(wanted.version, version):
            return package
    return None


def _dependency(name: str, version: str) -> PackageId:
    """A dependency as npm writes it; ``npm:other.name@1.0.0`` is an alias for another package."""
    if version.startswith("npm:"):
        try:
            return PackageId.parse(version.removeprefix("npm:"))
        except ValueError as error:
            raise PackageError(name, str(error)) from error
    return PackageId(name, version)


def _default_folder() -> Path:
    chosen = os.environ.get("FHIRPKG_CACHE")
    return Path(chosen) if chosen else Path.home() / ".fhir" / "packages"
