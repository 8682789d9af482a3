"""FHIR NPM packages as files: a .tgz or a folder read.

The format: https://hl7.org/fhir/packages.html. Nothing here uses the network or the cache.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from fhirpkg import fhirjson
from fhirpkg.canonical import PackageId
from fhirpkg.errors import PackageError
from fhirpkg.parsing_rules import PARSE_DUPLICATE_KEY
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fhirpkg.issues import Resource
    from fhirpkg.releases import Release


_CORES = ("hl7.", "simplifier.core.")
"""How the names of packages begin that others build on."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """package.json: who a package is and what it needs.

    `dependencies` maps names to versions; `data` is the whole file.
    """

    id: PackageId
    canonical: str = ""
    fhir_versions: tuple[str, ...] = ()
    dependencies: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def may_be_of(self, release: Release) -> bool:
        """Whether the package is of a release of FHIR: it says so, or does not say what it is."""
        said = any(version.startswith(release.short) for version in self.fhir_versions)
        return said or not self.fhir_versions or release.package in self.dependencies

    @property
    def is_of_fhir(self) -> bool:
        """Whether it says anything of FHIR; package.json is the name of Node's manifests too."""
        needs_fhir = any(name.startswith(_CORES) for name in self.dependencies)
        return bool(self.fhir_versions or self.canonical) or needs_fhir

    @classmethod
    def parse(cls, text: bytes, source: str) -> Self:
        """Read package.json; `source` names the package in a PackageError."""
        data, issues = fhirjson.read(text)
        for found in issues:
            if found.rule == PARSE_DUPLICATE_KEY.id:  # readers differ in which they take
                raise PackageError(source, f"in its package.json, {found.text}")
        return cls.of(data, source)

    @classmethod
    def of(cls, data: Any, source: str) -> Self:
        """The manifest in the parsed package.json; PackageError when it names no package."""
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            raise PackageError(source, "its package.json is not a JSON object with a name")
        version = data.get("version")
        try:
            identity = PackageId.parse(f"{data['name']}#{version}" if version else data["name"])
        except ValueError as error:
            raise PackageError(source, f"in its package.json, {error}") from error
        dependencies = data.get("dependencies")
        return cls(
            identity,
            text_of(data, "canonical"),
            _texts(data.get("fhirVersions") or data.get("fhir-version-list")),
            {k: v for k, v in dependencies.items() if isinstance(v, str)}
            if isinstance(dependencies, dict)
            else {},
            data,
        )


@dataclass(frozen=True, slots=True)
class Package:
    """One package in memory: its manifest and its files, named from inside `package/`."""

    manifest: Manifest
    files: Mapping[str, bytes]

    @property
    def id(self) -> PackageId:
        """Name and version."""
        return self.manifest.id

    def names(self, folder: str = "", ending: str = ".json") -> list[str]:
        """The names of the JSON (or XML) files in one folder, by default the top one.

        Examples are in ``example`` (in some packages, ``examples``).
        """
        places = ((name, *name.rpartition("/")[::2]) for name in sorted(self.files))
        return [
            name
            for name, path, base in places
            if path == folder and base.endswith(ending) and base not in _NO_RESOURCES
        ]

    def resource(self, name: str) -> Resource | None:
        """The resource in a file; None when the file is not a resource."""
        value, _ = fhirjson.read(self.files[name])
        if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
            return value
        return None

    def resources(self, folder: str = "") -> Iterator[tuple[str, Resource]]:
        """The file names and resources of one folder; other files are left out."""
        for name in self.names(folder):
            resource = self.resource(name)
            if resource is not None:
                yield name, resource


_NO_RESOURCES = {"package.json", ".index.json", ".index.db"}
_FOLDERS = {"example", "examples", "bin", "openapi", "other", "rdf", "tests", "xml"}
"""What a package may have for folders (https://hl7.org/fhir/packages.html)."""


def read_package(source: Path | bytes) -> Package:
    """Read a package from a .tgz (path or bytes) or a folder with a package.json.

    Raises PackageError when it is not a package, is damaged, or is hostile (paths outside it,
    links, archive bombs, repeated members).

        package = fhirpkg.read_package(Path("my.package-1.0.0.tgz"))
        print(package.id, len(package.files))
    """
    from fhirpkg.packages.archive import unpack  # noqa: PLC0415 - most starts read no archive

    if isinstance(source, bytes):
        return _package(unpack(io.BytesIO(source), "package"), "package")
    if source.is_dir():
        return _package(_FolderFiles(source), str(source))
    try:
        with source.open("rb") as stream:
            return _package(unpack(stream, str(source)), str(source))
    except FileNotFoundError as error:
        raise PackageError(str(source), "there is no such file") from error


def unpacked_in(folder: Path) -> Package | None:
    """The package whose files lie in a folder, as they would under `package/` in its archive.

    None for a project that is only described by a package.json: it has no index, and folders of
    its own, such as `valuesets`.
    """
    folders = {path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "."}
    if not (folders <= _FOLDERS or (folder / ".index.json").is_file()):
        return None
    try:
        package = _package(_FolderFiles(folder), str(folder))
    except PackageError:
        return None
    return package if package.manifest.is_of_fhir else None


def _package(files: Mapping[str, bytes], source: str) -> Package:
    text = files.get("package.json")
    if text is None:
        raise PackageError(
            source, "it is not a FHIR package: there is no package/package.json in it"
        )
    return Package(Manifest.parse(text, source), files)


class _FolderFiles(Mapping[str, bytes]):
    """The files of an unpacked package, each read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        inner = folder / "package"
        root = inner if (inner / "package.json").is_file() else folder
        found = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        self._paths = {path.relative_to(root).as_posix(): path for path in found}

    def __getitem__(self, name: str) -> bytes:
        return self._paths[name].read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()
