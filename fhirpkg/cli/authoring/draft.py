"""`fhirpkg draft`: a monograph (text, Markdown, HTML, Word) to the draft of a procedure.yaml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirpkg.cli import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.authoring.drafting.headings import Headings
    from fhirpkg.authoring.drafting.keys import Keys
    from fhirpkg.authoring.drafting.lock import Change, Lock
    from fhirpkg.authoring.drafting.monograph import Monograph, Told
    from fhirpkg.authoring.drafting.writing import Rights


@click.command("draft")
@click.argument("monograph", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write to; by default one named after the procedure.",
)
@click.option(
    "--code",
    "codes",
    multiple=True,
    help='The code of the procedure: "CPT 43235". Once for each system.',
)
@click.option(
    "--rights",
    type=click.Choice(["none", "own", "licensed"]),
    default="none",
    show_default=True,
    help="Whether the wording of the monograph may be copied; with 'none' you write the sentences.",
)
@click.option(
    "--headings",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Your own headings: a YAML file of sections, each with a list; by default headings.yaml "
    "beside package.yaml.",
)
@click.option("--update", is_flag=True, help="Only show what a new edition has changed.")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The format of the result.",
)
def command(
    monograph: Path,
    output: Path | None,
    codes: tuple[str, ...],
    rights: Rights,
    headings: Path | None,
    update: bool,
    output_format: str,
) -> ExitCode:
    """Draft a procedure.yaml from MONOGRAPH, with a label for each fact, and build it.

    Facts are sorted by their headings; whatever is uncertain is listed with its line, not guessed.
    OUTPUT gets procedure.yaml, source.lock (hashes and lines of the
    facts), and package.yaml where the folder above has none.

    Example: fhirpkg draft monograph.docx --code "CPT 43235" --output resources/cpt-43235
    """
    from fhirpkg.authoring.drafting import lock, writing
    from fhirpkg.authoring.drafting.reading import read
    from fhirpkg.authoring.drafting.sorting import sort
    from fhirpkg.authoring.scaffold import slug
    from fhirpkg.errors import SourceError

    try:
        content = monograph.read_bytes()
    except OSError as error:
        raise SourceError(str(monograph), error.strerror or str(error)) from error
    table = _table(headings, output)
    found = sort(read(monograph, content, table), table)
    if not found.facts:
        advice = "write headings such as 'Indications' and 'Preparation', or add yours: --headings"
        raise SourceError(str(monograph), "no heading in it names a section", advice)
    _check(found, monograph, codes)
    names = [fact.text for fact in found.of("name")]
    folder = output or Path(slug(names[0] if names else monograph.stem))
    new = lock.lock(found, file=monograph.name, content=content, rights=rights)
    if update:
        return _update(folder, new, output_format)
    data = writing.draft(
        found,
        title="Monograph kept outside this package; source.lock knows its edition",
        stem=monograph.stem,
        given=codes,
        rights=rights,
    )
    return _draft(found, folder, new, data, output_format)


def _check(found: Monograph, monograph: Path, codes: tuple[str, ...]) -> None:
    """Refuse what could not be built, before anything is written."""
    from fhirpkg.authoring.codes import codings, problem_of_line
    from fhirpkg.authoring.model.values import MOST_FACTS
    from fhirpkg.errors import ConfigError, SourceError

    for problem in filter(None, map(problem_of_line, codes)):
        raise ConfigError(f"--code: {problem}")
    systems = [coding.system for code in codes for coding in codings(code)]
    if len(systems) > len(set(systems)):
        problem = "one code of each system is the procedure's own"
        raise ConfigError(f"--code: {problem}; write others under 'also' or 'add-on' of the draft")
    for section, count in found.counts.items():
        if count > MOST_FACTS:
            problem = f"it has {count} facts under {section}; the limit is {MOST_FACTS}"
            raise SourceError(str(monograph), problem, "draft each procedure from its own text")


def _table(headings: Path | None, output: Path | None) -> Headings:
    """The table of headings, with those that the user taught."""
    from fhirpkg.authoring.drafting.heading_table import table, taught
    from fhirpkg.authoring.drafting.writing import ORDER

    folders = [output.absolute().parent, output] if output else [Path()]
    beside = next((f / "headings.yaml" for f in folders if (f / "headings.yaml").is_file()), None)
    file = headings or beside
    return taught(file, ORDER) if file else table()


def _draft(found: Monograph, folder: Path, new: Lock, data: Keys, output_format: str) -> ExitCode:
    from datetime import UTC, datetime

    from fhirpkg.authoring.drafting import lock, writing
    from fhirpkg.authoring.scaffold import begin, package_folder
    from fhirpkg.cli.authoring.build import run as build

    head = (
        "A draft made by 'fhirpkg draft'. `from` names the fact of the source that an item says",
        "(source.lock has its line), `todo` what is still open: the content is a draft until none",
        "is left. `fhirpkg schema` describes every key.",
    )
    text = writing.text(data, head)
    today = datetime.now(UTC).date().isoformat()
    begin(folder, text, {lock.LOCK: lock.write(new)}, today)
    todo = writing.todos(data)
    if output_format == "json":
        report = {"sections": found.counts, "told": [_told(t) for t in found.told], "todo": todo}
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(found, folder, todo)))
    return build(package_folder(folder), is_new=True)


def _told(told: Told) -> dict[str, object]:
    found = {"line": told.line, "text": told.text, "heading": told.heading, "why": told.why}
    return {key: value for key, value in found.items() if value or key == "line"}


def _lines(found: Monograph, folder: Path, todo: int) -> Iterator[str]:
    for section, count in found.counts.items():
        yield f"{section:20}{count}"
    for told in found.told:
        words = told.text or f"heading '{told.heading}'"
        yield f"line {told.line}: {words}: {told.why}"
    yield f"{folder / 'procedure.yaml'}: {len(found.facts)} facts placed, {todo} things to do"


def _update(folder: Path, new: Lock, output_format: str) -> ExitCode:
    """Show what a new edition has changed; it is taken once procedure.yaml counts its facts."""
    from fhirpkg.authoring.drafting import lock
    from fhirpkg.authoring.folder import read_source
    from fhirpkg.authoring.writing import replace
    from fhirpkg.errors import SourceError
    from fhirpkg.packages.freshness import PROCEDURE

    file = folder / lock.LOCK
    if not file.is_file():
        raise SourceError(
            str(folder), f"it holds no {lock.LOCK}", "draft it first, without --update"
        )
    changes = list(lock.changes(lock.read(file), new))
    if output_format == "json":
        click.echo(json.dumps([_change(each) for each in changes], indent=2))
    else:
        for each in changes:
            names = " is now ".join(filter(None, (each.before, each.after))) or "a fact not placed"
            click.echo(f"line {each.line}: {each.kind}: {names}")
    data = read_source(folder / PROCEDURE).data
    source = data.get("source") if isinstance(data, dict) else None
    counts = source.get("facts") if isinstance(source, dict) else None
    if counts == new.counts:
        replace(file, lock.write(new).encode())
        click.echo(f"{file}: this edition is recorded", err=True)
    else:
        click.echo(
            f"{folder / PROCEDURE}: give 'source.facts' the new counts to accept it", err=True
        )
    return ExitCode.ISSUES if changes else ExitCode.DONE


def _change(change: Change) -> dict[str, object]:
    found = {
        "line": change.line,
        "change": change.kind,
        "before": change.before,
        "after": change.after,
    }
    return {key: value for key, value in found.items() if value}
