"""Data from the FHIR server of a CDS client: from those this server may ask, and whole.

What a request names is not trusted: the server must be on the list, at the same port, below the
same path; a redirect does not leave it; what it says when it fails is not passed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fhirpkg.applying.hooks.requests import FetchError
from fhirpkg.client.allowance import Allowance, SpentError
from fhirpkg.client.auth import Authorization, Grant
from fhirpkg.client.client import FhirClient, checked_base_url
from fhirpkg.client.retry import RetryPolicy
from fhirpkg.errors import ConfigError, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.applying.hooks.requests import Fetch
    from fhirpkg.issues import Resource

_PORTS = {"http": 80, "https": 443}
_MOST_PAGES = 100
_MOST_RESOURCES = 20_000
_MOST_BYTES = 64 * 2**20
_MOST_SECONDS = 30
_TIMEOUT = (5, 20)
_PATIENCE = 5


def allowed_base(fhir_server: str, servers: Iterable[str]) -> str:
    """The base url to ask, when it is one of the servers or below one. Raises FetchError."""
    try:
        asked = _parts(fhir_server)
    except (ConfigError, ValueError):
        raise FetchError("the fhirServer is not an address of a FHIR server") from None
    for server in servers:
        origin, path = _parts(server)
        if asked[0] == origin and f"{asked[1]}/".startswith(f"{path}/"):
            return fhir_server.strip()
    raise FetchError("the fhirServer is not one that this service may ask (--cds-fhir-server)")


def _parts(url: str) -> tuple[tuple[str, str, int], str]:
    """Origin and path of a base url; ConfigError or ValueError for what could be read otherwise."""
    parts = urlsplit(checked_base_url(url))
    odd = any(c in url for c in "\\%#") or any(not c.isprintable() or c.isspace() for c in url)
    if odd or {".", ".."} & set(parts.path.split("/")):
        raise ConfigError(f"'{url}' has characters that do not belong in a base url")
    host = (parts.hostname or "").rstrip(".")
    return (parts.scheme, host, parts.port or _PORTS[parts.scheme]), parts.path.rstrip("/")


def fetching(servers: Iterable[str]) -> Fetch:
    """What one call of a hook fetches with: 64 MB and 30 s in all, from these servers."""
    allowance = Allowance(_MOST_BYTES, _MOST_SECONDS)
    return lambda path, request: _fetched(path, request, servers, allowance)


def _fetched(
    path: str, request: Resource, servers: Iterable[str], allowance: Allowance
) -> Resource | None:
    """A resource, or a search with all its pages as one Bundle; None when it is not there.

    A search beyond 100 pages or 20,000 resources keeps its `next` link: it is not all there is.
    Raises FetchError, with a reason that holds nothing of what the server said.
    """
    base = allowed_base(request["fhirServer"], servers)
    token = (request.get("fhirAuthorization") or {}).get("access_token")
    auth = Authorization(lambda: Grant(f"Bearer {token}")) if token else None
    retry = RetryPolicy(_PATIENCE)
    try:
        with FhirClient(
            base, auth=auth, retry=retry, timeout=_TIMEOUT, stays=True, allowance=allowance
        ) as client:
            if "?" in path:
                return _searched(client, path)
            return client.read(*path.split("/", 1))
    except SpentError as error:
        raise FetchError(f"{error.problem}, which is the limit of one call") from error
    except ServerError as error:
        raise FetchError(_reason(error)) from error
    except (AttributeError, TypeError, ValueError) as error:  # not really a Bundle
        raise FetchError("the server gave no usable answer") from error


def _searched(client: FhirClient, path: str) -> Resource:
    entries: list[Resource] = []
    whole: Resource = {}
    for count, page in enumerate(client.pages(path, ()), start=1):
        whole = whole or {k: v for k, v in page.items() if k != "link"}
        entries += page.get("entry", [])
        if count >= _MOST_PAGES or len(entries) >= _MOST_RESOURCES:
            links = [x for x in page.get("link", []) if x.get("relation") == "next"]
            return {**whole, "entry": entries, "link": links}
    return {**whole, "entry": entries}


def _reason(error: ServerError) -> str:
    if 300 <= error.status < 400:
        return "the FHIR server redirects to another one"
    return (
        f"the FHIR server answered {error.status}"
        if error.status
        else "the server gave no usable answer"
    )
