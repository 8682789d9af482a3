"""The rule families: checks of whole resources that no StructureDefinition states.

Each is a function ``check_x(resource, path, run)`` in the module of its name, imported when a
resource of its type is first met. It is called for every resource of the type: the input itself,
contained resources and the resources of Bundle entries.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

    Family = Callable[[Resource, Path, Run], None]

EVERY = "Resource"
_FAMILIES: dict[str, tuple[str, ...]] = {
    EVERY: (
        "resources.contained.check_contained",
        "narrative.narrative.check_narrative",
        "elements.references.check_own_url",
    ),
    "Bundle": ("resources.bundles.check_bundle",),
    "ActivityDefinition": (
        "content.content.check_content",
        "content.portability.check_portability",
    ),
    "DocumentReference": ("content.content.check_content",),
    "ImplementationGuide": (
        "content.content.check_content",
        "conformance.guides.check_dependencies",
    ),
    "Library": (
        "content.content.check_content",
        "content.portability.check_portability",
    ),
    "Measure": ("resources.measures.check_measure",),
    "MeasureReport": ("resources.measure_reports.check_measure_report",),
    "PlanDefinition": (
        "content.content.check_content",
        "content.portability.check_portability",
    ),
    "CapabilityStatement": ("conformance.search_parameters.check_capability_statement",),
    "CodeSystem": ("terminology.code_systems.check_code_system",),
    "ConceptMap": ("terminology.concept_maps.check_concept_map",),
    "Questionnaire": (
        "questionnaires.questionnaires.check_questionnaire",
        "questionnaires.derivation.check_derivation",
        "content.content.check_content",
    ),
    "QuestionnaireResponse": ("questionnaires.responses.check_questionnaire_response",),
    "OperationDefinition": ("conformance.operations.check_operation_definition",),
    "SearchParameter": ("conformance.search_parameters.check_search_parameter",),
    "StructureDefinition": ("conformance.structure_definitions.check_structure_definition",),
    "ValueSet": (
        "terminology.value_sets.check_value_set",
        "content.content.check_content",
        "content.portability.check_portability",
    ),
}
"""Type to ``module.function`` in this package; those of `Resource` are called for every type."""


@functools.cache
def families(resource_type: str) -> tuple[Family, ...]:
    """The rule families that look at resources of a type."""
    names = _FAMILIES[EVERY] + _FAMILIES.get(resource_type, ())
    return tuple(_load(name) for name in names)


def _load(name: str) -> Family:
    module, _, function = name.rpartition(".")
    family: Family = getattr(importlib.import_module(f"fhirpkg.validation.{module}"), function)
    return family
