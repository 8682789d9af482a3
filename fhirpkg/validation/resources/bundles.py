"""Bundles: fullUrls, links, search results, the requests of a transaction.

Every rule looks at an entry once, so that a large Bundle takes time in proportion to its size
(http://hl7.org/fhir/R4/bundle.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import text_of
from fhirpkg.validation.resources.bundle_rules import (
    BUNDLE_FULL_URL_ABSOLUTE,
    BUNDLE_FULL_URL_CANONICAL,
    BUNDLE_FULL_URL_IDENTITY,
    BUNDLE_FULL_URL_MISSING,
    BUNDLE_LINK_KIND,
    BUNDLE_LINK_REPEATED,
    BUNDLE_REQUEST_OVERLAP,
    BUNDLE_REQUEST_RESOURCE,
    BUNDLE_REQUEST_URL,
    BUNDLE_SEARCH,
)
from fhirpkg.validation.resources.links import (
    ABSOLUTE,
    RESTFUL,
    check_links,
    check_references,
    items_of,
)

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_PAGING = frozenset(("self", "first", "previous", "prev", "next", "last"))
_PAGED = frozenset(("searchset", "history"))
_REQUESTS = frozenset(("transaction", "batch"))
_WITHOUT_FULL_URL = frozenset((*_REQUESTS, "transaction-response", "batch-response"))
_NO_ID = "is that of a resource on a server, but this resource has no id"
_SERVER_S = "a server gives the id"
_SENDS = {"POST": True, "PUT": True, "PATCH": True, "GET": False, "HEAD": False, "DELETE": False}


def check_bundle(bundle: Resource, path: Path, run: Run) -> None:
    """Report what is wrong with a Bundle as a whole; each entry's resource is checked by others."""
    entries = [
        (entry, (*path, "entry", number))
        for number, entry in enumerate(items_of(bundle, "entry"))
        if isinstance(entry, dict)
    ]
    kind = text_of(bundle, "type")
    for entry, place in entries:
        _check_full_url(entry, place, kind, run)
    _check_links(bundle, kind, path, run)
    if kind in _REQUESTS:
        _check_requests(entries, run, is_transaction=kind == "transaction")
    if kind == "searchset":
        _check_search(bundle, entries, run)
    check_references(bundle, kind, path, run)
    if kind in {"document", "message"} and entries:
        check_links(bundle, kind, path, run)


def _check_full_url(entry: Resource, place: Path, kind: str, run: Run) -> None:
    url, resource = entry.get("fullUrl"), entry.get("resource")
    if not isinstance(resource, dict):
        resource = {}
    if url is None:
        name = resource.get("resourceType", "")
        if entry and kind not in _WITHOUT_FULL_URL:
            severity = Severity.WARNING if name in {"", "OperationOutcome"} else None
            run.report(BUNDLE_FULL_URL_MISSING, place, severity=severity, type=name or "entry")
        return
    if not isinstance(url, str):
        return
    if not ABSOLUTE.match(url):
        run.report(BUNDLE_FULL_URL_ABSOLUTE, place, url=url)
    match = RESTFUL.fullmatch(url)
    if url == resource.get("url") and not (match and match["id"] == resource.get("id")):
        run.report(BUNDLE_FULL_URL_CANONICAL, place, url=url)
    if not match or not resource or not run.definitions.types.is_resource(match["type"]):
        return
    if resource.get("id") is None and kind in _REQUESTS:
        return  # a server has yet to give it one
    identity = f"{resource.get('resourceType')}/{resource.get('id')}"
    if f"{match['type']}/{match['id']}" != identity:
        is_sure = "id" not in resource or match["type"] != resource.get("resourceType")
        run.report(
            BUNDLE_FULL_URL_IDENTITY,
            place,
            severity=Severity.ERROR if is_sure else None,
            url=url,
            problem=f"does not end with '/{identity}'" if "id" in resource else _NO_ID,
        )


def _check_links(bundle: Resource, kind: str, path: Path, run: Run) -> None:
    """Links to pages belong only in what has pages; each relation occurs once."""
    seen: set[str] = set()
    for number, link in enumerate(items_of(bundle, "link")):
        relation = text_of(link, "relation")
        if relation in _PAGING - {"self"} and kind not in _PAGED:
            place = (*path, "link", number, "relation")
            run.report(BUNDLE_LINK_KIND, place, relation=relation, kind=kind)
        if relation in seen and relation in _PAGING:
            run.report(BUNDLE_LINK_REPEATED, (*path, "link", number), relation=relation)
        seen.add(relation)


def _check_requests(
    entries: list[tuple[Resource, Path]], run: Run, *, is_transaction: bool
) -> None:
    changed: set[str] = set()
    for entry, place in entries:
        request, resource = entry.get("request"), entry.get("resource")
        if not isinstance(request, dict):
            continue  # bdl-3 reports it
        method, url = text_of(request, "method"), text_of(request, "url")
        problem = _resource_problem(method, url, resource)
        if problem:
            run.report(BUNDLE_REQUEST_RESOURCE, place, method=method, problem=problem)
        problem = _url_problem(method, url, resource if isinstance(resource, dict) else {}, run)
        if url and problem:
            where, found = (*place, "request", "url"), {"url": url, "problem": problem}
            # R4 has no such interaction, but no rule of Bundles forbids to ask for it
            severity = Severity.WARNING if problem == _SERVER_S else None
            run.report(BUNDLE_REQUEST_URL, where, severity=severity, method=method, **found)
        if url and is_transaction and method in {"PUT", "PATCH", "DELETE"}:
            if url in changed:
                run.report(BUNDLE_REQUEST_OVERLAP, (*place, "request", "url"), url=url)
            changed.add(url)


def _resource_problem(method: str, url: str, resource: Json) -> str:
    """Whether a resource is missing, or there for nothing; operations and searches may choose."""
    sends = _SENDS.get(method)
    if resource is None and sends and "$" not in url and "_search" not in url:
        return "lacks a resource"
    return "sends a resource, which is ignored" if resource is not None and sends is False else ""


def _url_problem(method: str, url: str, resource: Resource, run: Run) -> str:
    """Why a request's url does not fit; nothing for operations, searches and other servers."""
    address, _, search = url.partition("?")
    if "$" in address or ":" in address or method not in {"POST", "PUT"}:
        return ""
    type_name, _, id_ = address.strip("/").partition("/")
    if id_ == "_search":
        return ""
    if not run.definitions.types.is_resource(type_name):
        return f"'{type_name}' is not a type of resource"
    found = resource.get("resourceType", type_name)
    if found != type_name:
        return f"the resource is a {found}"
    if method == "POST":
        return _SERVER_S if id_ else ""
    if not id_ and not search:
        return "there is no id"
    if id_ and resource and resource.get("id") != id_:
        return f"the resource has the id '{resource.get('id', '')}'"
    return ""


def _check_search(bundle: Resource, entries: list[tuple[Resource, Path]], run: Run) -> None:
    """Search results have ids, and the types that were searched for if the link shows these."""
    links = items_of(bundle, "link")
    searched = next((text_of(k, "url") for k in links if text_of(k, "relation") == "self"), "")
    types = _searched_types(searched, run)
    for entry, place in entries:
        resource, mode = entry.get("resource"), text_of(entry.get("search"), "mode")
        if not isinstance(resource, dict):
            run.report(BUNDLE_SEARCH, place, problem="has no resource")
            continue
        kind = text_of(resource, "resourceType")
        problem = ""
        if mode == "outcome" and kind != "OperationOutcome":
            problem = f"is an outcome of the search, but holds a {kind}"
        elif mode in {"match", "include"} and "id" not in resource:
            problem = "holds a resource without id"
        elif mode == "match" and types and kind not in types:
            problem = f"holds a {kind}, but the search was for {', '.join(sorted(types))}"
        if problem:
            run.report(BUNDLE_SEARCH, place, problem=problem)


def _searched_types(url: str, run: Run) -> set[str]:
    """The types that a search by its url is for; empty when it does not show."""
    address, _, search = url.partition("?")
    last = address.rstrip("/").rpartition("/")[2]
    if run.definitions.types.is_resource(last):
        return {last}
    given = (part.partition("=") for part in search.split("&"))
    return {type_ for key, _, value in given if key == "_type" for type_ in value.split(",")}
