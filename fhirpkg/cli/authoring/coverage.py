"""`fhirpkg coverage`: each fact of the source, and where the resources hold it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.shared.content import folder_argument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from fhirpkg.authoring.coverage import Covered
    from fhirpkg.authoring.reviewing.verdicts import Reviewed


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

    RESOURCES may be the folder of one procedure, with package.yaml in the folder above.

    With a source.lock the facts are those of the monograph. Each is placed, left out with a
    reason, or lost (exit code 1).

    Example: fhirpkg coverage resources
    """
    from fhirpkg.authoring.build import build
    from fhirpkg.authoring.coverage import coverage
    from fhirpkg.authoring.folder import read_procedure
    from fhirpkg.authoring.reviewing.verdicts import reviewed
    from fhirpkg.authoring.rules import SOURCE_TODO

    authored = read_procedure(resources)
    for issue in authored.issues:
        click.echo(str(issue), err=True)
    if not authored.is_usable or not authored.package:
        return ExitCode.ISSUES
    made = build(authored.package, authored.procedures, beside=authored.beside)
    found = {
        name: coverage(procedure, made[name], authored.beside[name].edition)
        for name, procedure in authored.procedures.items()
    }
    read = {name: reviewed(p, authored.reviews[name]) for name, p in authored.procedures.items()}
    if output_format == "json":
        click.echo(json.dumps(_as_json(found, read), indent=2))
    else:
        click.echo("\n".join(_table(found, read)))
    facts = [fact for covered in found.values() for fact in covered]
    lost = [fact.fact for fact in facts if fact.is_lost]
    left_out = sum(bool(fact.left_out) for fact in facts)
    placed = sum(not fact.is_lost and bool(fact.sayings) for fact in facts)
    todo = sum(issue.rule == SOURCE_TODO.id for issue in authored.issues)
    counts = (f"{len(facts)} facts", f"{left_out} left out" if left_out else "",
              f"{len(lost)} lost{': ' if lost else ''}{', '.join(lost)}",
              f"{placed} placed", f"{todo} left to do" if todo else "",
              *_open(read.values()))  # fmt: skip
    click.echo(", ".join(filter(None, counts)), err=True)
    return ExitCode.ISSUES if lost else ExitCode.DONE


def _open(read: Iterable[Mapping[str, Reviewed]]) -> Iterator[str]:
    """How many facts no reader has compared with the source, and how many changed since."""
    states = [state for facts in read for state in facts.values()]
    without = sum(state.verdict is None for state in states)
    stale = sum(state.is_stale for state in states)
    if without:
        yield f"{without} not read against the source"
    if stale:
        yield f"{stale} changed since they were read"


def _verdict(state: Reviewed | None) -> str:
    """What a reader found, in a word or two."""
    if state is None or state.verdict is None:
        return "not read"
    return f"stale: {state.verdict.verdict}" if state.is_stale else state.verdict.verdict


def _table(
    found: Mapping[str, Sequence[Covered]], read: Mapping[str, Mapping[str, Reviewed]]
) -> Iterator[str]:
    """A line for each thing said: fact, verdict, first element, how many others hold it."""
    facts = [(fact, _verdict(read[name].get(fact.fact))) for name in found for fact in found[name]]
    rows = [
        (fact.fact, verdict, *elements[0], f"and {len(elements) - 1} more" * (len(elements) > 1))
        for fact, verdict in facts
        for elements in [saying.elements or (("-", "lost"),) for saying in fact.sayings]
    ]
    rows += [
        (fact.fact, "-", "-", f"left out: {fact.left_out}", "")
        for fact, _ in facts
        if fact.left_out and not fact.sayings
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _as_json(
    found: Mapping[str, Sequence[Covered]], read: Mapping[str, Mapping[str, Reviewed]]
) -> dict[str, object]:
    return {
        name: [
            {
                "fact": fact.fact,
                "lost": fact.is_lost,
                **({"left-out": fact.left_out} if fact.left_out else {}),
                **_state(read[name].get(fact.fact)),
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


def _state(state: Reviewed | None) -> dict[str, object]:
    """The digest of the words of a fact, and the verdict of a reader on them."""
    if state is None:
        return {}
    found = state.verdict
    verdict = found and {
        "verdict": found.verdict,
        "by": state.by,
        "stale": state.is_stale,
        **({"note": found.note} if found.note else {}),
    }
    return {"digest": state.digest, "review": verdict}
