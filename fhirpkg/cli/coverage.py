"""`fhirpkg coverage`: each fact of the source, and where the resources hold it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.shared.content import folder_argument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from fhirpkg.authoring.coverage import Covered


@click.command("coverage")
@folder_argument
@click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A table for people, or one JSON object.",
)
def command(resources: Path, output_format: str) -> ExitCode:
    """Show which resource and element holds each fact of the procedures in RESOURCES.

    Example: fhirpkg coverage resources
    """
    from fhirpkg.authoring.build import build
    from fhirpkg.authoring.coverage import coverage
    from fhirpkg.authoring.folder import read_folder
    from fhirpkg.authoring.rules import SOURCE_TODO

    authored = read_folder(resources)
    for issue in authored.issues:
        click.echo(str(issue), err=True)
    if not authored.is_usable or not authored.package:
        return ExitCode.ISSUES
    made = build(authored.package, authored.procedures)
    found = {name: coverage(p, made[name]) for name, p in authored.procedures.items()}
    if output_format == "json":
        click.echo(json.dumps(_as_json(found), indent=2))
    else:
        click.echo("\n".join(_table(found)))
    facts = [fact for covered in found.values() for fact in covered]
    lost = [fact.fact for fact in facts if fact.is_lost]
    left_out = sum(bool(fact.left_out) for fact in facts)
    todo = sum(issue.rule == SOURCE_TODO.id for issue in authored.issues)
    counts = (f"{len(facts)} facts", f"{left_out} left out" if left_out else "",
              f"{len(lost)} lost{': ' if lost else ''}{', '.join(lost)}",
              f"{todo} left to do" if todo else "")  # fmt: skip
    click.echo(", ".join(filter(None, counts)), err=True)
    return ExitCode.ISSUES if lost else ExitCode.DONE


def _table(found: Mapping[str, Sequence[Covered]]) -> Iterator[str]:
    """A line for each thing said: the fact, its first element, how many others hold it."""
    rows = [
        (fact.fact, *elements[0], f"and {len(elements) - 1} more" if len(elements) > 1 else "")
        for facts in found.values()
        for fact in facts
        for elements in [saying.elements or (("-", "lost"),) for saying in fact.sayings]
    ]
    rows += [
        (fact.fact, "-", f"left out: {fact.left_out}", "")
        for facts in found.values()
        for fact in facts
        if fact.left_out and not fact.sayings
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _as_json(found: Mapping[str, Sequence[Covered]]) -> dict[str, object]:
    return {
        name: [
            {
                "fact": fact.fact,
                "lost": fact.is_lost,
                **({"left-out": fact.left_out} if fact.left_out else {}),
                "said": [
                    {
                        "words": saying.words,
                        "elements": [{"resource": r, "element": e} for r, e in saying.elements],
                    }
                    for saying in fact.sayings
                ],
            }
            for fact in facts
        ]
        for name, facts in found.items()
    }
