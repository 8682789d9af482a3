"""`fhirpkg validate`: every input checked, every finding told, on one core or many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.reports import FORMATS, render
from fhirpkg.cli.shared.progress import Progress
from fhirpkg.corpus.checking import Checked, validate_all
from fhirpkg.errors import ConfigError
from fhirpkg.issues import Outcome, Severity
from fhirpkg.packages.rules import PACKAGE_OTHER_VERSION
from fhirpkg.validation.elements.rules import STRUCTURE_OTHER_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.corpus.ignoring import Ignoring

_OTHERS = {PACKAGE_OTHER_VERSION.id, STRUCTURE_OTHER_VERSION.id}
_MOST_NAMED = 5
"""Files passed over that are named: those that could have held a resource."""
_FAILING = {"error": Severity.ERROR.rank, "warning": Severity.WARNING.rank, "never": -1}


@click.command(short_help="Check resources, bundles and packages.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--profile", "profiles", multiple=True, help="Check against this profile as well.")
@click.option(
    "--package",
    "packages",
    multiple=True,
    metavar="NAME#VERSION|FILE.tgz",
    help="Use the definitions of this package.",
)
@click.option("--offline", is_flag=True, help="Take packages from the local cache only.")
@click.option("--tx", metavar="URL", help="Ask this terminology server for what is not known here.")
@click.option("--best-practice", is_flag=True, help="Warn where best practice is not followed.")
@click.option("--strict", is_flag=True, help="Keep to the letter, also where R4 does not.")
@click.option("--portability", is_flag=True, help="Tell what known servers drop or cannot run.")
@click.option("--ignore-file", metavar="FILE", help="Set apart the findings listed in this TOML.")
@click.option("--fail-on", type=click.Choice(list(_FAILING)), default="error", show_default=True)
@click.option("--output-format", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes."
)
def command(paths: tuple[str, ...], **options: Any) -> ExitCode:
    """Check FHIR R4 resources: files, folders, Bundles, NDJSON, packages (.tgz), or `-`.

    Exit code 0 when nothing at or above --fail-on was found, 1 when something was, 2 when an input
    cannot be opened.

    Example: fhirpkg validate resources profiles
    """
    from pathlib import Path

    from fhirpkg.corpus.ignoring import Ignoring, read_ignore_file

    ignore_file = options["ignore_file"]
    ignoring = read_ignore_file(Path(ignore_file)) if ignore_file else Ignoring()
    report = _Report(options["output_format"], ignoring)
    with Progress(0, "checked") as progress:
        for done, checked in enumerate(_checked(paths, options, progress), 1):
            progress.show(done)
            report.take(checked, progress)
    report.finish()
    return ExitCode.ISSUES if report.worst <= _FAILING[options["fail_on"]] else ExitCode.DONE


def _checked(
    paths: tuple[str, ...], options: dict[str, Any], progress: Progress
) -> Iterator[Checked]:
    """What `validate_all` finds with the options of the command."""
    from fhirpkg.validation.run import Settings

    settings = Settings(
        best_practice=Severity.WARNING if options["best_practice"] else None,
        portability=options["portability"],
        strict=options["strict"],
        by_letter=options["strict"],
    )
    return validate_all(
        paths,
        profiles=options["profiles"],
        packages=options["packages"],
        settings=settings,
        tx=options["tx"] or "",
        offline=options["offline"],
        jobs=options["jobs"],
        started=progress.expect,
        warn=lambda text: click.echo(f"fhirpkg: {text}", err=True),
    )


class _Report:
    """Takes what was checked, input by input: text goes out at once, other formats at the end."""

    def __init__(self, output_format: str, ignoring: Ignoring) -> None:
        self._format = output_format
        self._ignoring = ignoring
        self._kept: list[Checked] = []
        self._counts = dict.fromkeys(Severity, 0)
        self._inputs = self._ignored = self._skipped = self._of_others = 0
        self._no_resources: list[str] = []
        self.worst = len(Severity)

    def take(self, checked: Checked, progress: Progress) -> None:
        """Print or keep the findings of one input, or count it as skipped."""
        if checked.is_skipped:
            self._skipped += 1
            return
        if checked.is_no_resource:
            self._no_resources.append(checked.file)
            return
        if checked.outcome.issues:
            progress.clear()
        self._inputs += 1
        self._of_others += any(
            issue.rule in _OTHERS and not issue.expression for issue in checked.outcome.issues
        )
        self._add(Checked(checked.file, self._ignoring.apply(checked.outcome)))

    def finish(self) -> None:
        """Print what was kept and, on standard error, the summary."""
        if not self._inputs:
            raise ConfigError("nothing to check: no FHIR resource is in what was given")
        unused = self._ignoring.unused()
        if unused.issues:
            self._add(Checked(unused.issues[0].file, unused))
        if self._format != "text":
            click.echo(render(self._format, _joined(self._kept)), nl=False)
        if self._inputs == self._of_others:
            raise ConfigError(
                "all of this is of another version of FHIR; R4 (4.0.1) is checked here"
            )
        click.echo(self._summary(), err=True)

    def _add(self, checked: Checked) -> None:
        outcome = checked.outcome
        for issue in outcome.issues:
            self._counts[issue.severity] += 1
            self.worst = min(self.worst, issue.severity.rank)
        self._ignored += len(outcome.ignored)
        if self._format != "text":
            self._kept.append(checked)
        elif outcome.issues:
            click.echo(render("text", [checked]), nl=False)

    def _summary(self) -> str:
        counts = dict(self._counts)
        counts[Severity.ERROR] += counts.pop(Severity.FATAL)
        found = ", ".join(_number(n, str(severity)) for severity, n in counts.items() if n)
        parts = [f"{_number(self._inputs, 'input')} checked", found or "no issues"]
        if self._ignored:
            parts.append(f"{self._ignored} ignored")
        skipped = self._skipped + len(self._no_resources)
        if skipped:
            names = ", ".join(self._no_resources[:_MOST_NAMED])
            more = f" ({names}{', ...' if len(self._no_resources) > _MOST_NAMED else ''})"
            named = more if names else ""
            parts.append(f"{_number(skipped, 'file')} passed over: no FHIR resource{named}")
        return "; ".join(parts)


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 or word == "information" else f"{count} {word}s"


def _joined(checked: list[Checked]) -> list[Checked]:
    """The lines of one NDJSON file as one input, for reports that count files."""
    files: dict[str, Outcome] = {}
    for each in checked:
        known = files.get(each.file, Outcome())
        files[each.file] = Outcome(
            known.issues + each.outcome.issues, known.ignored + each.outcome.ignored
        )
    return [Checked(file, outcome) for file, outcome in files.items()]
