"""The kinds of requests that an ActivityDefinition makes: one table, a kind a row.

The first column is what the reference engine sets; the second what it loses although the target
has a place for it. See http://hl7.org/fhir/R4/activitydefinition-operation-apply.html.
"""

from __future__ import annotations

from typing import NamedTuple

from fhirpkg.applying.requests.cells import (
    Cell,
    all_artifacts,
    all_performer_types,
    canonical,
    chosen,
    collected_with,
    copied,
    dispensed,
    displayed,
    do_not_perform_extension,
    fixed,
    intent,
    last_link,
    listed,
    noted_roles,
    now,
    one_performer_type,
    party,
    patient_takes_part,
    payload_of_text,
    presented,
    presented_links,
    taking_part,
    task_status,
)
from fhirpkg.applying.requests.timings import (
    answered,
    dated,
    dosed,
    fed,
    fed_at,
    occurring,
    recommended,
    restricted,
    within,
)


class Kind(NamedTuple):
    """How one kind of request is made."""

    reference: tuple[Cell, ...] = ()
    complete: tuple[Cell, ...] = ()
    needs: tuple[str, ...] = ()
    """Elements without one of which (and without a dynamicValue) nothing sensible comes out."""


_SUBJECT = party("subject", "subject")
_ENCOUNTER = party("encounter", "encounter")
_PRACTITIONER = party("requester", "practitioner")
_REQUESTER = party("requester", "practitioner", "organization")
_PRIORITY = copied("priority")
_WHEN = occurring("occurrence", "DateTime", "Period", "Timing")
_ACTIVE = fixed("status", "active")
_DRAFT = fixed("status", "draft")
_UNKNOWN = fixed("status", "unknown")
_NOTED_ROLES = Cell("participant", noted_roles)
_ONE_PERFORMER = Cell("participant", one_performer_type)
_BODY_SITE = copied("bodySite")
_NOT = copied("doNotPerform")

KINDS: dict[str, Kind] = {
    "ServiceRequest": Kind(
        (canonical(True), _ACTIVE, intent("order"), _NOT, copied("code"),
         _SUBJECT, _ENCOUNTER, _REQUESTER, _BODY_SITE),
        (_PRIORITY, chosen("quantity", "quantityQuantity", ("",)), _WHEN, _ONE_PERFORMER,
         listed("location", "locationReference"), displayed("specimenRequirement", "orderDetail")),
        needs=("code",),
    ),
    "MedicationRequest": Kind(
        (canonical(True), _ACTIVE, intent("order"), _NOT,
         chosen("product", "medication", ("CodeableConcept", "Reference")),
         _SUBJECT, _ENCOUNTER, _REQUESTER, copied("dosage", "dosageInstruction")),
        (_PRIORITY, _ONE_PERFORMER, Cell("timing", dosed), Cell("quantity", dispensed)),
        needs=("productCodeableConcept", "productReference"),
    ),
    "CommunicationRequest": Kind(
        (_ACTIVE, _NOT, _SUBJECT, _ENCOUNTER, _PRACTITIONER, Cell("code", payload_of_text)),
        (_REQUESTER, _PRIORITY, listed("code", "category"), _NOTED_ROLES,
         occurring("occurrence", "DateTime", "Period"),
         Cell("relatedArtifact", all_artifacts)),
    ),
    "Task": Kind(
        (canonical(False), Cell("", task_status), intent("proposal"), copied("code"),
         copied("description"), party("for", "subject"), _ENCOUNTER, _PRACTITIONER,
         Cell("doNotPerform", do_not_perform_extension)),
        (_REQUESTER, _PRIORITY, copied("location"), Cell("participant", all_performer_types),
         Cell("timing", restricted), Cell("extension", collected_with)),
    ),
    "SupplyRequest": Kind(
        (_ACTIVE, party("requester", "organization", "practitioner"), copied("quantity"),
         copied("code", "itemCodeableConcept")),
        (_PRIORITY, _WHEN, chosen("product", "item", ("CodeableConcept", "Reference"))),
    ),
    "DeviceRequest": Kind(
        complete=(canonical(True), _ACTIVE, intent("order"), _PRIORITY,
                  copied("code", "codeCodeableConcept"),
                  chosen("product", "code", ("CodeableConcept",)),
                  _SUBJECT, _ENCOUNTER, _WHEN, _REQUESTER, _ONE_PERFORMER),
    ),
    "Communication": Kind(
        (_UNKNOWN, _SUBJECT, listed("code", "reasonCode"),
         Cell("relatedArtifact", last_link)),
        (_PRIORITY, _ENCOUNTER, _NOTED_ROLES, Cell("relatedArtifact", all_artifacts)),
    ),
    "Procedure": Kind(
        (canonical(True), _UNKNOWN, _SUBJECT, copied("code"), _BODY_SITE),
        (_ENCOUNTER, copied("location"),
         occurring("performed", "DateTime", "Period", "Age", "Range")),
    ),
    "DiagnosticReport": Kind(
        (_UNKNOWN, _SUBJECT, copied("code"),
         Cell("relatedArtifact", presented_links)),
        (_ENCOUNTER, Cell("relatedArtifact", presented),
         occurring("effective", "DateTime", "Period")),
        needs=("code",),
    ),
    "ImmunizationRecommendation": Kind(
        (party("patient", "subject"), now("date"), Cell("product", recommended)),
        (Cell("timing", dated),),
        needs=("productCodeableConcept",),
    ),
    "Appointment": Kind(
        (fixed("status", "proposed"), Cell("", patient_takes_part)),
        (copied("description"), listed("code", "serviceType"), Cell("participant", taking_part),
         listed("location", "supportingInformation"),
         within("requestedPeriod", as_list=True)),
    ),
    "AppointmentResponse": Kind(
        complete=(party("actor", "subject"), fixed("participantStatus", "needs-action"),
                  Cell("timing", answered)),
    ),
    "CarePlan": Kind(
        complete=(canonical(True), _ACTIVE, intent("proposal"), copied("title"),
                  copied("description"), _SUBJECT, _ENCOUNTER, within("period")),
    ),
    "RequestGroup": Kind(
        complete=(canonical(True), _ACTIVE, intent("proposal"), _PRIORITY, copied("code"),
                  _SUBJECT, _ENCOUNTER),
    ),
    "Claim": Kind(
        complete=(_DRAFT, fixed("use", "claim"), party("patient", "subject"), now("created")),
    ),
    "Contract": Kind(
        complete=(copied("title"), listed("location", "site"), within("applies")),
    ),
    "EnrollmentRequest": Kind(complete=(_DRAFT, party("candidate", "subject"))),
    "NutritionOrder": Kind(
        complete=(canonical(True), _ACTIVE, intent("order"), party("patient", "subject"),
                  _ENCOUNTER, party("orderer", "practitioner"), now("dateTime"),
                  Cell("code", fed), Cell("timing", fed_at)),
    ),
    "VisionPrescription": Kind(
        complete=(_ACTIVE, party("patient", "subject"), _ENCOUNTER,
                  party("prescriber", "practitioner"), now("created"), now("dateWritten")),
    ),
}  # fmt: skip
