"""`$export` of the whole server as NDJSON: http://hl7.org/fhir/uv/bulkdata/STU2/export.html.

No job is kept: what the client polls carries the parameters of the export in its address, and is
complete at once; a file is read from the store while it is sent.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fhirpkg.server import values
from fhirpkg.server.exchange import Answer, parameters, refused
from fhirpkg.server.rules import SERVER_OPERATION_INPUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.exchange import Refused, Request
    from fhirpkg.server.storing.store import Store

NDJSON = "application/fhir+ndjson"
_FORMATS = {NDJSON, "application/ndjson", "ndjson"}
_PART, _MANIFEST = "_part", "manifest"
_KNOWN = ("_type", "_since", "_outputFormat", _PART)


def export(request: Request, endpoint: Endpoint) -> Answer:
    """The start of an export (202), its manifest, or one of its files. Raises Refused (400)."""
    asked = _asked(request)
    part = asked.pop(_PART, "")
    types = tuple(filter(None, asked.get("_type", "").split(",")))
    for name in (*types, *({part} - {"", _MANIFEST})):
        endpoint.check_type(name)
    if part == _MANIFEST:
        manifest = _manifest(request, endpoint.store, types, asked)
        return Answer(200, text=json.dumps(manifest), media="application/json")
    if part:
        return Answer(200, lines=_lines(endpoint.store, part, _since(asked)), media=NDJSON)
    _since(asked)
    if "respond-async" not in request.headers.get("prefer", ""):
        raise _wrong("ask for it with the header 'Prefer: respond-async'")
    place = f"{request.base}/$export?{urlencode(asked | {_PART: _MANIFEST})}"
    return Answer(202, headers={"Content-Location": place}, bare=True)


def _asked(request: Request) -> dict[str, str]:
    """The parameters of a call; several values of `_type` count as one list."""
    given = {name: [*map(str, found)] for name, found in parameters(request.resource).items()}
    for name, text in request.query:
        given.setdefault(name, []).append(text)
    for name in given:
        if name not in _KNOWN:
            raise _wrong(
                f"the parameter '{name}' is not supported; supported: {', '.join(_KNOWN[:3])}"
            )
    asked = {name: ",".join(found) for name, found in given.items()}
    if asked.get("_outputFormat", NDJSON).replace(" ", "+") not in _FORMATS:
        raise _wrong(f"it is given as {NDJSON} only")
    return asked


def _wrong(problem: str) -> Refused:
    return refused(400, SERVER_OPERATION_INPUT, name="export", problem=problem)


def _since(asked: dict[str, str]) -> int:
    """The instant from which on changes count."""
    text = asked.get("_since", "")
    try:
        return values.date_range(text)[0] if text else 0
    except ValueError as error:
        raise _wrong(f"_since: {error}") from None


def _manifest(
    request: Request, store: Store, types: tuple[str, ...], asked: dict[str, str]
) -> dict[str, object]:
    """What there is to fetch; a resource that changes meanwhile is given as it is then."""
    counted = store.query(
        "SELECT type, count(*) FROM current WHERE digest IS NOT NULL AND updated >= ?"
        " GROUP BY type ORDER BY type",
        (_since(asked),),
    )
    kept = {name: text for name, text in asked.items() if name == "_since"}
    return {
        "transactionTime": values.instant(values.now()),
        "request": f"{request.base}/$export" + (f"?{urlencode(asked)}" if asked else ""),
        "requiresAccessToken": request.rights is not None,
        "output": [
            {
                "type": name,
                "url": f"{request.base}/$export?{urlencode({_PART: name, **kept})}",
                "count": count,
            }
            for name, count in counted
            if not types or name in types
        ],
        "error": [],
    }


def _lines(store: Store, resource_type: str, since: int) -> Iterator[str]:
    """The resources of a type, a portion at a time, each on a line of its own."""
    rows = store.query(
        "SELECT key FROM current WHERE type = ? AND digest IS NOT NULL AND updated >= ?",
        (resource_type, since),
    )
    for version in store.each(key for (key,) in rows):
        yield f"{version.content}\n"
