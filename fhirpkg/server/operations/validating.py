"""`$validate`: the validator, with the profiles and value sets that the server holds.

See http://hl7.org/fhir/R4/resource-operation-validate.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.errors import DefinitionError
from fhirpkg.server.exchange import Answer, Request, parameters, refused
from fhirpkg.server.rules import (
    SERVER_BODY_TYPE,
    SERVER_OPERATION_INPUT,
    SERVER_UNKNOWN_RESOURCE,
)
from fhirpkg.server.searching.indexing import LOCAL
from fhirpkg.validation.validator import Validator

if TYPE_CHECKING:
    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint

_DEFINING = ("StructureDefinition", "ValueSet", "CodeSystem")


def validate(request: Request, endpoint: Endpoint) -> Answer:
    """What is wrong with a resource that is sent or stored: an OperationOutcome, always 200."""
    resource = _resource(request, endpoint)
    profiles = [value for name, value in request.query if name == "profile"]
    asked = parameters(request.resource).get("profile", ())
    profiles += [profile for profile in asked if isinstance(profile, str)]
    try:
        outcome = validator(endpoint).validate(resource, profiles)
    except DefinitionError as error:
        raise refused(422, SERVER_OPERATION_INPUT, name="validate", problem=error) from error
    return Answer(200, outcome.as_operation_outcome())


def _resource(request: Request, endpoint: Endpoint) -> Resource:
    sent = request.resource
    if sent is not None and sent.get("resourceType") == "Parameters":
        sent = next(iter(parameters(sent).get("resource", ())), None)
    if isinstance(sent, dict):
        found = sent.get("resourceType")
        if len(request.path) > 1 and found != request.path[0]:
            raise refused(400, SERVER_BODY_TYPE, found=found, wanted=request.path[0])
        return sent
    if len(request.path) != 3:
        problem = "it needs a resource, as the body or as the parameter 'resource'"
        raise refused(400, SERVER_OPERATION_INPUT, name="validate", problem=problem)
    version = endpoint.store.present(request.path[0], request.path[1])
    if version is None:
        resource_type, identity, _ = request.path
        raise refused(404, SERVER_UNKNOWN_RESOURCE, type=resource_type, id=identity)
    return version.resource()


def validator(endpoint: Endpoint) -> Validator:
    """A validator that knows what the store soundly defines; the same until that changes.

    A profile that is no valid StructureDefinition is not used: asking for it is told as unknown.
    """
    places = ",".join("?" * len(_DEFINING))
    newest = endpoint.store.query(
        f"SELECT max(seq) FROM version WHERE type IN ({places})",  # noqa: S608 - question marks
        _DEFINING,
    )
    state: Any = newest[0][0]
    known = endpoint.validators
    if state not in known:
        stored = endpoint.store.all_present(f"current.type IN ({places})", _DEFINING)
        checker = Validator(definitions=endpoint.definitions)
        resources = [version.resource() for version in stored]
        sound = [r for r in resources if _is_new(r, endpoint) and checker.validate(r)]
        definitions = endpoint.definitions.with_resources(sound)
        known.clear()
        known[state] = Validator(definitions=definitions, retrieve=_retrieve(endpoint))
    return known[state]


def _is_new(resource: Resource, endpoint: Endpoint) -> bool:
    """Whether a stored definition has a url of its own: the types of R4 are not to be replaced."""
    url = resource.get("url")
    return isinstance(url, str) and endpoint.definitions.find(url) is None


def _retrieve(endpoint: Endpoint) -> Any:
    def retrieve(reference: str) -> Resource | None:
        local = LOCAL.fullmatch(reference)
        version = endpoint.store.present(local["type"], local["id"]) if local else None
        return version.resource() if version else None

    return retrieve
