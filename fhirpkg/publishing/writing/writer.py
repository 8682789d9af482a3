"""Writing members to a server, so that every one ends as written, refused or failed: never unknown.

After anything but a clear answer (a lost connection, a 5xx, a race) the server is read before
anything is sent again; what is already there as intended counts as done.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fhirpkg.client.client import encoded
from fhirpkg.client.response import Response
from fhirpkg.client.retry import is_transient
from fhirpkg.errors import ServerError
from fhirpkg.publishing.compare import same
from fhirpkg.publishing.marks import is_same_tag, is_tagged, owned, tags_of, with_tags
from fhirpkg.publishing.members import with_references
from fhirpkg.publishing.reading import standing
from fhirpkg.publishing.survey import Change
from fhirpkg.publishing.writing.answers import entry_response, place_of, unclear, version_in
from fhirpkg.publishing.writing.creations import Done, version_before
from fhirpkg.publishing.writing.order import halves
from fhirpkg.publishing.writing.strategy import Key, Portions, condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fhirpkg.client.client import FhirClient
    from fhirpkg.client.retry import Attempts
    from fhirpkg.issues import Resource
    from fhirpkg.publishing.members import Member, Release
    from fhirpkg.publishing.reading import Reader
    from fhirpkg.publishing.survey import Item
    from fhirpkg.publishing.writing.strategy import Strategy

_RACES = {409, 412}
_TOO_LARGE = {413}
_NOT_LET_IN = 401
_CREATED = 201
_NO_SUCH_THING = {404, 405, 501}


@dataclass
class Writer:
    """The state of one push while it writes; what became of each member is in its three tables."""

    release: Release
    client: FhirClient
    reader: Reader
    strategy: Strategy
    links: dict[str, str]
    """``Type/id`` in the content to the place on the server, where that differs."""
    guarded: bool = True
    """Whether the server enforces If-Match; if not, it is read before each portion."""
    done: dict[str, Done] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    stale: dict[str, str] = field(default_factory=dict)
    """Members that somebody else changed after the plan was made."""
    failed: dict[str, str] = field(default_factory=dict)
    _prepared: dict[str, bytes] = field(default_factory=dict)
    by_identifier: bool = False
    """Whether the server takes no condition but by identifier, as Google's does."""
    unproven: list[str] = field(default_factory=list)
    """Creations for which the server does not show whether something was there."""
    settled: str = ""
    """The server's time of the newest write, as stated in its answers."""

    @property
    def dealt(self) -> set[str]:
        """The members whose end is known."""
        return {*self.done, *self.refused, *self.stale, *self.failed}

    def prepare(self, items: Sequence[Item]) -> None:
        """Make entries ready for a portion to come, while the server works on another.

        Not where the server gives the ids: those of the portion before are still to come.
        """
        if self.strategy.key is Key.ID and self.strategy.portions is not Portions.SINGLE:
            self._prepared |= {item.local: encoded(self._entry(item)) for item in items}

    def write(self, items: Sequence[Item]) -> None:
        """Write one portion; afterwards each item is in one of the tables."""
        attempts = self.client.retry.attempts()
        left = list(items)
        if not self.guarded:
            left = self._settle(left, attempts)
        while left:
            answer = self._send(left)
            if isinstance(answer, Response):
                left = self._after_refusal(left, answer, attempts)
            else:
                left = self._after_answers(left, answer, attempts)

    def _send(self, items: Sequence[Item]) -> Response | list[Resource]:
        """The entries that answer the items one by one, or the answer that refuses them all."""
        if self.strategy.portions is Portions.SINGLE and len(items) == 1:
            return [self._send_one(items[0])]
        if self.strategy.key is Key.CONDITION:
            self.links |= {i.local: i.member.urn for i in items if i.member and not i.place}
        start = f'{{"resourceType":"Bundle","type":"{self.strategy.portions}","entry":['
        entries = [self._prepared.pop(i.local, b"") or encoded(self._entry(i)) for i in items]
        body = start.encode() + b",".join(entries) + b"]}"
        try:
            response = self.client.request("POST", "", body=body)
        except ServerError as error:
            return Response(error.status, text=error.problem, url=error.url)
        resource = response.resource or {}
        answers = resource.get("entry", []) if resource.get("resourceType") == "Bundle" else []
        if response.ok and len(answers) == len(items):
            return list(answers)
        # A success without an answer to each entry says nothing: read what became of it.
        return replace(response, status=0, text=unclear(response)) if response.ok else response

    def _send_one(self, item: Item) -> Resource:
        entry = self._entry(item)
        request = entry["request"]
        names = {"ifMatch": "If-Match", "ifNoneMatch": "If-None-Match", "ifNoneExist": _EXIST}
        headers = {header: request[key] for key, header in names.items() if key in request}
        try:
            response = self.client.request(
                request["method"],
                request["url"],
                body=entry["resource"],
                headers=headers,
                repeatable=bool(headers) or request["method"] == "PUT",
            )
        except ServerError as error:
            return {"response": {"status": "0", "problem": error.problem}}
        answer = {
            "status": str(response.status),
            "etag": response.headers.get("etag", ""),
            "location": response.headers.get("location", ""),
            "outcome": response.outcome,
            "problem": "" if response.ok else response.problem,
        }
        return {"resource": response.resource, "response": answer}

    def _entry(self, item: Item) -> Resource:
        """An entry of a transaction with the strongest precondition there is for it."""
        member = item.member
        assert member is not None, "what is written is in the content"
        resource = with_references(self.release.resource(member), self.links)
        if item.change is Change.ADOPT:  # its write only adds the mark
            resource = _with_tags_of(item, resource)
        if item.place:
            resource = resource | {"id": item.place.partition("/")[2]}
            request = {"method": "PUT", "url": item.place}
            if item.version:
                request["ifMatch"] = f'W/"{item.version}"'
        elif self.strategy.key is Key.ID:
            request = {"method": "PUT", "url": member.local, "ifNoneMatch": "*"}
        else:
            return self._conditional_create(member, resource)
        # A server that validates resolves relative references by the full url.
        url = f"{self.client.base_url}/{request['url']}"
        return {"fullUrl": url, "resource": resource, "request": request}

    def _conditional_create(self, member: Member, resource: Resource) -> Resource:
        bare = {key: value for key, value in resource.items() if key != "id"}
        request = {"method": "POST", "url": member.type}
        criteria = condition(self.client.capabilities(), member, by_identifier=self.by_identifier)
        if criteria:
            request["ifNoneExist"] = criteria
        return {"fullUrl": member.urn, "resource": bare, "request": request}

    def _after_answers(
        self, items: Sequence[Item], answers: Sequence[Resource], attempts: Attempts
    ) -> list[Item]:
        """Sort items by their own answers; the ones to be sent again are given back."""
        unclear: list[Item] = []
        again: list[Item] = []
        worst = Response(200)
        for item, answer in zip(items, answers, strict=True):
            told = answer.get("response") or {}
            response = entry_response(told)
            if response.ok:
                self._note(item, answer, response)
            elif is_transient(response) or response.status in {0, *_RACES}:
                unclear.append(item)
                worst = response
            elif self._is_about_condition(response):
                again.append(item)
            else:
                self.refused[item.local] = response.problem
        if len(unclear) < len(items):
            attempts.progress()
        self.by_identifier = self.by_identifier or bool(again)
        return [*again, *self._settle_and_wait(unclear, worst, attempts)]

    def _is_about_condition(self, response: Response) -> bool:
        """Whether a refusal may go away with a condition by identifier."""
        if self.by_identifier or self.strategy.key is not Key.CONDITION:
            return False
        words = response.problem.lower()
        return "identifier" in words or "condition" in words

    def _after_refusal(
        self, items: Sequence[Item], response: Response, attempts: Attempts
    ) -> list[Item]:
        """What to send next after a request was refused as a whole."""
        if response.status in _NO_SUCH_THING and self.strategy.portions is not Portions.SINGLE:
            lower = self.strategy.smaller()
            assert lower is not None, "single requests are the lowest rung"
            self.strategy = lower
            self._write_parts([[item] for item in items] if lower.size == 1 else [list(items)])
            return []
        if response.status in _RACES or is_transient(response):
            return self._settle_and_wait(items, response, attempts)
        if response.status == _NOT_LET_IN:  # none of them is at fault
            self.failed |= dict.fromkeys((item.local for item in items), response.problem)
            return []
        if self._is_about_condition(response):
            self.by_identifier = True
            return list(items)
        parts = self._halves(items)
        if response.status in _TOO_LARGE and len(parts) > 1:
            self.strategy = replace(self.strategy, size=max(1, len(parts[0])))
        if len(items) == 1 or len(parts) == 1:
            self.refused |= dict.fromkeys((item.local for item in items), response.problem)
            return []
        self._write_parts(parts)  # one of them is at fault, and the answer does not say which
        return []

    def _write_parts(self, parts: Iterable[list[Item]]) -> None:
        for part in parts:
            self.write(part)

    def _halves(self, items: Sequence[Item]) -> list[list[Item]]:
        by_local = {item.local: item for item in items}
        members = [item.member for item in items if item.member is not None]
        return [[by_local[member.local] for member in half] for half in halves(members)]

    def _settle_and_wait(
        self, items: Sequence[Item], response: Response, attempts: Attempts
    ) -> list[Item]:
        """After an unclear answer: read, and give back what is still to be sent, after a wait."""
        if not items:
            return []
        left = self._settle(items, attempts)
        if not left or attempts.again(response):
            return self._settle(left, attempts)
        if response.status not in _RACES:
            self.failed |= dict.fromkeys((item.local for item in left), response.problem)
        elif len(parts := self._halves(left)) > 1:
            self._write_parts(parts)  # nothing changed there, so one of them is at fault
        else:
            self.refused |= dict.fromkeys((item.local for item in left), response.problem)
        return []

    def _settle(self, items: Sequence[Item], attempts: Attempts) -> list[Item]:
        """Read what the items are on the server now; the ones still as planned are given back."""
        left: list[Item] = []
        found = list(self._read(items))
        for item, theirs in found:  # first where they are, as they may refer to each other
            if theirs is not None and theirs.get("id") != item.local.partition("/")[2]:
                self.links[item.local] = f"{theirs['resourceType']}/{theirs['id']}"
        for item, theirs in found:
            version = str((theirs or {}).get("meta", {}).get("versionId", ""))
            if theirs is not None and self._stands(item, theirs):
                place = f"{theirs['resourceType']}/{theirs['id']}"
                self._keep(item, Done(place, version, created=not item.place))
                attempts.progress()
            elif (theirs is None and not item.place) or (theirs and version == item.version):
                left.append(item)
            elif theirs is None:
                self.stale[item.local] = "it was deleted after the plan was made"
            else:
                self.stale[item.local] = f"somebody else wrote version {version} meanwhile"
        return left

    def _read(self, items: Sequence[Item]) -> Iterable[tuple[Item, Resource | None]]:
        by_type: dict[str, list[Item]] = {}
        for item in items:
            by_type.setdefault(item.local.partition("/")[0], []).append(item)
        for resource_type, group in by_type.items():
            ids = [(item.place or item.local).partition("/")[2] for item in group]
            found = self.reader.by_ids(resource_type, ids)
            for item, resource_id in zip(group, ids, strict=True):
                theirs = found.get(resource_id)
                if theirs is None and not item.place and self.strategy.key is Key.CONDITION:
                    theirs = self._found_by_condition(item)
                yield item, theirs

    def _found_by_condition(self, item: Item) -> Resource | None:
        member = item.member
        assert member is not None, "what is written is in the content"
        if member.url:
            hits = self.reader.by_url(member.type, [member.url])
            hits = [hit for hit in hits if str(hit.get("version", "")) == member.version]
        else:
            hits = self.reader.by_identifier(member.type, [member.identifier])
        return hits[0] if hits else None

    def _stands(self, item: Item, theirs: Resource) -> bool:
        assert item.member is not None, "what is written is in the content"
        ours = with_references(self.release.resource(item.member), self.links)
        if item.change is Change.ADOPT:
            return is_tagged(theirs, self.release.owner)
        theirs = owned(theirs, self.release.owner)
        return same(ours | {"id": theirs["id"]}, theirs, self.client.base_url)

    def _note(self, item: Item, answer: Resource, response: Response) -> None:
        """Note what was written; a creation that created nothing new is checked more closely."""
        told = answer.get("response") or {}
        place = item.place or place_of(item, told, answer.get("resource"), self.strategy.key)
        version = response.version or version_in(str(told.get("location", "")))
        done = Done(place, version, created=item.change is Change.CREATE)
        self.settled = max(self.settled, str(told.get("lastModified", "")))
        if item.change is Change.CREATE and response.status != _CREATED:
            problem = self._overwritten(item, done)
            if problem:
                self.stale[item.local] = problem
                return
        self._keep(item, done)

    def _overwritten(self, item: Item, done: Done) -> str:
        """What a creation met that came in between and differs; nothing when there was nothing."""
        if self.strategy.key is Key.CONDITION:
            theirs = standing(self.client, done.place)
            stands = theirs is not None and self._stands(item, theirs)
            return "" if stands else f"somebody else created {done.place} meanwhile"
        earlier = version_before(self.client, done)
        if earlier is None:
            self.unproven.append(item.local)
            return ""
        for theirs in earlier:
            if not self._stands(item, theirs):
                before = theirs.get("meta", {}).get("versionId", "")
                return (
                    "somebody else created it meanwhile and this server let us overwrite it; "
                    f"what was there is {done.place}/_history/{before}"
                )
        return ""

    def _keep(self, item: Item, done: Done) -> None:
        self.done[item.local] = done
        if done.place != item.local:
            self.links[item.local] = done.place


_EXIST = "If-None-Exist"


def _with_tags_of(item: Item, resource: Resource) -> Resource:
    """The resource with its own tags and those that are on the server."""
    own = tags_of(resource)
    there = [tag for tag in item.tags if not any(is_same_tag(tag, each) for each in own)]
    return with_tags(resource, [*there, *own])
