"""`$meta-delete`: taking tags, profiles and security labels away.

See http://hl7.org/fhir/R4/resource-operation-meta-delete.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.server.exchange import Answer, Request, parameters, refused
from fhirpkg.server.rules import (
    SERVER_OPERATION_INPUT,
    SERVER_UNKNOWN_RESOURCE,
)

if TYPE_CHECKING:
    from fhirpkg.server.endpoint import Endpoint


def meta_delete(request: Request, endpoint: Endpoint) -> Answer:
    """Take away what the parameter `meta` names, without making a new version."""
    removed = next(iter(parameters(request.body).get("meta", ())), None)
    if not isinstance(removed, dict):
        problem = "it needs a Parameters with one parameter 'meta' of type Meta"
        raise refused(400, SERVER_OPERATION_INPUT, name="meta-delete", problem=problem)
    resource_type, identity, _ = request.path
    with endpoint.store.transaction():
        version = endpoint.store.present(resource_type, identity)
        if version is None:
            raise refused(404, SERVER_UNKNOWN_RESOURCE, type=resource_type, id=identity)
        resource = version.resource()
        meta = resource["meta"]
        for key in ("profile", "tag", "security"):
            gone = [_identity(item) for item in removed.get(key, [])]
            left = [item for item in meta.pop(key, []) if _identity(item) not in gone]
            if left:
                meta[key] = left
        endpoint.store.amend(version, resource)
    part = {"name": "return", "valueMeta": meta}
    return Answer(200, {"resourceType": "Parameters", "parameter": [part]})


def _identity(item: Any) -> Any:
    return (item.get("system"), item.get("code")) if isinstance(item, dict) else item
