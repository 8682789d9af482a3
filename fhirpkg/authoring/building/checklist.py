"""The Questionnaire that is gone through before the procedure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building.elements import filled

if TYPE_CHECKING:
    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.sections import Question
    from fhirpkg.issues import Resource


def questionnaire(context: BuildContext) -> Resource | None:
    """The Questionnaire that is gone through before the procedure, if there is one."""
    procedure = context.procedure
    questions = context.questions()
    if not questions:
        return None
    return {
        **context.header(
            "Questionnaire",
            context.id("checklist"),
            f"{procedure.name.text}: checklist",
            "Questions to be answered before the procedure begins.",
        ),
        "purpose": "To be sure, before the procedure begins, that everything is prepared.",
        "subjectType": ["Patient"],
        "item": [_item(question) for question in questions],
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
            "linkId": question.id,
            "text": question.text,
            "type": _ITEM_TYPES[question.answer],
            "required": True,
            "answerOption": [{"valueString": choice} for choice in question.choices],
        }
    )
