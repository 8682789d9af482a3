"""Bundles sent to the base: transactions, all or nothing, and batches, each entry for itself.

See http://hl7.org/fhir/R4/http.html#transaction. A transaction is planned first (which entry
means which resource), its links are rewritten, then it is carried out: DELETE, POST, PUT, GET.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from fhirpkg.server import interactions, values
from fhirpkg.server.exchange import Answer, Refused, Request, refused, split_url
from fhirpkg.server.linking import Links, conditional_references, may_be_conditional
from fhirpkg.server.rules import (
    SERVER_BUNDLE,
    SERVER_CONDITIONAL_REFERENCE,
    SERVER_OVERLAP,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint


class Handle(Protocol):
    """What carries out one request."""

    def __call__(self, request: Request, endpoint: Endpoint) -> Answer:
        """An Answer; raises Refused."""


_ORDER = ("DELETE", "POST", "PUT", "GET", "HEAD")
_STATUS = {200: "200 OK", 201: "201 Created", 204: "204 No Content", 304: "304 Not Modified"}
_CONDITIONS = {
    "ifNoneMatch": "if-none-match",
    "ifModifiedSince": "if-modified-since",
    "ifMatch": "if-match",
    "ifNoneExist": "if-none-exist",
}


@dataclass(slots=True)
class _Step:
    """One entry: its request, and the resource that it was found to mean."""

    index: int
    request: Request
    full_url: str
    identity: str | None = None
    answer: Answer | None = None

    @property
    def method(self) -> str:
        """The HTTP method of the entry's request."""
        return self.request.method

    @property
    def changes(self) -> bool:
        """Whether it puts or deletes a resource of its own, which no other entry may."""
        path = self.request.path
        lengths = {"POST": {1}, "PUT": {1, 2}, "DELETE": {1, 2}}.get(self.method, set())
        return len(path) in lengths and path[-1][0] not in "$_"

    @property
    def writes(self) -> bool:
        """Whether it has a resource to put, which a conditional create with a match has not."""
        return self.changes and self.method != "DELETE" and self.answer is None


def process(
    request: Request, endpoint: Endpoint, handle: Handle, demand: Callable[[Request], None]
) -> Answer:
    """Carry out a batch or transaction Bundle."""
    bundle = request.body
    kind = bundle.get("type")
    if bundle.get("resourceType") != "Bundle" or kind not in ("batch", "transaction"):
        found = f"a Bundle of type '{kind}'" if bundle.get("resourceType") == "Bundle" else "that"
        problem = f"the base takes a Bundle of type transaction or batch, not {found}"
        raise refused(400, SERVER_BUNDLE, problem=problem)
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise refused(400, SERVER_BUNDLE, problem="Bundle.entry is not a list")
    with endpoint.store.transaction(alone=True):
        if kind == "batch":
            answered = [
                _batch_entry(n, e, request, endpoint, handle) for n, e in enumerate(entries)
            ]
        else:
            answered = _transaction(entries, request, endpoint, handle, demand)
    response: Resource = {"resourceType": "Bundle", "type": f"{kind}-response"}
    return Answer(200, response | {"entry": answered} if answered else response)


def _batch_entry(
    index: int, entry: Any, outer: Request, endpoint: Endpoint, handle: Handle
) -> Resource:
    try:
        step = _read_step(index, entry, outer)
        with endpoint.store.transaction():
            step.answer = handle(step.request, endpoint)
    except Refused as error:
        return {"response": {"status": str(error.status), "outcome": error.outcome()}}
    return _response(step, outer)


def _transaction(
    entries: list[Any],
    outer: Request,
    endpoint: Endpoint,
    handle: Handle,
    demand: Callable[[Request], None],
) -> list[Resource]:
    steps = []
    for index, entry in enumerate(entries):
        with _told_at(index):
            step = _read_step(index, entry, outer)
            demand(step.request)
            _identify(step, endpoint)
            steps.append(step)
    _refuse_overlaps(steps)
    links = Links(endpoint.definitions.types, _link_targets(steps))
    writing = [step for step in steps if step.writes]
    for step in writing:
        with _told_at(step.index):
            step.request = replace(step.request, resource=links.rewritten(step.request.body))
    for step in sorted(steps, key=lambda s: _ORDER.index(s.method)):
        if step.method in {"DELETE", "POST", "PUT"}:
            with _told_at(step.index):
                _carry_out(step, endpoint, handle)
    _resolve_late(writing, endpoint)
    for step in steps:
        if step.method in {"GET", "HEAD"}:
            with _told_at(step.index):
                step.answer = handle(step.request, endpoint)
    return [_response(step, outer) for step in steps]


@contextmanager
def _told_at(index: int) -> Iterator[None]:
    """Report refusals inside at the entry that they come from."""
    try:
        yield
    except Refused as error:
        place = f"Bundle.entry[{index}]"
        issues = [
            replace(issue, expression=f"{place}.resource" if issue.expression else place)
            for issue in error.issues
        ]
        raise Refused(error.status, *issues, headers=error.headers) from error


def _read_step(index: int, entry: Any, outer: Request) -> _Step:
    asked = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(asked, dict):
        raise refused(400, SERVER_BUNDLE, problem=f"entry {index} has no request")
    method, url = asked.get("method"), asked.get("url")
    if method not in _ORDER or not isinstance(url, str):
        problem = f"entry {index}: '{method} {url}' is not a method and url offered here"
        raise refused(400, SERVER_BUNDLE, problem=problem)
    path, query = split_url(url.removeprefix(outer.base))
    if path == ("$export",):
        problem = f"entry {index}: an export cannot be part of a Bundle; request it on its own"
        raise refused(400, SERVER_BUNDLE, problem=problem)
    headers = {_CONDITIONS[key]: str(asked[key]) for key in _CONDITIONS if key in asked}
    if "prefer" in outer.headers:
        headers["prefer"] = outer.headers["prefer"]
    resource = entry.get("resource")
    if resource is not None and not isinstance(resource, dict):
        raise refused(400, SERVER_BUNDLE, problem=f"entry {index}: resource is not an object")
    request = Request(method, path, query, resource, headers, outer.base, rights=outer.rights)
    return _Step(index, request, str(entry.get("fullUrl", "")))


def _identify(step: _Step, endpoint: Endpoint) -> None:
    """Find out which resource an entry means; POST and PUT learn the id that they will have."""
    request = step.request
    if not step.changes:
        return
    if len(request.path) == 2:
        step.identity = request.path[1]
    elif step.method == "DELETE":
        there = interactions.only_match(request, endpoint, request.query)
        step.identity = there.id if there else None
    elif step.method == "PUT":
        known = interactions.conditional_target(request, endpoint)
        step.identity = known or request.body.get("id") or str(uuid.uuid4())
    else:
        there = None
        if "if-none-exist" in request.headers:
            criteria = interactions.query_of(request.headers["if-none-exist"])
            there = interactions.only_match(request, endpoint, criteria)
        if there:
            step.answer = Answer(200, version=there, location=there.url)
        step.identity = there.id if there else str(uuid.uuid4())


def _refuse_overlaps(steps: list[_Step]) -> None:
    """No two entries may mean one resource, or wait for the same criteria."""
    seen: dict[tuple[str, str], int] = {}
    for step in steps:
        if not step.changes or step.answer is not None:
            continue
        meant = [] if step.identity is None else [step.identity]
        if criteria := step.request.headers.get("if-none-exist"):
            meant.append(f"?{criteria}")
        elif step.request.query:
            meant.append("?" + "&".join(sorted(f"{n}={v}" for n, v in step.request.query)))
        for identity in meant:
            key = (step.request.path[0], identity)
            if key in seen:
                place = f"Bundle.entry[{step.index}]"
                raise refused(
                    400,
                    SERVER_OVERLAP,
                    expression=place,
                    type=key[0],
                    id=identity,
                    other=seen[key],
                )
            seen[key] = step.index


def _link_targets(steps: list[_Step]) -> Mapping[str, str]:
    """Each fullUrl and the relative address that it gets."""
    return {
        step.full_url: f"{step.request.path[0]}/{step.identity}"
        for step in steps
        if step.full_url and step.identity and step.method != "DELETE"
    }


def _carry_out(step: _Step, endpoint: Endpoint, handle: Handle) -> None:
    request = step.request
    if step.answer is not None:  # a conditional create that found its resource
        return
    if step.method == "DELETE" and step.changes and len(request.path) == 1:
        direct = replace(request, path=(*request.path, step.identity or ""), query=())
        step.answer = interactions.delete(direct, endpoint) if step.identity else Answer(204)
    elif step.writes:
        _write(step, endpoint)
    else:
        step.answer = handle(request, endpoint)


def _write(step: _Step, endpoint: Endpoint) -> None:
    request = step.request
    if len(request.path) == 2:
        resource, _ = conditional_references(request.body, request, endpoint)
        step.answer = interactions.update(replace(request, resource=resource), endpoint)
        return
    resource = interactions.checked_body(request, endpoint)
    resource, _ = conditional_references(resource, request, endpoint)
    assert step.identity is not None, "a step that writes has an id"
    path = (request.path[0], step.identity)
    headers = {k: v for k, v in request.headers.items() if k != "if-none-exist"}
    direct = replace(
        request, path=path, query=(), headers=headers, resource=resource | {"id": step.identity}
    )
    if step.method == "PUT":
        step.answer = interactions.update(direct, endpoint)
        interactions.check_fits(request, endpoint, step.identity)
    else:
        version, _ = endpoint.store.write(direct.body, "POST")
        step.answer = Answer(201, version=version, location=version.url)


def _resolve_late(steps: list[_Step], endpoint: Endpoint) -> None:
    """Conditional references to what this very transaction made; none may be left open."""
    for step in steps:
        answer = step.answer
        assert answer is not None, "each writing step was carried out"
        assert answer.version is not None, "what was written has a version"
        assert answer.version.content is not None, "what was written has a content"
        if not may_be_conditional(answer.version.content):
            continue
        with _told_at(step.index):
            content = answer.version.resource()
            resource, left = conditional_references(content, step.request, endpoint)
            if left:
                rule = SERVER_CONDITIONAL_REFERENCE
                raise refused(412, rule, reference=left[0][0], count=left[0][1])
            if resource is not content:
                version = endpoint.store.amend(answer.version, resource)
                step.answer = replace(answer, version=version)


def _response(step: _Step, outer: Request) -> Resource:
    answer = step.answer
    assert answer is not None, "each step was carried out"
    response: Resource = {"status": _STATUS.get(answer.status, str(answer.status))}
    entry: Resource = {}
    version = answer.version
    if version is not None:
        entry["fullUrl"] = f"{outer.base}/{version.type}/{version.id}"
        if answer.location:
            response["location"] = answer.location
        response["etag"] = version.etag
        response["lastModified"] = values.instant(version.updated)
    wanted = step.method == "GET" or outer.preference("return") == "representation"
    if (resource := answer.whole()) is not None:
        entry["resource"] = resource
    elif wanted and version is not None and version.content is not None and answer.status < 300:
        entry["resource"] = version.resource()
    return entry | {"response": response}
