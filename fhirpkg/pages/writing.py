"""Pages into a folder of their own: made beside, then put in place; what is no longer made goes.

A list in the folder says which files are ours, so that nothing of anybody else's is touched.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from fhirpkg.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LIST = ".fhirpkg-site"
_FIRST = "# Files that 'fhirpkg site' wrote; the next run removes those it no longer makes."
_NEW = ".fhirpkg-site.new"


def write(files: Iterable[tuple[str, bytes]], output: Path) -> int:
    """Write files, by their names below `output`; how many there are.

    Nothing there changes before all are made. Raises ConfigError when the folder holds what is not
    ours, SourceError when it cannot be written to.
    """
    ours = _listed(output)
    beside = output / _NEW
    try:
        output.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside, ignore_errors=True)
        made = [_put(name, data, beside) for name, data in files]
        _check_foreign(output, ours, made)
        _note(output, {*ours, *made})  # an interrupted run leaves nothing that the next misses
        for name in made:
            (output / name).parent.mkdir(parents=True, exist_ok=True)
            (beside / name).replace(output / name)
        _remove(ours - set(made), output)
        _note(output, made)
    except OSError as error:
        problem = f"it cannot be written ({error.strerror})"
        advice = "check the folder, the rights and the disk"
        raise SourceError(str(error.filename or output), problem, advice) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return len(made)


def _put(name: str, data: bytes, folder: Path) -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return name


def _listed(output: Path) -> set[str]:
    """The files that an earlier run wrote. Raises ConfigError for a folder that is not ours."""
    known = output / LIST
    if known.is_file():
        lines = known.read_text(encoding="utf-8").splitlines()
        return {line for line in lines if line and not line.startswith(("#", "/")) and
                ".." not in line.split("/")}  # fmt: skip
    if output.is_dir() and any(file.name != _NEW for file in output.iterdir()):
        raise ConfigError(
            f"{output} holds files that 'fhirpkg site' did not write; name a new or empty folder"
        )
    return set()


def _check_foreign(output: Path, ours: set[str], made: Iterable[str]) -> None:
    for name in made:
        if name not in ours and (output / name).exists():
            raise ConfigError(
                f"{output / name} exists, but 'fhirpkg site' did not write it; move it away"
            )


def _note(output: Path, names: Iterable[str]) -> None:
    beside = output / f"{LIST}.tmp"
    beside.write_text("\n".join([_FIRST, *sorted(names), ""]), encoding="utf-8")
    beside.replace(output / LIST)


def _remove(names: Iterable[str], output: Path) -> None:
    """Remove files, and the folders that this empties."""
    for name in names:
        (output / name).unlink(missing_ok=True)
        for folder in _between(output / name, output):
            if any(folder.iterdir()):
                break
            folder.rmdir()


def _between(file: Path, output: Path) -> Iterator[Path]:
    folder = file.parent
    while folder != output and folder.is_dir():
        yield folder
        folder = folder.parent
