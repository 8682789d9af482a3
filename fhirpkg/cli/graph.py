"""`fhirpkg graph`: the course of a PlanDefinition as a picture or as Mermaid text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.issues import Resource
    from fhirpkg.repository import Repository

_PATH = click.Path(path_type=Path, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("graph")
@click.argument("plan", metavar="PLAN")
@click.option(
    "--format",
    "form",
    type=click.Choice(["svg", "mermaid"]),
    default="svg",
    show_default=True,
    help="A picture, or text that Markdown viewers draw.",
)
@click.option(
    "--content",
    type=_PATH,
    metavar="FOLDER",
    help="Folder of definitions; by default the content of the current folder.",
)
@click.option("--bundled", is_flag=True, help="Use the content that is installed with fhirpkg.")
@click.option("--output", type=_FILE, metavar="FILE", help="Write to a file, not to the terminal.")
def command(
    plan: str, form: str, content: Path | None, bundled: bool, output: Path | None
) -> None:  # fmt: skip
    """Draw the course of a PlanDefinition: steps, choices, conditions, who and in which order.

    PLAN is a canonical url, Type/id, an id, or a file. The plan alone is drawn, but an
    action without a title gets that of its definition. Exit code 2 when there is no such plan.

    Example: fhirpkg graph plan.json --output plan.svg
    """
    from fhirpkg.course import mermaid, svg

    resource, definitions = _found(plan, content, bundled=bundled)
    if form == "svg":
        text = svg(resource, definitions.resolve, is_alone=True)
    else:
        text = mermaid(resource, definitions.resolve)
    if output is None:
        click.echo(text, nl=False)
        return
    from fhirpkg.authoring.writing import replace

    replace(output, text.encode())


def _found(plan: str, content: Path | None, *, bundled: bool) -> tuple[Resource, Repository]:
    """The plan, and where the definitions are that it refers to."""
    from fhirpkg.cli.shared.content import layers_of
    from fhirpkg.errors import SourceError
    from fhirpkg.repository import Layers

    file = Path(plan) if Path(plan).is_file() else None
    layers = layers_of(file, content, bundled=bundled, must_be_here=file is None)
    definitions = Layers(*layers)
    if file:
        return _only(layers[0].search("PlanDefinition", {}), plan), definitions
    short = plan.removeprefix("PlanDefinition/")
    found = definitions.read("PlanDefinition", short) or definitions.resolve(plan, "PlanDefinition")
    if found is None:
        from fhirpkg.rules import nearest

        known = [str(each.get("id")) for each in definitions.search("PlanDefinition", {})]
        raise SourceError(plan, f"there is no such PlanDefinition{nearest(short, known)}")
    return found, definitions


def _only(plans: Iterable[Resource], file: str) -> Resource:
    """The one plan of a file."""
    from fhirpkg.errors import SourceError

    found = list(plans)
    if len(found) == 1:
        return found[0]
    if not found:
        raise SourceError(file, "it holds no PlanDefinition")
    ids = ", ".join(str(each.get("id")) for each in found)
    advice = f"name one of them, with --content {file}"
    raise SourceError(file, f"it holds {len(found)} PlanDefinitions: {ids}", advice)
