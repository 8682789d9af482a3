"""Questions of the checklist that other parts of a procedure ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.model.sections import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.model.reasons import Contraindication


def asked(procedure: Procedure, say: Callable[[str], str]) -> Iterator[Question]:
    """Which site it is, whether a contraindication is there, whether a condition holds."""
    if procedure.code.choose:
        words = say("Which site is it for: {sites}?")
        text = words.format(sites=", ".join(procedure.code.sites))
        choices = {"answer": "choice", "choices": procedure.code.sites}
        yield Question.model_validate({"id": "site", "text": text, "patient": text, **choices})
    for action in procedure.actions():
        if action.chooses_site:
            words = say("At which site is {medicine} given: {sites}?")
            text = words.format(
                medicine=action.medicine or action.heading, sites=", ".join(action.sites)
            )
            yield _renamed(
                site_link(action), {"text": text, "answer": "choice", "choices": action.sites}
            )
    for item in procedure.contraindications:
        if item.ask:
            yield _yes_no(contraindication_link(item), item.ask)
    for action in procedure.actions():
        for link, question in action.questions.items():
            yield _yes_no(link, question)


def contraindication_link(item: Contraindication) -> str:
    """The linkId of the question that finds a contraindication."""
    return f"contraindication-{item.id}"


def site_link(action: Action) -> str:
    """The linkId of the question at which site a medicine is given."""
    return f"site-{action.id}"


def _yes_no(question_id: str, text: str) -> Question:
    return _renamed(question_id, {"text": text, "answer": "yes-no"})


def _renamed(question_id: str, said: dict[str, object]) -> Question:
    question = Question.model_validate({"id": "asked", **said})
    return question.model_copy(update={"id": question_id})  # longer than an author's may be
