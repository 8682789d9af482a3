"""What `validate` is given: files, folders, NDJSON, packages, standard input.

Each input is one resource; nothing is judged here. What a folder holds besides FHIR resources
is left to the caller to skip; a path that cannot be opened raises SourceError.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg.errors import SourceError
from fhirpkg.releases import R4

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.packages.package import Package
    from fhirpkg.releases import Release

AUTHORED = ("package.yaml", "procedure.yaml")
_NO_RESOURCES = ("package.json", ".index.json")
_SUFFIXES = (".json", ".xml", ".ndjson")
_MEMBERS = {"", "example", "examples"}
"""The folders of a package that hold resources (https://hl7.org/fhir/packages.html)."""
_PACKAGE_SUFFIXES = (".tgz", ".tar.gz")
_URLS = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Input:
    """One file, or one resource of a file; its bytes are read when they are needed."""

    file: str
    path: Path | None = None
    text: bytes = b""
    first_line: int = 1
    """The line of the file on which this resource begins (NDJSON)."""
    span: tuple[int, int] | None = None
    """Where in the file this resource is, when it is a part of one: offset and size."""
    named: bool = True
    """Named outright, so that not being a resource is an error."""
    package: Package | None = field(default=None, compare=False, repr=False)
    """The package as a whole, its resources standing beside it as inputs of their own."""

    @property
    def is_authored(self) -> bool:
        """Whether this is YAML that `build` reads."""
        return self.path is not None and self.path.name in AUTHORED

    @property
    def is_stream(self) -> bool:
        """Whether this is NDJSON: a resource a line, each standing for itself."""
        return self.path is not None and self.path.suffix == ".ndjson" and self.span is None

    def data(self) -> bytes:
        """The bytes; SourceError when the file cannot be read."""
        if self.path is None:
            return self.text
        with _readable(self.path):
            if self.span is None:
                return self.path.read_bytes()
            with self.path.open("rb") as stream:
                stream.seek(self.span[0])
                return stream.read(self.span[1])

    def lines(self) -> Iterator[Input]:
        """The resources of a stream; each is read when its turn comes, and not kept."""
        assert self.path is not None, "only files are streams"
        with _readable(self.path), self.path.open("rb") as stream:
            start = 0
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield Input(self.file, self.path, first_line=number, span=(start, len(line)))
                start += len(line)


def inputs_of(
    paths: Iterable[str], *, offline: bool = True, release: Release = R4
) -> Iterator[Input | None]:
    """Every file that the paths stand for, in a stable order; None for one that is skipped.

    A path may also be `-`, ``name#version`` or the url of a package, which are fetched unless
    `offline`. Raises SourceError for a path that is not there, PackageError for a package that
    cannot be had.
    """
    for name in paths:
        path = Path(name)
        if name == "-":
            yield from _standard_input(sys.stdin.buffer.read())
        elif path.is_dir():
            yield from _in_folder(path, release)
        elif name.startswith(_URLS) or ("#" in name and not path.exists()):
            yield from _in_named_package(name, release, offline=offline)
        elif not path.exists():
            raise SourceError(name, "there is no such file or folder", "check the path")
        elif name.endswith(_PACKAGE_SUFFIXES):
            from fhirpkg.packages.package import read_package

            yield from _in_package(read_package(path), name, release)
        else:
            yield Input(name, path)


def is_input(path: Path) -> bool:
    """Whether a file of this name would be checked in a folder, or is a package."""
    return (
        path.name in AUTHORED
        or path.name.endswith(_PACKAGE_SUFFIXES)
        or (path.suffix in _SUFFIXES and path.name not in _NO_RESOURCES)
    )


def _in_folder(
    folder: Path, release: Release, above: tuple[Path, ...] = ()
) -> Iterator[Input | None]:
    with _readable(folder):
        members = sorted(folder.iterdir())
    if folder / "package.json" in members:
        from fhirpkg.packages.package import unpacked_in

        package = unpacked_in(folder)
        if package:
            yield from _in_package(package, str(folder), release, folder)
            return
    above = (*above, folder.resolve())
    for path in members:
        if path.is_dir():
            if not path.name.startswith(".") and path.resolve() not in above:
                yield from _in_folder(path, release, above)
        elif path.exists() and not path.is_file():  # a pipe or a socket, where reading would wait
            yield None
        elif path.name in AUTHORED:
            yield Input(str(path), path)
        elif path.name in _NO_RESOURCES or path.suffix not in _SUFFIXES:
            yield None
        else:
            yield Input(str(path), path, named=False)


def _standard_input(data: bytes) -> Iterator[Input]:
    """Standard input has no file name; it is NDJSON if each of its lines is an object."""
    lines = [(n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    if len(lines) > 1 and all(line[:1] == b"{" and line.rstrip()[-1:] == b"}" for _, line in lines):
        yield from (Input("-", None, line, number) for number, line in lines)
    else:
        yield Input("-", None, data)


def _in_named_package(name: str, release: Release, *, offline: bool) -> Iterator[Input]:
    from fhirpkg.packages.cache import resolve_package

    package = resolve_package(name, offline=offline)
    yield from _in_package(package, name if name.startswith(_URLS) else str(package.id), release)


def _in_package(
    package: Package, whole: str, release: Release, folder: Path | None = None
) -> Iterator[Input]:
    """A package as a whole, then its resources, which are files if it is unpacked in a folder."""
    yield Input(whole, folder, package=package)
    if not package.manifest.may_be_of(release):
        return  # of another version nothing can be said but that
    for name in sorted(_that_could_be_resources(package)):
        if name.rpartition("/")[0] not in _MEMBERS:
            continue
        if folder:
            yield Input(str(folder / name), folder / name, named=False)
        else:
            yield Input(f"{whole}:package/{name}", None, package.files[name], named=False)


def left_out_of(package: Package, release: Release) -> int:
    """How many JSON and XML files of a package lie in folders that are not for resources.

    0 for a package of another version of FHIR, of which nothing is checked.
    """
    if not package.manifest.may_be_of(release):
        return 0
    names = _that_could_be_resources(package)
    return sum(name.rpartition("/")[0] not in _MEMBERS for name in names)


def _that_could_be_resources(package: Package) -> list[str]:
    return [
        name
        for name in package.files
        if name.endswith(_SUFFIXES[:2]) and name.rpartition("/")[2] not in _NO_RESOURCES
    ]


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what the system says of a file into an error that names it."""
    try:
        yield
    except OSError as error:
        raise SourceError(str(path), error.strerror or str(error)) from error
