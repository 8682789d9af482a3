"""Several reads and searches in one request, where the server takes batches (R4 http.html).

For slow servers: thirty reads of 1.5 s each are one of 2 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fhirpkg.client.response import Response, is_readable, outcome_texts
from fhirpkg.client.retry import is_transient
from fhirpkg.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fhirpkg.issues import Resource

Query = tuple[str, tuple[tuple[str, str], ...]]
"""A path and its parameters, as `FhirClient.request` takes them."""
_MOST = 200
_ABSENT = {404, 410}
_NOT_LET_IN = {401, 403}
_FRESH = {"Cache-Control": "no-cache"}


def answers_of(
    request: Callable[..., Response], address: Callable[[str], str], wanted: Sequence[Query]
) -> dict[Query, Response] | None:
    """The answers that are certain, by what was asked; None when the server takes no batch.

    What it did not answer clearly is left out, to be asked for by itself.
    """
    found: dict[Query, Response] = {}
    for start in range(0, len(wanted), _MOST):
        portion = wanted[start : start + _MOST]
        body = {"resourceType": "Bundle", "type": "batch", "entry": [*map(_entry, portion)]}
        try:
            response = request("POST", "", body=body, headers=_FRESH, repeatable=True)
        except ServerError:
            return None
        resource = response.resource or {}
        entries = resource.get("entry", []) if resource.get("resourceType") == "Bundle" else []
        if not response.ok or len(entries) != len(portion):
            return None
        for query, entry in zip(portion, entries, strict=True):
            answer = _answer(address(query[0]), entry, response.headers)
            if answer is not None:
                found[query] = answer
    return found


def _entry(query: Query) -> Resource:
    path, parameters = query
    url = f"{path}?{urlencode(parameters)}" if parameters else path
    return {"request": {"method": "GET", "url": url}}


def _answer(url: str, entry: Resource, headers: Mapping[str, str]) -> Response | None:
    """The entry's answer as a Response; None when it is unclear."""
    told = entry.get("response")
    status = str(told.get("status", ""))[:3] if isinstance(told, dict) else ""
    resource = entry.get("resource")
    if not status.isdigit():
        return None
    if resource is None and isinstance(told, dict) and isinstance(told.get("outcome"), dict):
        resource = told["outcome"]
    readable = isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)
    if not (readable and is_readable(resource)):
        resource = None
    words = "; ".join(outcome_texts(resource))
    kept = {key: value for key, value in headers.items() if key == "date"}
    response = Response(int(status), kept, resource, words, url)
    if resource is None:  # of a failure, only what is not there needs no words
        return response if response.status in _ABSENT else None
    return None if is_transient(response) or response.status in _NOT_LET_IN else response


def queries(wanted: Iterable[tuple[str, Iterable[tuple[str, str]]]]) -> list[Query]:
    """Paths and parameters as keys, each once."""
    return list(dict.fromkeys((path, tuple(parameters)) for path, parameters in wanted))
