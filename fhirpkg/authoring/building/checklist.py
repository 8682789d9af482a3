"""The Questionnaire that is gone through before the procedure, and the task to do so.

What the record of the patient holds already is filled in as SDC has it: allergies by a query,
results by the logic of the criteria (http://hl7.org/fhir/uv/sdc/populate.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building.conditions import needs_library
from fhirpkg.authoring.building.elements import PATIENT, filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.sections import Question
    from fhirpkg.issues import Resource

_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire"
_CPG = "http://hl7.org/fhir/uv/cpg"


def questionnaire(context: BuildContext) -> Resource | None:
    """The Questionnaire that is gone through before the procedure, if there is one."""
    procedure = context.procedure
    questions = context.questions()
    if not questions:
        return None
    made = {
        **context.header(
            "Questionnaire",
            context.id("checklist"),
            f"{procedure.name.text}: checklist",
            "Questions to be answered before the procedure begins.",
        ),
        "extension": list(_extensions(context, questions)),
        "purpose": "To make sure that everything is prepared before the procedure begins.",
        "subjectType": ["Patient"],
        "item": [*_on_record(context), *(_item(question) for question in questions)],
    }
    return filled(made)


def task(context: BuildContext) -> Iterator[Resource]:
    """The definition of the task to answer it, which CPG calls collecting information."""
    if not context.questions():
        return
    form = context.url("Questionnaire", context.id("checklist"))
    name = context.procedure.name.text
    text = "Go through the checklist before the procedure begins."
    code = {
        "system": f"{_CPG}/CodeSystem/cpg-activity-type-cs",
        "code": "collect-information",
    }
    yield {
        **context.header("ActivityDefinition", context.id("checklist"), f"{name}: checklist", text),
        "extension": [
            {"url": f"{_CPG}/StructureDefinition/cpg-collectWith", "valueCanonical": form}
        ],
        "subjectCodeableConcept": PATIENT,
        "purpose": "To assign the checklist as a separate task.",
        "usage": f"As part of the plan of care for '{name}'.",
        "topic": context.topics(),
        "author": context.authors(),
        "relatedArtifact": [{"type": "depends-on", "resource": form}],
        "kind": "Task",
        "code": {"coding": [code], "text": "Checklist"},
        "intent": "proposal",
    }


def _extensions(context: BuildContext, questions: list[Question]) -> Iterator[Resource]:
    """What filling in needs: the patient, a query for what is asked of the record, the logic."""
    queries = {name for question in questions for name in [question.prefill] if name}
    if queries:
        patient = {"system": "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext"}
        yield {
            "url": f"{_SDC}-launchContext",
            "extension": [
                {"url": "name", "valueCoding": {**patient, "code": "patient"}},
                {"url": "type", "valueCode": "Patient"},
            ],
        }
    for name in sorted(queries):
        query, _ = _PREFILLED[name]
        expression = {"name": name, "language": "application/x-fhir-query", "expression": query}
        yield {
            "url": "http://hl7.org/fhir/StructureDefinition/variable",
            "valueExpression": expression,
        }
    if _observed(context):
        library = context.url("Library", context.id("logic"))
        yield {
            "url": "http://hl7.org/fhir/StructureDefinition/cqf-library",
            "valueCanonical": library,
        }


_NAMES = "code.select(iif(text.exists(), text, coding[0].display))"
_PREFILLED = {
    "allergies": (
        "AllergyIntolerance?patient={{%patient.id}}&clinical-status=active",
        f"%allergies.entry.resource.{_NAMES}.join('; ')",
    )
}
"""What is looked up in the record: the query, and the answer in what it finds."""


def _observed(context: BuildContext) -> list[str]:
    """The titles of the criteria on results, whose logic is there."""
    criteria = context.procedure.criteria if needs_library(context) else ()
    return [criterion.title for criterion in criteria if criterion.kind == "observation"]


def _on_record(context: BuildContext) -> Iterator[Resource]:
    """The results that the record holds, to be read beside the questions."""
    for title in _observed(context):
        expression = {"language": "text/cql", "expression": f'"{title} found"'}
        yield {
            "extension": [{"url": f"{_SDC}-initialExpression", "valueExpression": expression}],
            "linkId": f"on-record-{title.lower().replace(' ', '-')}",
            "text": f"{title}: on record",
            "type": "string",
            "readOnly": True,
        }


_ITEM_TYPES = {
    "yes-no": "boolean",
    "choice": "choice",
    "text": "text",
    "date": "date",
    "date-time": "dateTime",
}


def _item(question: Question) -> Resource:
    return filled(
        {
            "extension": _initial(question),
            "linkId": question.id,
            "text": question.text,
            "type": _ITEM_TYPES[question.answer],
            "required": True,
            "answerOption": [{"valueString": choice} for choice in question.choices],
        }
    )


def _initial(question: Question) -> list[Resource]:
    if not question.prefill:
        return []
    expression = {"language": "text/fhirpath", "expression": _PREFILLED[question.prefill][1]}
    return [{"url": f"{_SDC}-initialExpression", "valueExpression": expression}]
