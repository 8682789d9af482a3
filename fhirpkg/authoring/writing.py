"""Built resources to files: beside, then renamed; what the build no longer makes is removed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, BinaryIO

from fhirpkg import fhirjson
from fhirpkg.authoring.model.package_source import PackageSource
from fhirpkg.errors import ConfigError, SourceError
from fhirpkg.packages import freshness
from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from fhirpkg.issues import Resource

_NEW = ".new"


def rebased(package: PackageSource, canonical: str) -> PackageSource:
    """The package with another base of all its urls; ConfigError when that is not a base url."""
    try:
        return PackageSource.model_validate(
            {**package.model_dump(), "canonical": canonical.rstrip("/")}
        )
    except ValueError as error:
        raise ConfigError(
            f"--canonical {canonical!r} is not a base url; write one such as https://example.org/fhir"
        ) from error


def stage(home: Path, contents: Mapping[str, bytes], *, anew: bool = True) -> None:
    """Write the contents of files that change beside them; `anew` forgets what waited there."""
    home.mkdir(parents=True, exist_ok=True)
    for file in home.glob(f".*{_NEW}") if anew else ():  # of a build that was killed
        file.unlink()
    for name, content in contents.items():
        file = home / name
        if file.is_file() and file.read_bytes() == content:
            staged(home, name).unlink(missing_ok=True)
        else:
            with _whole(file, staged(home, name)):
                staged(home, name).write_bytes(content)


def staged(home: Path, name: str) -> Path:
    """Where the new content of a file waits until it takes its place."""
    return home / f".{name}{_NEW}"


def take_place(home: Path, made: AbstractSet[str], package_id: str) -> int:
    """Put what waits in its place; how many files changed.

    Files that carry the tag of the package and are no longer made are removed. The record comes
    last: until then, what is there counts as changed by hand.
    """
    gone = [f for f in sorted(home.glob("*-*.json")) if f.name not in made]
    gone = [file for file in gone if package_id in _tags(file)]
    for file in gone:
        file.unlink()
    waiting = sorted(home.glob(f".*{_NEW}"), reverse=True)
    for file in waiting:
        place = home / file.name[1 : -len(_NEW)]
        with _whole(place, file):
            file.replace(place)
    return len(gone) + len(waiting)


def discard(home: Path) -> None:
    """Remove what waits, and the folder if nothing else is there."""
    for file in home.glob(f".*{_NEW}"):
        file.unlink()
    with contextlib.suppress(OSError):
        home.rmdir()


def remove_orphans(package: Path, package_id: str) -> list[Path]:
    """Remove what earlier builds of a package made of procedures that are gone; the files."""
    removed = []
    for folder in freshness.procedure_folders(package):
        if (folder / freshness.PROCEDURE).is_file():
            continue
        made = [f for f in sorted((folder / "fhir").glob("*.json")) if package_id in _tags(f)]
        for file in made:
            file.unlink()
        (folder / "fhir" / freshness.RECORD).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # files that the build did not make stay
            (folder / "fhir").rmdir()
        removed += made
    return removed


def _tags(file: Path) -> set[str]:
    """The tags of a resource that was built before; none for anything else."""
    value = fhirjson.read(file.read_bytes())[0]
    meta = value.get("meta") if isinstance(value, dict) else None
    tags = objects(meta, "tag") if isinstance(meta, dict) else []
    return {str(tag.get("code")) for tag in tags}


def text(resource: Resource) -> bytes:
    """The bytes of a built file."""
    return (fhirjson.dump(resource, indent=2) + "\n").encode()


def replace(file: Path, content: bytes) -> None:
    """Write a file as a whole or not at all; SourceError, and no trace, when that fails."""
    with replacing(file) as stream:
        stream.write(content)


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[BinaryIO]:
    """A stream to write a file by, which takes its place when all of it is there."""
    beside = staged(file.parent, file.name)
    try:
        with _whole(file, beside):
            with beside.open("wb") as stream:
                yield stream
            beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _whole(file: Path, beside: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        problem = f"it cannot be written ({error.strerror})"
        raise SourceError(
            str(file), problem, "check the folder, its permissions and the free space"
        ) from None
