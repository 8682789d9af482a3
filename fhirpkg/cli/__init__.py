"""The command line: one file a verb, each imported only when it is called."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from enum import IntEnum

import click

VERBS: dict[str, tuple[str, str]] = {
    "apply": ("apply", "Apply a PlanDefinition or ActivityDefinition to a patient."),
    "build": ("authoring.build", "Make FHIR resources from authored procedures."),
    "codes": ("authoring.codes", "Look codes up, and check those of the procedures."),
    "coverage": (
        "authoring.coverage",
        "Show which element holds each fact of the source.",
    ),
    "draft": ("authoring.draft", "Draft a procedure.yaml from a monograph."),
    "explain": ("explain", "Explain a rule, or print the check that runs for a type."),
    "fhirpath": ("fhirpath", "Evaluate a FHIRPath expression on a resource."),
    "graph": ("graph", "Draw the course of a PlanDefinition: a picture, or Mermaid text."),
    "install": ("publishing.install", "Put FHIR packages into the local package cache."),
    "leaflets": ("authoring.leaflets", "Make PDFs of the documents for patients."),
    "lsp": ("lsp", "Run the language server for editors."),
    "new": ("authoring.new", "Start a procedure: a folder that builds as it is."),
    "package": (
        "authoring.package",
        "Make the NPM package, Bundles, NDJSON and XML of content.",
    ),
    "plan": ("publishing.plan", "Show what a push would change on a server, without changing it."),
    "prune": ("publishing.prune", "Retire or delete what a package left behind on a server."),
    "push": ("publishing.push", "Publish content to a FHIR server and read it back."),
    "review": ("authoring.review", "Make a review sheet, and read the verdicts back."),
    "rollback": (
        "publishing.rollback",
        "Bring back the previous version of a package.",
    ),
    "schema": ("authoring.schema", "Print the JSON Schema of procedure.yaml for editors."),
    "serve": ("serve", "Run the embedded FHIR server."),
    "sheet": ("authoring.sheet", "Make a build sheet of content for teams that configure an EHR."),
    "site": ("authoring.site", "Make pages of content that people can look at, print and search."),
    "validate": ("validate", "Check resources, bundles and packages."),
    "verify": ("publishing.verify", "Prove that a server holds the content as it was published."),
}
"""Each verb: the module below this one whose `command` it is, and its line in the help."""

WITH_SETTINGS = ("validate",)
"""The verbs with settings in a file; none that talk to a server of the user's, whose file may come
from somebody else."""


class ExitCode(IntEnum):
    """The exit code of the process; the same for every verb."""

    DONE = 0
    """Done, or nothing to do."""
    ISSUES = 1
    """Issues at error, refused, incomplete, changes pending, a difference, not evaluated."""
    UNUSABLE = 2
    """Wrong use, or an input, file or server that cannot be used."""
    BUG = 3
    """A bug in fhirpkg."""
    CONFLICT = 4
    """Drift, foreign, duplicate or leased content on a server."""
    INTERRUPTED = 130
    """Ctrl-C or SIGTERM."""


class _LazyGroup(click.Group):
    """A group that knows its verbs by name and imports one only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of the verbs, without importing their modules."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a verb, whose module is imported now; None for another name."""
        if cmd_name not in VERBS:
            return None
        module, _ = VERBS[cmd_name]
        command = importlib.import_module(f"fhirpkg.cli.{module}").command
        assert isinstance(command, click.Command), f"{module} has no command"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown verb and suggest the one that was probably meant."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from fhirpkg.rules import nearest

            ctx.fail(f"there is no verb '{args[0]}'{nearest(args[0], list(VERBS))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs in the help, without importing their modules."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, words) for verb, (_, words) in sorted(VERBS.items())])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FHIRPKG"},
)
@click.version_option(package_name="fhirpkg", message="fhirpkg %(version)s")
def cli() -> None:
    """Clinical procedures as FHIR R4 content: write, build, validate, publish, apply.

    Exit codes: 0 done or nothing to do; 1 issues, refused, incomplete or different; 2 wrong usage,
    an input or server that cannot be used; 3 a bug in fhirpkg; 4 a conflict on the server; 130
    interrupted.
    """
    context = click.get_current_context()
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        context.color = False
    if context.invoked_subcommand in WITH_SETTINGS:
        from pathlib import Path

        from fhirpkg.cli.shared.settings import settings_in

        context.default_map = settings_in(Path(), context, WITH_SETTINGS)


def main() -> None:
    """Run the command line and end the process with a documented exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _open_closed_streams()
    code = _run(sys.argv[1:])
    if code == ExitCode.INTERRUPTED:
        sys.stdout.flush()
        os._exit(code)  # at an ordinary end Python waits for processes that may wait for each other
    sys.exit(code)


def _open_closed_streams() -> None:
    """Python has None for a standard stream that the caller closed (`>&-`); let it lead nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - for good


def _run(arguments: list[str]) -> int:
    from fhirpkg.errors import FhirpkgError

    result = ExitCode.ISSUES  # until the verb has come to its end
    try:
        result = cli.main(arguments, prog_name="fhirpkg", standalone_mode=False)
        if not sys.stdout.closed:  # as the server of an editor leaves it
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return ExitCode.UNUSABLE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output went away (`| head`); how the work ended stays true.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except FhirpkgError as error:
        click.echo(f"fhirpkg: {error}", err=True)
        return ExitCode.UNUSABLE
    except OSError as error:
        where = error.filename or "reading or writing failed"
        click.echo(f"fhirpkg: {where}: {error.strerror or error}", err=True)
        return ExitCode.UNUSABLE
    except Exception:  # noqa: BLE001 - the last line of defence, reported as a bug
        return _report_bug()
    return int(result or ExitCode.DONE)


def _report_bug() -> int:
    import traceback

    traceback.print_exc()
    click.echo("fhirpkg: this is a bug in fhirpkg; please report it with the lines above", err=True)
    return ExitCode.BUG
