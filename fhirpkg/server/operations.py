"""The operations of the server: `$validate`, `$meta-delete`, and what others put into the table.

See http://hl7.org/fhir/R4/operations.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirpkg.server.exchange import Answer, Request, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint

    Handler = Callable[[Request, Endpoint], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: where its definition stands, where it is offered, and what runs it.

    `levels` are "system", "type" and "instance"; without `types` it is offered on all types. Only
    one that does not change anything may be asked for by GET.
    """

    definition: str
    handler: Handler
    levels: tuple[str, ...]
    types: tuple[str, ...] = ()
    changes: bool = False


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


def parameter(resource: Resource | None, name: str) -> Any:
    """The value or resource of a parameter in a Parameters resource; None when it is absent."""
    if resource is None or resource.get("resourceType") != "Parameters":
        return None
    for part in resource.get("parameter", []):
        if part.get("name") == name:
            key = next((k for k in part if k == "resource" or k.startswith("value")), "")
            return part.get(key)
    return None


def _meta_delete(request: Request, endpoint: Endpoint) -> Answer:
    """Take tags, profiles and security labels away, without making a new version."""
    removed = parameter(request.body, "meta")
    if not isinstance(removed, dict):
        problem = "it needs a Parameters with one parameter 'meta' of type Meta"
        raise refused(400, "server-operation-input", name="meta-delete", problem=problem)
    resource_type, identity, _ = request.path
    with endpoint.store.transaction():
        version = endpoint.store.current(resource_type, identity)
        if version is None or version.content is None:
            raise refused(404, "server-unknown-resource", type=resource_type, id=identity)
        resource = version.resource()
        meta = resource["meta"]
        for key in ("profile", "tag", "security"):
            gone = [_identity(item) for item in removed.get(key, [])]
            left = [item for item in meta.get(key, []) if _identity(item) not in gone]
            meta.pop(key, None)
            if left:
                meta[key] = left
        endpoint.store.amend(version, resource)
    part = {"name": "return", "valueMeta": meta}
    return Answer(200, {"resourceType": "Parameters", "parameter": [part]})


def _identity(item: Any) -> Any:
    return (item.get("system"), item.get("code")) if isinstance(item, dict) else item


_DEFINITIONS = "http://hl7.org/fhir/OperationDefinition/"

OPERATIONS: dict[str, Operation] = {
    "meta-delete": Operation(
        f"{_DEFINITIONS}Resource-meta-delete", _meta_delete, ("instance",), changes=True
    ),
}
"""Name without `$` -> operation; the CapabilityStatement and the routes follow this table."""
