"""The HTTP side of the server: bytes and headers to a Request, an Answer to bytes and headers."""

from __future__ import annotations

import email.utils
import socket
import sqlite3
import sys
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from fhirpkg import fhirjson, rules
from fhirpkg.server import hooks
from fhirpkg.server.exchange import Answer, Refused, Request, outcome, refused
from fhirpkg.server.routes import handle
from fhirpkg.server.rules import (
    SERVER_DONE,
    SERVER_FAULT,
    SERVER_MEDIA_TYPE,
    SERVER_STORAGE,
    SERVER_TOO_LARGE,
    SERVER_UNKNOWN_PATH,
)
from fhirpkg.server.web import binaries, formats, pages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request as HttpRequest

    from fhirpkg.server.endpoint import Endpoint

BASE = "/fhir"
LARGEST_BODY = 64 * 1024 * 1024
_LARGEST_HEAD = 256 * 1024  # a search for 400 urls in its address is to fit
_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
_FORM = "application/x-www-form-urlencoded"


def create_app(
    endpoint: Endpoint,
    *,
    largest_body: int = LARGEST_BODY,
    hook_access: hooks.HookAccess | None = None,
) -> Starlette:
    """The application that serves an endpoint at `/fhir`, and CDS Hooks at `/cds-services`."""
    fhir = _fhir_route(endpoint, largest_body)
    routes = [
        Route(BASE, fhir, methods=_METHODS),
        Route(BASE + "/{path:path}", fhir, methods=_METHODS),
        *hooks.hook_routes(endpoint, hook_access or hooks.HookAccess()),
        *pages.routes(endpoint),
    ]
    return Starlette(routes=routes, exception_handlers={404: _nowhere, 405: _nowhere})


def base_url(request: HttpRequest) -> str:
    """The FHIR base as the client addresses it."""
    host = request.headers.get("host", "localhost")
    return f"{request.url.scheme}://{host}{BASE}"


def _fhir_route(
    endpoint: Endpoint, largest_body: int
) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def fhir(request: HttpRequest) -> Response:
        try:
            data = await formats.body_within(largest_body, request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        if data is None:
            # The rest stays unread, so the connection cannot be used again.
            headers = {"Connection": "close"}
            error = refused(413, SERVER_TOO_LARGE, headers=headers, limit=largest_body)
            return _refusal(error, formats.JSON, endpoint)
        return await run_in_threadpool(_respond, request, data, endpoint)

    return fhir


async def _nowhere(request: HttpRequest, error: Exception) -> Response:
    """What is outside of the base, or asked for by a method that no route has."""
    status = getattr(error, "status_code", 404)
    path, base = request.url.path, base_url(request)
    issue = rules.issue(SERVER_UNKNOWN_PATH, path=f"{request.method} {path}", base=base)
    content = fhirjson.dump(outcome(issue)).encode()
    return Response(content, status, getattr(error, "headers", None), media_type=formats.JSON)


def _respond(http: HttpRequest, data: bytes, endpoint: Endpoint) -> Response:
    wanted = formats.JSON
    try:
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
    except sqlite3.OperationalError as error:
        return _refusal(refused(507, SERVER_STORAGE, problem=error), wanted, endpoint)
    except Exception as error:  # noqa: BLE001 - the last line of defence, told as what it is
        traceback.print_exc(file=sys.stderr)
        kind = type(error).__name__
        return _refusal(refused(500, SERVER_FAULT, kind=kind), wanted, endpoint)


def _request(http: HttpRequest, data: bytes) -> Request:
    path = tuple(part for part in http.path_params.get("path", "").split("/") if part)
    query = tuple(parse_qsl(http.url.query, keep_blank_values=True))
    request = Request(http.method, path, query, None, http.headers, base_url(http))
    if _is_form(request):
        posted = tuple(parse_qsl(data.decode(errors="replace"), keep_blank_values=True))
        request = replace(request, query=query + posted)
    return request


def _is_form(request: Request) -> bool:
    """Whether the body is the query of a search by POST."""
    media = formats.media_type(request.headers.get("content-type", ""))
    return media == _FORM and request.path[-1:] == ("_search",)


def _with_resource(request: Request, data: bytes, endpoint: Endpoint) -> Request:
    content_type = request.headers.get("content-type", "")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise refused(415, SERVER_MEDIA_TYPE, found=f"{content_type}, encoded as {encoding}")
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
    version, resource, content = answer.version, answer.resource, b""
    if version:
        headers["ETag"] = version.etag
        headers["Last-Modified"] = email.utils.formatdate(version.updated / 1e6, usegmt=True)
        headers["Content-Location"] = f"{request.base}/{version.url}"
    if answer.location:
        headers["Location"] = f"{request.base}/{answer.location}"
    if not answer.bare and answer.status not in {204, 304}:
        if resource is None and version and version.content is not None:
            if wanted == formats.JSON and not pretty:
                content = version.content.encode()
            else:
                resource = version.resource()
        if resource is not None:
            content = formats.write_resource(resource, wanted, endpoint.definitions, pretty=pretty)
    media = f"{wanted}; charset=utf-8" if content else None
    return Response(content, answer.status, headers, media_type=media)


def _content_response(answer: Answer) -> Response:
    assert answer.version is not None, "a Binary that was read has a version"
    resource = answer.version.resource()
    headers = {"ETag": answer.version.etag, **binaries.HEADERS}
    media = str(resource.get("contentType", "application/octet-stream"))
    return Response(binaries.content(resource), 200, headers | {"Content-Type": media})


def _refusal(error: Refused, wanted: str, endpoint: Endpoint) -> Response:
    content = formats.write_resource(error.outcome(), wanted, endpoint.definitions)
    headers = dict(error.headers)
    return Response(content, error.status, headers, media_type=f"{wanted}; charset=utf-8")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address; port 0 is a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches off Nagle's delay (40 ms an answer) only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def http_server(app: Any) -> uvicorn.Server:
    """What speaks HTTP for an application; `run(sockets=[…])` serves until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=_LARGEST_HEAD,
        timeout_graceful_shutdown=3,
    )
    return uvicorn.Server(config)
