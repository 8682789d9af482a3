"""What the publishing verbs print: words for people, or one JSON object for pipelines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from fhirpkg.cli import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.client.client import FhirClient
    from fhirpkg.publishing.members import Release
    from fhirpkg.publishing.planning import Plan
    from fhirpkg.publishing.proving.verify import Verification
    from fhirpkg.publishing.prune import Pruning
    from fhirpkg.publishing.push import Report

_SHOWN = 30
_VERSIONS = {
    "single": "one version of each resource at a time",
    "multiple": "versions side by side, by their ids; what names no version may get any of them",
}
Data = dict[str, object]


class Output:
    """Shows results as they come; as JSON they are collected and printed at the end."""

    def __init__(self, verb: str, output_format: str) -> None:
        self._is_json = output_format == "json"
        self._verb = verb
        self._releases: list[Data] = []
        self._problems: list[str] = []

    def plan(self, plan: Plan, client: FhirClient) -> ExitCode:
        """Show a plan; the exit code says whether there is anything to do or in the way."""
        code = _code_of_plan(plan)
        if self._is_json:
            self._add(plan.release, client, code, _plan_data(plan))
        else:
            _echo(_plan_words(plan, client))
        return code

    def report(self, report: Report, plan: Plan, client: FhirClient) -> ExitCode:
        """Show how a push ended."""
        code = ExitCode.DONE if report.is_complete else ExitCode.ISSUES
        if report.conflicts:
            code = ExitCode.CONFLICT
        if self._is_json:
            self._add(plan.release, client, code, _report_data(report, plan))
        else:
            _echo(_report_words(report, plan, client))
        return code

    def verification(self, found: Verification) -> ExitCode:
        """Show what was proven and what was not, of the release that was shown last."""
        code = ExitCode.DONE if found else ExitCode.ISSUES
        if self._is_json:
            self._releases[-1] |= {"exitCode": int(code), "verification": _verification_data(found)}
        else:
            _echo(_verification_words(found))
        return code

    def release(self, release: Release, client: FhirClient) -> None:
        """Say which release is meant, before its verification."""
        if self._is_json:
            self._add(release, client, ExitCode.DONE, {})
        else:
            click.echo(f"{release.name} {release.version} at {client.base_url}")

    def pruning(self, found: Pruning, plan: Plan, client: FhirClient, *, dry_run: bool) -> ExitCode:
        """Show what became, or would become, of what a package left behind."""
        code = ExitCode.DONE if found.is_complete else ExitCode.ISSUES
        if dry_run and found.places:
            code = ExitCode.ISSUES
        if self._is_json:
            self._add(plan.release, client, code, _pruning_data(found, dry_run=dry_run))
        else:
            _echo(_pruning_words(found, dry_run=dry_run))
        return code

    def problem(self, words: str) -> None:
        """What ended the work, on standard error in any case."""
        click.echo(f"fhirpkg: {words}", err=True)
        self._problems.append(words)

    def finish(self, code: ExitCode) -> None:
        """Print the JSON object, where that was asked for."""
        if self._is_json:
            data: Data = {"verb": self._verb, "exitCode": int(code), "releases": self._releases}
            if self._problems:
                data["problems"] = self._problems
            click.echo(json.dumps(data, indent=2, ensure_ascii=False))

    def _add(self, release: Release, client: FhirClient, code: ExitCode, data: Data) -> None:
        self._releases.append(
            {
                "package": release.name,
                "version": release.version,
                "server": client.base_url,
                "software": client.capabilities().software,
                "exitCode": int(code),
                **data,
            }
        )


def _echo(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)


def _code_of_plan(plan: Plan) -> ExitCode:
    from fhirpkg.publishing.survey import CONFLICTS

    if plan.of(*CONFLICTS):
        return ExitCode.CONFLICT
    return ExitCode.DONE if plan.is_done else ExitCode.ISSUES


def _plan_data(plan: Plan) -> Data:
    return {
        "counts": {str(change): count for change, count in plan.counts.items()},
        "resources": [
            {
                "resource": item.local,
                "action": str(item.change),
                "place": item.place,
                "reason": item.why,
                "differences": list(item.differences),
            }
            for item in plan.items
        ],
        "strategy": str(plan.strategy),
        "versions": str(plan.versions),
        "notes": [*plan.release.notes, *plan.notes],
    }


def _report_data(report: Report, plan: Plan) -> Data:
    reasons = {**report.refused, **report.failed}
    return {
        "counts": {
            "planned": report.planned,
            "created": report.created,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "refused": len(report.refused),
            "failed": len(report.failed),
        },
        "resources": [
            {
                "resource": local,
                "action": action,
                "place": report.places.get(local, ""),
                "reason": reasons.get(local, ""),
            }
            for local, action in report.actions.items()
        ],
        "strategy": str(plan.strategy),
        "versions": str(plan.versions),
        "notes": [*plan.release.notes, *plan.notes, *report.notes],
    }


def _verification_data(found: Verification) -> Data:
    tables = {
        "missing": found.missing,
        "altered": {local: "; ".join(places) for local, places in found.altered.items()},
        "damaged": found.damaged,
        "invalid": found.invalid,
    }
    return {
        "counts": {
            "checked": found.checked,
            **{name: len(table) for name, table in tables.items()},
            "searches": found.searches,
            "notFound": len(found.not_found),
            "attachments": found.attachments,
        },
        "resources": [
            {"resource": local, "action": name, "reason": reason}
            for name, table in tables.items()
            for local, reason in table.items()
        ],
        "searches": found.not_found,
        "notes": found.notes,
    }


def _pruning_data(found: Pruning, *, dry_run: bool) -> Data:
    return {
        "dryRun": dry_run,
        "counts": {action: len(places) for action, places in found.tables.items()},
        "resources": [
            {"resource": place, "action": action, "reason": reason}
            for action, places in found.tables.items()
            for place, reason in places.items()
        ],
    }


def _headline(plan: Plan, client: FhirClient) -> Iterator[str]:
    release, software = plan.release, client.capabilities().software
    yield f"{release.name} {release.version} at {client.base_url} ({software})"
    yield f"by {plan.strategy}; {_VERSIONS[plan.versions]}"
    yield from release.notes
    yield from plan.notes


def _plan_words(plan: Plan, client: FhirClient) -> Iterator[str]:
    from fhirpkg.publishing.survey import CONFLICTS, Change

    yield from _headline(plan, client)
    for item in plan.items:
        if item.change is Change.UNCHANGED and not item.why:
            continue
        why = f": {item.why}" if item.why else ""
        place = f" (there: {item.place})" if item.place not in {"", item.local} else ""
        yield f"  {item.change:11} {item.local}{place}{why}"
        for difference in item.differences:
            yield f"              {difference}"
    counted = ", ".join(f"{count} {change}" for change, count in plan.counts.items())
    yield f"{counted or 'nothing'}; {len(plan.items)} in all"
    yield from _unsupported(plan, client)
    if plan.of(*CONFLICTS):
        yield from _conflicts(plan)
    elif not plan.is_settled:
        yield "the record of this package on the server is to be written"


def _report_words(report: Report, plan: Plan, client: FhirClient) -> Iterator[str]:
    yield from _headline(plan, client)
    for local, reason in [*report.refused.items(), *report.failed.items()][:_SHOWN]:
        yield f"  {'refused' if local in report.refused else 'failed':8} {local}: {reason}"
    more = len(report.refused) + len(report.failed) - _SHOWN
    if more > 0:
        yield f"  and {more} more"
    yield (
        f"{report.planned} planned = {report.created} created + {report.updated} updated + "
        f"{report.unchanged} unchanged + {len(report.refused)} refused + "
        f"{len(report.failed)} failed"
    )
    yield from report.notes
    yield from _unsupported(plan, client)
    yield from _conflicts(plan)


def _verification_words(found: Verification) -> Iterator[str]:
    lines = [f"missing: {local}: {why}" for local, why in found.missing.items()]
    for local, places in found.altered.items():
        lines.append(f"accepted but altered: {local}")
        lines += [f"    {place}" for place in places]
    lines += [f"not found by a search: {search}" for search in found.not_found]
    lines += [f"damaged attachment: {local}: {why}" for local, why in found.damaged.items()]
    lines += [f"invalid by the server: {local}: {why}" for local, why in found.invalid.items()]
    yield from (f"  {line}" for line in [*lines, *found.notes])
    yield (
        f"read back {found.checked}: {len(found.missing)} missing, {len(found.altered)} altered; "
        f"{found.searches} searches as consumers: {len(found.not_found)} fail; "
        f"{found.attachments} attachments: {len(found.damaged)} damaged"
    )


def _pruning_words(found: Pruning, *, dry_run: bool) -> Iterator[str]:
    for action, places in found.tables.items():
        for place, reason in places.items():
            why = f": {reason}" if reason else ""
            yield f"  {f'would be {action}' if dry_run else action} {place}{why}"
    counts = " + ".join(f"{len(places)} {action}" for action, places in found.tables.items())
    yield f"{len(found.places)} orphans = {counts}"


def _conflicts(plan: Plan) -> Iterator[str]:
    """What can be done about the conflicts of a plan, by their kinds."""
    from fhirpkg.publishing.survey import ADVICE

    for kind, advice in ADVICE.items():
        if plan.counts[kind]:
            yield f"{kind}: {advice}"


def _unsupported(plan: Plan, client: FhirClient) -> Iterator[str]:
    """Which types the server does not take, and what to do instead."""
    from fhirpkg.publishing.survey import Change
    from fhirpkg.publishing.writing.strategy import alternative

    items = plan.of(Change.UNSUPPORTED)
    if not items:
        return
    reasons = {item.local.partition("/")[0]: item.why for item in items}
    yield f"this server does not take {len(items)} of {len(plan.items)} resources:"
    for resource_type, why in reasons.items():
        yield f"  {resource_type}: {why}"
    instead = alternative(client.capabilities(), reasons)
    if instead:
        yield instead
    elif len(items) < len(plan.items):
        yield f"to publish the rest: {' '.join(f'--exclude {name}' for name in reasons)}"
