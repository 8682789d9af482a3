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

from fhirpkg.languages.choosing import best, wanted
from fhirpkg.languages.words import gettext, known_languages, language, speaking
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
        Route("/download/{name}", in_language(_downloads(endpoint))),
    ]


def _route(path: str, page: Page, endpoint: Endpoint) -> Route:
    async def answer(request: HttpRequest) -> HTMLResponse:
        return await run_in_threadpool(_page, page, endpoint, request)

    return Route(path, in_language(answer))


def _page(page: Page, endpoint: Endpoint, request: HttpRequest) -> HTMLResponse:
    text = page(endpoint, request)
    return missing() if text is None else html(text)


def in_language(
    answer: Callable[[HttpRequest], Awaitable[Response]],
) -> Callable[[HttpRequest], Awaitable[Response]]:
    """A page in the best language that a browser asks for, else in English."""

    async def answer_in_it(request: HttpRequest) -> Response:
        asked = wanted(request.headers.get("accept-language", ""))
        with speaking(best(asked, known_languages()) or "en"):
            return await answer(request)

    return answer_in_it


def html(text: str, status: int = 200) -> HTMLResponse:
    """A page that says in which language it is."""
    return HTMLResponse(text, status, _spoken())


def _spoken() -> dict[str, str]:
    """The headers of what is said in the best language that a browser asks for."""
    return {**HEADERS, "Content-Language": language(), "Vary": "Accept-Language"}


def missing() -> HTMLResponse:
    """The page where nothing is."""
    return html(rendered("missing.html", LINKS, title=gettext("Nothing is here")), 404)


def _downloads(endpoint: Endpoint) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def answer(request: HttpRequest) -> Response:
        name = request.path_params["name"]
        data = await run_in_threadpool(lambda: download(name, StoreShelf(endpoint)))
        if data is None:
            return missing()
        headers = {**_spoken(), "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type=MEDIA[name.rpartition(".")[2]], headers=headers)

    return answer


async def _asset(request: HttpRequest) -> Response:
    name = request.path_params["name"]
    if name not in ASSETS:
        return Response(status_code=404)
    return Response(asset(name), media_type=ASSETS[name], headers=HEADERS)


def _start(endpoint: Endpoint, _: HttpRequest) -> str:
    return start_page(
        StoreShelf(endpoint),
        LINKS,
        title=gettext("Procedures on this server"),
        about=gettext(ABOUT),
    )


def _search(endpoint: Endpoint, request: HttpRequest) -> str:
    query = request.query_params.get("q", "").strip()[:200]
    BUDGET.set(Budget(SEARCH_SECONDS))
    try:
        rows = StoreShelf(endpoint).searched(query)
    except TooCostly:
        return search_page(
            [], LINKS, query, gettext("The search took too long; ask for more words.")
        )
    note = gettext("Ask for a code, a name or a word.")
    if query:  # of as many as are listed there may be more
        is_cut = len(rows) == LISTED
        note = gettext("The first {count} found" if is_cut else "{count} found", count=len(rows))
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
    return rendered(
        "feedback.html", LINKS, title=gettext("Feedback"), heads=_FEEDBACK_HEADS, rows=rows
    )


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
