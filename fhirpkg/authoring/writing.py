"""Built resources to files: beside, then renamed; what the build no longer makes is removed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.authoring.model.package_source import PackageSource
from fhirpkg.errors import ConfigError, SourceError
from fhirpkg.packages import freshness
from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from fhirpkg.issues import Resource


def rebased(package: PackageSource, canonical: str) -> PackageSource:
    """The package with another base of all its urls; ConfigError when that is no base."""
    try:
        return PackageSource.model_validate(
            {**package.model_dump(), "canonical": canonical.rstrip("/")}
        )
    except ValueError as error:
        raise ConfigError(
            f"--canonical {canonical!r} is no base of urls; write one like https://example.org/fhir"
        ) from error


def write(made: Mapping[str, Sequence[Resource]], output: Path) -> int:
    """Write each resource as `{Type}-{id}.json` into `fhir` of its folder; how many files changed.

    Files there that carry the tag of the same package and are no longer made are removed.
    """
    changed = 0
    for name, resources in made.items():
        folder = output / name / "fhir"
        folder.mkdir(parents=True, exist_ok=True)
        texts = {f"{r['resourceType']}-{r['id']}.json": text(r) for r in resources}
        tags = {tag["code"] for r in resources for tag in r["meta"]["tag"]}
        for file in sorted(set(folder.glob("*-*.json")) - {folder / name for name in texts}):
            if tags & _tags(file):
                file.unlink()
                changed += 1
        changed += sum(_write(folder / file, content) for file, content in texts.items())
    return changed


def note_sources(package: Path, names: Iterable[str]) -> None:
    """Note beside the built files of each procedure what they were built from."""
    for name in names:
        folder = package / name / "fhir"
        written = {file.name: file.read_bytes() for file in folder.glob("*.json")}
        _write(folder / freshness.RECORD, freshness.record(package, package / name, written))


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


def _write(file: Path, content: bytes) -> bool:
    """Write a file when it changes; whether it did."""
    if file.is_file() and file.read_bytes() == content:
        return False
    replace(file, content)
    return True


def replace(file: Path, content: bytes) -> None:
    """Write a file as a whole or not at all; SourceError, and no trace, when that fails."""
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_bytes(content)
        beside.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        problem = f"it cannot be written ({error.strerror})"
        raise SourceError(str(file), problem, "check the folder, the rights and the disk") from None
