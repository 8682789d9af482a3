"""Searching a type: criteria, order, pages, included resources, as a searchset Bundle.

See http://hl7.org/fhir/R4/search.html. The self link holds what was used and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from fhirpkg import fhirjson, rules
from fhirpkg.server.exchange import Answer, Refused, outcome, refused
from fhirpkg.server.rules import (
    SERVER_INCLUDED,
    SERVER_SEARCH_IGNORED,
    SERVER_SEARCH_LIMIT,
    SERVER_SEARCH_VALUE,
    SERVER_UNREADABLE,
)
from fhirpkg.server.searching.criteria import read_criteria, unknown_parameter
from fhirpkg.server.searching.including import INCLUDES, MOST_INCLUDED, included
from fhirpkg.server.searching.planning import SortKey, count, find
from fhirpkg.server.searching.summary import check_elements, check_mode, reduced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.exchange import Query, Request
    from fhirpkg.server.searching.conditions import Criteria
    from fhirpkg.server.storing.versions import Version

PAGE_SIZE = 100
LARGEST_PAGE = 1000
_MOST_SORT_KEYS = 5
_OFFSET, _AFTER = "_offset", "_after"
_PLACE = {_OFFSET, _AFTER}
"""In the links between pages only: how many matches come before, and the id of the last one."""
RESULT_PARAMETERS = (
    *INCLUDES, "_sort", "_count", "_summary", "_elements", "_total", *sorted(_PLACE)
)  # fmt: skip
_TOTALS = ("none", "estimate", "accurate")
_NOT_SEARCHED = {"_format", "_pretty"}


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a result is wanted."""

    count: int = PAGE_SIZE
    offset: int = 0
    after: str = ""
    """The id of the match before it, which holds when others are deleted meanwhile."""

    @property
    def place(self) -> Query:
        """What a link to this page says of where it is."""
        pairs = ((_OFFSET, str(self.offset or "")), (_AFTER, self.after))
        return tuple(pair for pair in pairs if pair[1])


@dataclass(frozen=True, slots=True)
class _Search:
    """A search as it was understood; `chosen` are the parameters that shape its answer."""

    request: Request
    endpoint: Endpoint
    criteria: Criteria
    order: tuple[SortKey, ...]
    page: Page
    chosen: tuple[tuple[str, str], ...]

    def option(self, name: str) -> str:
        """The last value of a parameter of the answer."""
        return dict(self.chosen).get(name, "")


def search(request: Request, endpoint: Endpoint) -> Answer:
    """The resources of a type that fit the query, a page of them.

    What it does not know or do is refused, unless `Prefer: handling=lenient` asks to go on; then
    the answer says what was left out.
    """
    resource_type, query = request.path[0], request.query
    endpoint.check_type(resource_type)
    strict = request.preference("handling") != "lenient"
    chosen = [pair for pair in query if _result_name(pair[0]) in RESULT_PARAMETERS]
    asked = [pair for pair in query if pair not in chosen and pair[0] not in _NOT_SEARCHED]
    criteria = read_criteria(
        asked, resource_type, endpoint.indexing, base=request.base, strict=strict
    )
    options = dict(chosen)
    check_mode(options.get("_summary", "false"))
    try:
        includes = any(name.startswith(INCLUDES) for name, _ in chosen)
        check_elements(
            options.get("_elements", ""), resource_type, endpoint.definitions, includes=includes
        )
    except Refused as error:
        if strict:
            raise
        criteria.ignored.append(f"a part of _elements: {error}")
    if options.get("_total", "none") not in _TOTALS:
        problem = f"'{options['_total']}' is not one of {', '.join(_TOTALS)}"
        raise refused(400, SERVER_SEARCH_VALUE, parameter="_total", problem=problem)
    order = _order(options.get("_sort", ""), resource_type, endpoint, criteria, strict=strict)
    page = read_page(options)
    used = {"_count": str(page.count), "_sort": ",".join(key.text for key in order)}
    shown = tuple((name, used.get(name, text)) for name, text in chosen if used.get(name, text))
    return Answer(200, text=_bundle(_Search(request, endpoint, criteria, order, page, shown)))


def _result_name(name: str) -> str:
    return name.partition(":")[0] if name.startswith(INCLUDES) else name


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


def _bundle(search: _Search) -> str:
    """The searchset as JSON text: resources go into it as they are stored."""
    page, criteria, store = search.page, search.criteria, search.endpoint.store
    found: list[Version] = []
    total, following = None, None
    if page.count and search.option("_summary") != "count":
        matches = find(
            store,
            criteria,
            search.order,
            most=page.count + 1,
            offset=0 if page.after else page.offset,
            after=_key_of(page.after, search),
        )
        found, total = list(store.by_keys(matches.keys[: page.count]).values()), matches.total
        if len(matches.keys) > len(found):  # more follow, or some were deleted meanwhile
            last = found[-1].id if found and not search.order else page.after
            following = Page(page.count, page.offset + len(found), last)
        elif not page.offset:
            total = len(found)
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset"}
    wanted = search.option("_total")
    if total is None and _is_counted(search):
        total = count(store, criteria)
    if total is not None and wanted != "none":
        bundle["total"] = total
    bundle["link"] = links(search.request, criteria.used + list(search.chosen), page, following)
    entries = [_entry(version, "match", search) for version in found]
    entries += _others(search, found)
    head = fhirjson.dump(bundle)
    return f'{head[:-1]},"entry":[{",".join(entries)}]}}' if entries else head


def _is_counted(search: _Search) -> bool:
    """Whether the number of all matches is worth its time: it is asked for, or costs little."""
    wanted = search.option("_total")
    if wanted == "none":
        return False
    only = not search.page.count or search.option("_summary") == "count"
    return only or wanted != "" or not search.criteria.conditions


def _others(search: _Search, found: list[Version]) -> list[str]:
    """The entries beside the matches: what is included, and what the client is to know."""
    everything = {"_include": f"{search.request.path[0]}:*"}
    wanted = [
        (name, everything.get(name, text) if text == "*" else text)
        for name, text in search.chosen
        if name.startswith(INCLUDES)
    ]
    more, is_whole = included(found, wanted, search.endpoint) if wanted else ([], True)
    entries = [_entry(version, "include", search) for version in more]
    issues = [rules.issue(SERVER_SEARCH_IGNORED, problem=text) for text in search.criteria.ignored]
    if not is_whole:
        issues.append(rules.issue(SERVER_INCLUDED, most=MOST_INCLUDED))
    if issues:
        told = {"resource": outcome(*issues), "search": {"mode": "outcome"}}
        entries.append(fhirjson.dump(told))
    return entries


def _key_of(identity: str, search: _Search) -> int:
    """The key of the match before a page, even if it was deleted since; 0 without one.

    Raises Refused (400) for an id that no link between pages can hold.
    """
    if not identity:
        return 0
    found = search.endpoint.store.query(
        "SELECT key FROM current WHERE type = ? AND id = ?", (search.criteria.type, identity)
    )
    if not found:
        problem = f"'{identity}' is not the id of an earlier match"
        raise refused(400, SERVER_SEARCH_VALUE, parameter=_AFTER, problem=problem)
    return int(found[0][0])


def _entry(version: Version, mode: str, search: _Search) -> str:
    """An entry as JSON text; of a resource that cannot be read it says that."""
    url = f"{search.request.base}/{version.type}/{version.id}"
    text, options = version.content, dict(search.request.query)
    if "_summary" in options or "_elements" in options:
        try:
            resource = reduced(version.resource(), options, search.endpoint.definitions)
            text = fhirjson.dump(resource)
        except (AssertionError, RecursionError, TypeError, ValueError) as error:
            issue = rules.issue(
                SERVER_UNREADABLE, url=version.url, format="a part of it", problem=error
            )
            text, mode = fhirjson.dump(outcome(issue)), "outcome"
    return f'{{"fullUrl":{fhirjson.dump(url)},"resource":{text},"search":{{"mode":"{mode}"}}}}'


def _order(
    text: str, resource_type: str, endpoint: Endpoint, criteria: Criteria, *, strict: bool
) -> tuple[SortKey, ...]:
    """The keys of `_sort`: what has no value comes last."""
    keys = []
    for key in filter(None, text.split(",")):
        code = key.removeprefix("-")
        parameter = endpoint.indexing.parameters(resource_type).get(code)
        if parameter is None or parameter.kind == "composite":
            error = unknown_parameter(code, resource_type, endpoint.indexing)
            if strict:
                raise error
            criteria.ignored.append(f"_sort={key}: {error}")
            continue
        keys.append(SortKey(key, code, parameter.name, key.startswith("-")))
    if len(keys) > _MOST_SORT_KEYS:
        raise refused(400, SERVER_SEARCH_LIMIT, what="keys of _sort", most=_MOST_SORT_KEYS)
    return tuple(keys)
