"""`fhirpkg push`: publish content to a FHIR server and read it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli.publishing.shared import KINDS, content_options, dependency_option, versions_option
from fhirpkg.cli.shared.connection import connect, reading_client, server_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.bundling.reading import Selection
    from fhirpkg.cli import ExitCode
    from fhirpkg.cli.publishing.output import Output
    from fhirpkg.publishing.members import Release
    from fhirpkg.publishing.planfile import SavedPlan


@click.command("push")
@content_options
@dependency_option
@versions_option
@server_options
@click.option(
    "--sha256",
    metavar="HEX",
    help="Push only what has this SHA-256: a file, or the archive of a name or url.",
)
@click.option(
    "--from-server",
    metavar="URL",
    help="Take the content from this FHIR server: the release CONTENT, else all that were "
    "published there; with --as, the conformance resources (or --type) that no release holds.",
)
@click.option("--from-token", metavar="SECRET", help="Bearer token for --from-server.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
@click.option(
    "--overwrite",
    type=click.Choice(KINDS),
    multiple=True,
    help="Overwrite resources with this kind of conflict (see `plan`); may be repeated.",
)
def command(
    content: str | None,
    *,
    dry_run: bool,
    overwrite: tuple[str, ...],
    with_dependencies: bool,
    output_format: str,
    versions: str | None,
    from_server: str | None,
    from_token: str | None,
    **options: Any,
) -> ExitCode:
    """Publish CONTENT to a FHIR server, read it back and search for it as a consumer would.

    CONTENT is what `plan` takes, or a plan file that `plan --out` wrote; with --from-server, the
    name of a package that was published there. A second push of the same content writes nothing.

    Example: fhirpkg push resources --server http://127.0.0.1:8080/fhir
    """
    from fhirpkg.cli import ExitCode
    from fhirpkg.cli.publishing.output import Output
    from fhirpkg.cli.publishing.shared import (
        exit_code_of,
        make_plan_with_progress,
        publish,
        saved_plan,
        selection_of,
        worst,
    )
    from fhirpkg.publishing import planfile
    from fhirpkg.publishing.survey import Change

    selection = selection_of(options)
    saved = None if from_server else saved_plan(content)
    if from_token and not from_server:
        raise click.UsageError("--from-token needs --from-server")
    problems: list[str] = []
    if from_server:
        releases, problems = _from_server(
            from_server, from_token, content, selection, with_dependencies
        )
    else:
        releases = _from_content(content, selection, saved, with_dependencies)
    client = connect(**options)
    versions = saved.versions if saved else versions
    kinds = saved.overwrite if saved else tuple(Change(kind) for kind in overwrite)
    output = Output("push", output_format)

    def push(release: Release) -> ExitCode:
        plan = make_plan_with_progress(release, client, kinds, versions)
        if saved:
            planfile.check(saved, plan, client.base_url)
        return output.plan(plan, client) if dry_run else publish(plan, client, output)

    def work() -> ExitCode:
        for problem in problems:
            output.problem(problem)
        codes = [ExitCode.ISSUES] * len(problems)
        # the releases of a server are independent
        is_ordered = not dry_run and not from_server
        return worst([*codes, *_push_in_turn(releases, push, output, is_ordered=is_ordered)])

    return exit_code_of(work, output)


def _push_in_turn(
    releases: list[Release],
    push: Callable[[Release], ExitCode],
    output: Output,
    *,
    is_ordered: bool,
) -> list[ExitCode]:
    """Push releases; if they depend on those before, an incomplete one stops the others."""
    from fhirpkg.cli import ExitCode

    codes: list[ExitCode] = []
    for number, release in enumerate(releases, 1):
        codes.append(push(release))
        if codes[-1] is not ExitCode.DONE and is_ordered:
            if left := [f"{one.name}#{one.version}" for one in releases[number:]]:
                before = "the push before is incomplete"
                output.problem(f"not pushed, because {before}: {', '.join(left)}")
            break
    return codes


def _from_server(
    url: str, token: str | None, package: str | None, selection: Selection, with_dependencies: bool
) -> tuple[list[Release], list[str]]:
    """What is taken from another server, and why some of it is not."""
    from fhirpkg.cli.publishing.shared import releases_from

    if with_dependencies:
        raise click.UsageError("--from-server cannot be used with --with-dependencies")
    return releases_from(reading_client(url, token), package, selection)


def _from_content(
    content: str | None, selection: Selection, saved: SavedPlan | None, with_dependencies: bool
) -> list[Release]:
    """The releases that CONTENT holds, or that a saved plan was made of."""
    from fhirpkg.cli.publishing.shared import releases_of
    from fhirpkg.errors import ConfigError

    if saved and selection.sha256:
        raise ConfigError("a plan file already fixes its content by digest; leave out --sha256")
    source, selection = (saved.source, saved.selection) if saved else (content, selection)
    return releases_of(source, selection, with_dependencies=with_dependencies)
