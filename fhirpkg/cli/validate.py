"""`fhirpkg validate`: check every input and report every finding, on one core or many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.reports.formats import FORMATS
from fhirpkg.cli.shared.findings import LEVELS, Findings
from fhirpkg.cli.shared.options import corpus_options
from fhirpkg.cli.shared.progress import Progress
from fhirpkg.corpus.checking import check_all, open_corpus
from fhirpkg.errors import ConfigError, FhirpkgError, SourceError
from fhirpkg.issues import Severity
from fhirpkg.releases import release_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.corpus.checking import Checked
    from fhirpkg.issues import Issue

_FAILING = {"error": Severity.ERROR.rank, "warning": Severity.WARNING.rank, "never": -1}


def _paths(
    context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """The paths that are named, or those of the settings."""
    found = value or tuple(context.lookup_default("paths") or ())
    if not found:
        raise click.MissingParameter(
            "name files or folders to check, here or as `paths` in fhirpkg.toml",
            ctx=context,
            param=parameter,
        )
    return found


@click.command(short_help="Check resources, bundles and packages.")
@click.argument("paths", nargs=-1, required=False, metavar="PATH...", callback=_paths)
@click.option("--profile", "profiles", multiple=True, help="Check against this profile as well.")
@click.option(
    "--package",
    "packages",
    multiple=True,
    metavar="NAME#VERSION|FILE.tgz",
    help="Use the definitions of this package.",
)
@click.option(
    "--fhir-version",
    default="4.0.1",
    show_default=True,
    metavar="4.0.1|4.3.0|5.0.0",
    help="The version of FHIR, also as R4, R4B or R5.",
)
@click.option("--offline", is_flag=True, help="Take packages from the local cache only.")
@click.option("--install", is_flag=True, help="Fetch dependencies that are not in the cache.")
@click.option(
    "--tx",
    metavar="URL",
    help="Ask this terminology server about codes that cannot be checked locally.",
)
@click.option("--best-practice", is_flag=True, help="Warn where best practice is not followed.")
@click.option(
    "--strict",
    is_flag=True,
    help="R4 to the letter: without later corrections, and unknown extensions are errors.",
)
@click.option("--portability", is_flag=True, help="Report what known servers drop or cannot run.")
@click.option(
    "--ignore-file",
    metavar="FILE",
    help="Accept the findings listed in this TOML file and list them apart.",
)
@click.option(
    "--write-ignore",
    metavar="FILE",
    help="Write an ignore file of the findings shown; the reasons are left for you to fill in.",
)
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    help="The lowest severity shown; by default warnings on a terminal, else all.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print the findings without a summary.")
@click.option(
    "--fail-on",
    type=click.Choice(list(_FAILING)),
    default="error",
    show_default=True,
    help="The lowest severity that makes the exit code 1.",
)
@click.option(
    "--output-format",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="The format of the findings.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes."
)
@click.option(
    "--watch", is_flag=True, help="Check files again when they change, until interrupted."
)
def command(paths: tuple[str, ...], **options: Any) -> ExitCode:
    """Check FHIR resources: files, folders, Bundles, NDJSON, packages, or `-`.

    Resources are checked against R4, or against R4B or R5 with --fhir-version, once
    their definitions are in the cache: fhirpkg install hl7.fhir.r5.core#5.0.0.

    A package is a .tgz, the url of one, or NAME#VERSION, from the cache or the registry. Options
    and `paths` may be set in fhirpkg.toml, as [validate], or in pyproject.toml, as
    [tool.fhirpkg.validate], of the current folder.

    Exit code 0 when nothing at or above --fail-on was found, 1 when something was, 2 when an input
    cannot be opened. --level does not change that.

    Example: fhirpkg validate resources profiles
    """
    baseline = options["write_ignore"]
    if options["install"] and options["offline"]:
        raise click.UsageError("--install and --offline cannot be used together")
    if baseline and Path(baseline).exists():
        raise ConfigError(
            f"{baseline}: this file exists, and its reasons would be lost; name a new one"
        )
    if options["watch"]:
        if baseline:
            raise click.UsageError("--write-ignore and --watch cannot be used together")
        from fhirpkg.cli.shared.watching import watch

        watch(paths, lambda changed: _check(paths, options, changed))
    findings = _check(paths, options)
    if baseline:
        _write_baseline(Path(baseline), findings.shown)
    return ExitCode.ISSUES if findings.worst <= _FAILING[options["fail_on"]] else ExitCode.DONE


def _check(
    paths: tuple[str, ...], options: dict[str, Any], changed: frozenset[Path] | None = None
) -> Findings:
    """Check the inputs, or those that changed, and print what was found."""
    from fhirpkg.corpus.ignoring import Ignoring, read_ignore_file

    ignore_file = options["ignore_file"]
    ignoring = read_ignore_file(Path(ignore_file)) if ignore_file else Ignoring()
    findings = Findings(
        options["output_format"],
        ignoring,
        options["level"],
        release=release_of(options["fhir_version"]),
        collecting=bool(options["write_ignore"]),
    )
    with Progress(0, "checked") as progress:
        try:
            for done, checked in enumerate(_checked(paths, options, progress, changed), 1):
                progress.show(done)
                findings.take(checked)
        except (KeyboardInterrupt, FhirpkgError):
            progress.clear()
            findings.print_so_far()
            raise
    findings.finish(quiet=options["quiet"], is_part=changed is not None)
    return findings


def _write_baseline(file: Path, issues: list[Issue]) -> None:
    from fhirpkg.corpus.ignoring import baseline

    try:
        file.write_text(baseline(issues), "utf-8")
    except OSError as error:
        raise SourceError(str(file), error.strerror or str(error)) from error
    click.echo(f"{file}: fill in the reasons, then use it as --ignore-file", err=True)


def _checked(
    paths: tuple[str, ...],
    options: dict[str, Any],
    progress: Progress,
    changed: frozenset[Path] | None,
) -> Iterator[Checked]:
    """What `validate_all` finds with the options of the command."""
    with_options = corpus_options(options, lambda text: click.echo(f"fhirpkg: {text}", err=True))
    return check_all(open_corpus(paths, with_options), changed, progress.expect)
