"""`fhirpkg apply`: what to do for this patient, for people or as FHIR."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.shared.connection import optional_server_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.applying.application import Applied
    from fhirpkg.issues import Resource
    from fhirpkg.repository import Repository

_PATH = click.Path(path_type=Path, exists=True)
_FORMATS = click.Choice(["text", "fhir", "json"])


@click.command(short_help="Apply a PlanDefinition or ActivityDefinition to a patient.")
@click.argument("plan", metavar="PLAN")
@click.option("--subject", default="", metavar="Patient/ID", help="The patient.")
@click.option(
    "--data", type=_PATH, metavar="FOLDER|BUNDLE", help="The patient's data: a folder or a Bundle."
)
@click.option(
    "--population",
    type=_PATH,
    metavar="FOLDER|FILE",
    help="Apply to each patient of a bulk export (.ndjson) instead of one.",
)
@click.option(
    "--content",
    type=_PATH,
    metavar="FOLDER",
    help="Folder of definitions; by default the content of the current folder.",
)
@click.option("--bundled", is_flag=True, help="Use the content that is installed with fhirpkg.")
@click.option(
    "--encounter", default="", metavar="Encounter/ID", help="The encounter in which it is applied."
)
@click.option(
    "--practitioner", default="", metavar="Practitioner/ID", help="The practitioner who applies it."
)
@click.option(
    "--organization",
    default="",
    metavar="Organization/ID",
    help="The organization on whose behalf it is applied.",
)
@click.option(
    "--language",
    default="",
    metavar="TAG",
    help="Language of the texts; by default the definition's, and in texts for patients the "
    "patient's.",
)
@click.option(
    "--dialect",
    type=click.Choice(["complete", "reference"]),
    default="complete",
    show_default=True,
    help="complete: keep everything; reference: give the result of HAPI's engine.",
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the logic: a value of CQL such as 3, 'text' or @2026-01-31.",
)
@click.option("--bundle", is_flag=True, help="Print R5's Bundle instead of a CarePlan.")
@click.option("--verbose", is_flag=True, help="Also list what the result leaves out.")
@click.option(
    "--output-format",
    type=_FORMATS,
    default="text",
    show_default=True,
    help="What to print: text, the FHIR result, or JSON with the criteria.",
)
@optional_server_options
def command(plan: str, subject: str, **options: Any) -> ExitCode:
    """Apply a definition to a patient: what to order, who, when, and why not.

    PLAN is a canonical url, Type/id, or a file. Data come from --data or --server. Exit code 1
    when a condition could not be evaluated or something failed, 2 when plan, patient or data
    cannot be used.

    With --population, print the states of the criteria for each patient of a bulk export (with
    --output-format json, one object a line), and at the end how often each criterion is open.

    Example: fhirpkg apply plan.json --subject Patient/p1 --data patients
    """
    if options["population"]:
        return _to_population(plan, options, of_one=bool(subject))
    if not subject:
        raise click.UsageError("name the patient with --subject, or an export with --population")
    from fhirpkg.applying.application import apply
    from fhirpkg.applying.given import of_words

    definition, repository = _sources(plan, options)
    applied = apply(
        definition,
        subject,
        repository,
        encounter=options["encounter"],
        practitioner=options["practitioner"],
        organization=options["organization"],
        language=options["language"],
        parameters=of_words(options["parameters"]),
        dialect=options["dialect"],
        form="bundle" if options["bundle"] else "careplan",
    )
    if options["output_format"] != "text":
        from fhirpkg import fhirjson

        whole = options["output_format"] == "fhir"
        click.echo(fhirjson.dump(applied.result if whole else _as_json(applied, subject), indent=2))
    else:
        from fhirpkg.cli.reports.applied import told

        _check_shape(plan, applied)
        reference = subject if "/" in subject else f"Patient/{subject}"
        patient = repository.read(*reference.split("/", 1))
        click.echo("\n".join(told(applied, reference, patient, verbose=options["verbose"])))
    return ExitCode.DONE if applied else ExitCode.ISSUES


_OF_ONE = ("data", "server", "encounter", "practitioner", "organization", "bundle", "verbose")


def _to_population(plan: str, options: dict[str, Any], *, of_one: bool) -> ExitCode:
    """Apply to each patient of an export."""
    from fhirpkg import fhirjson
    from fhirpkg.applying.given import of_words
    from fhirpkg.bulk.population import applied
    from fhirpkg.cli.reports.population import Tally, told

    wrong = ["subject"] * of_one + [name for name in _OF_ONE if options[name]]
    if wrong or options["output_format"] == "fhir" or options["dialect"] != "complete":
        names = ", ".join(f"--{name}" for name in wrong) or "this --output-format or --dialect"
        raise click.UsageError(f"{names} cannot be used with --population")
    definition, content = _sources(plan, options)
    tally = Tally()
    for found in applied(
        _lines_of(options["population"]),
        definition,
        content,
        language=options["language"],
        parameters=of_words(options["parameters"]),
    ):
        tally.take(found)
        if options["output_format"] == "text":
            click.echo("\n".join(told(found)))
            continue
        made = _as_json(found.applied, found.subject) if found.applied else {}
        is_open = [each["id"] for each in found.open]
        line = {"subject": found.subject, **made, "open": is_open, "problem": found.problem}
        click.echo(fhirjson.dump(line))
    for each in tally.lines():
        click.echo(each, err=options["output_format"] != "text")
    return ExitCode.DONE if tally.is_whole else ExitCode.ISSUES


def _lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file, or of all files `.ndjson` below a folder."""
    from fhirpkg.errors import SourceError

    files = sorted(path.rglob("*.ndjson")) if path.is_dir() else [path]
    if not files:
        raise SourceError(str(path), "it holds no .ndjson file", "name the folder of a bulk export")
    for file in files:
        try:
            with file.open("rb") as lines:
                yield from lines
        except OSError as error:
            raise SourceError(str(file), error.strerror or str(error)) from error


def _check_shape(plan: str, applied: Applied) -> None:
    """Raise DefinitionError for a result that is not FHIR, which cannot be put into words."""
    from fhirpkg.applying.shapes import misshapen
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.errors import DefinitionError

    # the result holds the resources, and the list each action: neither is walked twice
    single = [{key: a[key] for key in a if key != "action"} for a in applied.actions]
    actions: Resource = {"resourceType": "RequestGroup", "action": single}
    if problem := misshapen([applied.result, actions], Definitions.core().types):
        raise DefinitionError(plan, f"the content is not FHIR: {problem}")


def _as_json(applied: Applied, subject: str) -> Resource:
    """The criteria with their states, the verdict on each action, and what else there is to say."""
    return {
        "subject": subject,
        "criteria": applied.criteria,
        "actions": [why._asdict() for why in applied.why],
        "messages": [issue for outcome in applied.outcomes for issue in outcome["issue"]],
    }


def _sources(plan: str, options: dict[str, Any]) -> tuple[Resource | str, Repository]:
    """The definition and where everything is read from: data first, then content."""
    from fhirpkg.cli.shared.content import layers_of
    from fhirpkg.errors import ConfigError, SourceError
    from fhirpkg.repository import Layers, open_repository

    layers: list[Repository] = []
    if options["data"]:
        layers.append(open_repository(options["data"]))
    if options["server"]:
        layers.append(_server(options))
    if not (layers or options["population"]):
        raise ConfigError("no patient data are given; name them with --data or --server")
    file = Path(plan) if plan.endswith(".json") and Path(plan).is_file() else None
    must_be_here = file is None and not options["server"]
    content = layers_of(
        file, options["content"], bundled=options["bundled"], must_be_here=must_be_here
    )
    definition = next(iter(content[0]), None) if file else plan
    if definition is None:
        raise SourceError(plan, "it holds no resource")
    return definition, Layers(*layers, *content)


def _server(options: dict[str, Any]) -> Repository:
    from fhirpkg.applying.remote import ServerRepository
    from fhirpkg.cli.shared.connection import connect, connection_settings
    from fhirpkg.definitions.definitions import Definitions

    client = connect(**connection_settings(options))
    return ServerRepository(client, Definitions.core())
