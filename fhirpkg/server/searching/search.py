"""Searching a type: criteria, order, pages, included resources, as a searchset Bundle.

See http://hl7.org/fhir/R4/search.html. The self link holds what was used and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fhirpkg import rules
from fhirpkg.server.exchange import Answer, outcome, refused
from fhirpkg.server.rules import (
    SERVER_SEARCH_IGNORED,
    SERVER_SEARCH_VALUE,
)
from fhirpkg.server.searching.criteria import Criteria, read_criteria, unknown_parameter
from fhirpkg.server.searching.including import included
from fhirpkg.server.searching.summary import check_mode, reduced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.exchange import Query, Request
    from fhirpkg.server.storing.store import Version

PAGE_SIZE = 100
LARGEST_PAGE = 1000
_INCLUDES = ("_include", "_revinclude")
_OFFSET, _AFTER = "_offset", "_after"
_PLACE = {_OFFSET, _AFTER}
"""In the links between pages only: how many matches come before, and the id of the last one."""
_RESULT = {*_INCLUDES, "_sort", "_count", "_summary", "_elements", "_total", *_PLACE}
_NOT_SEARCHED = {"_format", "_pretty"}


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a result is wanted."""

    count: int = PAGE_SIZE
    offset: int = 0
    after: str = ""
    """The id of the match before it, which holds when others are deleted meanwhile."""

    @property
    def sql(self) -> str:
        """The tail of a SELECT, which asks for one more to know whether there is a next page."""
        return f"LIMIT {self.count + 1} OFFSET {0 if self.after else self.offset}"

    @property
    def place(self) -> Query:
        """What a link to this page says of where it is."""
        pairs = ((_OFFSET, str(self.offset or "")), (_AFTER, self.after))
        return tuple(pair for pair in pairs if pair[1])


def search(request: Request, endpoint: Endpoint) -> Answer:
    """The resources of a type that fit the query, a page of them."""
    resource_type, query = request.path[0], request.query
    endpoint.check_type(resource_type)
    strict = request.preference("handling") == "strict"
    chosen = [pair for pair in query if pair[0] in _RESULT]
    asked = [pair for pair in query if pair[0] not in _RESULT | _NOT_SEARCHED]
    criteria = read_criteria(
        asked, resource_type, endpoint.indexing, base=request.base, strict=strict
    )
    options = dict(chosen)
    check_mode(options.get("_summary", "false"))
    order = _order(options.get("_sort", ""), resource_type, endpoint, criteria, strict=strict)
    page = read_page(options)
    used = {"_count": str(page.count), "_sort": ",".join(order)}
    chosen = [(name, used.get(name, text)) for name, text in chosen if used.get(name, text)]
    sql = "".join(order.values())
    return Answer(200, _bundle(request, endpoint, criteria, sql, page, chosen))


def read_page(options: dict[str, str]) -> Page:
    """The page that `_count` and the place of a paging link name."""
    count = min(_natural(options, "_count", PAGE_SIZE), LARGEST_PAGE)
    after = "" if options.get("_sort") else options.get(_AFTER, "")
    return Page(count, _natural(options, _OFFSET, 0), after)


def _natural(options: dict[str, str], name: str, default: int) -> int:
    text = options.get(name, "")
    if text and not (text.isdecimal() and len(text) < 10):
        problem = f"'{text}' is not a number from 0 on"
        raise refused(400, SERVER_SEARCH_VALUE, parameter=name, problem=problem)
    return int(text or default)


def links(
    request: Request, used: Iterable[tuple[str, str]], page: Page, following: Page | None
) -> list[Resource]:
    """The links of a paged Bundle: self, next, previous."""
    used = [pair for pair in used if pair[0] not in _PLACE]
    address = f"{request.base}/{request.at.removesuffix('/_search')}"
    places = {"self": page, "next": following}
    if page.offset:
        places["previous"] = Page(page.count, max(page.offset - page.count, 0))

    def link(relation: str, place: Query) -> Resource:
        text = "&".join(f"{quote(n, safe=':')}={quote(v, safe='/:$,')}" for n, v in [*used, *place])
        return {"relation": relation, "url": f"{address}?{text}" if text else address}

    return [link(relation, found.place) for relation, found in places.items() if found]


def _bundle(
    request: Request,
    endpoint: Endpoint,
    criteria: Criteria,
    order: str,
    page: Page,
    chosen: list[tuple[str, str]],
) -> Resource:
    options = dict(chosen)
    found: list[Version] = []
    if page.count and options.get("_summary") != "count":
        found = endpoint.matches(_after(criteria, page.after), order, page.sql)
    whole = page.offset == 0 and 0 < len(found) <= page.count
    following = None
    if len(found) > page.count:
        found = found[:-1]
        following = Page(page.count, page.offset + page.count, "" if order else found[-1].id)
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset"}
    if options.get("_total") != "none":
        bundle["total"] = len(found) if whole else endpoint.count(criteria)
    bundle["link"] = links(request, criteria.used + chosen, page, following)
    entries = [_entry(version, "match", request, endpoint) for version in found]
    everything = {("_include", "*"): ("_include", f"{request.path[0]}:*")}
    wanted = [everything.get(pair, pair) for pair in chosen if pair[0] in _INCLUDES]
    more = included(found, wanted, endpoint) if wanted else []
    entries += [_entry(version, "include", request, endpoint) for version in more]
    if criteria.ignored:
        issues = [rules.issue(SERVER_SEARCH_IGNORED, problem=text) for text in criteria.ignored]
        entries.append({"resource": outcome(*issues), "search": {"mode": "outcome"}})
    return bundle | {"entry": entries} if entries else bundle


def _after(criteria: Criteria, identity: str) -> Criteria:
    """The matches that were made after one of them, even if that was deleted since."""
    if not identity:
        return criteria
    later = replace(criteria, arguments=list(criteria.arguments))
    there = "SELECT c.key FROM current c WHERE c.type = current.type AND c.id = ?"
    later.narrow((f"current.key > ({there})", [identity]))
    return later


def _entry(version: Version, mode: str, request: Request, endpoint: Endpoint) -> Resource:
    resource = reduced(version.resource(), dict(request.query), endpoint.definitions)
    return {
        "fullUrl": f"{request.base}/{version.type}/{version.id}",
        "resource": resource,
        "search": {"mode": mode},
    }


def _order(
    text: str, resource_type: str, endpoint: Endpoint, criteria: Criteria, *, strict: bool
) -> dict[str, str]:
    """The keys of `_sort` in SQL: each ends with a comma, what has no value comes last."""
    keys = {}
    for key in filter(None, text.split(",")):
        code, down = key.removeprefix("-"), key.startswith("-")
        parameter = endpoint.indexing.parameters(resource_type).get(code)
        if parameter is None or parameter.kind == "composite":
            error = unknown_parameter(code, resource_type, endpoint.indexing)
            if strict:
                raise error
            criteria.ignored.append(f"_sort={key}: {error}")
            continue
        keys[key] = f"{_sorted_by(parameter)} {'DESC' if down else 'ASC'} NULLS LAST, "
    return keys


def _sorted_by(parameter: Any) -> str:
    columns = {"_id": "current.id", "_lastUpdated": "current.updated"}
    if parameter.code in columns:
        return columns[parameter.code]
    where = f"key = current.key AND param = '{parameter.name}'"  # a name of the definitions
    return f"(SELECT min(value) FROM searchable WHERE {where})"  # noqa: S608
