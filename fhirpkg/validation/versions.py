"""Resource types that other versions of FHIR have, so that one of them is told as what it is."""

from __future__ import annotations

_R4B_AND_LATER = (
    "AdministrableProductDefinition Citation ClinicalUseDefinition EvidenceReport Ingredient "
    "ManufacturedItemDefinition MedicinalProductDefinition NutritionProduct "
    "PackagedProductDefinition RegulatedAuthorization SubscriptionStatus SubscriptionTopic "
    "SubstanceDefinition"
)
_R5_AND_LATER = (
    "ActorDefinition ArtifactAssessment BiologicallyDerivedProductDispense ConditionDefinition "
    "DeviceAssociation DeviceDispense DeviceUsage EncounterHistory FormularyItem GenomicStudy "
    "ImagingSelection InventoryItem InventoryReport NutritionIntake Permission "
    "RequestOrchestration Requirements TestPlan Transport"
)
_TYPES = {
    "R4B and R5": _R4B_AND_LATER,
    "R5": _R5_AND_LATER,
    "R6": (
        "ClinicalAssessment DeviceAlert InsuranceProduct MolecularDefinition PersonalRelationship"
    ),
    "STU3": (
        "BodySite DataElement DeviceComponent EligibilityRequest EligibilityResponse "
        "ExpansionProfile ImagingManifest ProcedureRequest ProcessRequest ProcessResponse "
        "ReferralRequest Sequence ServiceDefinition"
    ),
    "DSTU2": (
        "Conformance DeviceUseRequest DiagnosticOrder ImagingObjectSelection MedicationOrder Order "
        "OrderResponse"
    ),
}
"""Version to types that R4 does not have (http://hl7.org/fhir/R5/resourcelist.html)."""
_VERSIONS = {name: version for version, names in _TYPES.items() for name in names.split()}


def other_versions(resource_type: str) -> str:
    """The versions of FHIR that have a resource type which R4 lacks, or nothing."""
    return _VERSIONS.get(resource_type, "")
