"""What a definition of a message tells patients, and clinicians about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

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


class Told(NamedTuple):
    """One thing that is told: its name, the words for clinicians and for patients, how often."""

    name: str
    text: str
    words: str
    often: str


def told(definition: Resource) -> list[Told]:
    """The texts that a definition puts into a message as they are, in their order."""
    return list(_told(definition))


def _told(definition: Resource) -> Iterator[Told]:
    for value in objects(definition, "dynamicValue"):
        expression = value.get("expression")
        words = text_of(expression, "expression")
        if _PAYLOAD.fullmatch(text_of(value, "path")) and words[:1] + words[-1:] == "''":
            text = text_of(expression, "description")
            plain = words[1:-1].replace("\\'", "'").replace("\\\\", "\\")
            yield Told(text_of(expression, "name"), text or plain, plain, how_often(value))


def told_sections(definition: Resource) -> Iterator[Section]:
    """What is explained, under headings by what it is: risks, benefits, alternatives."""
    groups: dict[str, list[Item]] = {}
    for each in told(definition):
        found = _NAME.fullmatch(each.name)
        heading = _HEADINGS.get(found[2], "") if found else ""
        if found and heading:
            weight = f"{gettext(found[1].capitalize())}: " if found[1] else ""
            often = f" ({each.often})" if each.often else ""
            item = Item(f"{weight}{each.text}{often}", anchor=each.name)
            groups.setdefault(gettext(heading), []).append(item)
    for heading, items in groups.items():
        yield Section(heading, items=tuple(items))
