"""The operations of the server in one table, and how one is found and run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.server import apply, meta, validating
from fhirpkg.server.exchange import Answer, Request, refused

if TYPE_CHECKING:
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.operation import Operation

OPERATIONS: dict[str, Operation] = {
    "apply": apply.APPLY,
    "meta-delete": meta.META_DELETE,
    "r5.apply": apply.R5_APPLY,
    "validate": validating.VALIDATE,
}
"""Name without `$` -> operation; the CapabilityStatement and the routes follow this table."""


def run(request: Request, endpoint: Endpoint) -> Answer:
    """Run the operation that a path names. Raises Refused (404, 405)."""
    name = request.path[-1].removeprefix("$")
    level = ("system", "type", "instance")[len(request.path) - 1]
    found = OPERATIONS.get(name)
    offered = found and level in found.levels
    if not found or not offered or (found.types and request.path[0] not in found.types):
        here = ", ".join(f"${n}" for n, o in OPERATIONS.items() if level in o.levels) or "none"
        allowed = f"on the level of a {level} there are: {here}"
        raise refused(404, "server-operation", name=name, path=f"/{request.at}", allowed=allowed)
    if found.changes and request.method != "POST":
        raise refused(
            405,
            "server-method",
            headers={"Allow": "POST"},
            method=request.method,
            path=f"/{request.at}",
            allowed="POST is, because it changes something",
        )
    return found.handler(request, endpoint)
