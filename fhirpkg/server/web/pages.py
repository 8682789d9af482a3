"""Pages for a browser: those of fhirpkg.pages over what is stored, and what clinicians did.

Content comes from whoever could write. Nothing of it runs: what is shown of it was made harmless,
and the content security policy lets no script or foreign address work.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from fhirpkg.pages.downloads import MEDIA, download, packages_with
from fhirpkg.pages.environment import ASSETS, asset, rendered
from fhirpkg.pages.json_page import resource_page
from fhirpkg.pages.links import Links
from fhirpkg.pages.listing import search_page, start_page, type_page
from fhirpkg.pages.procedure import procedure_page
from fhirpkg.pages.shelf import LISTED
from fhirpkg.server.capabilities import ABOUT
from fhirpkg.server.cds.feedback import kept
from fhirpkg.server.storing.connections import BUDGET, Budget, TooCostly
from fhirpkg.server.web.lanes import SEARCH_SECONDS
from fhirpkg.server.web.shelf import StoreShelf

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request as HttpRequest

    from fhirpkg.pages.facts import Sources
    from fhirpkg.server.endpoint import Endpoint

    Page = Callable[[Endpoint, HttpRequest], str | None]

_FEEDBACK = 200
LINKS = Links("/", is_served=True)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser hides the origin of a form
}


def routes(endpoint: Endpoint, sources: Sources | None = None) -> list[Route]:
    """The start, procedures, lists, resources, downloads, the search, and `/feedback`.

    `sources` are the authored procedures, where they are here.
    """
    return [
        _route("/", _start, endpoint),
        _route("/search", _search, endpoint),
        _route("/procedure/{id}", functools.partial(_procedure, sources), endpoint),
        _route("/type/{type}", _type, endpoint),
        _route("/show/{type}/{id}", _show, endpoint),
        _route("/feedback", _feedback, endpoint),
        Route("/asset/{name}", _asset),
        Route("/download/{name}", _downloads(endpoint)),
    ]


def _route(path: str, page: Page, endpoint: Endpoint) -> Route:
    async def answer(request: HttpRequest) -> HTMLResponse:
        text = await run_in_threadpool(page, endpoint, request)
        return missing() if text is None else HTMLResponse(text, 200, HEADERS)

    return Route(path, answer)


def missing() -> HTMLResponse:
    """The page where nothing is."""
    return HTMLResponse(rendered("missing.html", LINKS, title="Nothing is here"), 404, HEADERS)


def _downloads(endpoint: Endpoint) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def answer(request: HttpRequest) -> Response:
        name = request.path_params["name"]
        data = await run_in_threadpool(lambda: download(name, StoreShelf(endpoint)))
        if data is None:
            return missing()
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type=MEDIA[name.rpartition(".")[2]], headers=headers)

    return answer


async def _asset(request: HttpRequest) -> Response:
    name = request.path_params["name"]
    if name not in ASSETS:
        return Response(status_code=404)
    return Response(asset(name), media_type=ASSETS[name], headers=HEADERS)


def _start(endpoint: Endpoint, _: HttpRequest) -> str:
    return start_page(StoreShelf(endpoint), LINKS, title="Procedures on this server", about=ABOUT)


def _search(endpoint: Endpoint, request: HttpRequest) -> str:
    query = request.query_params.get("q", "").strip()[:200]
    BUDGET.set(Budget(SEARCH_SECONDS))
    try:
        rows = StoreShelf(endpoint).searched(query)
    except TooCostly:
        return search_page([], LINKS, query, "The search took too long; ask for more words.")
    first = "The first " if len(rows) == LISTED else ""  # it may be that there are more
    note = f"{first}{len(rows)} found" if query else "Ask for a code, a name or a word."
    return search_page(rows, LINKS, query, note)


def _procedure(sources: Sources | None, endpoint: Endpoint, request: HttpRequest) -> str | None:
    shelf = StoreShelf(endpoint)
    plan = shelf.read("PlanDefinition", request.path_params["id"])
    if plan is None:
        return None
    return procedure_page(plan, shelf, LINKS, packages_with(plan, shelf), sources)


def _type(endpoint: Endpoint, request: HttpRequest) -> str | None:
    shelf = StoreShelf(endpoint)
    name = request.path_params["type"]
    return type_page(name, shelf, LINKS) if name in shelf.counts() else None


def _show(endpoint: Endpoint, request: HttpRequest) -> str | None:
    shelf = StoreShelf(endpoint)
    resource = shelf.read(request.path_params["type"], request.path_params["id"])
    return resource_page(resource, shelf, LINKS) if resource else None


def _feedback(endpoint: Endpoint, _: HttpRequest) -> str:
    """What clinicians did with cards, the newest first."""
    rows = [_cells(*each) for each in kept(endpoint.store, _FEEDBACK)]
    return rendered("feedback.html", LINKS, title="Feedback", heads=_FEEDBACK_HEADS, rows=rows)


_FEEDBACK_HEADS = ("Received", "Service", "Card", "Outcome", "Accepted or why not", "At")


def _cells(received: float, service: str, item: dict[str, Any]) -> tuple[str, ...]:
    """An item of feedback as the cells of a row."""
    moment = datetime.fromtimestamp(received, UTC).isoformat(" ", "seconds")
    accepted = [str(a.get("id")) for a in item.get("acceptedSuggestions") or ()]
    reason = item.get("overrideReason")
    reason = reason if isinstance(reason, dict) else {}
    coding = reason.get("reason") if isinstance(reason.get("reason"), dict) else {}
    words = [str(v) for v in (coding or {}).values()] + [str(reason.get("userComment", ""))]
    why = ", ".join(filter(None, [*accepted, *words]))
    parts = (item.get("card"), item.get("outcome"), why, item.get("outcomeTimestamp"))
    return (moment, service, *(str(part or "") for part in parts))
