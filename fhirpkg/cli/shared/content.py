"""Which content a verb is about when it is not named: the rule is the same for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.repository import MemoryRepository

_BUNDLED = "fhirpkg.bundled"


def folder_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add RESOURCES, a folder of authored files; without it the one in use."""
    return click.argument(
        "resources", type=click.Path(path_type=Path), required=False, callback=_folder
    )(command)


def _folder(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path:
    from fhirpkg.packages.installed import folder_in_use

    return value or folder_in_use()


def content_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add CONTENT and --bundled, which names what is installed with fhirpkg."""
    option = click.option(
        "--bundled",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_note,
        help="Use the content that is installed with fhirpkg.",
    )
    argument = click.argument("content", required=False, callback=_content)
    return argument(option(command))


def _note(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    context.meta[_BUNDLED] = value


def _content(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """What was named; the bundled content when that was asked for."""
    if not context.meta.get(_BUNDLED):
        return value
    if value is not None:
        raise click.UsageError("CONTENT and --bundled cannot be used together; give one")
    from fhirpkg.packages.installed import bundled_content

    return str(bundled_content())


def layers_of(
    file: Path | None, content: Path | None, *, bundled: bool, must_be_here: bool
) -> list[MemoryRepository]:
    """What a verb reads definitions from: a file, what was built with it, the content named.

    Without `content` that is the package in use; nothing where none is and none must be here.
    """
    from fhirpkg.repository import open_repository

    layers = [open_repository(file)] if file else []
    beside = {file.parent.resolve()} if file and file.parent.name == "fhir" else set()
    layers += map(open_repository, beside)  # a build puts what it refers to beside it
    if content:
        return [*layers, open_repository(content)]
    folders = _built(bundled=bundled, must_be_here=must_be_here)
    return layers + [open_repository(each) for each in folders if each.resolve() not in beside]


def _built(*, bundled: bool, must_be_here: bool) -> list[Path]:
    """The folders with the built resources of the package in use; its examples are not content."""
    from fhirpkg.errors import ConfigError
    from fhirpkg.packages.installed import bundled_content, folder_in_use

    try:
        package = bundled_content() if bundled else folder_in_use()
    except ConfigError:
        if must_be_here:
            raise
        return []
    return sorted([*package.glob("fhir"), *package.glob("*/fhir")])
