"""`validate --watch`: check again when files change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from fhirpkg.corpus.inputs import is_input
from fhirpkg.errors import ConfigError, FhirpkgError

if TYPE_CHECKING:
    from collections.abc import Callable


def watch(paths: tuple[str, ...], check: Callable[[frozenset[Path] | None], object]) -> NoReturn:
    """Call `check` for all, then with the absolute paths of what changed, until interrupted.

    An error that stops one check is printed, and the next change awaited. Raises ConfigError
    without watchfiles, or for paths that are not files or folders.
    """
    try:
        import watchfiles
    except ImportError as error:
        raise ConfigError("--watch needs watchfiles: pip install 'fhirpkg[watch]'") from error
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        raise ConfigError(f"--watch takes files and folders that exist; {missing[0]} is neither")
    _tell(check, None)
    roots = [Path(path).absolute() for path in paths]
    # Folders, as editors replace files when they save them.
    folders = {path if path.is_dir() else path.parent for path in roots}
    changing = watchfiles.watch(*folders, watch_filter=lambda _, path: _is_watched(path, roots))
    for changes in changing:
        changed = frozenset(Path(path) for _, path in changes)
        click.echo(f"\n{', '.join(sorted(path.name for path in changed))} changed", err=True)
        _tell(check, changed)
    raise KeyboardInterrupt


def _tell(
    check: Callable[[frozenset[Path] | None], object], changed: frozenset[Path] | None
) -> None:
    try:
        check(changed)
    except FhirpkgError as error:
        click.echo(f"fhirpkg: {error}", err=True)


def _is_watched(name: str, roots: list[Path]) -> bool:
    """Whether a file is one of the inputs, or would be if it existed."""
    path = Path(name)
    if path in roots:
        return True
    inside = [path.relative_to(root).parts for root in roots if path.is_relative_to(root)]
    return is_input(path) and any(
        not any(part.startswith(".") for part in parts) for parts in inside
    )
