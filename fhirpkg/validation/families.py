"""The rule families: checks of whole resources that no StructureDefinition states.

Each is a function ``check_x(resource, path, run)``, imported when a resource of its type is first
met: a start that loads them all takes a tenth longer. It is called for every resource of the type:
the input itself, contained resources and the resources of Bundle entries.
"""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

    Family = Callable[[Resource, Path, Run], None]
    Families = tuple[Family, ...]


@functools.cache
def families(resource_type: str) -> Families:
    """The rule families that look at resources of a type."""
    of_type = _BY_TYPE.get(resource_type)
    return (*_every(), *(of_type() if of_type else ()))


def _every() -> Families:
    from fhirpkg.validation.elements.references import check_own_url
    from fhirpkg.validation.narrative.narrative import check_narrative
    from fhirpkg.validation.resources.contained import check_contained

    return check_contained, check_narrative, check_own_url


def _bundle() -> Families:
    from fhirpkg.validation.resources.bundles import check_bundle

    return (check_bundle,)


def _content() -> Families:
    from fhirpkg.validation.content.content import check_content

    return (check_content,)


def _logic() -> Families:
    from fhirpkg.validation.content.portability import check_portability

    return (*_content(), check_portability)


def _library() -> Families:
    from fhirpkg.validation.resources.libraries import check_library

    return (*_logic(), check_library)


def _guide() -> Families:
    from fhirpkg.validation.conformance.guides import check_dependencies

    return (*_content(), check_dependencies)


def _measure() -> Families:
    from fhirpkg.validation.resources.measures import check_measure

    return (check_measure,)


def _measure_report() -> Families:
    from fhirpkg.validation.resources.measure_reports import check_measure_report

    return (check_measure_report,)


def _capability_statement() -> Families:
    from fhirpkg.validation.conformance.search_parameters import check_capability_statement

    return (check_capability_statement,)


def _code_system() -> Families:
    from fhirpkg.validation.terminology.code_systems import check_code_system

    return (check_code_system,)


def _concept_map() -> Families:
    from fhirpkg.validation.terminology.concept_maps import check_concept_map

    return (check_concept_map,)


def _value_set() -> Families:
    from fhirpkg.validation.terminology.value_sets import check_value_set

    return (check_value_set, *_logic())


def _questionnaire() -> Families:
    from fhirpkg.validation.questionnaires.derivation import check_derivation
    from fhirpkg.validation.questionnaires.questionnaires import check_questionnaire

    return (check_questionnaire, check_derivation, *_content())


def _questionnaire_response() -> Families:
    from fhirpkg.validation.questionnaires.responses import check_questionnaire_response

    return (check_questionnaire_response,)


def _operation_definition() -> Families:
    from fhirpkg.validation.conformance.operations import check_operation_definition

    return (check_operation_definition,)


def _search_parameter() -> Families:
    from fhirpkg.validation.conformance.search_parameters import check_search_parameter

    return (check_search_parameter,)


def _actor_definition() -> Families:
    from fhirpkg.validation.conformance.actors import check_actor

    return (check_actor,)


def _structure_map() -> Families:
    from fhirpkg.validation.conformance.structure_maps import check_structure_map

    return (check_structure_map,)


def _structure_definition() -> Families:
    from fhirpkg.validation.conformance.structure_definitions import check_structure_definition

    return (check_structure_definition,)


_BY_TYPE: dict[str, Callable[[], Families]] = {
    "ActivityDefinition": _logic,
    "ActorDefinition": _actor_definition,
    "Bundle": _bundle,
    "CapabilityStatement": _capability_statement,
    "CodeSystem": _code_system,
    "ConceptMap": _concept_map,
    "DocumentReference": _content,
    "ImplementationGuide": _guide,
    "Library": _library,
    "Measure": _measure,
    "MeasureReport": _measure_report,
    "OperationDefinition": _operation_definition,
    "PlanDefinition": _logic,
    "Questionnaire": _questionnaire,
    "QuestionnaireResponse": _questionnaire_response,
    "SearchParameter": _search_parameter,
    "StructureDefinition": _structure_definition,
    "StructureMap": _structure_map,
    "ValueSet": _value_set,
}
