"""A lock file: which packages were installed, from where, and the digests of archive and files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from fhirpkg.canonical import PackageId, version_key, version_matches
from fhirpkg.errors import PackageError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fhirpkg.packages.package import Package

_FORMAT = 1
_MADE_BY_TOOLS = {".index.json", ".index.db", ".firely.index.json"}


@dataclass(frozen=True, slots=True)
class Locked:
    """One package; `url` and `sha256` (of the archive) are empty where it came as files."""

    name: str
    version: str
    url: str
    sha256: str
    tree: str
    """SHA-256 over the names and contents of its files, indexes left out."""

    @property
    def id(self) -> PackageId:
        """Name and version."""
        return PackageId(self.name, self.version)


def tree_digest(package: Package) -> str:
    """SHA-256 over the files of a package, whatever archive or folder holds them."""
    whole = hashlib.sha256()
    for name in sorted(package.files):
        if name not in _MADE_BY_TOOLS:
            content = hashlib.sha256(package.files[name]).hexdigest()
            whole.update(f"{content}  {name}\n".encode())
    return whole.hexdigest()


def read_lock(file: Path) -> dict[PackageId, Locked]:
    """The packages in a lock file, by id; none when there is no file.

    Raises SourceError for a file that is not a lock.
    """
    if not file.exists():
        return {}
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        if facts["format"] != _FORMAT:
            raise SourceError(str(file), "another version of fhirpkg wrote it")
        found = [Locked(**{k: str(v) for k, v in each.items()}) for each in facts["packages"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(str(file), "it is not a lock file of fhirpkg") from error
    lock = {each.id: each for each in found}
    for each in found:
        if lock[each.id] is not each:
            raise SourceError(str(file), f"it holds {each.id} twice", "keep the right one")
        if not each.tree:
            advice = "take it out and install it again without --frozen"
            raise SourceError(str(file), f"it gives {each.id} no tree to check", advice)
    return lock


def lock_text(packages: Iterable[Locked]) -> str:
    """The text of a lock file, equal for equal packages."""
    ordered = sorted(packages, key=lambda each: (each.name, version_key(each.version)))
    facts = {"format": _FORMAT, "packages": [asdict(each) for each in ordered]}
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


def pinned(lock: dict[PackageId, Locked], wanted: PackageId) -> Locked | None:
    """The package in a lock that satisfies an id; the newest of several."""
    version = None if wanted.version == "latest" else wanted.version
    fitting = [
        each
        for id_, each in lock.items()
        if id_.name == wanted.name and version_matches(version, id_.version)
    ]
    return max(fitting, key=lambda each: version_key(each.version), default=None)


def check_locked(found: Locked, locked: Locked | None) -> None:
    """Raise PackageError when an installed package is not the one in the lock."""
    if locked is None:
        raise PackageError(str(found.id), "it is not in the lock file", "run without --frozen")
    for name in ("sha256", "tree"):
        ours, theirs = getattr(found, name), getattr(locked, name)
        if ours and theirs and ours != theirs:
            problem = f"its {name} is {ours[:16]}…, and {theirs[:16]}… in the lock file"
            raise PackageError(str(found.id), problem, "somebody changed it; find out who")
