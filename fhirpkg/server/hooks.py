"""CDS Hooks at `/cds-services`, beside `/fhir`: thin routes over the functions of applying.

Discovery, calls and feedback answer in JSON; a refusal is `{"error": …}` with 400, 401, 404 or
412. When clients are configured, a call needs the JWT of one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from fhirpkg import fhirjson
from fhirpkg.applying import hooks
from fhirpkg.applying.hook_requests import CONTEXTS, HookError
from fhirpkg.server.operations.apply import StoreRepository
from fhirpkg.server.searching.criteria import read_criteria
from fhirpkg.server.web.formats import body_within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request as HttpRequest

    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint

    Handler = Callable[[str, bytes], Resource]

PATH = "/cds-services"
_LARGEST_REQUEST = 16 * 1024 * 1024
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_ALGORITHMS = ["ES384", "RS384", "ES256", "RS256"]
_HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}
_PREFLIGHT = {
    **_HEADERS,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
}


@dataclass(frozen=True, slots=True)
class HookClients:
    """Who may call: the public key (PEM) of each issuer, and the audience tokens are made for."""

    keys: Mapping[str, str]
    audience: str


def hook_routes(endpoint: Endpoint, clients: HookClients | None = None) -> list[Route]:
    """The routes of CDS Hooks over the plans that an endpoint stores."""

    async def discover(_: HttpRequest) -> Response:
        return await run_in_threadpool(_answer, lambda: hooks.discovery(_services(endpoint)))

    async def call(request: HttpRequest) -> Response:
        return await _handled(request, clients, _call(endpoint, clients))

    async def feedback(request: HttpRequest) -> Response:
        return await _handled(request, clients, _feedback(endpoint))

    async def preflight(_: HttpRequest) -> Response:
        return Response(status_code=204, headers=_PREFLIGHT)

    return [
        Route(PATH, discover, methods=["GET"]),
        Route(PATH + "/{service}", call, methods=["POST"]),
        Route(PATH + "/{service}/feedback", feedback, methods=["POST"]),
        Route(PATH + "{rest:path}", preflight, methods=["OPTIONS"]),
    ]


def _services(endpoint: Endpoint) -> Sequence[hooks.Service]:
    criteria = read_criteria([], "PlanDefinition", endpoint.indexing)
    plans = [version.resource() for version in endpoint.matches(criteria)]
    return hooks.services(plans, StoreRepository(endpoint))


def _services_of(endpoint: Endpoint, service_id: str) -> Sequence[hooks.Service]:
    """The services of the plan that an id names; all of them when it names none."""
    repository = StoreRepository(endpoint)
    for hook in CONTEXTS:
        plan_id = service_id.removesuffix(f"-{hook}")
        plan = repository.read("PlanDefinition", plan_id) if plan_id != service_id else None
        if plan is not None:
            return hooks.services([plan], repository)
    return _services(endpoint)


def _call(endpoint: Endpoint, clients: HookClients | None) -> Handler:
    def fetch(path: str, request: Resource) -> Resource | None:
        return _fetched(path, request, anywhere=clients is not None)

    def handle(service: str, body: bytes) -> Resource:
        repository = StoreRepository(endpoint)
        offered = _services_of(endpoint, service)
        return hooks.respond(service, _json(body), offered, repository, fetch)

    return handle


def _feedback(endpoint: Endpoint) -> Handler:
    def handle(service: str, body: bytes) -> Resource:
        hooks.feedback(service, _json(body), _services_of(endpoint, service))
        return {}

    return handle


async def _handled(request: HttpRequest, clients: HookClients | None, handle: Handler) -> Response:
    service = request.path_params["service"]
    body = await body_within(_LARGEST_REQUEST, request)
    if body is None:
        return _refusal(413, f"a request may have {_LARGEST_REQUEST} bytes at most")
    token = request.headers.get("authorization", "")

    def answer() -> Resource:
        if clients is not None:
            check_token(token, clients)
        return handle(service, body)

    return await run_in_threadpool(_answer, answer)


def _answer(make: Callable[[], Resource]) -> Response:
    try:
        return _json_response(200, make())
    except HookError as error:
        return _refusal(error.status, error.reason)


def _refusal(status: int, reason: str) -> Response:
    return _json_response(status, {"error": reason})


def _json_response(status: int, content: Resource) -> Response:
    return Response(fhirjson.dump(content), status, _HEADERS, media_type="application/json")


def _json(body: bytes) -> Any:
    """The body as JSON, read strictly: a key that stands twice is refused (400)."""
    value, issues = fhirjson.read(body)
    if issues:
        raise HookError(400, str(issues[0].text))
    return value


def check_token(authorization: str, clients: HookClients) -> None:
    """Accept the JWT of a known client (CDS Hooks 2.0, security); raises HookError (401)."""
    import jwt  # noqa: PLC0415 - only when clients are configured

    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HookError(401, "a call needs the client's JWT as a bearer token")
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss", "")
        if issuer not in clients.keys:
            raise HookError(401, f"the client '{issuer}' is not known here")
        jwt.decode(
            token,
            clients.keys[issuer],
            algorithms=_ALGORITHMS,
            audience=clients.audience,
            issuer=issuer,
            options={"require": ["iss", "aud", "exp", "iat", "jti"]},
        )
    except jwt.PyJWTError as error:
        raise HookError(401, f"the token is not accepted: {error}") from error


def _fetched(path: str, request: Resource, *, anywhere: bool) -> Resource | None:
    """A resource or search of the client's FHIR server, with the token it gave us.

    Of a caller nobody has vouched for, only a server on this machine is asked: else anyone could
    send requests through us.
    """
    from fhirpkg.client.client import FhirClient  # noqa: PLC0415 - only when data are missing
    from fhirpkg.client.retry import RetryPolicy  # noqa: PLC0415

    host = urlsplit(request["fhirServer"]).hostname
    if not anywhere and host not in _THIS_MACHINE:
        raise HookError(412, "without configured clients, only a fhirServer on this machine")
    token = (request.get("fhirAuthorization") or {}).get("access_token", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with FhirClient(request["fhirServer"], retry=RetryPolicy(5), timeout=(5, 20)) as client:
        response = client.request("GET", path, headers=headers)
        return None if response.status in {404, 410} else response.expect()
