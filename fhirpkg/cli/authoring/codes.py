"""`fhirpkg codes`: look codes up, hold those of procedures against terminologies, name these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.shared.content import folder_argument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.authoring.source import Source
    from fhirpkg.authoring.terms.sources import Known, Terms
    from fhirpkg.client.client import FhirClient


_Function = TypeVar("_Function", bound="Callable[..., object]")


@click.group("codes")
def command() -> None:
    """Look codes up, and check those of the procedures against their terminologies.

    Offline, it knows the displays of FHIR R4, SNOMED's Global Patient Set (from an installed
    hl7.terminology.r4, otherwise of September 2020) and, with fhirpkg[codes], ICD-10-CM.

    Example: fhirpkg codes check resources
    """


def terms_options(function: _Function) -> _Function:
    """Add --package, --codes and --tx: what knows codes besides what is installed."""
    options = (
        click.option(
            "--package",
            "packages",
            multiple=True,
            metavar="NAME#VERSION|FILE.tgz",
            help="Also use the codes of this package.",
        ),
        click.option(
            "--codes",
            "files",
            multiple=True,
            metavar="[SYSTEM=]FILE",
            help="Also use the codes in this file: code and display, separated by a tab or comma.",
        ),
        click.option("--tx", metavar="URL", help="Also ask this terminology server."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _sources_options(function: _Function) -> _Function:
    option = click.option(
        "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True
    )
    return terms_options(option(function))


@command.command("search")
@click.argument("words")
@click.option(
    "--for",
    "use",
    type=click.Choice(
        ["diagnosis", "step", "person", "site", "place", "medicine", "device", "test"]
    ),
    help="Only codes for this use.",
)
@click.option("--system", help="Only codes of this system: SNOMED, ICD-10-CM, LOINC, …")
@_sources_options
def search(
    words: str,
    use: str | None,
    system: str | None,
    packages: tuple[str, ...],
    files: tuple[str, ...],
    tx: str | None,
    output_format: str,
) -> ExitCode:
    """Suggest codes whose display resembles WORDS, the closest first. Nothing is written.

    Example: fhirpkg codes search "rectal bleeding" --for diagnosis
    """
    from fhirpkg.authoring.terms.checks import fits, kinds_of
    from fhirpkg.authoring.terms.sources import Sources
    from fhirpkg.definitions.terminology.grammars import SNOMED_CT
    from fhirpkg.definitions.terminology.systems import SYSTEMS

    urls = [SYSTEMS[system].url if system in SYSTEMS else system] if system else []
    sources = Sources(tuple(terms_that_know(urls or None, packages, files)))
    found, has_answered = sources.search(words, systems=urls), True
    if tx:
        offered, has_answered = _from_server(tx, (urls or [SNOMED_CT])[0], words)
        here = {(known.system, known.code) for _, known in offered}
        found = [*offered, *(one for one in found if (one[1].system, one[1].code) not in here)]
        found.sort(key=lambda one: -one[0])
    wanted = set(fits(use)) if use else set()
    fitting = [
        (score, known)
        for score, known in found
        if not wanted or wanted & set(kinds_of(known.system, known.display))
    ]
    _print_found(fitting[:20], output_format)
    if not has_answered:
        return ExitCode.UNUSABLE
    return ExitCode.DONE if fitting else ExitCode.ISSUES


def _print_found(found: list[tuple[float, Known]], output_format: str) -> None:
    from fhirpkg.definitions.terminology.systems import NAMES

    rows = [
        {"score": round(score, 2), "system": NAMES.get(known.system, known.system),
         "code": known.code, "display": known.display, "source": known.source}
        for score, known in found
    ]  # fmt: skip
    if output_format == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        code = f"{row['system']} {row['code']}"
        click.echo(f"{row['score']:.2f}  {code:27} {row['display']}  ({row['source']})")
    if not rows:
        click.echo("no code in the loaded code systems is like these words", err=True)


@command.command("check")
@folder_argument
@_sources_options
def check(
    resources: Path,
    packages: tuple[str, ...],
    files: tuple[str, ...],
    tx: str | None,
    output_format: str,
) -> ExitCode:
    """Check the codes of the procedures in RESOURCES against the code systems available.

    The results are kept in codes.lock beside package.yaml, so that builds need no network. It
    reports codes that are impossible, unknown, inactive, unverified, or of the wrong kind for their
    place, and codes whose display has no word in common with their name.

    Example: fhirpkg codes check resources --package hl7.terminology.r4#7.0.1
    """
    from fhirpkg.authoring.checking.concepts import check_codes
    from fhirpkg.authoring.folder import package_folder, package_of
    from fhirpkg.authoring.terms import lock
    from fhirpkg.authoring.terms.checks import check_terms, uses
    from fhirpkg.authoring.terms.sources import Sources
    from fhirpkg.authoring.writing import replace
    from fhirpkg.cli.reports.formats import render
    from fhirpkg.corpus.checking import Checked
    from fhirpkg.issues import Outcome, Severity, in_order
    from fhirpkg.packages.freshness import LOCK

    read = list(_procedures(resources))
    package = package_of(resources)
    language = package.language if package else "en"
    codes = {use.coding[:2] for source in read for use in uses(source.data)}
    found = list(terms_that_know({system for system, _ in codes}, packages, files))
    has_answered = True
    if tx:
        known_here = Sources(tuple(found))
        missing = [key for key in sorted(codes) if not _names(known_here.find(*key), language)]
        answers, has_answered = asked(tx, missing, language)
        found.append(answers)
    home = package_folder(resources)
    kept = _kept(home, found)
    found.append(kept)
    known: list[Known] = []
    checked = []
    for source in read:
        source.issues.clear()
        check_codes(source)
        known += check_terms(source, Sources(tuple(found)), language)
        checked.append(Checked(source.file, Outcome(in_order(source.issues))))
    keys = {(each.system, each.code) for each in known}
    if home != resources:  # the other procedures of the package keep theirs
        known += (each for key, each in kept.codes.items() if key not in keys)
    replace(home / LOCK, lock.write(known, language).encode())
    click.echo(render(output_format, checked), nl=False)
    click.echo(f"{home / LOCK}: {len(keys)} of {len(codes)} codes verified", err=True)
    told = [issue for each in checked for issue in each.outcome.issues]
    is_wrong = any(issue.severity.rank <= Severity.WARNING.rank for issue in told)
    if is_wrong:
        return ExitCode.ISSUES
    return ExitCode.DONE if has_answered else ExitCode.UNUSABLE


def _names(known: Known | None, language: str) -> bool:
    """Whether a code is known, in another language than English with a name in that."""
    from fhirpkg.languages.choosing import primary

    return known is not None and (primary(language) == "en" or bool(known.names(language)))


def _kept(resources: Path, found: list[Terms]) -> Terms:
    """What codes.lock knows already, but for codes that a source denies now."""
    from fhirpkg.authoring.terms import lock
    from fhirpkg.authoring.terms.sources import Sources, Terms

    kept, sources = lock.read(resources) or Terms(""), Sources(tuple(found))
    codes = {key: known for key, known in kept.codes.items() if not sources.denied(*key)}
    return Terms(kept.name, codes)


def _procedures(resources: Path) -> Iterator[Source]:
    """The procedures of a folder, as far as their YAML can be read."""
    from fhirpkg.authoring.folder import read_source
    from fhirpkg.errors import SourceError
    from fhirpkg.packages.freshness import PROCEDURE

    files = sorted([*resources.glob(PROCEDURE), *resources.glob(f"*/{PROCEDURE}")])
    if not resources.is_dir():
        raise SourceError(str(resources), "there is no such folder")
    if not files:
        is_deeper = any(resources.glob(f"*/*/{PROCEDURE}"))
        advice = "name one of the packages in it" if is_deeper else "write one"
        raise SourceError(str(resources), f"no folder in it holds a {PROCEDURE}", advice)
    for file in files:
        source = read_source(file)
        if not isinstance(source.data, dict):
            raise SourceError(str(file), "it cannot be read", "run 'fhirpkg validate' on it")
        yield source


@command.command("sources")
@_sources_options
def sources(
    packages: tuple[str, ...], files: tuple[str, ...], tx: str | None, output_format: str
) -> None:
    """List the sources of codes, with their systems, numbers of codes and licences.

    Example: fhirpkg codes sources
    """
    from collections import Counter

    from fhirpkg.definitions.terminology.systems import NAMES, SYSTEMS

    rows: list[dict[str, str | int]] = []
    for terms in terms_that_know(None, packages, files):
        counts = Counter(NAMES.get(system, system) for system, _ in terms.codes)
        rows += (
            {"source": terms.name, "system": system, "codes": count, "licence": terms.licence}
            for system, count in counts.most_common()
            if system in SYSTEMS or count > 500
        )
    if tx:
        rows.append({"source": tx, "system": "what it has", "codes": 0, "licence": ""})
    if output_format == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        line = f"{row['source']:28}{row['system']:40}{row['codes']:8}  {row['licence']}"
        click.echo(line.rstrip())


def terms_that_know(
    systems: Iterable[str] | None, packages: tuple[str, ...], files: tuple[str, ...]
) -> Iterator[Terms]:
    """What knows codes: what was named first, then what is available."""
    from fhirpkg.authoring.terms.sources import available, of_file, of_package
    from fhirpkg.packages.cache import resolve_package

    for name in files:
        system, equals, file = name.partition("=")
        yield of_file(Path(file if equals else name), system if equals else "")
    for name in packages:
        yield of_package(resolve_package(name))
    yield from available(systems)


def asked(url: str, codes: list[tuple[str, str]], language: str = "en") -> tuple[Terms, bool]:
    """What a server says of codes, with their names in a language, and whether it answered.

    If it did not, it is not asked on.
    """
    from fhirpkg.authoring.terms.sources import Terms
    from fhirpkg.client.looking_up import look_up
    from fhirpkg.errors import ServerError

    terms, client = Terms(url), _client(url)
    for system, code in codes:
        try:
            answer = look_up(client, system, code, language)
        except ServerError as error:
            click.echo(
                f"fhirpkg: {error}; the codes that it should check remain unverified", err=True
            )
            return terms, False
        if answer.exists:
            names = answer.designations
            terms.add(system, code, answer.display, answer.is_active, answer.version, names)
        elif answer.exists is False:
            terms.absent.add((system, code))
    return terms, True


def _from_server(url: str, system: str, words: str) -> tuple[list[tuple[float, Known]], bool]:
    """What a server offers for some words, and whether it answered; what is known here stays."""
    from fhirpkg.authoring.terms.sources import Known
    from fhirpkg.authoring.terms.words import likeness
    from fhirpkg.client.looking_up import search as ask
    from fhirpkg.errors import ServerError

    try:
        answer = list(ask(_client(url), system, words))
    except ServerError as error:
        click.echo(f"fhirpkg: {error}; only what is known here was searched", err=True)
        return [], False
    return [
        (likeness(words, display), Known(system, code, display, None, url))
        for code, display in answer
    ], True


def _client(url: str) -> FhirClient:
    """A client for a server that people wait for: it is not patient."""
    from fhirpkg.client.client import FhirClient
    from fhirpkg.client.retry import RetryPolicy

    return FhirClient(url, retry=RetryPolicy(patience=5), timeout=(5, 30))
