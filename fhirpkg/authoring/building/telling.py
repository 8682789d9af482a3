"""What is told to patients: messages whose payload is in their words, and what counseling tells.

A risk or an alternative is nothing that somebody does, so it is no action of the plan: one message
explains them all, and the document says the same. Each is a payload in the words for patients; the
words for clinicians describe its expression, and its name says what it is: ``risk-bleeding``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.authoring.building.elements import filled
from fhirpkg.authoring.building.frequency import how_often
from fhirpkg.authoring.model.sections import Contraindication, Risk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.parts import Said
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.issues import Resource


class Told(NamedTuple):
    """One thing that is told: its name, what is said, and what patients read before it.

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


def payloads(context: BuildContext, told: Iterable[Told]) -> list[Resource]:
    """The dynamic values that put each of these into a message as a text of its own."""
    return [_payload(context, at, *each) for at, each in enumerate(told)]


def _payload(context: BuildContext, at: int, name: str, item: Said, heading: str) -> Resource:
    before = f"{context.say(heading)}: " if heading else ""
    odds = how_often(item.how_often) if isinstance(item, Risk) and item.how_often else None
    return filled(
        {
            "extension": [odds] if odds else [],
            "path": f"payload[{at}].contentString",
            "expression": {
                "description": item.text,
                "name": name,
                "language": "text/fhirpath",
                "expression": literal(before + item.plain),
            },
        }
    )


def literal(text: str) -> str:
    r"""A text as FHIRPath writes it.

    >>> literal("It's cold")
    "'It\\'s cold'"
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def words_of(literal_text: str) -> str | None:
    """The text that a literal of FHIRPath is; None for any other expression."""
    if len(literal_text) < 2 or literal_text[0] + literal_text[-1] != "''":
        return None
    return literal_text[1:-1].replace("\\'", "'").replace("\\\\", "\\")
