"""`$validate`: the validator, with the profiles and value sets that the server holds.

See http://hl7.org/fhir/R4/resource-operation-validate.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.errors import DefinitionError
from fhirpkg.server.exchange import Answer, Request, parameters, refused
from fhirpkg.server.rules import (
    SERVER_BODY_TYPE,
    SERVER_OPERATION_INPUT,
    SERVER_UNKNOWN_RESOURCE,
)

if TYPE_CHECKING:
    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint


def validate(request: Request, endpoint: Endpoint) -> Answer:
    """What is wrong with a resource that is sent or stored: an OperationOutcome, always 200."""
    resource = _resource(request, endpoint)
    profiles = [value for name, value in request.query if name == "profile"]
    asked = parameters(request.resource).get("profile", ())
    profiles += [profile for profile in asked if isinstance(profile, str)]
    try:
        outcome = endpoint.learned.validator().validate(resource, profiles)
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
