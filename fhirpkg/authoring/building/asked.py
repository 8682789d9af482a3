"""Questions of the checklist that other parts of a procedure ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.model.sections import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.model.reasons import Contraindication


def asked(procedure: Procedure, say: Callable[[str], str]) -> Iterator[Question]:
    """Which site it is, whether a contraindication is there, whether a condition holds."""
    if procedure.code.choose:
        words = say("Which site is it for: {sites}?")
        text = words.format(sites=", ".join(procedure.code.sites))
        choices = {"answer": "choice", "choices": procedure.code.sites}
        yield Question.model_validate({"id": "site", "text": text, "patient": text, **choices})
    for item in procedure.contraindications:
        if item.ask:
            yield _yes_no(contraindication_link(item), item.ask)
    for action in procedure.actions():
        for link, question in action.questions.items():
            yield _yes_no(link, question)


def contraindication_link(item: Contraindication) -> str:
    """The linkId of the question that finds a contraindication."""
    return f"contraindication-{item.id}"


def _yes_no(question_id: str, text: str) -> Question:
    question = Question.model_validate({"id": "asked", "text": text, "answer": "yes-no"})
    return question.model_copy(update={"id": question_id})  # longer than an author's may be
