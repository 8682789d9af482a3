"""What other engines drop of a definition, said again where they look: as dynamic values.

`$apply` on HAPI copies neither timing nor performers nor place, and runs FHIRPath as CQL in which
`%context` is the definition. Reasons and sites out of the record are not said so: where the logic
gives nothing, HAPI puts a boolean there, and its whole answer is no JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

_ROLES = "%context.participant.where(type = 'practitioner').select(role)"
_PLACES = "%context.useContext.where(code.code = 'venue').select(value)"
_WHEN = ("timingTiming", "occurrence", "%context.timing")
_BY_ONE = ("participant", "performerType", f"{_ROLES}.first()")

_CARRIED = {
    "ServiceRequest": (_WHEN, _BY_ONE, ("location", "locationCode", _PLACES)),
    "MedicationRequest": (_BY_ONE,),
    "Task": (("participant", "performerType", _ROLES),),
    "CommunicationRequest": (("participant", "recipient", "%resource.subject"),),
    "SupplyRequest": (_WHEN,),
}
"""By the kind of request: the element of the definition, the path in the request, the value."""


def carried(definition: Resource) -> list[Resource]:
    """The dynamic values that repeat what a definition says and HAPI drops."""
    return [
        {"path": path, "expression": {"language": "text/fhirpath", "expression": expression}}
        for element, path, expression in _CARRIED.get(definition["kind"], ())
        if definition.get(element) and _concerns(definition[element], path)
    ]


def _concerns(value: object, path: str) -> bool:
    """Whether somebody is there whom the path is for: patients receive, staff perform."""
    if not isinstance(value, list):
        return True
    wanted = "patient" if path == "recipient" else "practitioner"
    return any(participant["type"] == wanted for participant in value)
