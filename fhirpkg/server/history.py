"""History of a resource, of a type, of the whole server (http://hl7.org/fhir/R4/http.html#history)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg import rules
from fhirpkg.server import values
from fhirpkg.server.exchange import Answer, refused
from fhirpkg.server.rules import (
    SERVER_SEARCH_PARAMETER,
    SERVER_SEARCH_VALUE,
    SERVER_UNKNOWN_RESOURCE,
)
from fhirpkg.server.searching.search import Page, links, read_page

if TYPE_CHECKING:
    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.exchange import Request
    from fhirpkg.server.storing.versions import Version


_PARAMETERS = ("_since", "_count", "_offset", "_format", "_pretty")


def history(request: Request, endpoint: Endpoint) -> Answer:
    """All versions below a path, the newest first, a page of them."""
    where, arguments = "1", list[Any]()
    scope = request.path[:-1]
    if scope:
        endpoint.check_type(scope[0])
    for column, value in zip(("type", "id"), scope, strict=False):
        where += f" AND version.{column} = ?"
        arguments.append(value)
    if len(scope) == 2 and endpoint.store.current(*scope) is None:
        raise refused(404, SERVER_UNKNOWN_RESOURCE, type=scope[0], id=scope[1])
    options = dict(request.query)
    for name in options:
        if name not in _PARAMETERS:
            near = rules.nearest(name, list(_PARAMETERS))
            rule = SERVER_SEARCH_PARAMETER
            raise refused(400, rule, type="a history", parameter=name, near=near)
    if "_since" in options:
        where += " AND version.updated >= ?"
        arguments.append(_since(options["_since"]))
    page = read_page(options)
    found = endpoint.store.versions(
        "version",
        f"{where} ORDER BY version.seq DESC LIMIT ? OFFSET ?",
        [*arguments, page.count + 1, page.offset],
    )
    following = Page(page.count, page.offset + page.count) if len(found) > page.count > 0 else None
    count = f"SELECT count(*) FROM version WHERE {where}"  # noqa: S608 - no text of a query
    ((total,),) = endpoint.store.query(count, arguments)
    used = [pair for pair in request.query if pair[0] in _PARAMETERS[:3]]
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": "history",
        "total": total,
        "link": links(request, used, page, following),
    }
    entries = [_entry(version, request.base) for version in found[: page.count]]
    return Answer(200, bundle | {"entry": entries} if entries else bundle)


def _since(text: str) -> int:
    try:
        return values.date_range(text)[0]
    except ValueError as error:
        raise refused(400, SERVER_SEARCH_VALUE, parameter="_since", problem=str(error)) from None


_STATUS = {"POST": "201", "DELETE": "204"}


def _entry(version: Version, base: str) -> Resource:
    entry: Resource = {"fullUrl": f"{base}/{version.type}/{version.id}"}
    if version.content is not None:
        entry["resource"] = version.resource()
    created = version.method == "PUT" and version.version == 1
    url = version.type if version.method == "POST" else f"{version.type}/{version.id}"
    entry["request"] = {"method": version.method, "url": url}
    entry["response"] = {
        "status": "201" if created else _STATUS.get(version.method, "200"),
        "etag": version.etag,
        "lastModified": values.instant(version.updated),
    }
    return entry
