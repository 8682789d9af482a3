"""CDS Hooks at `/cds-services`, beside `/fhir`: thin routes over the functions of applying.

Discovery, calls and feedback answer in JSON; a refusal is `{"error": …}` with 400, 401, 404, 408,
412, 413 or 415. When clients are configured, a call needs the JWT of one of them. Data are fetched
from the FHIR servers that this server was given, and from no other.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from fhirpkg import fhirjson
from fhirpkg.applying.hooks.requests import HookError
from fhirpkg.applying.hooks.responses import feedback, respond
from fhirpkg.applying.hooks.services import discovery, services
from fhirpkg.languages.choosing import wanted
from fhirpkg.server.cds.feedback import keep
from fhirpkg.server.operations.apply import OF_PLANS, StoreRepository
from fhirpkg.server.searching.criteria import read_criteria
from fhirpkg.server.web.formats import body_within, media_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request as HttpRequest

    from fhirpkg.applying.hooks.requests import Fetch
    from fhirpkg.applying.hooks.services import Service
    from fhirpkg.issues import Resource
    from fhirpkg.server.cds.tokens import HookClients
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.operations.apply import Resolved

    Handler = Callable[[str, bytes], Resource]
    Offered = Callable[[], Sequence[Service]]
    Stored = tuple[Sequence[Service], Resolved]

PATH = "/cds-services"
_LARGEST_REQUEST = 16 * 1024 * 1024
_ONCE = ("authorization", "content-type", "content-encoding")
"""Headers of which a second one could be read by somebody else on the way."""
_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class HookAccess:
    """Who may call, and where data that a call does not bring may be fetched."""

    clients: HookClients | None = None
    """The clients whose tokens are accepted; None when anybody may call."""
    fhir_servers: tuple[str, ...] = ()
    """Base urls of the FHIR servers that may be asked, and all below them."""


def hook_routes(endpoint: Endpoint, access: HookAccess) -> list[Route]:
    """The routes of CDS Hooks over the plans that an endpoint stores."""

    @functools.lru_cache(maxsize=1)
    def stored_then(_latest: tuple[int, ...]) -> Stored:
        resolved: Resolved = {}
        return _services(endpoint), resolved

    def stored() -> Stored:
        """The services of what is stored now, made anew when a definition was written."""
        return stored_then(endpoint.store.latest(OF_PLANS))

    def offered() -> Sequence[Service]:
        return stored()[0]

    async def discover(_: HttpRequest) -> Response:
        return await run_in_threadpool(_answer, lambda: discovery(offered()))

    async def call(request: HttpRequest) -> Response:
        base = str(request.url.replace(path="/fhir", query=""))
        languages = wanted(request.headers.get("accept-language", ""))
        handle = _call(endpoint, stored, access, base, languages)
        return await _handled(request, access.clients, handle, ("",))

    async def feedback(request: HttpRequest) -> Response:
        paths = ("/feedback", "")
        return await _handled(request, access.clients, _feedback(endpoint, offered), paths)

    return [
        Route(PATH, discover, methods=["GET"]),
        Route(PATH + "/{service}", call, methods=["POST"]),
        Route(PATH + "/{service}/feedback", feedback, methods=["POST"]),
    ]


def _services(endpoint: Endpoint) -> Sequence[Service]:
    criteria = read_criteria([], "PlanDefinition", endpoint.indexing)
    plans = [version.resource() for version in endpoint.matches(criteria)]
    return services(plans, StoreRepository(endpoint))


def _call(
    endpoint: Endpoint,
    stored: Callable[[], Stored],
    access: HookAccess,
    base: str,
    languages: Sequence[str],
) -> Handler:
    def handle(service: str, body: bytes) -> Resource:
        offered, resolved = stored()
        repository = StoreRepository(endpoint, resolved)
        fetch = _fetch_of_a_call(access.fhir_servers)
        with _TURN:
            return respond(service, _json(body), offered, repository, fetch, base, languages)

    return handle


_TURN = threading.Lock()
"""Calls are computed one after the other: threads that take turns in Python take twice as long."""


def _fetch_of_a_call(servers: Sequence[str]) -> Fetch:
    """What one call fetches with, while others have their turn; its time runs from the first."""

    @functools.cache
    def begun() -> Fetch:
        from fhirpkg.server.cds.fetching import fetching  # noqa: PLC0415 - when data are missing

        return fetching(servers)

    def fetch(path: str, request: Resource) -> Resource | None:
        _TURN.release()
        try:
            return begun()(path, request)
        finally:
            _TURN.acquire()

    return fetch


def _feedback(endpoint: Endpoint, offered: Offered) -> Handler:
    def handle(service: str, body: bytes) -> Resource:
        items = feedback(service, _json(body), offered())
        keep(endpoint.store, service, items)
        return {}

    return handle


async def _handled(
    request: HttpRequest,
    clients: HookClients | None,
    handle: Handler,
    audiences: tuple[str, ...],
) -> Response:
    """The answer to a POST; `audiences` are the ends of the address that a token may be for."""
    service = request.path_params["service"]
    if any(len(request.headers.getlist(name)) > 1 for name in _ONCE):
        return _refusal(
            HookError(400, f"a request has each of these headers once: {', '.join(_ONCE)}")
        )
    media = media_type(request.headers.get("content-type", ""))
    if not re.fullmatch(r"application/(\S+\+)?json", media):
        # A page of any website could send text/plain, or nothing, without asking first (CORS).
        return _refusal(HookError(415, "a request must be application/json"))
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return _refusal(HookError(415, "a request must not be compressed"))
    try:
        body = await body_within(_LARGEST_REQUEST, request)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    except TimeoutError:
        return _refusal(HookError(408, "the request came too slowly"))
    if body is None:
        return _refusal(HookError(413, f"a request may have {_LARGEST_REQUEST} bytes at most"))
    token = request.headers.get("authorization", "")

    def answer() -> Resource:
        if clients is not None:
            clients.check(token, [service + end for end in audiences])
        return handle(service, body)

    return await run_in_threadpool(_answer, answer)


def _answer(make: Callable[[], Resource]) -> Response:
    try:
        return _json_response(200, make())
    except HookError as error:
        return _refusal(error)
    except Exception:  # noqa: BLE001 - the last line of defence: what failed stays here
        traceback.print_exc(file=sys.stderr)
        return _refusal(HookError(500, "an internal error of this server; its log has the details"))


def _refusal(error: HookError) -> Response:
    return _json_response(error.status, {"error": error.reason}, error.headers)


def _json_response(
    status: int, content: Resource, headers: Mapping[str, str] | None = None
) -> Response:
    sent = {**_HEADERS, **(headers or {})}
    return Response(fhirjson.dump(content), status, sent, media_type="application/json")


def _json(body: bytes) -> Any:
    """The body as JSON, read strictly: a key that appears twice is refused (400)."""
    value, issues = fhirjson.read(body)
    if issues:
        raise HookError(400, str(issues[0].text))
    return value
