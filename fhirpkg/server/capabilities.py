"""The CapabilityStatement, made from what is enabled (R4 http.html#capabilities)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import fhirpkg
from fhirpkg import fhirjson
from fhirpkg.server.exchange import Answer
from fhirpkg.server.operations.operations import OPERATIONS
from fhirpkg.server.web.formats import JSON_PATCH

if TYPE_CHECKING:
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.exchange import Request
    from fhirpkg.server.searching.indexing import Indexing

ABOUT = (
    "An embedded FHIR R4 server for development and small sites, run by fhirpkg. For anything "
    "larger take a full server such as HAPI FHIR. Nothing is validated when it is written (use "
    "$validate), references are not enforced, and there is no authentication unless it was started "
    "with some. An update replaces "
    "meta.tag, meta.security and meta.profile; one with the same content makes no new version."
)
_FORMATS = ["application/fhir+json", "application/fhir+xml", "json", "xml"]
_INTERACTIONS = (
    "read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create",
    "search-type",
)  # fmt: skip


def capabilities(request: Request, endpoint: Endpoint) -> Answer:
    """What this server offers."""
    security = fhirjson.dump(request.security)
    return Answer(200, text=_text(endpoint.definitions, endpoint.indexing, request.base, security))


@functools.lru_cache(maxsize=8)
def _text(definitions: Definitions, indexing: Indexing, base: str, security: str) -> str:
    """The statement as JSON text: to write it takes 20 ms, and clients begin with it."""
    statement = _statement(definitions, indexing)
    (rest,) = statement["rest"]
    secured = {} if security == "{}" else {"security": fhirjson.read(security)[0]}
    changed = {
        "implementation": {"description": "fhirpkg serve", "url": base},
        "rest": [rest | secured],
    }
    return fhirjson.dump(statement | changed)


@functools.lru_cache(maxsize=2)
def _statement(definitions: Definitions, indexing: Indexing) -> Resource:
    types = sorted(definitions.types.resource_types())
    referring = _referring(types, indexing)
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-23",
        "publisher": "fhirpkg contributors",
        "description": ABOUT,
        "kind": "instance",
        "software": {"name": "fhirpkg", "version": fhirpkg.__version__},
        "fhirVersion": "4.0.1",
        "format": _FORMATS,
        "patchFormat": [JSON_PATCH],
        "rest": [
            {
                "mode": "server",
                "documentation": ABOUT,
                "resource": [_resource(name, indexing, referring[name]) for name in types],
                "interaction": [
                    {"code": code} for code in ("transaction", "batch", "history-system")
                ],
                "operation": _operations("system"),
            }
        ],
    }


def _referring(types: list[str], indexing: Indexing) -> dict[str, list[str]]:
    """The `Type:parameter` of all references that may lead to each type."""
    found: dict[str, list[str]] = {name: [] for name in types}
    for source in types:
        for parameter in indexing.parameters(source).values():
            if parameter.kind == "reference":
                to = set(parameter.targets)
                for target in types if not to or "Resource" in to else sorted(to & found.keys()):
                    found[target].append(f"{source}:{parameter.code}")
    return found


def _resource(resource_type: str, indexing: Indexing, referring: list[str]) -> Resource:
    parameters = indexing.parameters(resource_type).values()
    references = sorted(
        f"{resource_type}:{parameter.code}"
        for parameter in parameters
        if parameter.kind == "reference"
    )
    found: Resource = {
        "type": resource_type,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{resource_type}",
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "logical"],
        "searchInclude": references,
        "searchRevInclude": sorted(referring),
        "searchParam": [
            {"name": parameter.code, "definition": parameter.definition, "type": parameter.kind}
            for parameter in sorted(parameters, key=lambda p: p.code)
        ],
        "operation": _operations("type", "instance", resource_type=resource_type),
    }
    return {key: value for key, value in found.items() if value != []}


def _operations(*levels: str, resource_type: str = "") -> list[Resource]:
    return [
        {"name": name, "definition": operation.definition.format(type=resource_type)}
        for name, operation in OPERATIONS.items()
        if set(levels) & set(operation.levels)
        and (not operation.types or resource_type in operation.types)
    ]
