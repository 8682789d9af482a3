"""Whether built resources are those of their sources: digests that a build leaves beside them.

A build writes the SHA-256 of what it read and of what it wrote into `.built` of each folder `fhir`.
Digests, not times: a checkout or a copy changes times and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RECORD = ".built"
PACKAGE, PROCEDURE, LOCK = "package.yaml", "procedure.yaml", "codes.lock"
REVIEW, DRAWING = "review.yaml", "drawing.svg"
_BESIDE = (PROCEDURE, REVIEW, DRAWING)
_BUILT = "fhir"


def record(package: Path, procedure: Path, written: Mapping[str, bytes]) -> bytes:
    """What a build notes of one procedure: digests of its sources and of the files it wrote."""
    noted = {
        "sources": _sources(package, procedure),
        "files": {name: _digest(content) for name, content in sorted(written.items())},
    }
    return (json.dumps(noted, indent=2) + "\n").encode()


def procedure_folders(package: Path) -> list[Path]:
    """The folders of a package that hold a procedure or what was built of one."""
    below = [file.parent for file in package.glob(f"*/{PROCEDURE}")]
    below += [folder.parent for folder in package.glob(f"*/{_BUILT}") if folder.is_dir()]
    beside = [package] if (package / PROCEDURE).is_file() or (package / _BUILT).is_dir() else []
    return [*beside, *sorted(set(below))]


def stale(package: Path) -> Iterator[str]:
    """What of a package is not as it would be built now, a sentence each."""
    for folder in procedure_folders(package):
        yield from stale_procedure(package, folder)


def stale_procedure(package: Path, procedure: Path) -> Iterator[str]:
    """What of one procedure is not as it would be built now, a sentence each."""
    folder = procedure / _BUILT
    if not (procedure / PROCEDURE).is_file():
        if any(folder.glob("*.json")):
            yield f"{folder} was built from a {PROCEDURE} that is gone"
        return
    if not any(folder.glob("*.json")):
        yield f"{procedure / PROCEDURE} has not been built"
        return
    noted = _noted(folder / RECORD)
    if noted is None:
        yield f"{folder} does not say what it was built from"
        return
    sources, files = noted
    for name, digest in _sources(package, procedure).items():
        if sources.get(name) != digest:
            yield f"{_place(package, procedure, name)} was changed after {folder} was built"
    for name, digest in files.items():
        file = folder / name
        if not file.is_file():
            yield f"{file} was built and is gone"
        elif _digest(file.read_bytes()) != digest:
            yield f"{file} was changed by hand after it was built"


def _sources(package: Path, procedure: Path) -> dict[str, str]:
    """The digests of what a build reads, by the names of the files; of profiles, all as one."""
    of_package = {name: package / name for name in (PACKAGE, LOCK)}
    files = of_package | {name: procedure / name for name in _BESIDE}
    found = {name: _digest(file.read_bytes()) for name, file in files.items() if file.is_file()}
    profiles = sorted((package.absolute().parent / "profiles").glob("*.json"))
    if profiles:
        found["profiles"] = _digest(b"".join(file.read_bytes() for file in profiles))
    return found


def _place(package: Path, procedure: Path, name: str) -> Path:
    if name == "profiles":
        return package.parent / "profiles"
    return (procedure if name in _BESIDE else package) / name


def _noted(file: Path) -> tuple[dict[str, str], dict[str, str]] | None:
    """The digests that a build has noted; None when there are none that can be read."""
    try:
        noted = json.loads(file.read_bytes())
        sources, files = noted["sources"], noted["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    good = isinstance(sources, dict) and isinstance(files, dict)
    return (sources, {str(k): str(v) for k, v in files.items()}) if good else None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
