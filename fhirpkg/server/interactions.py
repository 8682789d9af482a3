"""The RESTful interactions on one resource: read, vread, history, create, update, delete.

See http://hl7.org/fhir/R4/http.html. Each takes a Request and gives an Answer or raises Refused;
`handle` finds the one that a request asks for.
"""

from __future__ import annotations

import email.utils
import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg import rules
from fhirpkg.errors import SourceError
from fhirpkg.server.exchange import ID, Answer, refused, split_url
from fhirpkg.server.rules import (
    SERVER_BODY_ID,
    SERVER_BODY_TYPE,
    SERVER_CONDITIONS,
    SERVER_DELETED,
    SERVER_EXISTS,
    SERVER_HEADER,
    SERVER_ID,
    SERVER_ID_TAKEN,
    SERVER_MATCH_ID,
    SERVER_MULTIPLE_MATCHES,
    SERVER_NO_CRITERIA,
    SERVER_SEARCH_PARAMETER,
    SERVER_SUBSETTED,
    SERVER_UNKNOWN_RESOURCE,
    SERVER_UNKNOWN_VERSION,
    SERVER_VALUE,
    SERVER_VERSION_CONFLICT,
)
from fhirpkg.server.searching.criteria import read_criteria
from fhirpkg.server.searching.summary import check_elements, is_part, reduced

if TYPE_CHECKING:
    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.exchange import Query, Request
    from fhirpkg.server.storing.versions import Version

_ETAG = re.compile(r'(?:W/)?"([^"]*)"')
_VERSION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_READ_PARAMETERS = ("_summary", "_elements", "_format", "_pretty")
_ETAGS = re.compile(rf"\s*{_ETAG.pattern}(?:\s*,\s*{_ETAG.pattern})*\s*")


def read(request: Request, endpoint: Endpoint) -> Answer:
    """The newest version of a resource."""
    version = request.found or endpoint.store.current(request.path[0], request.path[1])
    if version is None:
        raise refused(404, SERVER_UNKNOWN_RESOURCE, type=request.path[0], id=request.path[1])
    return _read_answer(request, endpoint, version)


def vread(request: Request, endpoint: Endpoint) -> Answer:
    """One version of a resource."""
    resource_type, identity, _, wanted = request.path
    newest = endpoint.store.current(resource_type, identity)
    if newest is None:
        raise refused(404, SERVER_UNKNOWN_RESOURCE, type=resource_type, id=identity)
    number = int(wanted) if _VERSION.fullmatch(wanted) else 0
    version = endpoint.store.version(resource_type, identity, number)
    if version is None:
        raise refused(
            404,
            SERVER_UNKNOWN_VERSION,
            type=resource_type,
            id=identity,
            version=wanted,
            newest=newest.version,
        )
    return _read_answer(request, endpoint, version)


def _read_answer(request: Request, endpoint: Endpoint, version: Version) -> Answer:
    for name, _ in request.query:
        if name not in _READ_PARAMETERS and request.preference("handling") != "lenient":
            near = rules.nearest(name, list(_READ_PARAMETERS))
            rule = SERVER_SEARCH_PARAMETER
            raise refused(400, rule, type="a read", parameter=name, near=near)
    if version.content is None:
        raise refused(
            410,
            SERVER_DELETED,
            headers={"ETag": version.etag},
            type=version.type,
            id=version.id,
            version=version.version,
        )
    if _not_modified(request, version):
        return Answer(304, version=version)
    if any(name in {"_summary", "_elements"} for name, _ in request.query):
        options = dict(request.query)
        if request.preference("handling") != "lenient":
            check_elements(options.get("_elements", ""), version.type, endpoint.definitions)
        resource = reduced(version.resource(), options, endpoint.definitions)
        return Answer(200, resource, version)
    return Answer(200, version=version)


def _not_modified(request: Request, version: Version) -> bool:
    known = request.headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or str(version.version) in _ETAG.findall(known)
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        moment = email.utils.parsedate_to_datetime(since)
    except ValueError:
        return False  # a date that cannot be read counts as absent (RFC 9110, 13.1.3)
    return version.updated // 1_000_000 <= moment.timestamp()


def create(request: Request, endpoint: Endpoint) -> Answer:
    """A new resource under an id of the server; with If-None-Exist only if nothing matches."""
    resource = checked_body(request, endpoint)
    store = endpoint.store
    ready = store.prepare(resource | {"id": str(uuid.uuid4())})
    with store.transaction():
        criteria = request.headers.get("if-none-exist")
        if criteria is not None:
            there = only_match(request, endpoint, query_of(criteria))
            if there:
                return Answer(200, version=there, location=there.url)
        version, _ = store.write(ready, "POST")
    return Answer(201, version=version, location=version.url)


def update(request: Request, endpoint: Endpoint) -> Answer:
    """A new version of a resource, or a new resource under the client's id."""
    resource_type, identity = request.path
    resource = checked_body(request, endpoint)
    if not ID.fullmatch(identity):
        raise refused(400, SERVER_ID, id=identity)
    if resource.get("id") != identity:
        found = f"the id '{resource['id']}'" if "id" in resource else "no id"
        raise refused(400, SERVER_BODY_ID, found=found, wanted=identity)
    ready = endpoint.store.prepare(resource)
    with endpoint.store.transaction():
        before = endpoint.store.newest(resource_type, identity)
        check_preconditions(request, before, resource_type, identity)
        version, new = endpoint.store.write(ready, "PUT")
    return Answer(
        201 if new and before is None else 200, version=version, location=version.url if new else ""
    )


def update_match(request: Request, endpoint: Endpoint) -> Answer:
    """Conditional update: the one resource that the criteria find, or a new one."""
    with endpoint.store.transaction():
        target = conditional_target(request, endpoint)
        resource = checked_body(request, endpoint)
        known = target or resource.get("id")
        if known is None:
            identity = str(uuid.uuid4())
            version, _ = endpoint.store.write(resource | {"id": identity}, "PUT")
            answer = Answer(201, version=version, location=version.url)
        else:
            identity = known
            answer = update(_directed(request, known, resource | {"id": known}), endpoint)
        check_fits(request, endpoint, identity)
        return answer


def check_fits(request: Request, endpoint: Endpoint, identity: str) -> None:
    """Raises Refused (400) when what a conditional update wrote does not fit its own criteria.

    The next one would not find it, and write another.
    """
    query = tuple(pair for pair in request.query if pair[0] not in {"_format", "_pretty"})
    own = (*query, ("_id", identity))
    criteria = read_criteria(own, request.path[0], endpoint.indexing, base=request.base)
    if not endpoint.matches(criteria, most=1):
        text = _criteria_text(query)
        problem = f"the resource in the body does not match its own criteria '{text}'"
        raise refused(400, SERVER_CONDITIONS, problem=problem)


def conditional_target(request: Request, endpoint: Endpoint) -> str | None:
    """The id that a conditional update leads to; None when nothing matches.

    Raises Refused when the body asks for another id, or for one that is another resource's.
    """
    resource, resource_type = checked_body(request, endpoint), request.path[0]
    there = only_match(request, endpoint, request.query)
    wanted, criteria = resource.get("id"), _criteria_text(request.query)
    if there is not None:
        if wanted not in {None, there.id}:
            raise refused(
                400,
                SERVER_MATCH_ID,
                criteria=criteria,
                type=resource_type,
                found=there.id,
                wanted=wanted,
            )
        return there.id
    if wanted is not None and endpoint.store.present(resource_type, wanted) is not None:
        raise refused(409, SERVER_ID_TAKEN, criteria=criteria, type=resource_type, id=wanted)
    return None


def delete(request: Request, endpoint: Endpoint) -> Answer:
    """Mark a resource as deleted; what is not there is as good as deleted."""
    resource_type, identity = request.path
    with endpoint.store.transaction():
        before = endpoint.store.newest(resource_type, identity)
        check_preconditions(request, before, resource_type, identity)
        version = endpoint.store.delete(resource_type, identity)
    return Answer(204, version=version) if version else Answer(204)


def delete_match(request: Request, endpoint: Endpoint) -> Answer:
    """Conditional delete of at most one resource."""
    with endpoint.store.transaction():
        there = only_match(request, endpoint, request.query)
        if there is None:
            return Answer(204)
        return delete(_directed(request, there.id, None), endpoint)


def checked_body(request: Request, endpoint: Endpoint) -> Resource:
    """The resource that was sent, of the type that the path names. Raises Refused."""
    resource, wanted = request.body, request.path[0]
    endpoint.check_type(wanted)
    if resource.get("resourceType") != wanted:
        found = resource.get("resourceType")
        raise refused(400, SERVER_BODY_TYPE, found=found, wanted=wanted)
    if not isinstance(resource.get("meta", {}), dict):
        raise refused(400, SERVER_VALUE, parameter="_tag", problem="meta is not an object")
    if is_part(resource):
        raise refused(422, SERVER_SUBSETTED)
    _check_narrative(resource, endpoint)
    identity = resource.get("id", "x")
    if not isinstance(identity, str) or not ID.fullmatch(identity):
        raise refused(400, SERVER_ID, id=identity)
    return resource


def _check_narrative(resource: Resource, endpoint: Endpoint) -> None:
    """A narrative that is not XML could be stored and never be given as XML."""
    div = text.get("div") if isinstance(text := resource.get("text"), dict) else None
    if not isinstance(div, str):
        return
    from fhirpkg import fhirxml  # noqa: PLC0415 - lxml is loaded when the first narrative comes

    try:
        fhirxml.dump(
            {"resourceType": resource["resourceType"], "text": {"div": div}},
            endpoint.definitions.types,
        )
    except SourceError as error:
        problem = error.problem
        raise refused(422, SERVER_VALUE, parameter="text.div", problem=problem) from error


def check_preconditions(
    request: Request, there: int | None, resource_type: str, identity: str
) -> None:
    """If-Match and If-None-Match of a write over the version there. Raises Refused (412)."""
    wanted = request.headers.get("if-match")
    if wanted is not None and request.headers.get("if-none-match", "").strip() == "*":
        problem = "If-Match demands that the resource exists, If-None-Match: * that it does not"
        raise refused(400, SERVER_CONDITIONS, problem=problem)
    if wanted is not None:
        tags = _ETAG.findall(wanted) if _ETAGS.fullmatch(wanted) else []
        if not tags and wanted.strip() != "*":
            allowed = 'write W/"1" or *'
            raise refused(400, SERVER_HEADER, header="If-Match", found=wanted, allowed=allowed)
        if there is None or (tags and str(there) not in tags):
            found = f"has version {there}" if there else "does not exist"
            raise refused(
                412,
                SERVER_VERSION_CONFLICT,
                wanted=wanted,
                type=resource_type,
                id=identity,
                found=found,
            )
    unwanted = request.headers.get("if-none-match", "")
    if there and (unwanted.strip() == "*" or str(there) in _ETAG.findall(unwanted)):
        raise refused(412, SERVER_EXISTS, type=resource_type, id=identity, version=there)


def only_match(request: Request, endpoint: Endpoint, query: Query) -> Version | None:
    """The one resource that criteria find. Raises Refused (412) when they find several."""
    resource_type = request.path[0]
    endpoint.check_type(resource_type)
    query = tuple(pair for pair in query if pair[0] not in {"_format", "_pretty"})
    criteria = read_criteria(query, resource_type, endpoint.indexing, base=request.base)
    if not criteria.used:
        raise refused(412, SERVER_NO_CRITERIA, type=resource_type)
    found = endpoint.matches(criteria, most=2)
    if len(found) > 1:
        raise refused(
            412,
            SERVER_MULTIPLE_MATCHES,
            count=endpoint.count(criteria),
            type=resource_type,
            criteria=_criteria_text(query),
        )
    return found[0] if found else None


def _criteria_text(query: Query) -> str:
    return "&".join(f"{name}={value}" for name, value in query)


def query_of(criteria: str) -> Query:
    """The criteria of If-None-Exist as a query."""
    return split_url(f"?{criteria.removeprefix('?')}")[1]


def _directed(request: Request, identity: str, resource: Resource | None) -> Request:
    """A conditional request as one to the id that it was found to mean."""
    return replace(request, path=(request.path[0], identity), query=(), resource=resource)
