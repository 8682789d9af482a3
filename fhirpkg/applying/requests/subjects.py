"""Whom R4 lets a result be about (a diet a patient, a service a location), and who takes part.

A plan may be applied to a Patient, Practitioner, Organization, Location, Device or Group. Where the
result has no such subject the reference stands all the same, or nobody would know whom it is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.applying.requests.cells import role_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.applying.requests.cells import Parties
    from fhirpkg.issues import Json, Resource

_PATIENT = ("Patient",)
_CARE = ("Patient", "Group")
_PLACES = ("Patient", "Group", "Location", "Device")
_INVITED = ("Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Device",
            "HealthcareService", "Location")  # fmt: skip
MAY_BE = {
    "AppointmentResponse": ("actor", _INVITED),
    "CarePlan": ("subject", _CARE),
    "Claim": ("patient", _PATIENT),
    "Communication": ("subject", _CARE),
    "CommunicationRequest": ("subject", _CARE),
    "DeviceRequest": ("subject", _PLACES),
    "DiagnosticReport": ("subject", _PLACES),
    "EnrollmentRequest": ("candidate", _PATIENT),
    "Goal": ("subject", ("Patient", "Group", "Organization")),
    "ImmunizationRecommendation": ("patient", _PATIENT),
    "MedicationRequest": ("subject", _CARE),
    "NutritionOrder": ("patient", _PATIENT),
    "Procedure": ("subject", _CARE),
    "RequestGroup": ("subject", _CARE),
    "ServiceRequest": ("subject", _PLACES),
    "VisionPrescription": ("patient", _PATIENT),
}


def participant_of(participant: Resource, parties: Parties) -> dict[str, Json]:
    """Who takes part in an action: the person, when we know who it is; else the role in words."""
    kind = participant.get("type", "")
    patient = parties.subject if parties.subject.startswith("Patient/") else ""
    known = {"patient": patient, "practitioner": parties.practitioner}.get(kind, "")
    reference: dict[str, Json] = {"reference": known} if known else {}
    words = role_text(participant.get("role", {})) or ("" if known else kind)
    return reference | ({"display": words} if words else {})


def misplaced_subjects(resource: Resource) -> Iterator[str]:
    """Messages about references to subjects of types that R4 does not allow."""
    kind = resource["resourceType"]
    element, allowed = MAY_BE.get(kind, ("", ()))
    named = [(element, resource[element], allowed)] if element in resource else []
    if kind == "Appointment":
        actors = [p["actor"] for p in resource.get("participant", ()) if "actor" in p]
        named += [("participant.actor", actor, _INVITED) for actor in actors]
    for name, value, allowed in named:
        reference = value.get("reference", "")
        if reference.rpartition("/")[0].rpartition("/")[2] not in allowed:
            yield f"{kind}.{name} cannot be {reference} in R4, only {' or '.join(allowed)}"
