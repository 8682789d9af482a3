"""Pages for a browser: what is there, and the narrative of each resource. Nothing in them runs.

A narrative comes from whoever could write, so it is shown only when it keeps the rules of R4
(txt-1, txt-2), and the content security policy lets no script, form or foreign address work.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse
from starlette.routing import Route

from fhirpkg import fhirjson
from fhirpkg.server.capabilities import ABOUT
from fhirpkg.server.operations.validating import validator
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
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4; padding: 1em; }}
</style></head><body>{body}</body></html>"""


def routes(endpoint: Endpoint) -> list[Route]:
    """`/` and `/show/Type/id`."""

    async def start(_: HttpRequest) -> HTMLResponse:
        return await run_in_threadpool(_start, endpoint)

    async def show(request: HttpRequest) -> HTMLResponse:
        path = request.path_params
        return await run_in_threadpool(_show, endpoint, path["type"], path["id"])

    return [Route("/", start), Route("/show/{type}/{id}", show)]


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status, _HEADERS)


def _start(endpoint: Endpoint) -> HTMLResponse:
    counts = endpoint.store.query(
        "SELECT type, count(*) FROM current WHERE digest IS NOT NULL GROUP BY type ORDER BY type"
    )
    parts = [
        f"<h1>fhirpkg serve</h1><p>{escape(ABOUT)}</p>",
        '<p>FHIR base: <a href="/fhir/metadata">/fhir</a></p>',
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
    return div
