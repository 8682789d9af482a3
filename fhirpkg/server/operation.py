"""What an operation of the server is, and how it gets its input.

See http://hl7.org/fhir/R4/operations.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.exchange import Answer, Request

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


def parameter(resource: Resource | None, name: str) -> Any:
    """The value or resource of a parameter in a Parameters resource; None when it is absent."""
    if resource is None or resource.get("resourceType") != "Parameters":
        return None
    for part in resource.get("parameter", []):
        if isinstance(part, dict) and part.get("name") == name:
            key = next((k for k in part if k == "resource" or k.startswith("value")), "")
            return part.get(key)
    return None
