"""What the publishing verbs share: options of the content, its releases, and how a verb ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.shared.content import content_argument
from fhirpkg.cli.shared.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from fhirpkg.bundling.content import Content
    from fhirpkg.bundling.reading import Selection
    from fhirpkg.canonical import PackageId
    from fhirpkg.cli.publishing.output import Output
    from fhirpkg.client.client import FhirClient
    from fhirpkg.publishing.members import Release
    from fhirpkg.publishing.planfile import SavedPlan
    from fhirpkg.publishing.planning import Plan
    from fhirpkg.publishing.survey import Change

KINDS = ("drift", "foreign", "immutable")
"""The conflicts that a user may write over; a duplicate has to be settled by hand."""
_CONTENT_OPTIONS = (
    content_argument,
    click.option("--type", "types", multiple=True, metavar="TYPE",
                 help="Only resources of this type; may be repeated."),
    click.option("--exclude", multiple=True, metavar="PATTERN",
                 help="Leave out a type, Type/id, url or file (* matches anything); may "
                 "be repeated."),
    click.option("--examples", is_flag=True, help="Include the examples of a package."),
    click.option("--as", "identity", metavar="NAME#VERSION",
                 help="Name and version of the package, for content that states none."),
    click.option("--output-format", type=click.Choice(("text", "json")), default="text",
                 show_default=True, help="json: counts, and each resource with its action."),
)  # fmt: skip
_DEPENDENCIES = click.option(
    "--with-dependencies",
    is_flag=True,
    help="Include the packages that CONTENT depends on, each as a separate release, before it.",
)


_VERSIONS = click.option(
    "--versions",
    type=click.Choice(("single", "multiple")),
    help="single: a new version of a resource replaces the old one; multiple: both are kept, with "
    "the version in their ids. By default, as the package was published before.",
)


def versions_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --versions."""
    return _VERSIONS(command)


def content_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add CONTENT and the options that select from it."""
    for option in reversed(_CONTENT_OPTIONS):
        command = option(command)
    return command


def dependency_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --with-dependencies."""
    return _DEPENDENCIES(command)


def selection_of(options: dict[str, Any]) -> Selection:
    """The selection that the options describe; they are taken out of `options`."""
    from fhirpkg.bundling.reading import Selection
    from fhirpkg.canonical import PackageId

    types, exclude = tuple(options.pop("types")), tuple(options.pop("exclude"))
    examples, named = options.pop("examples"), options.pop("identity")
    sha256 = str(options.pop("sha256", None) or "").strip().lower()
    try:
        identity = PackageId.parse(named) if named else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--as") from error
    return Selection(types, exclude, examples=examples, identity=identity, sha256=sha256)


def releases_from(
    client: FhirClient, package: str | None, selection: Selection
) -> tuple[list[Release], list[str]]:
    """The releases on another server, or with --as the resources in none of them.

    With them, the reasons why incomplete releases are left out.
    """
    from fhirpkg.canonical import PackageId
    from fhirpkg.errors import ConfigError
    from fhirpkg.publishing.members import release_of
    from fhirpkg.publishing.moving import release_there, releases_there, unreleased

    selects = selection.types or selection.exclude or selection.examples
    if package is not None and selection.identity:
        raise ConfigError(
            "--as names resources that belong to no release; leave out CONTENT or --as"
        )
    if selection.identity:
        return [release_of(unreleased(client, selection))], []
    if selects or selection.sha256:
        raise ConfigError(
            "a release is copied whole; --type, --exclude, --examples and --sha256 do not apply"
        )
    if package is None:
        found, problems = releases_there(client)
        return [release_of(each) for each in found], problems
    try:
        wanted = PackageId.parse(package)
    except ValueError as error:
        raise ConfigError(f"{package}: {error}; name a package that was published there") from error
    return [release_of(release_there(client, wanted.name, wanted.version or ""))], []


def releases_of(
    source: str | None, selection: Selection, *, with_dependencies: bool = False
) -> list[Release]:
    """The release that a source holds; after those that it depends on, where that is asked for."""
    from fhirpkg.bundling.reading import read_content
    from fhirpkg.publishing.members import release_of

    content = read_content(source, selection)
    needed = _dependencies(content, selection, source) if with_dependencies else []
    return [release_of(each) for each in (*needed, content)]


def _dependencies(content: Content, selection: Selection, source: str | None) -> list[Content]:
    """What a package depends on, transitively, fetched if need be; the needed ones first.

    The members of a catalogue are those beside it.
    """
    from dataclasses import replace

    from fhirpkg.bundling.reading import content_of, read_members
    from fhirpkg.bundling.writing import manifest
    from fhirpkg.packages.cache import PackageCache, install_dependencies
    from fhirpkg.packages.package import Manifest

    others = replace(selection, identity=None, sha256="")
    members = read_members(source, others)
    here = {each.id.name for each in members}
    found: dict[PackageId, Content] = {}
    for each in (*members, content):
        text = manifest(each)
        elsewhere = {k: v for k, v in text["dependencies"].items() if k not in here}
        needed = Manifest.of({**text, "dependencies": elsewhere}, each.source)
        for package in install_dependencies(needed, PackageCache()):
            if package.id not in found:
                found[package.id] = content_of(package, others)
    return [*found.values(), *members]


def saved_plan(source: str | None) -> SavedPlan | None:
    """The plan in the file that is given as content, None when it is content."""
    from fhirpkg.publishing import planfile

    if source is None or not source.endswith(".json") or not Path(source).is_file():
        return None
    return planfile.read(Path(source)) if planfile.is_plan(Path(source)) else None


def make_plan_with_progress(
    release: Release,
    client: FhirClient,
    overwrite: Collection[Change] = (),
    versions: str | None = None,
) -> Plan:
    """A fresh plan; how far it has come is shown on a terminal."""
    from fhirpkg.publishing.bookkeeping.state import Versions
    from fhirpkg.publishing.planning import make_plan

    mode = Versions(versions) if versions else None
    with Progress(len(release.members), "compared") as progress:
        return make_plan(
            release, client, overwrite=overwrite, versions=mode, progress=progress.show
        )


def publish(plan: Plan, client: FhirClient, output: Output) -> ExitCode:
    """Carry out a plan, read everything back, and show how it ended."""
    from fhirpkg.publishing.proving.verify import read_back
    from fhirpkg.publishing.push import push

    with Progress(len(plan.items), "written") as progress:
        report = push(plan, client, progress=progress.show)
    code = output.report(report, plan, client)
    if code is not ExitCode.DONE:
        return code
    with Progress(len(plan.items), "read back") as progress:
        found = read_back(
            plan.release, client, report.places, written=report.writes, progress=progress.show
        )
    return output.verification(found)


def exit_code_of(work: Callable[[], ExitCode], output: Output) -> ExitCode:
    """How a verb ends: a conflict with 4, a server that stopped answering with 1.

    A server that cannot be used at all stays an error (2).
    """
    from fhirpkg.client.retry import TRANSIENT_STATUSES
    from fhirpkg.errors import ServerError
    from fhirpkg.publishing.bookkeeping.head import ConflictError

    try:
        code = work()
    except ConflictError as error:
        output.problem(str(error))
        code = ExitCode.CONFLICT
    except ServerError as error:
        if error.status not in TRANSIENT_STATUSES:
            raise
        output.problem(f"{error}; run it again to go on")
        code = ExitCode.ISSUES
    output.finish(code)
    return code


def worst(codes: list[ExitCode]) -> ExitCode:
    """The exit code of several releases: a conflict before anything else that went wrong."""
    return max(codes, default=ExitCode.DONE)
