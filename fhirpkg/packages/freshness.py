"""Whether built resources are those of their sources: digests that a build leaves beside them.

A build writes the SHA-256 of what it read and of what it wrote into `.built` of each folder `fhir`.
Digests, not times: a checkout or a copy changes times and nothing else.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RECORD = ".built"
PACKAGE, PROCEDURE, LOCK = "package.yaml", "procedure.yaml", "codes.lock"
REVIEW, DRAWING = "review.yaml", "drawing.svg"
_BESIDE = (PROCEDURE, REVIEW, DRAWING)
_ORDER = (PACKAGE, LOCK, *_BESIDE)
_BUILT, _PROFILES = "fhir", "profiles"
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Record:
    """What a build notes of one procedure."""

    sources: Mapping[str, str]
    """The digests of what it read, by names."""
    files: Mapping[str, str]
    """The digests of what it wrote, by the names of the files."""
    told: tuple[Mapping[str, Any], ...] = ()
    """Its warnings, which a build that finds nothing changed repeats."""

    @property
    def text(self) -> bytes:
        """The bytes of the file."""
        noted: dict[str, object] = {
            "sources": self.sources,
            "files": dict(sorted(self.files.items())),
        }
        if self.told:
            noted["told"] = self.told
        return (json.dumps(noted, indent=2) + "\n").encode()


def members_of(package: Path) -> list[Path]:
    """The packages below a catalogue that is built; none of a package with procedures."""
    record = read_record(package / _BUILT)
    names = record.sources if record else ()
    return [
        package / name.removesuffix(f"/{PACKAGE}") for name in names if name.endswith(f"/{PACKAGE}")
    ]


def procedure_folders(package: Path) -> list[Path]:
    """The folders of a package that hold a procedure or what was built of one."""
    if members_of(package):
        return []
    below = [file.parent for file in package.glob(f"*/{PROCEDURE}")]
    below += [folder.parent for folder in package.glob(f"*/{_BUILT}") if folder.is_dir()]
    beside = [package] if (package / PROCEDURE).is_file() or (package / _BUILT).is_dir() else []
    return [*beside, *sorted(set(below))]


def stale(package: Path) -> Iterator[str]:
    """What of a package is not as it would be built now, a sentence each."""
    yield from stale_catalogue(package)
    for member in members_of(package):
        yield from stale(member)
    for folder in procedure_folders(package):
        yield from stale_procedure(package, folder)


def stale_catalogue(package: Path) -> Iterator[str]:
    """What of a catalogue itself is not as it would be built now; of any other package nothing."""
    folder = package / _BUILT
    noted = read_record(folder) if members_of(package) else None
    for name, then in noted.sources.items() if noted else ():
        file = package / name
        if not file.is_file():
            yield f"{folder} was built from {file}, which is gone"
        elif digest(file.read_bytes()) != then:
            yield f"{file} was changed after {folder} was built"
    yield from _changed_by_hand(folder, noted) if noted else ()


def stale_procedure(package: Path, procedure: Path) -> Iterator[str]:
    """What of one procedure is not as it would be built now, a sentence each."""
    folder = procedure / _BUILT
    there = sorted(file.name for file in folder.glob("*.json"))
    if not (procedure / PROCEDURE).is_file():
        if there:
            yield f"{folder} was built from a {PROCEDURE} that is gone"
        return
    if not there:
        yield f"{procedure / PROCEDURE} has not been built"
        return
    noted = read_record(folder)
    if noted is None:
        yield f"{folder} does not say what it was built from"
        return
    now = sources_of(package, procedure)
    for name, digest_now in now.items():
        if noted.sources.get(name) != digest_now:
            yield f"{_place(package, procedure, name)} was changed after {folder} was built"
    for name in sorted(noted.sources.keys() - now.keys() - {_PROFILES}):  # copied without them
        yield f"{folder} was built from {_place(package, procedure, name)}, which is gone"
    for name in there:
        if name not in noted.files:
            yield f"{folder / name} was not made by the build"
    yield from _changed_by_hand(folder, noted)


def _changed_by_hand(folder: Path, noted: Record) -> Iterator[str]:
    for name, written in noted.files.items():
        file = folder / name
        if not file.is_file():
            yield f"{file} was built but has been deleted since"
        elif digest_of(f"{folder}/{name}") != written:
            yield f"{file} was changed by hand after it was built"


def sources_of(package: Path, procedure: Path) -> dict[str, str]:
    """The digests of what a build reads, by the names of the files; of profiles, all as one."""
    of_package = {name: package / name for name in (PACKAGE, LOCK)}
    of_all = {name: _kept(file) for name, file in of_package.items() if file.is_file()}
    beside = {name: procedure / name for name in _BESIDE}
    own = {name: digest_of(file) for name, file in beside.items() if file.is_file()}
    found = {name: (of_all | own)[name] for name in _ORDER if name in of_all or name in own}
    profiles = sorted((package.absolute().parent / _PROFILES).glob("*.json"))
    return found | ({_PROFILES: _kept(*profiles)} if profiles else {})


def _kept(*files: Path) -> str:
    """The digest of files that all procedures share: read once, and again when they change."""
    stats = ((file.absolute(), file.stat()) for file in files)
    return _of_files(*((str(file), stat.st_mtime_ns, stat.st_size) for file, stat in stats))


@functools.lru_cache(maxsize=64)
def _of_files(*files: tuple[str, int, int]) -> str:
    return digest(b"".join(Path(name).read_bytes() for name, _, _ in files))


def _place(package: Path, procedure: Path, name: str) -> Path:
    if name == _PROFILES:
        return package.parent / _PROFILES
    return (procedure if name in _BESIDE else package) / name


def read_record(folder: Path, name: str = RECORD) -> Record | None:
    """What a build has noted in a folder; None when there is nothing that can be read."""
    try:
        noted = json.loads((folder / name).read_bytes())
        found = Record(noted["sources"], noted["files"], tuple(noted.get("told", ())))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if isinstance(found.sources, dict) and isinstance(found.files, dict) else None


def digest(content: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def digest_of(file: Path | str) -> str:
    """The SHA-256 of a file, in hexadecimal; raises OSError when it cannot be read.

    Files are read in pieces: memory for a whole one costs more than hashing it.
    """
    found, piece = hashlib.sha256(), memoryview(bytearray(_PIECE))
    with open(file, "rb", buffering=0) as stream:  # noqa: PTH123 - a Path costs as much again
        while size := stream.readinto(piece):
            found.update(piece[:size])
    return found.hexdigest()
