"""`fhirpkg validate`: every input checked, every finding told, on one core or many."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.reports import FORMATS, Checked, render
from fhirpkg.errors import ConfigError
from fhirpkg.issues import Outcome, Severity, in_order
from fhirpkg.parsing_rules import (
    PARSE_BYTE_ORDER_MARK,
    PARSE_NO_RESOURCE,
)
from fhirpkg.validation.elements.rules import STRUCTURE_OTHER_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.cli.progress import Progress
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.packages.package import Package
    from fhirpkg.validation.corpus.ignoring import Ignoring
    from fhirpkg.validation.corpus.inputs import Input
    from fhirpkg.validation.corpus.targets import Targets
    from fhirpkg.validation.validator import Validator

_MOST_NAMED = 5
"""Files passed over that are named: those that could have held a resource."""
_TYPES = "http://hl7.org/fhir/StructureDefinition/"
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

    from fhirpkg.validation.corpus.ignoring import Ignoring, read_ignore_file

    ignore_file = options["ignore_file"]
    ignoring = read_ignore_file(Path(ignore_file)) if ignore_file else Ignoring()
    report = _Report(options["output_format"], ignoring)
    with _checking(paths, options) as found:
        for checked in found:
            report.take(checked)
    report.finish()
    return ExitCode.ISSUES if report.worst <= _FAILING[options["fail_on"]] else ExitCode.DONE


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

    def take(self, checked: Checked | None) -> None:
        """Print or keep the findings of one input; None is a file that was passed over."""
        if checked is None:
            self._skipped += 1
            return
        if checked.is_no_resource:
            self._no_resources.append(checked.file)
            return
        self._inputs += 1
        self._of_others += {STRUCTURE_OTHER_VERSION.id} == {
            issue.rule for issue in checked.outcome.issues
        }
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


@contextlib.contextmanager
def _checking(
    paths: tuple[str, ...], options: dict[str, Any]
) -> Iterator[Iterator[Checked | None]]:
    """What is found in each input, in order, as it is checked; the processes end with the block."""
    import gc

    from fhirpkg.cli.progress import Progress
    from fhirpkg.validation.corpus.inputs import inputs_of

    given = list(inputs_of(paths))
    with _mapping(options["jobs"]) as before:
        targets = _targets(given, before)
    needing = [each.file for each in given if each and each.is_package]
    _Work.validator = _validator(options, targets, needing)
    _Work.profiles = options["profiles"]
    _Work.defining = frozenset(each.file for each in targets.definitions.values())
    gc.freeze()  # the definitions stay: to look for cycles in them again and again takes a tenth
    gc.set_threshold(100_000)
    with _mapping(options["jobs"]) as run, Progress(len(given), "checked") as progress:
        yield _followed(run(_check, _expanded(given)), progress)


@contextlib.contextmanager
def _mapping(jobs: int) -> Iterator[Any]:
    """A `map` in order over so many processes, which share what was loaded before it was made."""
    import multiprocessing

    if jobs == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield map
        return
    with multiprocessing.get_context("fork").Pool(jobs, _end_with_parent) as pool:
        try:
            yield functools.partial(pool.imap, chunksize=8)
        except KeyboardInterrupt:
            # a pool that is interrupted may wait for its own locks for ever
            for worker in multiprocessing.active_children():
                worker.kill()
            click.echo("interrupted", err=True)
            os._exit(ExitCode.INTERRUPTED)


def _end_with_parent() -> None:
    """Leave Ctrl-C to the process that reports, and let its SIGTERM end this one in silence."""
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    """End this process when the one that made it is gone, however that came."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    assert parent is not None, "it runs in processes that a pool made"
    connection.wait([parent.sentinel])
    os._exit(ExitCode.INTERRUPTED)


def _expanded(given: list[Input | None]) -> Iterator[Input | None]:
    for each in given:
        if each is not None and each.is_stream:
            yield from each.lines()
        else:
            yield each


def _followed(checked: Iterable[Checked | None], progress: Progress) -> Iterator[Checked | None]:
    for done, each in enumerate(checked, 1):
        progress.show(done)
        if each is not None and each.outcome.issues:
            progress.clear()
        yield each


def _targets(given: list[Input | None], run: Any) -> Targets:
    """What the inputs hold for each other; of a single Bundle only its definitions count."""
    from fhirpkg.validation.corpus.targets import Targets, identify, targets_among

    files = [
        each for each in _expanded(given) if each and not (each.is_authored or each.is_package)
    ]
    if len(files) == 1 and b"Bundle" not in files[0].data():
        return Targets()
    targets = targets_among(zip(files, run(identify, files), strict=True))
    return targets if len(files) > 1 else targets.as_definitions()


class _Work:
    """What the processes share; set before they are made."""

    validator: Validator
    profiles: tuple[str, ...]
    defining: frozenset[str]


def _check(given: Input | None) -> Checked | None:
    """What is found in one input; None when it is passed over."""
    if given is None:
        return None
    if given.is_authored:
        from fhirpkg.authoring.folder import check_file

        assert given.path is not None, "authored files lie in folders"
        found = check_file(given.path.name, given.data(), given.file)
        return Checked(given.file, Outcome(in_order(found)))
    if given.is_package:
        from fhirpkg.packages.checking import check_package
        from fhirpkg.packages.package import read_package

        assert given.path is not None, "packages are files"
        issues = check_package(read_package(given.path), given.file)
        return Checked(given.file, Outcome(in_order(issues)))
    outcome = _Work.validator.validate(given.data(), _profiles_of(given), file=given.file)
    if not given.named and _is_no_resource(outcome):
        return Checked(given.file, Outcome(), is_no_resource=True)
    if given.first_line > 1:
        shift = given.first_line - 1
        moved = (dataclasses.replace(i, line=i.line + shift) for i in outcome.issues)
        outcome = Outcome(tuple(moved))
    return Checked(given.file, outcome)


def _profiles_of(given: Input) -> list[str]:
    """The profiles asked for; inputs that define something meet only profiles on definitions."""
    from fhirpkg.validation.corpus.targets import DEFINITIONS

    if given.file not in _Work.defining:
        return list(_Work.profiles)
    found = ((p, _Work.validator.definitions.find(p) or {}) for p in _Work.profiles)
    return [profile for profile, structure in found if structure.get("type") in DEFINITIONS]


def _is_no_resource(outcome: Outcome) -> bool:
    """Whether a file is no FHIR at all: JSON without a resource type, XML of another namespace.

    What has the name of a type means to be FHIR, whatever its namespace.
    """
    from fhirpkg.fhirxml.rules import XML_NAMESPACE

    issues = [issue for issue in outcome.issues if issue.rule != PARSE_BYTE_ORDER_MARK.id]
    if len(issues) != 1:
        return False
    [issue] = issues
    types = _Work.validator.definitions.types
    return issue.rule == PARSE_NO_RESOURCE.id or (
        issue.rule == XML_NAMESPACE.id
        and "." not in issue.expression
        and not types.is_resource(issue.expression)
    )


def _validator(options: dict[str, Any], targets: Targets, needing: list[str]) -> Validator:
    """The validator that the options ask for, and the packages that need others."""
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.validation.run import Settings
    from fhirpkg.validation.validator import Validator

    definitions = Definitions.core()
    for package in _packages(options["packages"], needing, offline=options["offline"]):
        definitions = definitions.with_package(package)
    unknown = [each for each in targets.definitions if _is_new(each, definitions)]
    if unknown:
        loaded = (targets.definition(each) for each in unknown)
        definitions = definitions.with_resources(each for each in loaded if each)
    for profile in options["profiles"]:
        if definitions.find(profile, "StructureDefinition") is None:
            raise ConfigError(
                f"the profile {profile} is not loaded; name its package with --package, "
                "or give its file among the inputs"
            )
    return Validator(
        definitions=definitions,
        settings=Settings(
            best_practice=Severity.WARNING if options["best_practice"] else None,
            portability=options["portability"],
            strict=options["strict"],
            by_letter=options["strict"],
        ),
        terminology=_terminology(definitions, options["tx"]),
        retrieve=targets.retrieve,
        bases=targets.bases,
        knows=targets.knows,
    )


def _is_new(canonical: str, definitions: Definitions) -> bool:
    """Whether a definition among the inputs counts; types of R4 and what is loaded stay."""
    url = canonical.partition("|")[0]
    if definitions.types.is_type(url.removeprefix(_TYPES)):
        return False
    return definitions.find(canonical) is None


def _terminology(definitions: Definitions, url: str | None) -> Terminology:
    """What the definitions say of codes, and behind them the server asked for, if any."""
    from fhirpkg.definitions.terminology.valuesets import Terminology

    if not url:
        return Terminology(definitions)
    from fhirpkg.client.client import FhirClient
    from fhirpkg.client.terminology import TerminologyServer

    return Terminology(definitions, TerminologyServer(FhirClient(url)))


def _packages(names: tuple[str, ...], needing: list[str], *, offline: bool) -> list[Package]:
    """The packages asked for, and from the cache what they and those among the inputs need."""
    if not names and not needing:
        return []
    from fhirpkg.packages.cache import PackageCache, resolve_package, with_dependencies

    cache = PackageCache()
    asked = [resolve_package(name, cache, offline=offline) for name in names]
    inputs = [resolve_package(name, cache, offline=offline) for name in needing]
    found, missing = with_dependencies([*asked, *inputs], cache)
    packages = [each for each in found if not any(each is given for given in inputs)]
    others = {package.id.name: package.id for package in packages}
    for each in missing:
        advice = f"what it defines is not checked; fhirpkg install {each} fetches it"
        if each.name in others:
            advice = f"{others[each.name]} serves in its place"
        click.echo(f"fhirpkg: {each} is not in the package cache; {advice}", err=True)
    return packages
