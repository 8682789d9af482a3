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
        "contained.check_contained",
        "narrative.check_narrative",
        "references.check_own_url",
    ),
    "Bundle": ("bundles.check_bundle",),
    "ActivityDefinition": ("content.check_content", "portability.check_portability"),
    "DocumentReference": ("content.check_content",),
    "ImplementationGuide": ("content.check_content", "guides.check_dependencies"),
    "Library": ("content.check_content", "portability.check_portability"),
    "Measure": ("measures.check_measure",),
    "MeasureReport": ("measure_reports.check_measure_report",),
    "PlanDefinition": ("content.check_content", "portability.check_portability"),
    "CapabilityStatement": ("search_parameters.check_capability_statement",),
    "CodeSystem": ("code_systems.check_code_system",),
    "ConceptMap": ("concept_maps.check_concept_map",),
    "Questionnaire": (
        "questionnaires.check_questionnaire",
        "questionnaire_derivation.check_derivation",
        "content.check_content",
    ),
    "QuestionnaireResponse": ("questionnaire_responses.check_questionnaire_response",),
    "OperationDefinition": ("operations.check_operation_definition",),
    "SearchParameter": ("search_parameters.check_search_parameter",),
    "StructureDefinition": ("structure_definitions.check_structure_definition",),
    "ValueSet": (
        "value_sets.check_value_set",
        "content.check_content",
        "portability.check_portability",
    ),
}
"""Type to ``module.function`` in this package; those of `Resource` are called for every type."""


@functools.cache
def families(resource_type: str) -> tuple[Family, ...]:
    """The rule families that look at resources of a type."""
    names = _FAMILIES[EVERY] + _FAMILIES.get(resource_type, ())
    return tuple(_load(name) for name in names)


def _load(name: str) -> Family:
    module, _, function = name.partition(".")
    family: Family = getattr(importlib.import_module(f"fhirpkg.validation.{module}"), function)
    return family
