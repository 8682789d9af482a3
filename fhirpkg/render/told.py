"""What the definition of a message says to patients, and to clinicians about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.languages.words import gettext
from fhirpkg.render.clinical import how_often
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource
    from fhirpkg.render.document import Item, Section

_PAYLOAD = re.compile(r"%?(?:CommunicationRequest\.)?payload\[\d+\]\.contentString")
_NAME = re.compile(r"(?:(absolute|relative|caution)-)?([a-z]+)-?.*")
_HEADINGS = {
    "indication": "Indications",
    "contraindication": "Contraindications",
    "risk": "Risks",
    "benefit": "Benefits",
    "alternative": "Alternatives",
    "experience": "What it is like",
}


def told(definition: Resource) -> list[str]:
    """The texts that a definition puts into a message as they are, in their order."""
    said = (_said(value) for value in objects(definition, "dynamicValue"))
    return [words for words in said if words is not None]


def is_told(dynamic_value: Resource) -> bool:
    """Whether it puts a text into a message, the same for all patients."""
    return _said(dynamic_value) is not None


def _said(dynamic_value: Resource) -> str | None:
    if not _PAYLOAD.fullmatch(text_of(dynamic_value, "path")):
        return None
    return words_of(text_of(dynamic_value.get("expression"), "expression"))


def literal(text: str) -> str:
    r"""A text as FHIRPath writes it.

    >>> literal("It's cold")
    "'It\\'s cold'"
    """
    return f"'{escaped(text)}'"


def escaped(text: str) -> str:
    """A text, escaped for a literal of FHIRPath or CQL."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def words_of(literal_text: str) -> str | None:
    """The text that a literal of FHIRPath is; None for any other expression."""
    if len(literal_text) < 2 or literal_text[0] + literal_text[-1] != "''":
        return None
    return literal_text[1:-1].replace("\\'", "'").replace("\\\\", "\\")


def told_sections(definition: Resource) -> Iterator[Section]:
    """What is explained, under headings by what it is: risks, benefits, alternatives."""
    from fhirpkg.render.document import Item, Section  # noqa: PLC0415 - costs start-up

    groups: dict[str, list[Item]] = {}
    for topic in objects(definition, "topic"):
        found = _NAME.fullmatch(text_of(topic, "id"))
        heading = _HEADINGS.get(found[2], "") if found else ""
        if found and heading:
            weight = f"{gettext(found[1].capitalize())}: " if found[1] else ""
            often = f" ({odds})" if (odds := how_often(topic)) else ""
            item = Item(f"{weight}{text_of(topic, 'text')}{often}", anchor=found[0])
            groups.setdefault(gettext(heading), []).append(item)
    for heading, items in groups.items():
        yield Section(heading, items=tuple(items))
