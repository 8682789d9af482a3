"""`fhirpkg fhirpath`: an expression on a file, a result a line."""

from __future__ import annotations

import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli import ExitCode
from fhirpkg.errors import ConfigError, FhirPathError, SourceError

if TYPE_CHECKING:
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.fhirpath import Environment
    from fhirpkg.issues import Resource


@click.command(short_help="Evaluate a FHIRPath expression on a resource.")
@click.argument("expression", metavar="EXPR")
@click.argument("file", metavar="FILE")
@click.option(
    "--type", "focus_type", metavar="TYPE", help="The type of FILE if it is not a resource."
)
@click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The format of the result.",
)
def command(
    expression: str, file: str, focus_type: str | None, output_format: str
) -> ExitCode | None:
    """Evaluate a FHIRPath expression on a resource in JSON or XML; `-` reads standard input.

    Each result is a line of standard output; the output of trace() goes to standard error. Exit
    code 2 when the expression or the file cannot be used.

    Example: fhirpkg fhirpath "name.where(use = 'official').given" patient.json
    """
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.fhirpath import compile_expression, static_errors

    definitions = Definitions.core()
    model = definitions.types
    if focus_type and not model.is_type(focus_type):
        raise ConfigError(f"--type {focus_type}: R4 has no type of that name")
    value = _read(file, definitions)
    known = focus_type or (value.get("resourceType") if isinstance(value, dict) else None)
    try:
        for error in static_errors(expression, model, known):
            raise error
        compiled = compile_expression(expression, model, known)
        results = compiled.evaluate(value, _environment(value, definitions))
    except FhirPathError as error:
        click.echo(_pointed(error), err=True)
        return ExitCode.UNUSABLE
    _show(results, output_format)
    return None


def _read(file: str, definitions: Definitions) -> Any:
    """The JSON of a file in JSON or XML; SourceError names the first thing wrong with it."""
    from fhirpkg import fhirjson, fhirxml

    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise SourceError(file, error.strerror or "cannot be read") from error
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        value, issues, _ = fhirxml.read(data, definitions.types)
    else:
        value, issues = fhirjson.read(data)
    if value is None:
        place = ":".join(str(part) for part in (issues[0].line, issues[0].column) if part)
        raise SourceError(f"{file}:{place}" if place else file, issues[0].text)
    return value


def _environment(value: Any, definitions: Definitions) -> Environment:
    """Surroundings as validation gives them, with profiles to conform to and a trace to see."""
    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.fhirpath import Environment
    from fhirpkg.validation.run import Run
    from fhirpkg.validation.validator import Validator

    def conforms_to(resource: Resource, canonical: str) -> bool | None:
        if definitions.structure(canonical) is None:
            return None
        return bool(Validator(definitions=definitions).validate(resource, [canonical]))

    if not isinstance(value, dict):
        return Environment(trace=_trace)
    run = Run(value, definitions, Terminology(definitions))
    with run.inside(value, ()):
        return replace(run.environment, conforms_to=conforms_to, trace=_trace)


def _trace(name: str, items: list[Any]) -> None:
    click.echo(f"{name}: {', '.join(_text(item) for item in items)}", err=True)


def _show(results: list[Any], output_format: str) -> None:
    from fhirpkg import fhirjson

    if output_format == "json":
        click.echo(fhirjson.dump(results, indent=2))
    else:
        for result in results:
            click.echo(_text(result))


def _text(result: Any) -> str:
    from fhirpkg import fhirjson

    if isinstance(result, (str, Decimal)):
        return str(result)
    return fhirjson.dump(result)


def _pointed(error: FhirPathError) -> str:
    """The problem, and the expression with a caret under the column."""
    if not error.column:
        return f"fhirpkg: {error.problem}\n  {error.expression}"
    before = error.expression[: error.column - 1]
    line = error.expression.splitlines()[before.count("\n")] if error.expression else ""
    caret = " " * (len(before) - before.rfind("\n") - 1) + "^"
    return f"fhirpkg: {error.problem} at column {error.column}\n  {line}\n  {caret}"
