"""Bundles: fullUrls, links, what a document must hold together, requests of a transaction.

Every rule looks at an entry once, so that a large Bundle takes time in proportion to its size
(http://hl7.org/fhir/R4/bundle.html).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fhirpkg.fhirjson import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.bundle_index import BundleIndex
    from fhirpkg.validation.run import Run

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S")
_RESTFUL = re.compile(
    r"(?P<base>https?://.*/)(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/.*)?"
)
_RELATIVE = re.compile(r"(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})")
_PAGING = frozenset(("self", "first", "previous", "prev", "next", "last"))
_REQUESTS = frozenset(("transaction", "batch"))
_WITHOUT_FULL_URL = frozenset((*_REQUESTS, "transaction-response", "batch-response"))
_SENDS = {"POST": True, "PUT": True, "PATCH": True, "GET": False, "HEAD": False, "DELETE": False}
_COMPOSITION_REFERENCES = ("subject", "encounter", "author", "custodian")
_SECTION_REFERENCES = ("author", "focus", "entry")


def check_bundle(bundle: Resource, path: Path, run: Run) -> None:
    """Report what is wrong with a Bundle as a whole; each entry's resource is checked by others."""
    entries = [
        (entry, (*path, "entry", number))
        for number, entry in enumerate(_items(bundle, "entry"))
        if isinstance(entry, dict)
    ]
    kind = text_of(bundle, "type")
    for entry, place in entries:
        _check_full_url(entry, place, kind, run)
    _check_links(bundle, path, run)
    if kind in _REQUESTS:
        _check_requests(entries, run, is_transaction=kind == "transaction")
    if kind == "document" and entries:
        _check_document(bundle, entries, path, run)


def _check_full_url(entry: Resource, place: Path, kind: str, run: Run) -> None:
    url, resource = entry.get("fullUrl"), entry.get("resource")
    if not isinstance(resource, dict):
        resource = {}
    if url is None:
        if resource and kind not in _WITHOUT_FULL_URL:
            run.report("bundle-full-url-missing", place, type=resource.get("resourceType"))
        return
    if not isinstance(url, str):
        return
    if not _ABSOLUTE.match(url):
        run.report("bundle-full-url-absolute", place, url=url)
    match = _RESTFUL.fullmatch(url)
    if not match or not resource or not run.definitions.types.is_resource(match["type"]):
        return
    if resource.get("id") is None and kind in _REQUESTS:
        return  # a server has yet to give it one
    identity = f"{resource.get('resourceType')}/{resource.get('id', '(an id)')}"
    if f"{match['type']}/{match['id']}" != identity:
        run.report("bundle-full-url-identity", place, url=url, identity=f"/{identity}")


def _check_links(bundle: Resource, path: Path, run: Run) -> None:
    seen: set[str] = set()
    for number, link in enumerate(_items(bundle, "link")):
        relation = text_of(link, "relation")
        if relation in seen and relation in _PAGING:
            run.report("bundle-link-repeated", (*path, "link", number), relation=relation)
        seen.add(relation)


def _check_requests(
    entries: list[tuple[Resource, Path]], run: Run, *, is_transaction: bool
) -> None:
    changed: set[str] = set()
    for entry, place in entries:
        request, resource = entry.get("request"), entry.get("resource")
        if not isinstance(request, dict):
            continue  # bdl-3 tells it
        method, url = text_of(request, "method"), text_of(request, "url")
        problem = _resource_problem(method, url, resource)
        if problem:
            run.report("bundle-request-resource", place, method=method, problem=problem)
        problem = _url_problem(method, url, resource if isinstance(resource, dict) else {}, run)
        if url and problem:
            where = (*place, "request", "url")
            run.report("bundle-request-url", where, method=method, url=url, problem=problem)
        if url and is_transaction and method in {"PUT", "PATCH", "DELETE"}:
            if url in changed:
                run.report("bundle-request-overlap", (*place, "request", "url"), url=url)
            changed.add(url)


def _resource_problem(method: str, url: str, resource: Any) -> str:
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
        return f"'{type_name}' is no type of resource"
    found = resource.get("resourceType", type_name)
    if found != type_name:
        return f"the resource is a {found}"
    if method == "POST":
        return "a server gives the id" if id_ else ""
    if not id_ and not search:
        return "there is no id"
    if id_ and resource and resource.get("id") != id_:
        return f"the resource has the id '{resource.get('id', '')}'"
    return ""


def _check_document(
    bundle: Resource, entries: list[tuple[Resource, Path]], path: Path, run: Run
) -> None:
    first, place = entries[0]
    composition = first.get("resource")
    if not isinstance(composition, dict) or composition.get("resourceType") != "Composition":
        return  # bdl-11 tells it
    index = run.index(bundle)
    base = text_of(first, "fullUrl")
    for value, where in _composition_references(composition, (*place, "resource")):
        reference = text_of(value, "reference")
        if reference and not reference.startswith("#"):
            _check_document_reference(reference, base, where, index, run)
    sheets = _style_sheets(bundle, base, path, run)
    _check_reachable(entries, [first, *sheets], index, run)


def _style_sheets(bundle: Resource, base: str, path: Path, run: Run) -> list[Resource]:
    """The entries that links name as style sheets; one that is elsewhere may be absolute."""
    found: list[Resource] = []
    for number, link in enumerate(_items(bundle, "link")):
        url = text_of(link, "url")
        if link.get("relation") != "stylesheet" or not url:
            continue
        sheets = _targets(url, base, run.index(bundle))
        if not sheets and not _ABSOLUTE.match(url):
            run.report("bundle-stylesheet", (*path, "link", number, "url"), url=url)
        found += sheets
    return found


def _check_document_reference(
    reference: str, base: str, where: Path, index: BundleIndex, run: Run
) -> None:
    found = _targets(reference, base, index)
    if len(found) > 1:
        run.report("bundle-reference-ambiguous", where, reference=reference, count=len(found))
    elif not found:
        identity = "/".join(reference.partition("/_history/")[0].split("/")[-2:])
        same = len(index.by_id.get(identity, ()))
        hint = f"; {same} of its entries have that type and id, but another fullUrl or version"
        run.report(
            "bundle-document-reference", where, reference=reference, hint=hint if same else ""
        )


def _targets(reference: str, base: str, index: BundleIndex) -> list[Resource]:
    """The entries a reference leads to: by fullUrl alone, and by version when it names one."""
    url, _, version = reference.partition("#")[0].partition("/_history/")
    if _RELATIVE.fullmatch(url):
        match = _RESTFUL.fullmatch(base)
        if not match:
            return []
        url = match["base"] + url
    found = index.by_url.get(url, [])
    if version:
        found = [e for e in found if text_of(e["resource"].get("meta"), "versionId") == version]
    return found


def _check_reachable(
    entries: list[tuple[Resource, Path]], roots: list[Resource], index: BundleIndex, run: Run
) -> None:
    """Tell the entries that no chain of references, followed either way, links with a root."""
    number_of = {id(entry): number for number, (entry, _) in enumerate(entries)}
    linked: list[set[int]] = [set() for _ in entries]
    for number, (entry, _) in enumerate(entries):
        base = text_of(entry, "fullUrl")
        for reference in _references(entry.get("resource")):
            for target in _targets(reference, base, index):
                linked[number].add(number_of[id(target)])
                linked[number_of[id(target)]].add(number)
    todo = [number_of[id(root)] for root in roots]
    reached = set(todo)
    while todo:
        new = linked[todo.pop()] - reached
        reached |= new
        todo += new
    for number, (entry, place) in enumerate(entries):
        if number not in reached:
            run.report("bundle-unreachable", place, url=entry.get("fullUrl", ""))


def _composition_references(composition: Resource, path: Path) -> Iterator[tuple[Any, Path]]:
    yield from _values(composition, _COMPOSITION_REFERENCES, path)
    for key, inner in (("attester", "party"), ("event", "detail")):
        for number, part in enumerate(_items(composition, key)):
            yield from _values(part, (inner,), (*path, key, number))
    todo = [(composition, path)]
    while todo:
        parent, place = todo.pop()
        for number, section in enumerate(_items(parent, "section")):
            here = (*place, "section", number)
            yield from _values(section, _SECTION_REFERENCES, here)
            todo.append((section, here))


def _values(parent: Resource, keys: tuple[str, ...], path: Path) -> Iterator[tuple[Any, Path]]:
    for key in keys:
        value = parent.get(key)
        if isinstance(value, list):
            yield from ((item, (*path, key, n)) for n, item in enumerate(value))
        elif value is not None:
            yield value, (*path, key)


def _references(resource: Any) -> Iterator[str]:
    """Every literal reference in a resource, wherever it stands."""
    todo = [resource]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if isinstance(node.get("reference"), str):
                yield node["reference"]
            todo += node.values()
        elif isinstance(node, list):
            todo += node


def _items(parent: Resource, key: str) -> list[Resource]:
    """The objects of a list; one that holds anything else is the structure's to tell."""
    items = parent.get(key)
    return [i if isinstance(i, dict) else {} for i in items] if isinstance(items, list) else []
