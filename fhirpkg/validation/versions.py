"""Resource types by the versions of FHIR that have them, to name one of another version."""

from __future__ import annotations

_TYPES = {
    "R4": (
        "EffectEvidenceSynthesis MedicinalProduct MedicinalProductAuthorization "
        "MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient "
        "MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged "
        "MedicinalProductPharmaceutical MedicinalProductUndesirableEffect RiskEvidenceSynthesis "
        "SubstanceSpecification"
    ),
    "R4 and R4B": (
        "CatalogEntry DeviceUseStatement DocumentManifest Media RequestGroup ResearchDefinition "
        "ResearchElementDefinition"
    ),
    "R4 and R5": (
        "SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation "
        "SubstanceSourceMaterial"
    ),
    "R4B and R5": (
        "AdministrableProductDefinition Citation ClinicalUseDefinition EvidenceReport Ingredient "
        "ManufacturedItemDefinition MedicinalProductDefinition NutritionProduct "
        "PackagedProductDefinition RegulatedAuthorization SubscriptionStatus SubscriptionTopic "
        "SubstanceDefinition"
    ),
    "R5": (
        "ActorDefinition ArtifactAssessment BiologicallyDerivedProductDispense ConditionDefinition "
        "DeviceAssociation DeviceDispense DeviceUsage EncounterHistory FormularyItem GenomicStudy "
        "ImagingSelection InventoryItem InventoryReport NutritionIntake Permission "
        "RequestOrchestration Requirements TestPlan Transport"
    ),
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
"""Versions to the types that only they have (http://hl7.org/fhir/R5/resourcelist.html)."""
_VERSIONS = {name: versions for versions, names in _TYPES.items() for name in names.split()}


def other_versions(resource_type: str) -> str:
    """The versions of FHIR that have a resource type which not all have, or nothing."""
    return _VERSIONS.get(resource_type, "")
