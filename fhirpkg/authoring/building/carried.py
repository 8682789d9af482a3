"""What other engines drop of a definition, said again where they look: as dynamic values.

`$apply` on HAPI copies neither timing nor performers nor place, and runs FHIRPath as CQL in which
`%context` is the definition. The reason and the site of an order are read in the record by the
logic, which always gives one: of an empty result HAPI makes a boolean, and its answer is not JSON.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from fhirpkg.authoring.building.answered import concept_literal
from fhirpkg.authoring.logic import part

if TYPE_CHECKING:
    from fhirpkg.authoring.building.build_context import BuildContext
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


def reason_and_site(context: BuildContext, action_id: str = "") -> list[Resource]:
    """The dynamic values of an order of the procedure, or of its images: why and where.

    Other orders have none: each costs HAPI time while somebody waits for a card.
    """
    title = _indication(context)
    if not title or (action_id and action_id not in _images(context)):
        return []
    wanted = [("reasonCode", "reasons")]
    if context.procedure.code.sites and not context.procedure.code.choose:
        wanted.append(("bodySite", "sites"))
    return [
        {"path": path, "expression": {"language": "text/cql", "expression": f"{title} {what}"}}
        for path, what in wanted
    ]


def reasons(context: BuildContext) -> list[str]:
    """The definitions of the logic that :func:`reason_and_site` names, as CQL."""
    title = _indication(context)
    sites = [concept_literal(concept) for concept in context.concepts(context.procedure.code.sites)]
    filled = Template(part("reasons")).substitute(title=title, sites=", ".join(sites))
    return [filled] if title else []


def _indication(context: BuildContext) -> str:
    """The title of the criterion that looks for an indication, if there is one."""
    return next((c.title for c in context.procedure.criteria if c.indications), "")


def _images(context: BuildContext) -> set[str]:
    """The orders of images that a criterion looks for, and their parts."""
    wanted = {c.order for c in context.procedure.criteria if c.imaging}
    return {
        each.id
        for action in context.procedure.actions()
        if action.id in wanted
        for each in (action, *action.parts)
    }
