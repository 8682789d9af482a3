"""Carrying out a plan: nothing lost, nothing doubled, resumable at every moment.

The order of writes is what makes it safe. First the inventory of what shall be there, then the
head as `pushing`, then the resources in portions, then the inventory with the versions they got,
then the head as `complete`. Whoever comes after a crash finds in the first two what to make of the
rest.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fhirpkg.errors import ServerError
from fhirpkg.publishing.bookkeeping import head as heads
from fhirpkg.publishing.bookkeeping.state import Head, Inventory, Line, Phase, head_id
from fhirpkg.publishing.leasing import Lease, check_lease
from fhirpkg.publishing.marks import is_tagged, unmark
from fhirpkg.publishing.reading import Reader, standing
from fhirpkg.publishing.survey import CONFLICTS, WRITES, Change
from fhirpkg.publishing.writing.order import in_portions
from fhirpkg.publishing.writing.strategy import Key, Strategy
from fhirpkg.publishing.writing.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fhirpkg.client.client import FhirClient
    from fhirpkg.publishing.planning import Plan
    from fhirpkg.publishing.survey import Item
    from fhirpkg.publishing.writing.creations import Done

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Report:
    """How a push ended. Planned = created + updated + unchanged + refused + failed, always."""

    planned: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)
    """What the server or a conflict kept us from writing, with the reason."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """What could not be sent in the time there was."""
    conflicts: frozenset[str] = frozenset()
    """Those of `refused` that conflict with somebody else's work."""
    places: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)
    """What became of each resource: created, updated, unchanged, refused or failed."""
    writes: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ended = self.created + self.updated + self.unchanged
        ended += len(self.refused) + len(self.failed)
        assert ended == self.planned, f"{self.planned} planned, but {ended} accounted for"

    @property
    def is_complete(self) -> bool:
        """Whether everything planned is on the server."""
        return not self.refused and not self.failed


def push(
    plan: Plan, client: FhirClient, *, progress: Callable[[int], None] = lambda _: None
) -> Report:
    """Carry out a plan and return a Report of what became of each resource.

    The Report has the numbers `planned`, `created`, `updated` and `unchanged`, and `refused` and
    `failed`, which map `Type/id` to the reason. A push that was interrupted is repeated by a new
    plan and push. `progress` is called with the number of resources done.

    Raises ConflictError when another push of the package is running, ServerError when the server
    cannot be used.

        client = fhirpkg.FhirClient("http://localhost:8080/fhir")
        report = fhirpkg.push(fhirpkg.plan(fhirpkg.read_release("resources"), client), client)
        print(report.created, report.refused)
    """
    check_lease(plan)
    refused = _refused_beforehand(plan)
    if refused:
        return refused
    if plan.is_done:
        return _report(plan, None)
    lease = Lease(client, _first_head(plan))
    reference = heads.write_inventory(client, _inventory(plan, {}), _own_inventory(plan))
    lease.take(reference)
    try:
        writer = _write_members(plan, client, lease, progress)
        taken_over = _take_over(plan, client, writer)
        report = _report(plan, writer)
        report = replace(report, notes=(*report.notes, *taken_over))
        if not report.is_complete:
            lease.release()
            return report
        heads.write_inventory(client, _inventory(plan, writer.done), reference)
        lease.end(Phase.COMPLETE, writer.settled)
    except KeyboardInterrupt:
        lease.release()
        raise
    return report


def _refused_beforehand(plan: Plan) -> Report | None:
    """The report of a push that does not begin: conflicts, or types the server does not take."""
    blocking = plan.of(*CONFLICTS, Change.UNSUPPORTED)
    if not blocking:
        return None
    conflicts = frozenset(item.local for item in plan.of(*CONFLICTS))
    refused = {item.local: f"{item.change}: {item.why}" for item in blocking}
    held_back = "nothing was written because of the others"
    refused |= {item.local: held_back for item in plan.of(*WRITES)}
    unchanged = plan.counts[Change.UNCHANGED]
    return Report(
        len(refused) + unchanged,
        unchanged=unchanged,
        refused=refused,
        conflicts=conflicts,
        actions=_unchanged(plan) | dict.fromkeys(refused, "refused"),
    )


def _unchanged(plan: Plan) -> dict[str, str]:
    return {item.local: "unchanged" for item in plan.of(Change.UNCHANGED)}


def _first_head(plan: Plan) -> Head:
    """The head as we first write it: over the one that was read, or a new one."""
    release, old = plan.release, plan.head
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    fresh = Head(
        release.name,
        release.version,
        release.digest,
        Phase.PUSHING,
        owner,
        versions=plan.versions,
        type="",
    )
    if old is None:
        return fresh
    return replace(
        fresh,
        previous=_previous(plan),
        beat=old.beat,
        type=old.type,
        id=old.id,
        etag=old.etag,
    )


def _previous(plan: Plan) -> str:
    """The inventory of the previous state: the one there, unless it is this content's own."""
    old = plan.head
    if old is None:
        return ""
    return old.previous if old.digest == plan.release.digest else old.manifest


def _own_inventory(plan: Plan) -> str:
    """Where this content's inventory is already, when an earlier push wrote it."""
    head = plan.head
    return head.manifest if head is not None and head.digest == plan.release.digest else ""


def _inventory(plan: Plan, done: Mapping[str, Done]) -> Inventory:
    """What the server is to hold, with the versions that are known."""
    release = plan.release
    members: dict[str, Line] = {}
    for item in plan.items:
        if item.member is None:
            continue
        place, version = item.place, item.version if item.change is Change.UNCHANGED else ""
        if item.local in done:
            place, version = done[item.local].place, done[item.local].version
        members[item.local] = Line(item.member.digest, place or item.local, version)
    return Inventory(release.name, release.version, release.digest, members, _previous(plan))


def _write_members(
    plan: Plan, client: FhirClient, lease: Lease, progress: Callable[[int], None]
) -> Writer:
    """Write everything that the plan says, portion by portion."""
    items = {item.local: item for item in plan.of(*WRITES)}
    places = {item.local: item.place for item in plan.items if item.member and item.place}
    writer = Writer(
        release=plan.release,
        client=client,
        reader=Reader(client),
        strategy=_proven(plan, lease),
        links={local: place for local, place in places.items() if local != place},
        guarded=lease.is_guarded,
    )
    left = [item.member for item in items.values() if item.member is not None]
    while left:
        strategy = writer.strategy
        problem = ""
        portions = in_portions(left, strategy, items)
        for portion, following in zip(portions, [*portions[1:], []], strict=True):
            try:
                lease.keep()
                with _preparing(writer, following):
                    writer.write(portion)
            except ServerError as error:
                problem = error.problem
            progress(len(writer.dealt))
            if problem or writer.failed or writer.strategy != strategy:
                break
        left = [member for member in left if member.local not in writer.dealt]
        if problem or writer.failed:
            reason = f"not sent: {problem or 'the server no longer answered'}"
            writer.failed |= dict.fromkeys((member.local for member in left), reason)
            return writer
    return writer


def _take_over(plan: Plan, client: FhirClient, writer: Writer) -> list[str]:
    """Take the marks of others from what was written over theirs; what could not be done."""
    notes: list[str] = []
    for item in plan.of(Change.UPDATE):
        done = writer.done.get(item.local)
        if done is None or not item.tags:
            continue
        now = standing(client, done.place) or {}
        left = [tag for tag in item.tags if is_tagged(now, tag)]
        problem = unmark(client, done.place, left) if left else ""
        if problem:
            notes.append(f"{done.place} was taken over, but {problem}")
        elif left:
            now = standing(client, done.place) or {}
            version = str(now.get("meta", {}).get("versionId", done.version))
            writer.done[item.local] = replace(done, version=version)
    return notes


@contextlib.contextmanager
def _preparing(writer: Writer, following: Sequence[Item]) -> Iterator[None]:
    """Prepare the following portion beside a write, which is mostly waiting for the server."""
    beside = threading.Thread(target=writer.prepare, args=(following,))
    beside.start()
    try:
        yield
    finally:
        beside.join()


def _proven(plan: Plan, lease: Lease) -> Strategy:
    """The plan's strategy; the head showed whether the server lets us choose ids."""
    if lease.head.id != head_id(plan.release.name):
        return replace(plan.strategy, key=Key.CONDITION)
    return plan.strategy


def _report(plan: Plan, writer: Writer | None) -> Report:
    unchanged = plan.counts[Change.UNCHANGED]
    places = {item.local: item.place for item in plan.items if item.place}
    if writer is None:
        return Report(unchanged, unchanged=unchanged, places=places, actions=_unchanged(plan))
    done = writer.done
    created = sum(each.created for each in done.values())
    refused = {**writer.refused, **writer.stale}
    actions = {local: "created" if each.created else "updated" for local, each in done.items()}
    return Report(
        planned=unchanged + len(plan.of(*WRITES)),
        created=created,
        updated=len(done) - created,
        unchanged=unchanged,
        refused=refused,
        failed=writer.failed,
        conflicts=frozenset(writer.stale),
        places=places | {local: each.place for local, each in done.items()},
        actions=_unchanged(plan)
        | actions
        | dict.fromkeys(refused, "refused")
        | dict.fromkeys(writer.failed, "failed"),
        writes=True,
        notes=_notes(writer),
    )


def _notes(writer: Writer) -> tuple[str, ...]:
    notes: list[str] = []
    if writer.guarded:
        notes.append("every update named the version it was to follow (If-Match, enforced here)")
    else:
        notes.append(
            "this server does not enforce If-Match: each portion was read again before it was "
            "written, and a second writer at the same moment would not be seen"
        )
    if writer.unproven:
        few = ", ".join(writer.unproven[:_SHOWN])
        more = f" and {len(writer.unproven) - _SHOWN} more" * (len(writer.unproven) > _SHOWN)
        notes.append(
            f"unproven: {len(writer.unproven)} creations, for which this server does not say "
            f"whether something was overwritten ({few}{more})"
        )
    elif any(each.created for each in writer.done.values()):
        notes.append("every creation was checked: nothing was written over")
    return tuple(notes)
