"""Proof that a server holds a package: by id, then as consumers search, then byte by byte.

It distinguishes what is missing from what was accepted but altered, which no status shows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.client.response import Response
from fhirpkg.publishing.bookkeeping.record import read_record
from fhirpkg.publishing.bookkeeping.state import Versions
from fhirpkg.publishing.compare import differences, same
from fhirpkg.publishing.marks import is_tagged, owned
from fhirpkg.publishing.members import portions_by_type, side_by_side, with_references
from fhirpkg.publishing.proving.answers import SHOWN, compared, first_page, ids_query
from fhirpkg.publishing.proving.attachments import Elsewhere, damage, promising
from fhirpkg.publishing.proving.consumers import searches
from fhirpkg.publishing.reading import Reader, batches, search_of
from fhirpkg.publishing.survey import FEW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fhirpkg.client.client import FhirClient
    from fhirpkg.issues import Resource
    from fhirpkg.publishing.members import Member, Release
    from fhirpkg.publishing.proving.consumers import Search

_MANY = 1000
_TOGETHER = 100
"""Searches that are asked for in one request, of a package that is not asked for as a whole."""
_INDEXED_AFTER = 120.0
"""Seconds after the last push in which a server's searches may be behind."""


@dataclass
class Verification:
    """What was proven and what was not; true when everything was found as it was published."""

    checked: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    altered: dict[str, list[str]] = field(default_factory=dict)
    """``Type/id`` to the places where the server holds something else."""
    searches: int = 0
    not_found: list[str] = field(default_factory=list)
    """Searches that did not find what they must, each with what is missing or too much."""
    attachments: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    """Attachments whose bytes are not those that size and hash promise."""
    invalid: dict[str, str] = field(default_factory=dict)
    """What the server's own $validate says, where it was asked."""
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not (self.missing or self.altered or self.not_found or self.damaged or self.invalid)


def verify(
    release: Release,
    client: FhirClient,
    *,
    validate: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Verification:
    """Read every resource back from a server, search for it as consumers do, and compare.

    The Verification is true when everything was found as it was published. `missing`, `damaged`
    and `invalid` map `Type/id` to what is wrong, `altered` to the places that differ, and
    `not_found` lists the searches that failed. `validate` also asks the server's $validate;
    `progress` is called with the number of resources read.

    Raises ServerError for a server that cannot be read.

        client = fhirpkg.FhirClient("http://localhost:8080/fhir")
        assert fhirpkg.verify(fhirpkg.read_release("resources"), client)
    """
    found = Verification()
    record = read_record(client, release.name)
    if record.versions is Versions.MULTIPLE:
        release = side_by_side(release)
    links = {m.local: record.place(m.local) for m in release.members}
    if record.head is None:
        found.notes.append(
            "no push of this package is on record there; looked up by the ids in the content"
        )
    reader = Reader(client)
    _ask_ahead(release, client, links)
    for group in portions_by_type(release.members):
        _by_id(release, reader, group, links, found)
        progress(found.checked)
        if validate:
            _validated(release, client, group, found)
    recent = record.head is not None and record.head.age < _INDEXED_AFTER
    as_consumers(release, client, links, found, recent=recent)
    found.notes += known_habits(client, found)
    return found


def read_back(
    release: Release,
    client: FhirClient,
    places: Mapping[str, str],
    *,
    written: bool,
    progress: Callable[[int], None] = lambda _: None,
) -> Verification:
    """What a push does last: read back and search; a large package is counted rather than read.

    After a push that wrote nothing a large package is left alone: the plan has just looked at it.
    """
    found = Verification()
    links = {m.local: places[m.local] for m in release.members}
    if not written and len(release.members) > _MANY:
        found.notes.append("nothing was written; 'fhirpkg verify' reads every resource")
        return found
    if len(release.members) <= _MANY:
        reader = Reader(client)
        _ask_ahead(release, client, links)
        for group in portions_by_type(release.members):
            _by_id(release, reader, group, links, found)
            progress(found.checked)
    else:
        _count_back(release, client, links, found)
        found.notes.append(
            "counted and sampled, because it is large; 'fhirpkg verify' reads all of it"
        )
    as_consumers(
        release,
        client,
        links,
        found,
        sample=len(release.members) > _MANY,
        recent=written,
        progress=progress,
    )
    found.notes += known_habits(client, found)
    return found


def _ask_ahead(release: Release, client: FhirClient, links: Mapping[str, str]) -> None:
    """Ask for all that is read back and searched for, if that is little."""
    if len(release.members) > FEW:
        return
    wanted: list[tuple[str, Iterable[tuple[str, str]]]] = [(p, ()) for p in links.values()]
    for group in portions_by_type(release.members):
        ids = [links[m.local].partition("/")[2] for m in group]
        wanted += [(group[0].type, search_of("_id", batch)) for batch in batches(ids)]
    wanted += filter(None, map(_question, searches(release, client.capabilities())))
    client.ask_ahead(wanted)


def _question(search: Search) -> tuple[str, list[tuple[str, str]]] | None:
    """What a consumer's search asks first, where that is known before any answer."""
    if not search.exactly:
        return search.type, first_page(search)
    if len(search.expected) == 1:
        return search.type, ids_query(search, [("_count", "2")])
    return None


def apply_on_server(
    release: Release, client: FhirClient, patient: str, found: Verification
) -> None:
    """Let the server $apply each PlanDefinition to a patient; what fails counts as invalid."""
    record = read_record(client, release.name)
    if record.versions is Versions.MULTIPLE:
        release = side_by_side(release)
    for member in release.members:
        if member.type != "PlanDefinition":
            continue
        path = f"{record.place(member.local)}/$apply"
        response = client.request("GET", path, params={"subject": patient})
        if not response.ok or response.resource is None or response.outcome:
            found.invalid[member.local] = f"$apply: {response.problem}"
        else:
            found.notes.append(f"{member}: $apply gives a {response.resource['resourceType']}")


def as_consumers(
    release: Release,
    client: FhirClient,
    links: dict[str, str],
    found: Verification,
    *,
    sample: bool = False,
    recent: bool = True,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Search for the members as those do who do not know their ids.

    What a search does not find is sought again, while the server may be behind: that search alone,
    and only if a recent write explains it.
    """
    open_: dict[Search, str] = {}
    planned = list(searches(release, client.capabilities(), sample=sample))
    for number, search in enumerate(planned):
        if number % _TOGETHER == 0 and len(release.members) > FEW:
            client.ask_ahead(filter(None, map(_question, planned[number : number + _TOGETHER])))
        found.searches += 1
        progress(found.searches)
        problem = compared(client, search, links, release.mark)
        if problem:
            open_[search] = problem
    unexplained = [
        s for s in open_ if not (found.missing.keys() | found.altered.keys()) & s.expected
    ]
    attempts = client.retry.attempts()  # one patience for all of them: the server is behind or not
    while recent and unexplained and attempts.again(Response(404)):
        for search in unexplained:
            open_[search] = compared(client, search, links, release.mark)
        unexplained = [search for search in unexplained if open_[search]]
        progress(found.searches - len(unexplained))
    found.not_found += [f"{search}: {problem}" for search, problem in open_.items() if problem]


def _count_back(
    release: Release, client: FhirClient, links: dict[str, str], found: Verification
) -> None:
    """Count instead of reading, for a package too large to be read back in a push.

    Every write was acknowledged already; by the mark where that gives the number, else by id.
    """
    reader = Reader(client)
    marked = {
        resource_type: client.count(resource_type, [release.mark]) == expected
        for resource_type, expected in Counter(m.type for m in release.members).items()
    }
    for group in portions_by_type(release.members):
        ids = [links[m.local].partition("/")[2] for m in group]
        found.checked += len(group)
        if marked[group[0].type] or reader.count_ids(group[0].type, ids) == len(ids):
            continue
        there = reader.by_ids(group[0].type, ids, confirm=True)
        for member, resource_id in zip(group, ids, strict=True):
            if resource_id not in there:
                found.missing[member.local] = f"{links[member.local]} is missing"


def known_habits(client: FhirClient, found: Verification) -> list[str]:
    """Notes on what this server's software is known to alter, if it altered something."""
    software = client.capabilities().software
    if not found.altered:
        return []
    return [words for name, words in _HABITS if name in software.lower()]


_HABITS = (
    ("hapi", "HAPI drops what it does not know (elements, empty values) and still answers 201"),
    ("hapi", "HAPI rewrites narrative: quotes, entities, blanks before comments"),
    ("hapi", "HAPI keeps every tag that a resource ever had"),
    ("healthlake", "HealthLake adds extensions of its own to DocumentReferences"),
    ("medplum", "Medplum adds author, project and compartment to meta"),
)


def _by_id(
    release: Release,
    reader: Reader,
    members: Sequence[Member],
    links: dict[str, str],
    found: Verification,
) -> None:
    ids = [links[m.local].partition("/")[2] for m in members]
    there = reader.by_ids(members[0].type, ids, confirm=True)
    moved = {local: place for local, place in links.items() if local != place}
    base = reader.client.base_url
    for member, resource_id in zip(members, ids, strict=True):
        found.checked += 1
        theirs = there.get(resource_id)
        if theirs is None:
            found.missing[member.local] = f"{links[member.local]} is missing"
            continue
        ours = with_references(release.resource(member), moved) | {"id": theirs["id"]}
        marked = owned(theirs, release.owner)
        if not same(ours, marked, base):
            places = [str(difference) for difference in differences(ours, marked, base)]
            found.altered[member.local] = places[:SHOWN]
        elif not is_tagged(theirs, release.owner):
            found.altered[member.local] = ["meta.tag: the mark of this package is not kept"]
        _attachments(reader.client, member, theirs, found)


def _attachments(client: FhirClient, member: Member, theirs: Resource, found: Verification) -> None:
    """Fetch each attachment that promises a size or hash and look at the bytes."""
    for attachment in promising(theirs):
        found.attachments += 1
        try:
            problem = damage(client, attachment, theirs)
        except Elsewhere as error:
            found.notes.append(f"{member}: {error} is elsewhere and was not fetched")
            continue
        if problem:
            found.damaged[member.local] = problem


def _validated(
    release: Release, client: FhirClient, members: Sequence[Member], found: Verification
) -> None:
    for member in members:
        response = client.request(
            "POST", f"{member.type}/$validate", body=release.resource(member), repeatable=True
        )
        if response.outcome is None:
            found.notes.append(f"{member}: $validate was not carried out ({response.problem})")
            continue
        errors = [
            i for i in response.outcome.get("issue", []) if i.get("severity") in {"error", "fatal"}
        ]
        if errors:
            found.invalid[member.local] = response.problem.partition(": ")[2] or response.problem
