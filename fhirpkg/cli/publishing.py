"""What the publishing verbs share: from options to a plan, and results in words."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from fhirpkg.client.client import FhirClient
    from fhirpkg.publishing.members import Release
    from fhirpkg.publishing.planfile import SavedPlan
    from fhirpkg.publishing.planning import Plan
    from fhirpkg.publishing.push import Report
    from fhirpkg.publishing.survey import Change
    from fhirpkg.publishing.verify import Verification

KINDS = ("drift", "foreign", "immutable")
"""The conflicts that a user may write over; a duplicate has to be settled by hand."""
_SHOWN = 30


@dataclass
class End:
    """How a verb ends."""

    code: ExitCode = ExitCode.DONE


@contextlib.contextmanager
def ending() -> Iterator[End]:
    """Turn a conflict into exit code 4, and a server that stopped answering into 1.

    A server that cannot be used at all stays an error (2).
    """
    from fhirpkg.client.retry import TRANSIENT_STATUSES
    from fhirpkg.errors import ServerError
    from fhirpkg.publishing.head import ConflictError

    end = End()
    try:
        yield end
    except ConflictError as error:
        click.echo(f"fhirpkg: {error}", err=True)
        end.code = ExitCode.CONFLICT
    except ServerError as error:
        if error.status not in TRANSIENT_STATUSES:
            raise
        click.echo(f"fhirpkg: {error}; run it again to go on", err=True)
        end.code = ExitCode.ISSUES


def release_at(content: Path | None) -> Release:
    """The package of a folder, an archive, or the content at hand."""
    from fhirpkg.bundling import read_content
    from fhirpkg.publishing.members import release_of

    return release_of(read_content(content))


def saved_plan(content: Path | None) -> SavedPlan | None:
    """The plan that a path given as content holds, when it is a plan file."""
    from fhirpkg.publishing import planfile

    if content is None or content.suffix != ".json" or not content.is_file():
        return None
    return planfile.read(content)


def make_plan_with_progress(
    release: Release, client: FhirClient, overwrite: Collection[Change]
) -> Plan:
    """A fresh plan, with a progress bar."""
    from fhirpkg.publishing.planning import make_plan

    with Progress(len(release.members), "compared") as progress:
        return make_plan(release, client, overwrite=overwrite, progress=progress.show)


def publish(plan: Plan, client: FhirClient) -> ExitCode:
    """Carry out a plan, read everything back, and say how it ended."""
    from fhirpkg.publishing.push import push
    from fhirpkg.publishing.verify import read_back

    with Progress(len(plan.items), "written") as progress:
        report = push(plan, client, progress=progress.show)
    code = show_report(report, plan, client)
    if code is not ExitCode.DONE:
        return code
    found = read_back(plan.release, client, report.places, written=report.writes)
    return show_verification(found)


def show_plan(plan: Plan, client: FhirClient) -> ExitCode:
    """Print a plan; the exit code says whether there is anything to do or in the way."""
    from fhirpkg.publishing.survey import CONFLICTS, Change

    _headline(plan, client)
    for item in plan.items:
        if item.action is Change.UNCHANGED:
            continue
        why = f": {item.why}" if item.why else ""
        place = f" (there: {item.place})" if item.place not in {"", item.local} else ""
        click.echo(f"  {item.action:11} {item.local}{place}{why}")
        for difference in item.differences:
            click.echo(f"              {difference}")
    told = ", ".join(f"{count} {action}" for action, count in plan.counts.items())
    click.echo(f"{told or 'nothing'}; {len(plan.items)} in all")
    _unsupported(plan, client)
    if plan.of(*CONFLICTS):
        _conflicts(plan)
        return ExitCode.CONFLICT
    if not plan.is_settled:
        click.echo("the record of this package on the server is to be written")
    return ExitCode.DONE if plan.is_done else ExitCode.ISSUES


def show_report(report: Report, plan: Plan, client: FhirClient) -> ExitCode:
    """Print how a push ended."""
    _headline(plan, client)
    for local, reason in [*report.refused.items(), *report.failed.items()][:_SHOWN]:
        click.echo(f"  {'refused' if local in report.refused else 'failed':8} {local}: {reason}")
    more = len(report.refused) + len(report.failed) - _SHOWN
    if more > 0:
        click.echo(f"  and {more} more")
    click.echo(
        f"{report.planned} planned = {report.created} created + {report.updated} updated + "
        f"{report.unchanged} unchanged + {len(report.refused)} refused + "
        f"{len(report.failed)} failed"
    )
    for note in report.notes:
        click.echo(note)
    _unsupported(plan, client)
    _conflicts(plan)
    if report.conflicts:
        return ExitCode.CONFLICT
    return ExitCode.DONE if report.is_complete else ExitCode.ISSUES


def show_verification(found: Verification) -> ExitCode:
    """Print what was proven and what was not."""
    lines = [f"missing: {local}: {why}" for local, why in found.missing.items()]
    for local, places in found.altered.items():
        lines.append(f"accepted but altered: {local}")
        lines += [f"    {place}" for place in places]
    lines += [f"not found by a search: {search}" for search in found.not_found]
    lines += [f"damaged attachment: {local}: {why}" for local, why in found.damaged.items()]
    lines += [f"invalid by the server: {local}: {why}" for local, why in found.invalid.items()]
    for line in [*lines, *found.notes]:
        click.echo(f"  {line}")
    click.echo(
        f"read back {found.checked}: {len(found.missing)} missing, {len(found.altered)} altered; "
        f"{found.searches} searches as consumers: {len(found.not_found)} fail; "
        f"{found.attachments} attachments: {len(found.damaged)} damaged"
    )
    return ExitCode.DONE if found else ExitCode.ISSUES


def _headline(plan: Plan, client: FhirClient) -> None:
    release, software = plan.release, client.capabilities().software
    click.echo(f"{release.name} {release.version} at {client.base_url} ({software})")
    click.echo(f"by {plan.strategy}")
    for note in plan.notes:
        click.echo(note)


def _conflicts(plan: Plan) -> None:
    """Say what can be done about the conflicts of a plan, by their kinds."""
    from fhirpkg.publishing.survey import ADVICE

    for kind, advice in ADVICE.items():
        if plan.counts[kind]:
            click.echo(f"{kind}: {advice}")


def _unsupported(plan: Plan, client: FhirClient) -> None:
    """Say which types the server does not take, and what to do instead."""
    from fhirpkg.publishing.strategy import alternative
    from fhirpkg.publishing.survey import Change

    items = plan.of(Change.UNSUPPORTED)
    if not items:
        return
    reasons = {item.local.partition("/")[0]: item.why for item in items}
    click.echo(f"this server does not take {len(items)} of {len(plan.items)} resources:")
    for resource_type, why in reasons.items():
        click.echo(f"  {resource_type}: {why}")
    instead = alternative(client.capabilities(), reasons)
    if instead:
        click.echo(instead)
