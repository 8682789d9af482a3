"""The HTTP side of the server: bytes and headers to a Request, an Answer to bytes and headers."""

from __future__ import annotations

import email.utils
import functools
import gzip
import sqlite3
import sys
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from fhirpkg import fhirjson, rules
from fhirpkg.server import hooks
from fhirpkg.server.bounds import UNWRITABLE
from fhirpkg.server.exchange import Answer, Refused, Request, outcome, refused
from fhirpkg.server.routes import handle
from fhirpkg.server.rules import SERVER_TEXT, SERVER_UNKNOWN_PATH
from fhirpkg.server.storing.connections import TooBusy, TooCostly
from fhirpkg.server.web import binaries, formats, pages
from fhirpkg.server.web.access import Access
from fhirpkg.server.web.guard import RIGHTS, SECURITY, Guard
from fhirpkg.server.web.lanes import FOUND, SEARCH_SECONDS, Lanes
from fhirpkg.server.web.rules import (
    SERVER_BUSY,
    SERVER_DONE,
    SERVER_FAULT,
    SERVER_SLOW,
    SERVER_STORAGE,
    SERVER_TOO_COSTLY,
    SERVER_TOO_LARGE,
)
from fhirpkg.server.web.trying import try_routes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from fhirpkg.pages.facts import Sources
    from fhirpkg.server.endpoint import Endpoint

    Respond = Callable[[HttpRequest], Awaitable[Response]]

BASE = "/fhir"
LARGEST_BODY = 64 * 1024 * 1024
_CLOSE = {"Connection": "close"}  # the rest of the body stays unread
_WORTH_PACKING = 1000
_LATER = {"Retry-After": "1"}
_SMART = f"{BASE}/.well-known/smart-configuration"
_FORM = "application/x-www-form-urlencoded"


def create_app(
    endpoint: Endpoint,
    *,
    largest_body: int = LARGEST_BODY,
    hook_access: hooks.HookAccess | None = None,
    origins: Iterable[str] = (),
    host: str = "",
    access: Access | None = None,
    sources: Path | None = None,
) -> Guard:
    """The application that serves an endpoint at `/fhir`, and CDS Hooks at `/cds-services`.

    Pages of `origins` may call it from a browser; `host` is what it listens on; `access` says what
    a request to `/fhir` and the pages needs, without it nothing. `sources` is the folder of the
    authored procedures, for what pages say of facts and for made-up patients.
    """
    fhir = _fhir_route(endpoint, largest_body)
    access = access or Access()
    routes = [
        *_smart_routes(access),
        *hooks.hook_routes(endpoint, hook_access or hooks.HookAccess()),
        *pages.routes(endpoint, _sources_in(sources) if sources else None),
        *try_routes(endpoint, sources),
    ]
    app = Starlette(routes=routes, exception_handlers={404: _nowhere, 405: _nowhere})
    return Guard(_at_base(fhir, app), origins=origins, host=host, access=access)


def _at_base(fhir: Respond, others: ASGIApp) -> ASGIApp:
    """Requests to the base go straight to it: finding a route costs a tenth of a read."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if f"{path}/".startswith(f"{BASE}/") and path != _SMART:
            parts = path[len(BASE) :].split("/")
            scope["path_params"] = {"path": tuple(part for part in parts if part)}
            response = await fhir(HttpRequest(scope, receive))
            await response(scope, receive, send)
        else:
            await others(scope, receive, send)

    return app


def _sources_in(folder: Path) -> Sources:
    from fhirpkg.pages.facts import Sources  # noqa: PLC0415 - authoring is slow to import

    return Sources(folder)


def _smart_routes(access: Access) -> list[Route]:
    """What SMART clients ask first, where it is known."""
    if access.issuer is None or not access.issuer.token_url:
        return []
    content = fhirjson.dump(access.issuer.configuration()).encode()

    async def configuration(_: HttpRequest) -> Response:
        return Response(content, media_type="application/json")

    return [Route(_SMART, configuration)]


def base_url(request: HttpRequest) -> str:
    """The FHIR base as the client addresses it."""
    host = request.headers.get("host", "localhost")
    return f"{request.scope['scheme']}://{host}{BASE}"


def _fhir_route(endpoint: Endpoint, largest_body: int) -> Respond:
    lanes = Lanes(endpoint.store)

    async def fhir(request: HttpRequest) -> Response:
        try:
            data = await formats.body_within(largest_body, request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except TimeoutError:
            error = refused(408, SERVER_SLOW, headers=_CLOSE, seconds=formats.SLOWEST_BODY)
            return _refusal(error, formats.JSON, endpoint)
        if data is None:
            error = refused(413, SERVER_TOO_LARGE, headers=_CLOSE, limit=largest_body)
            return _refusal(error, formats.JSON, endpoint)
        try:
            work = functools.partial(_respond, request, data, endpoint, largest_body)
            return await lanes.run(request, len(data), work)
        except TooBusy:
            what = "too many requests are waiting"
            error = refused(429, SERVER_BUSY, headers=_LATER, what=what)
            return _refusal(error, formats.JSON, endpoint)

    return fhir


async def _nowhere(request: HttpRequest, error: Exception) -> Response:
    """What is outside of the base, or asked for by a method that no route has."""
    status = getattr(error, "status_code", 404)
    path, base = request.url.path, base_url(request)
    issue = rules.issue(SERVER_UNKNOWN_PATH, path=f"{request.method} {path}", base=base)
    content = fhirjson.dump(outcome(issue)).encode()
    return Response(content, status, getattr(error, "headers", None), media_type=formats.JSON)


def _respond(http: HttpRequest, data: bytes, endpoint: Endpoint, largest: int) -> Response:
    response = _answered(http, data, endpoint, largest)
    if isinstance(response, StreamingResponse):
        return response
    accepted = http.headers.get("accept-encoding", "")
    if len(response.body) > _WORTH_PACKING and formats.takes_gzip(accepted):
        response.body = gzip.compress(response.body, 1)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
        response.headers.add_vary_header("Accept-Encoding")
    return response


def _answered(http: HttpRequest, data: bytes, endpoint: Endpoint, largest: int) -> Response:
    wanted = formats.JSON
    try:
        data = formats.unpacked(data, http.headers.get("content-encoding", "identity"), largest)
        request = _request(http, data)
        raw = _wants_content(request)
        if not raw:
            asked = dict(request.query).get("_format", "")
            wanted = formats.wanted_format(request.headers.get("accept", "*/*"), asked)
        if data and not _is_form(request):
            request = _with_resource(request, data, endpoint)
        answer = handle(request, endpoint)
        if raw and answer.version and answer.status == 200:
            return _content_response(answer)
        return _response(_as_preferred(answer, request), request, wanted, endpoint)
    except Refused as error:
        return _refusal(error, wanted, endpoint)
    except TooCostly:
        return _refusal(refused(422, SERVER_TOO_COSTLY, seconds=SEARCH_SECONDS), wanted, endpoint)
    except TooBusy:
        busy = refused(429, SERVER_BUSY, headers=_LATER, what="other requests are served first")
        return _refusal(busy, wanted, endpoint)
    except sqlite3.OperationalError as error:
        return _refusal(refused(507, SERVER_STORAGE, problem=error), wanted, endpoint)
    except Exception as error:  # noqa: BLE001 - the last line of defence, reported as a bug
        traceback.print_exc(file=sys.stderr)
        kind = type(error).__name__
        return _refusal(refused(500, SERVER_FAULT, kind=kind), wanted, endpoint)


def _request(http: HttpRequest, data: bytes) -> Request:
    path = http.path_params["path"]
    asked = http.scope["query_string"].decode(errors="replace")
    query = tuple(parse_qsl(asked, keep_blank_values=True))
    request = Request(
        http.method, path, query, None, http.headers, base_url(http), rights=http.scope.get(RIGHTS),
        security=http.scope.get(SECURITY, {}), found=http.scope.get(FOUND),
    )  # fmt: skip
    if _is_form(request):
        posted = tuple(parse_qsl(data.decode(errors="replace"), keep_blank_values=True))
        request = replace(request, query=query + posted)
    if b"%2f" in http.scope.get("raw_path", b"").lower():  # a slash that is not one
        raise refused(404, SERVER_UNKNOWN_PATH, path=http.url.path, base=request.base)
    texts = [*path, *(text for pair in request.query for text in pair)]
    if any(map(UNWRITABLE.search, texts)):
        raise refused(400, SERVER_TEXT, what="a control character in its address")
    return request


def _is_form(request: Request) -> bool:
    """Whether the body is the query of a search by POST."""
    media = formats.media_type(request.headers.get("content-type", ""))
    return media == _FORM and request.path[-1:] == ("_search",)


def _with_resource(request: Request, data: bytes, endpoint: Endpoint) -> Request:
    content_type = request.headers.get("content-type", "")
    if request.method == "PATCH":
        return replace(request, patch=formats.read_patch(data, content_type))
    if request.path[:1] == ("Binary",) and not formats.is_fhir(content_type):
        identity = request.path[1] if len(request.path) == 2 else None
        return replace(request, resource=binaries.wrapped(data, request.headers, identity))
    resource = formats.read_resource(data, content_type, endpoint.definitions)
    return replace(request, resource=resource)


def _wants_content(request: Request) -> bool:
    """Whether a read of a Binary is for its bytes: unless a FHIR format is asked for."""
    path = request.path
    if request.method not in {"GET", "HEAD"} or path[:1] != ("Binary",) or len(path) not in {2, 4}:
        return False
    accepted = request.headers.get("accept", "").split(",")
    return "_format" not in dict(request.query) and not any(map(formats.is_fhir, accepted))


def _as_preferred(answer: Answer, request: Request) -> Answer:
    """The answer to a write with as much of a body as `Prefer: return` wants."""
    writes = request.method in {"POST", "PUT", "DELETE"} and answer.version is not None
    wanted = request.preference("return")
    if not writes or wanted not in {"minimal", "OperationOutcome"}:
        return answer
    if wanted == "minimal":
        return replace(answer, bare=True)
    assert answer.version is not None, "a write has a version"
    done = f"{answer.version.url} ({answer.status})"
    status = 200 if answer.status == 204 else answer.status
    return replace(answer, status=status, resource=outcome(rules.issue(SERVER_DONE, done=done)))


def _response(answer: Answer, request: Request, wanted: str, endpoint: Endpoint) -> Response:
    pretty = dict(request.query).get("_pretty") == "true"
    headers = {"Cache-Control": "no-cache", **answer.headers}
    if answer.lines is not None:
        return StreamingResponse(answer.lines, answer.status, headers, media_type=answer.media)
    if answer.media:
        return Response(answer.text, answer.status, headers, media_type=answer.media)
    version, resource, content = answer.version, answer.resource, b""
    if answer.text is not None and (wanted != formats.JSON or pretty):
        resource = answer.whole()
    if version:
        headers["ETag"] = version.etag
        headers["Last-Modified"] = _http_date(version.updated // 1_000_000)
        headers["Content-Location"] = f"{request.base}/{version.url}"
    if answer.location:
        headers["Location"] = f"{request.base}/{answer.location}"
    if not answer.bare and answer.status not in {204, 304}:
        if resource is None and version and version.content is not None:
            if wanted == formats.JSON and not pretty:
                content = version.content.encode()
            else:
                resource = version.resource()
        if answer.text is not None and resource is None:
            content = answer.text.encode()
        if resource is not None:
            content = formats.write_resource(resource, wanted, endpoint.definitions, pretty=pretty)
    media = f"{wanted}; charset=utf-8" if content else None
    return Response(content, answer.status, headers, media_type=media)


@functools.lru_cache(maxsize=1000)
def _http_date(seconds: int) -> str:
    return email.utils.formatdate(seconds, usegmt=True)


def _content_response(answer: Answer) -> Response:
    assert answer.version is not None, "a Binary that was read has a version"
    resource = answer.version.resource()
    headers = {"ETag": answer.version.etag, **binaries.HEADERS}
    media = {"Content-Type": binaries.media_type_of(resource)}
    return Response(binaries.content(resource), 200, headers | media)


def _refusal(error: Refused, wanted: str, endpoint: Endpoint) -> Response:
    headers = dict(error.headers)
    try:
        content = formats.write_resource(error.outcome(), wanted, endpoint.definitions)
    except Refused:  # it repeats what XML cannot hold
        wanted = formats.JSON
        content = formats.write_resource(error.outcome(), wanted, endpoint.definitions)
    return Response(content, error.status, headers, media_type=f"{wanted}; charset=utf-8")
