"""Checks before all routes: who may call from where, how many at once, how slow a client may be.

A browser sends requests for any page it shows, so a page from elsewhere could write to a server on
this machine. Only pages of the origins that `serve --origin` names may call, and the name in `Host`
must be one of this server's: else a page could get here under a name of its own (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from fhirpkg import fhirjson, rules
from fhirpkg.server.exchange import outcome
from fhirpkg.server.rules import SERVER_SCOPE
from fhirpkg.server.web.access import Unauthorized
from fhirpkg.server.web.rules import SERVER_BUSY, SERVER_HOST, SERVER_LOGIN, SERVER_ORIGIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from fhirpkg.rules import Rule
    from fhirpkg.server.web.access import Access

RIGHTS = "fhirpkg.rights"
"""The key of a request's rights in its scope."""
SECURITY = "fhirpkg.security"
"""The key of what a CapabilityStatement says about access."""
_OPEN = re.compile(  # hooks have tokens of their own
    r"/fhir/metadata|/fhir/\.well-known/smart-configuration|/cds-services(/.*)?"
)
_ALONG = {429: {"Retry-After": "1"}, 401: {"WWW-Authenticate": 'Bearer realm="FHIR"'}}
_MOST_AT_ONCE = 400
_MOST_HELD = 96 * 1024 * 1024
"""Bytes of bodies that all requests hold together: room for one of the largest, and for others."""
_SLOWEST_ANSWER = 60
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, If-Match,"
    " If-Modified-Since, If-None-Exist, If-None-Match, Prefer",
    "Access-Control-Max-Age": "600",
}
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d+)?")
_EXPOSED = "Content-Location, ETag, Last-Modified, Location"


class Guard:
    """An ASGI application in front of another.

    `origins` are those of pages that may call (``https://app.example.org``); `host` is the name or
    address that the server listens on; `access` says what a request needs.
    """

    def __init__(
        self, app: ASGIApp, *, access: Access, origins: Iterable[str] = (), host: str = ""
    ) -> None:
        self._app = app
        self._access = access
        self._origins = frozenset(origins)
        names = {urlsplit(origin).hostname for origin in origins}
        self._names = {"localhost", host.lower(), socket.gethostname().lower(), *names}
        self._running = 0
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it in words."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        origin = headers.get("origin", "")
        if refusal is None and origin in self._origins:
            if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
                preflight = {**_PREFLIGHT, "Access-Control-Allow-Origin": origin, "Vary": "Origin"}
                refusal = Response(status_code=204, headers=preflight)
            send = _telling(origin, send)
        if refusal is None and not _OPEN.fullmatch(scope["path"]):
            refusal = await self._login(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        scope[SECURITY] = self._access.security() | {"cors": bool(self._origins)}
        self._running += 1
        exchange = _Exchange(self, scope, receive, _impatient(send))
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            self._running -= 1
            self.held -= exchange.size

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = ", ".join(headers.getlist("host"))
        if not self._is_ours(host):
            return _refused(421, SERVER_HOST, host=host)
        origin = headers.get("origin")
        if origin is None:
            site, mode = headers.get("sec-fetch-site", ""), headers.get("sec-fetch-mode", "")
            if site in {"cross-site", "same-site"} and mode != "navigate":
                return _refused(403, SERVER_ORIGIN, origin="another site")
        elif origin not in self._origins and origin != f"{scope['scheme']}://{host}":
            return _refused(403, SERVER_ORIGIN, origin=origin)
        if self._running >= _MOST_AT_ONCE:
            return _refused(429, SERVER_BUSY, what=f"{_MOST_AT_ONCE} requests are being served")
        return None

    async def _login(self, scope: Scope, headers: Headers) -> Response | None:
        """Note what the client may do; a refusal when it may nothing here."""
        authorization = headers.get("authorization", "")
        try:
            if self._access.issuer is None:
                rights = self._access.rights(authorization)
            else:  # which may fetch keys
                rights = await run_in_threadpool(self._access.rights, authorization)
        except Unauthorized as error:
            return _refused(401, SERVER_LOGIN, problem=error)
        if rights and not scope["path"].startswith("/fhir") and not rights.allow("r", "*"):
            return _refused(403, SERVER_SCOPE, scope="system/*.r")
        scope[RIGHTS] = rights
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether pages under this name are ours alone, as those under an address always are."""
        match = _HOST.fullmatch(host.lower())
        if match is None:
            return False
        try:
            ipaddress.ip_address(match["name"].strip("[]"))
        except ValueError:
            return match["name"] in self._names
        return True


class _Exchange:
    """A request whose body counts among those that are held; refused when that is too much."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self.size = 0
        self._guard = guard
        self._is_too_much = False
        self._scope, self._receive, self._send = scope, receive, send

    async def receive(self) -> Message:
        """The next part of the body, or a disconnect when the client is gone."""
        message = await self._receive()
        if message["type"] == "http.request":
            part = len(message.get("body", b""))
            if self._guard.held + part > _MOST_HELD:
                self._is_too_much = True
                return {"type": "http.disconnect"}
            self.size += part
            self._guard.held += part
        return message

    async def send(self, message: Message) -> None:
        """Send the answer; for a body that was too much, a refusal in its place."""
        if not self._is_too_much:
            await self._send(message)
        elif message["type"] == "http.response.start":
            refusal = _refused(429, SERVER_BUSY, what="other requests fill the memory for bodies")
            refusal.headers["Connection"] = "close"  # the rest of the body stays unread
            await refusal(self._scope, self._receive, self._send)


def _refused(status: int, rule: Rule, **found: Any) -> Response:
    content = fhirjson.dump(outcome(rules.issue(rule, **found))).encode()
    headers = _ALONG.get(status, {})
    return Response(content, status, headers, media_type="application/fhir+json")


def _telling(origin: str, send: Send) -> Send:
    """Send with the headers that let a page of this origin read the answer."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = _EXPOSED
            headers.add_vary_header("Origin")
        await send(message)

    return told


def _impatient(send: Send) -> Send:
    """Send that gives up on a client which does not take its answer."""

    async def sent(message: Message) -> None:
        async with asyncio.timeout(_SLOWEST_ANSWER):
            await send(message)

    return sent
