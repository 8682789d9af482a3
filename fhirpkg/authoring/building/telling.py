"""Messages to patients, whose payload is in their words, and what counseling explains.

A risk or an alternative is not something that somebody does, so it is not an action: one message
explains them all, and the document says the same. Its payload is in words for patients; each of
them is a topic in words for clinicians, whose id says what it is: ``risk-bleeding``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.authoring.building.elements import filled
from fhirpkg.authoring.building.frequency import how_often
from fhirpkg.authoring.model.reasons import Contraindication
from fhirpkg.authoring.model.sections import Risk
from fhirpkg.languages.choosing import translation
from fhirpkg.languages.words import UNTRANSLATED
from fhirpkg.render.told import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.parts import Said
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.issues import Resource


class Told(NamedTuple):
    """One thing that is explained: its name, what is said, and what patients read before it.

    Alone, ``Surgery.`` or ``You cannot have surgery.`` would mislead.
    """

    name: str
    item: Said
    heading: str = ""


def told_in_counseling(procedure: Procedure) -> list[Told]:
    """What is explained before anything else."""
    experience = (procedure.experience,) if procedure.experience else ()
    sections: tuple[tuple[str, str, Iterable[Said]], ...] = (
        ("indication", "When it is considered", procedure.indications),
        ("contraindication", "When it is not done, or only with care", procedure.contraindications),
        ("risk", "What can go wrong", procedure.risks),
        ("benefit", "What you can gain", procedure.benefits),
        ("alternative", "What could be done instead", procedure.alternatives),
        ("experience", "What it is like", experience),
    )
    return [
        Told("-".join(filter(None, (_weight(item), kind, getattr(item, "id", "")))), item, heading)
        for kind, heading, items in sections
        for item in items
    ]


def _weight(item: Said) -> str | None:
    """How much a contraindication weighs, where it is known."""
    return item.strength if isinstance(item, Contraindication) else None


def topics(context: BuildContext, told: Iterable[Told]) -> list[Resource]:
    """What is explained, each in the words for clinicians with its code; several codes have none.

    The id of each says what it is, and an extension how often a risk happens.
    """
    return [_topic(context, each) for each in told]


def _topic(context: BuildContext, told: Told) -> Resource:
    item = told.item
    concepts = context.concepts(getattr(item, "code", ()))
    coded = concepts[0] if len(concepts) == 1 else {}
    odds = how_often(item.how_often) if isinstance(item, Risk) and item.how_often else None
    return filled(
        {**coded, "id": told.name, "extension": [odds] if odds else [], "text": item.text}
    )


def explained(context: BuildContext) -> list[Resource]:
    """A payload of a message for each heading: HAPI reads no index of two digits."""
    others = {each.translation: _paragraphs(each) for each in context.translations()}
    made = []
    for at, (name, text) in enumerate(_paragraphs(context).items()):
        said = {language: found[name] for language, found in others.items() if name in found}
        made.append(_payload(at, name, text, said))
    return made


def _paragraphs(context: BuildContext) -> dict[str, str]:
    """What is explained to patients, by topic: the heading, then a sentence for each."""
    found: dict[str, str] = {}
    for each in told_in_counseling(context.procedure):
        before = found.get(each.heading) or f"{context.say(each.heading)}:"
        found[each.heading] = f"{before} {each.item.plain.rstrip('.')}."
    return {heading: text for heading, text in found.items() if UNTRANSLATED not in text}


def said_one_by_one(told: Iterable[Told]) -> list[Resource]:
    """The dynamic values that put each of these into a message as a text of its own."""
    return [
        _payload(at, each.item.text, each.item.plain, {}, each.name) for at, each in enumerate(told)
    ]


def _payload(
    at: int, description: str, text: str, others: Mapping[str, str], name: str = ""
) -> Resource:
    translated = [translation(language, literal(said)) for language, said in others.items()]
    expression = {
        "description": description,
        "name": name,
        "language": "text/fhirpath",
        "expression": literal(text),
        "_expression": {"extension": translated} if translated else None,
    }
    return {"path": f"payload[{at}].contentString", "expression": filled(expression)}
