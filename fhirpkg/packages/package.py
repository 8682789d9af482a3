"""FHIR NPM packages as files: a .tgz or a folder read.

The format: https://hl7.org/fhir/packages.html. Nothing here uses the network or the cache.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fhirpkg import fhirjson
from fhirpkg.canonical import PackageId
from fhirpkg.errors import ConfigError, PackageError
from fhirpkg.parsing_rules import PARSE_DUPLICATE_KEY
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource
    from fhirpkg.releases import Release

MAX_MEMBERS = 100_000
MAX_BYTES = 512 * 1024 * 1024
"""What an archive may hold when unpacked; the largest official package has 185 MB."""

_MAX_HEADER = 1024 * 1024
_ROOT = "package/"


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
        """The JSON (or XML) files of one folder, by default the top one, that may be resources.

        Examples lie in ``example`` (or, in some packages, ``examples``).
        """
        places = ((name, *name.rpartition("/")[::2]) for name in sorted(self.files))
        return [
            name
            for name, path, base in places
            if path == folder and base.endswith(ending) and base not in _NO_RESOURCES
        ]

    def resource(self, name: str) -> Resource | None:
        """The resource in a file; None when it holds none."""
        value, _ = fhirjson.read(self.files[name])
        if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
            return value
        return None

    def resources(self, folder: str = "") -> Iterator[tuple[str, Resource]]:
        """The file names and resources of one folder; files that are no resources are left out."""
        for name in self.names(folder):
            resource = self.resource(name)
            if resource is not None:
                yield name, resource


_NO_RESOURCES = {"package.json", ".index.json", ".index.db"}


def read_package(source: Path | bytes) -> Package:
    """The package in a .tgz (file or bytes) or in a folder that holds package.json.

    Raises PackageError for what is damaged, hostile (paths outside, links, bombs, members that
    stand twice) or no package.

        package = fhirpkg.read_package(Path("my.package-1.0.0.tgz"))
        print(package.manifest.name, len(package.files))
    """
    if isinstance(source, bytes):
        return _package(_untar(io.BytesIO(source), "package"), "package")
    if source.is_dir():
        return _package(_FolderFiles(source), str(source))
    try:
        with source.open("rb") as stream:
            return _package(_untar(stream, str(source)), str(source))
    except FileNotFoundError as error:
        raise PackageError(str(source), "there is no such file") from error


def content_root() -> Path:
    """The folder that holds `resources/` and `profiles/`: in the wheel, or beside the checkout.

    Raises PackageError when neither is there.
    """
    package = Path(__file__).parent.parent
    for root in (package / "content", package.parent):
        if (root / "resources" / "package.yaml").is_file():
            return root
    raise PackageError("fhirpkg", "its own content is not installed", "install it again with pip")


OUR_BASE = "https://w3id.org/fhirpkg"
"""The base of the urls of what is fhirpkg's own."""
PROFILES_PACKAGE = "fhirpkg.profiles"
"""The package that holds the profiles which content of others claims."""


def folder_in_use() -> Path:
    """The package that is meant when none is named: the current folder, else its `resources`.

    Raises ConfigError when neither holds a package.yaml: what is installed with fhirpkg is
    somebody else's content, which is taken only by name.
    """
    for folder in (Path(), Path("resources")):
        if (folder / "package.yaml").is_file():
            return folder
    raise ConfigError(
        "neither this folder nor its 'resources' holds a package.yaml; name the content, or take "
        "what is installed with fhirpkg by --bundled"
    )


def bundled_content() -> Path:
    """The content that is installed with fhirpkg."""
    return content_root() / "resources"


def installed_resource(resource_type: str, identifier: str) -> Resource | None:
    """A resource of the content that is installed with this program; its file is named by both."""
    try:
        root = content_root()
    except PackageError:
        return None
    name = f"{resource_type}-{identifier}.json"
    paths = [*root.glob(f"resources/*/fhir/{name}"), root / "profiles" / name]
    for path in paths:
        if path.is_file():
            value = fhirjson.read(path.read_bytes())[0]
            return value if isinstance(value, dict) else None
    return None


def read_profiles(resources: Path) -> list[Resource]:
    """The profiles that content in a folder claims: those of `profiles/` beside it, else ours.

    Raises PackageError for a file that is no resource.
    """
    folder = resources.absolute().parent / "profiles"
    if not folder.is_dir():
        folder = content_root() / "profiles"
    found = []
    for path in sorted(folder.glob("*.json")):
        value, issues = fhirjson.read(path.read_bytes())
        if not isinstance(value, dict) or "resourceType" not in value:
            problem = issues[0].text if issues else "it has no resourceType"
            raise PackageError(str(path), f"it is not a FHIR resource: {problem}")
        found.append(value)
    return found


def _package(files: Mapping[str, bytes], source: str) -> Package:
    text = files.get("package.json")
    if text is None:
        raise PackageError(
            source, "it is not a FHIR package: there is no package/package.json in it"
        )
    return Package(Manifest.parse(text, source), files)


def _untar(stream: Any, source: str) -> dict[str, bytes]:
    """Files under `package/`; the archive is read once, from front to back, within limits."""
    files: dict[str, bytes] = {}
    total = 0
    try:
        with (
            gzip.GzipFile(fileobj=stream) as unpacked,
            _Limited(unpacked, source) as limited,
            tarfile.open(fileobj=limited, mode="r|") as archive,
        ):
            for count, member in enumerate(archive):
                total += member.size
                if count >= MAX_MEMBERS or total > MAX_BYTES:
                    limits = f"{MAX_MEMBERS} files or {MAX_BYTES >> 20} MB"
                    raise PackageError(source, f"it unpacks to more than {limits}")
                limited.allow(member.size)
                name = _member_name(member, source)
                if name in files:
                    raise PackageError(source, f"it holds {name} twice")
                content = archive.extractfile(member) if name else None
                if content is not None:
                    files[name] = content.read()
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise PackageError(source, f"it is not a readable .tgz archive ({error})") from error
    return files


class _Limited(io.RawIOBase):
    """A stream that gives a member's header, then what the header says, and no more.

    A header may be continued without end (pax), which tarfile would gather in memory.
    """

    def __init__(self, stream: gzip.GzipFile, source: str) -> None:
        super().__init__()
        self._stream = stream
        self._source = source
        self.allow(0)

    def allow(self, size: int) -> None:
        """Let so many bytes of a member and one more header through."""
        self._left = size + _MAX_HEADER

    def read(self, size: int = -1) -> bytes:
        """The next bytes; PackageError past what was allowed."""
        self._left -= size
        if self._left < 0:
            raise PackageError(self._source, f"it has a header of over {_MAX_HEADER >> 20} MB")
        return self._stream.read(size)


def _member_name(member: tarfile.TarInfo, source: str) -> str:
    """The name inside `package/`, or nothing for folders and what lies beside `package/`."""
    name = member.name.removeprefix("./")
    if name.startswith("/") or ".." in name.split("/") or "\\" in name or "\0" in name:
        raise PackageError(source, f"its member {member.name!r} leads out of the archive")
    if member.isdir():
        return ""
    if not member.isreg():
        raise PackageError(source, f"its member {member.name!r} is a link or a device")
    return name.removeprefix(_ROOT) if name.startswith(_ROOT) else ""


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
