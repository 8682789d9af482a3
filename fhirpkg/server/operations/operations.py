"""The operations of the server in one table, and how one is found and run.

See http://hl7.org/fhir/R4/operations.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.server.exchange import Answer, Request, refused
from fhirpkg.server.operations.apply import DEFINITIONS, apply, r5_apply
from fhirpkg.server.operations.export import export
from fhirpkg.server.operations.meta import meta_delete
from fhirpkg.server.operations.terminology import TERMINOLOGY, expand, lookup, validate_code
from fhirpkg.server.operations.validating import validate
from fhirpkg.server.rules import (
    SERVER_METHOD,
    SERVER_OPERATION,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.server.endpoint import Endpoint

    Handler = Callable[[Request, Endpoint], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: where its definition (`{type}`) is, where it is offered, what runs it.

    `levels` are "system", "type" and "instance"; without `types` it is offered on all types. Only
    one that does not change anything may be asked for by GET.
    """

    definition: str
    handler: Handler
    levels: tuple[str, ...]
    types: tuple[str, ...] = ()
    changes: bool = False

    def is_at(self, level: str, resource_type: str) -> bool:
        """Whether it is offered there."""
        return level in self.levels and (not self.types or resource_type in self.types)


_SPEC = "http://hl7.org/fhir/OperationDefinition/"
_CPG = "http://hl7.org/fhir/uv/cpg/OperationDefinition/"
OPERATIONS = {
    "apply": Operation(f"{_SPEC}PlanDefinition-apply", apply, ("type", "instance"), DEFINITIONS),
    "expand": Operation(f"{_SPEC}ValueSet-expand", expand, ("type", "instance"), ("ValueSet",)),
    "export": Operation(
        "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export", export, ("system",)
    ),
    "lookup": Operation(f"{_SPEC}CodeSystem-lookup", lookup, ("type",), ("CodeSystem",)),
    "meta-delete": Operation(
        f"{_SPEC}Resource-meta-delete", meta_delete, ("instance",), changes=True
    ),
    "r5.apply": Operation(
        f"{_CPG}cpg-plandefinition-apply", r5_apply, ("type", "instance"), DEFINITIONS[:1]
    ),
    "validate-code": Operation(
        f"{_SPEC}{{type}}-validate-code", validate_code, ("type", "instance"), TERMINOLOGY
    ),
    "validate": Operation(f"{_SPEC}Resource-validate", validate, ("system", "type", "instance")),
}
"""Name without `$` -> operation; the CapabilityStatement and the routes follow this table."""


def run(request: Request, endpoint: Endpoint) -> Answer:
    """Run the operation that a path names. Raises Refused (404, 405)."""
    name = request.path[-1].removeprefix("$")
    level = ("system", "type", "instance")[len(request.path) - 1]
    found = OPERATIONS.get(name)
    if not found or not found.is_at(level, request.path[0]):
        here = [f"${n}" for n, o in OPERATIONS.items() if o.is_at(level, request.path[0])]
        allowed = f"there ({level}) it offers: {', '.join(here) or 'none'}"
        raise refused(404, SERVER_OPERATION, name=name, path=f"/{request.at}", allowed=allowed)
    if found.changes and request.method != "POST":
        raise refused(
            405,
            SERVER_METHOD,
            headers={"Allow": "POST"},
            method=request.method,
            path=f"/{request.at}",
            allowed="POST is, because it changes something",
        )
    return found.handler(request, endpoint)
