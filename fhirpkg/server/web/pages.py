"""Pages for a browser: what is there, and the narrative of each resource. Nothing in them runs.

A narrative comes from whoever could write, so it is shown only when it keeps the rules of R4
(txt-1, txt-2), and the content security policy lets no script, form or foreign address work.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse
from starlette.routing import Route

from fhirpkg import fhirjson
from fhirpkg.server.capabilities import ABOUT
from fhirpkg.server.cds.feedback import kept
from fhirpkg.server.operations.learning import validator
from fhirpkg.validation.narrative.narrative import check_narrative
from fhirpkg.validation.run import Run

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint

_LISTED = 200
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/><title>{title}</title><style>
body {{ font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }}
table {{ border-collapse: collapse; }} td, th {{ padding: .2em .8em .2em 0; text-align: left; }}
.narrative {{ contain: paint; isolation: isolate; overflow: auto; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4; padding: 1em; }}
</style></head><body>{body}</body></html>"""


def routes(endpoint: Endpoint) -> list[Route]:
    """`/`, `/show/Type/id` and `/feedback`."""

    async def start(_: HttpRequest) -> HTMLResponse:
        return await run_in_threadpool(_start, endpoint)

    async def show(request: HttpRequest) -> HTMLResponse:
        path = request.path_params
        return await run_in_threadpool(_show, endpoint, path["type"], path["id"])

    async def feedback(_: HttpRequest) -> HTMLResponse:
        return await run_in_threadpool(_feedback, endpoint)

    return [
        Route("/", start),
        Route("/show/{type}/{id}", show),
        Route("/feedback", feedback),
    ]


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status, _HEADERS)


def _start(endpoint: Endpoint) -> HTMLResponse:
    counts = endpoint.store.query(
        "SELECT type, count(*) FROM current WHERE digest IS NOT NULL GROUP BY type ORDER BY type"
    )
    parts = [
        f"<h1>fhirpkg serve</h1><p>{escape(ABOUT)}</p>",
        '<p>FHIR base: <a href="/fhir/metadata">/fhir</a></p>',
        '<p>CDS Hooks: <a href="/cds-services">/cds-services</a></p>',
        '<p><a href="/feedback">What clinicians did with the cards</a></p>',
    ]
    if not counts:
        parts.append("<p>Nothing is stored yet.</p>")
    parts += [_type_section(endpoint, name, count) for name, count in counts]
    return _page("fhirpkg serve", "".join(parts))


def _type_section(endpoint: Endpoint, resource_type: str, count: int) -> str:
    versions = endpoint.store.all_present(
        "current.type = ? ORDER BY current.id LIMIT ?", (resource_type, _LISTED)
    )
    rows = "".join(
        f'<tr><td><a href="/show/{resource_type}/{quote(version.id)}">{escape(version.id)}</a></td>'
        f"<td>{escape(_title(version.resource()))}</td></tr>"
        for version in versions
    )
    more = f"<p>and {count - _LISTED} more</p>" if count > _LISTED else ""
    return f"<h2>{resource_type} ({count})</h2><table>{rows}</table>{more}"


def _title(resource: Resource) -> str:
    """What a person calls a resource."""
    found = (resource.get(key) for key in ("title", "name", "description"))
    return next((text for text in found if isinstance(text, str)), "")


def _feedback(endpoint: Endpoint) -> HTMLResponse:
    """What clinicians did with cards, the newest first."""
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(received, service, item))
        + "</tr>"
        for received, service, item in kept(endpoint.store, _LISTED)
    )
    heads = "".join(f"<th>{escape(head)}</th>" for head in _FEEDBACK_HEADS)
    table = f"<table><tr>{heads}</tr>{rows}</table>" if rows else "<p>None has come yet.</p>"
    return _page("Feedback", f'<p><a href="/">What is there</a></p><h1>Feedback</h1>{table}')


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


def _show(endpoint: Endpoint, resource_type: str, identity: str) -> HTMLResponse:
    version = endpoint.store.present(resource_type, identity)
    if version is None:
        body = '<h1>Nothing is here</h1><p><a href="/">What is there</a></p>'
        return _page("Nothing is here", body, 404)
    resource = version.resource()
    address = f"{version.type}/{version.id}"
    heading = escape(f"{_title(resource) or address} ({address}, version {version.version})")
    body = (
        f'<p><a href="/">What is there</a></p><h1>{heading}</h1>'
        f"{_narrative(resource, endpoint)}<h2>JSON</h2>"
        f'<p><a href="/fhir/{quote(address)}?_format=json&amp;_pretty=true">as FHIR</a></p>'
        f"<pre>{escape(fhirjson.dump(resource, indent=2))}</pre>"
    )
    return _page(address, body)


def _narrative(resource: Resource, endpoint: Endpoint) -> str:
    text: Any = resource.get("text")
    div = text.get("div") if isinstance(text, dict) else None
    if not isinstance(div, str):
        return "<p>It has no narrative.</p>"
    known = validator(endpoint)
    run = Run(resource, known.definitions, known.terminology)
    check_narrative({"resourceType": resource["resourceType"], "text": {"div": div}}, (), run)
    if run.findings:
        return "<p>Its narrative is not shown: it breaks the rules for XHTML in FHIR.</p>"
    # What it places anywhere (position: fixed) stays inside: it cannot cover the page around it.
    return f'<div class="narrative">{div}</div>'
