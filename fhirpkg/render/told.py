"""What a definition of a message tells patients, and clinicians about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.languages.words import gettext
from fhirpkg.render.clinical import how_often
from fhirpkg.render.document import Item, Section
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource

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
    return list(_told(definition))


def _told(definition: Resource) -> Iterator[str]:
    for value in objects(definition, "dynamicValue"):
        words = text_of(value.get("expression"), "expression")
        if is_told(value):
            yield words[1:-1].replace("\\'", "'").replace("\\\\", "\\")


def is_told(dynamic_value: Resource) -> bool:
    """Whether it puts a text into a message, the same for all patients."""
    words = text_of(dynamic_value.get("expression"), "expression")
    path = text_of(dynamic_value, "path")
    return bool(_PAYLOAD.fullmatch(path)) and words[:1] + words[-1:] == "''"


def told_sections(definition: Resource) -> Iterator[Section]:
    """What is explained, under headings by what it is: risks, benefits, alternatives."""
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
