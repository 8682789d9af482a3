"""FhirClient: HTTP exchanges with one FHIR server, retried by one policy, nothing taken on trust.

See http://hl7.org/fhir/R4/http.html. An answer is a Response whatever its status or body; only a
server that does not answer raises. Retries of the HTTP library are off: see `retry`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError

from fhirpkg import fhirjson
from fhirpkg.client.batching import Query, answers_of, queries
from fhirpkg.client.capabilities import Capabilities
from fhirpkg.client.response import Response, is_readable
from fhirpkg.client.retry import RetryPolicy, is_throttled, is_transient
from fhirpkg.client.transport import (
    UNKNOWN_TO_PROXY,
    TlsAdapter,
    reason_of,
    without_netrc,
)
from fhirpkg.errors import ConfigError, ServerError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from fhirpkg.client.allowance import Allowance
    from fhirpkg.client.auth import Authorization
    from fhirpkg.issues import Resource

Parameters = Mapping[str, str] | Iterable[tuple[str, str]]
FHIR_JSON = "application/fhir+json"
FRESH = {"Cache-Control": "no-cache", "Prefer": "handling=strict"}
"""HAPI answers a repeated search from a cache for 60 s; lenient servers ignore parameters."""
_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 5
_SECRET_HEADERS = ("authorization", "cookie", "proxy-authorization")
"""They go to the server that the user named, and nowhere else."""
_MOST_PAGES = 10_000
_LARGEST_BODY = 256 * 2**20


class FhirClient:
    """A FHIR server at `base_url`; one instance is for one thread.

    `auth` gives the Authorization header, which goes to this server alone. `tls` is a context
    with the server's own authority or our certificate (see `tls_context`). With `stays`, a
    redirect to another server is an error, whatever the method. An `allowance` bounds what all
    requests together read. Raises ConfigError for a base url that cannot be one.

        client = fhirpkg.FhirClient("http://localhost:8080/fhir")
        patient = client.read("Patient", "1")
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: Authorization | None = None,
        retry: RetryPolicy | None = None,
        tls: ssl.SSLContext | None = None,
        timeout: tuple[float, float] = (10, 180),
        stays: bool = False,
        allowance: Allowance | None = None,
    ) -> None:
        self._stays = stays
        self._allowance = allowance
        self.base_url = checked_base_url(base_url)
        self.retry = retry or RetryPolicy()
        self._auth = auth
        self._timeout = timeout
        self._answered = False
        self._capabilities: Capabilities | None = None
        self._ahead: dict[Query, Response] = {}
        self._takes_batches = True
        self._session = requests.Session()
        self._session.auth = without_netrc
        if tls is not None:
            # Mounted for this origin only, with the slash that ends its name or port: no other
            # host is shown our certificate.
            self._session.mount(f"{_origin(self.base_url)}/", TlsAdapter(tls))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Resource | bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Parameters | None = None,
        repeatable: bool | None = None,
    ) -> Response:
        """Send one request, retry it as the policy allows, and return the answer of any status.

        `path` is relative to the base, or a link that the server returned. A request that is not
        `repeatable` (by default every POST) is sent again only if the server refused it unread.
        Raises ServerError when no answer arrives.
        """
        query = list(params.items() if isinstance(params, Mapping) else params or ())
        if method != "GET":
            self._ahead = {}
        elif (path, tuple(query)) in self._ahead:
            return self._ahead.pop((path, tuple(query)))
        repeatable = method != "POST" if repeatable is None else repeatable
        attempts = self.retry.attempts()
        renewed = False
        data = _encoded(body)
        while True:
            response = self._exchange(method, self.url(path), data, headers or {}, query)
            if response.status == 401 and not renewed and self._auth and self._auth.renew():
                renewed = True
                continue
            if self._is_final(method, response, repeatable) or not attempts.again(response):
                break
        if not response.status:
            raise response.error()
        return response

    def ask_ahead(self, wanted: Iterable[tuple[str, Iterable[tuple[str, str]]]]) -> None:
        """Send several reads and searches as one batch; `request` then returns their answers.

        Each answer is used once, and a write discards them all. A server that does not support
        batches gets the requests one by one, when they are made.
        """
        asked = queries(wanted)
        offered = {"batch", "transaction"} & self.capabilities().system
        if len(asked) < 2 or not offered or not self._takes_batches:
            return
        answers = answers_of(self.request, self.url, asked)
        self._takes_batches = answers is not None
        self._ahead = answers or {}

    def is_ahead(self, path: str) -> bool:
        """Whether `ask_ahead` has the answer to a read."""
        return (path, ()) in self._ahead

    def url(self, path: str) -> str:
        """The absolute url of a path below the base, or of a link that the server returned.

        A link keeps its path and query, but gets the host of the base: servers behind a proxy name
        the wrong host, and requests go only to the host that the user named.
        """
        if not path.startswith(("http://", "https://")):
            return f"{self.base_url}/{path.lstrip('/')}" if path else self.base_url
        link, base = urlsplit(path), urlsplit(self.base_url)
        return urlunsplit((base.scheme, base.netloc, link.path, link.query, ""))

    def read(self, resource_type: str, resource_id: str, version: str = "") -> Resource | None:
        """A resource by its id (and version); None if it does not exist or was deleted."""
        path = f"{resource_type}/{resource_id}" + (f"/_history/{version}" if version else "")
        response = self.request("GET", path, headers=FRESH)
        if response.status in {404, 410}:
            return None
        resource = response.expect(resource_type)
        return resource if "id" in resource else resource | {"id": resource_id}

    def search(self, resource_type: str, params: Parameters) -> Iterator[Resource]:
        """The matches of a search, page by page, never from a cache.

        A lenient server may ignore a parameter, so check each match.
        """
        for bundle in self.pages(resource_type, params):
            for entry in bundle.get("entry", []):
                resource = entry.get("resource")
                is_match = entry.get("search", {}).get("mode", "match") == "match"
                if resource and is_match and isinstance(resource.get("id"), str):
                    yield resource

    def pages(self, path: str, params: Parameters) -> Iterator[Resource]:
        """The Bundles of a search, following the links to the next page."""
        response = self.request("GET", path, params=params, headers=FRESH)
        seen: set[str] = set()
        while True:
            bundle = response.expect("Bundle")
            yield bundle
            links = {str(x.get("relation")): str(x.get("url", "")) for x in bundle.get("link", [])}
            link = links.get("next", "")
            if not link:
                return
            if link in seen or len(seen) > _MOST_PAGES:
                raise ServerError(response.url, "the pages of this search never end")
            seen.add(link)
            response = self.request("GET", urljoin(response.url, link), headers=FRESH)

    def count(self, resource_type: str, params: Iterable[tuple[str, str]]) -> int | None:
        """The number of matches, or None when the server does not state it."""
        response = self.request("GET", resource_type, params=counting(params), headers=FRESH)
        if not response.ok or response.resource is None:
            return None
        total = response.resource.get("total")
        return total if isinstance(total, int) else None

    def transaction(self, bundle: Resource) -> list[Resource]:
        """Post a transaction or batch and return the entries of the answer, in order.

        Raises ServerError when it is refused or the answer does not have an entry for each.
        """
        response = self.request("POST", "", body=bundle)
        entries = response.expect("Bundle").get("entry", [])
        if len(entries) != len(bundle["entry"]):
            raise ServerError(
                response.url, "answered with a different number of entries than were sent"
            )
        return list(entries)

    def capabilities(self) -> Capabilities:
        """What the server's CapabilityStatement offers; requested once.

        Raises ServerError when it is not a FHIR R4 server.
        """
        if self._capabilities is None:
            response = self.request("GET", "metadata", headers={"Cache-Control": "no-cache"})
            try:
                statement = response.expect("CapabilityStatement")
            except ServerError as error:
                problem = f"{error.problem}{_advice(error.status)}"
                raise ServerError(
                    error.url, problem, status=error.status, outcome=error.outcome
                ) from None
            self._capabilities = Capabilities.of(statement, self.base_url)
        return self._capabilities

    def _is_final(self, method: str, response: Response, repeatable: bool) -> bool:
        if not response.status and not self._answered:
            return True  # a server that never answered is the wrong one rather than busy
        if response.ok:
            broken = response.resource is None and response.text[:1] in {"", "{"}
            return method != "GET" or response.status == 204 or not broken
        return not (is_transient(response) and (repeatable or is_throttled(response)))

    def _exchange(
        self,
        method: str,
        url: str,
        data: bytes | None,
        headers: Mapping[str, str],
        query: list[tuple[str, str]],
    ) -> Response:
        """Send once, follow redirects, read the body up to the limit."""
        for _ in range(_MOST_REDIRECTS):
            sent = self._headers(url, data, headers)
            self._spend(url, 0)
            try:
                with self._session.request(
                    method,
                    url,
                    data=data,
                    params=query,
                    headers=sent,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    text = self._body(answer)
            except (requests.RequestException, HTTPError, OSError) as error:
                return Response(0, text=reason_of(error, url), url=url)
            self._answered = True
            place = answer.headers.get("Location")
            if answer.status_code not in _REDIRECTS or not place:
                return _response(answer, text if answer.ok else _without_secret(text, sent), url)
            if answer.status_code == 303:
                method, data = "GET", None  # the answer is elsewhere (RFC 9110 15.4.4)
            target = urljoin(url, place)
            leaves = _origin(target) != _origin(self.base_url)
            if leaves and (self._stays or method != "GET"):
                problem = f"redirects a {method} to {_origin(target)}; name that server instead"
                raise ServerError(url, problem, status=answer.status_code)
            url, query = target, []
        return Response(0, text="redirects too many times", url=url)

    def _headers(self, url: str, data: bytes | None, given: Mapping[str, str]) -> dict[str, str]:
        headers = {"Accept": FHIR_JSON, "User-Agent": "fhirpkg"}
        if data is not None:
            headers["Content-Type"] = FHIR_JSON
        headers |= given
        if _origin(url) != _origin(self.base_url):
            return {k: v for k, v in headers.items() if k.lower() not in _SECRET_HEADERS}
        if self._auth is not None:
            headers["Authorization"] = self._auth.header()
        return headers

    def _spend(self, url: str, size: int) -> None:
        if self._allowance is not None:
            self._allowance.spend(url, size)

    def _body(self, answer: requests.Response) -> str:
        parts: list[bytes] = []
        size = 0
        # as it comes: a server that drips must not hold us until a whole part is there (urllib3
        # before 2.1 knows no such read)
        read = getattr(answer.raw, "read1", answer.raw.read)
        while part := read(1 << 16, decode_content=True):
            self._spend(answer.url, len(part))
            size += len(part)
            if size > _LARGEST_BODY:
                raise ServerError(answer.url, f"sends more than {_LARGEST_BODY >> 20} MB")
            parts.append(part)
        return b"".join(parts).decode("utf-8", "replace")


def counting(params: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters that ask how many resources match."""
    return [*params, ("_summary", "count"), ("_total", "accurate")]


def _advice(status: int) -> str:
    """What to do about a server that gives no CapabilityStatement."""
    if status in {401, 403}:
        return "; name a credential that may read there, with --token, --user or --client-id"
    return "; is this the base url of a FHIR server?" if 0 < status < 500 else ""


def checked_base_url(text: str) -> str:
    """A base url without its last slash; ConfigError when it is not a url or holds a password."""
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"'{text}' is not a server; write http(s)://host/path")
    if parts.username or parts.password:
        raise ConfigError(
            "the server's url holds credentials; give them with --user and --password"
        )
    if parts.query or parts.fragment:
        raise ConfigError(f"'{text}' has a query; leave it out of the base url")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _without_secret(text: str, sent: Mapping[str, str]) -> str:
    """What a server says, without what it repeats of ours: that must not reach a log."""
    secret = sent.get("Authorization", "").partition(" ")[2]
    return text.replace(secret, "***") if secret else text


def _encoded(body: Resource | bytes | str | None) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return encoded(body)


def encoded(resource: Resource) -> bytes:
    """FHIR JSON bytes; by the quick writer unless a decimal must keep its digits."""
    try:
        return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()
    except TypeError:
        return fhirjson.dump(resource).encode()


def _response(answer: requests.Response, text: str, url: str) -> Response:
    resource: Resource | None = None
    if text.lstrip("\ufeff \r\n\t").startswith("{"):  # whatever the Content-Type says
        value, _ = fhirjson.read(text)
        if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
            resource = value if is_readable(value) else None
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if answer.status_code == 407:
        text = UNKNOWN_TO_PROXY
    return Response(answer.status_code, headers, resource, text, url)
