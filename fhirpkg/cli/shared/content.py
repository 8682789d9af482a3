"""Which content a verb is about when it is not named: the rule is the same for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.repository import Repository

_BUNDLED = "fhirpkg.bundled"


def folder_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add RESOURCES, a folder of authored files; without it the one in use."""
    return click.argument(
        "resources", type=click.Path(path_type=Path), required=False, callback=_folder
    )(command)


def _folder(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path:
    from fhirpkg.packages.package import folder_in_use

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
        raise click.UsageError("CONTENT and --bundled name two contents; give one of them")
    from fhirpkg.packages.package import bundled_content

    return str(bundled_content())


def definitions_in_use(*, bundled: bool, must_be_here: bool) -> list[Repository]:
    """The definitions when none are named; none is fine where something else brings them."""
    from fhirpkg.errors import ConfigError
    from fhirpkg.packages.package import bundled_content, folder_in_use

    try:
        return [_built(bundled_content() if bundled else folder_in_use())]
    except ConfigError:
        if must_be_here:
            raise
        return []


def _built(package: Path) -> Repository:
    """The built resources of a package; its examples are not content."""
    from fhirpkg.repository import Layers, open_repository

    folders = sorted([*package.glob("fhir"), *package.glob("*/fhir")])
    return Layers(*(open_repository(folder) for folder in folders))
