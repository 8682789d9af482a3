"""How often a risk happens: an extension of ours, because R4 has no element for it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.authoring.building.elements import UCUM

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

URL = "https://w3id.org/fhirpkg/StructureDefinition/RiskFrequency"
_ODDS = re.compile(r"([\d.]+)(?:-([\d.]+))? in ([\d,]+)")
_PERCENT = re.compile(r"([<>]?) ?([\d.]+)(?:-([\d.]+))? ?%")


def how_often(text: str) -> Resource:
    """The extension: a ratio, a range in percent, or words; nothing is converted into another.

    Two numbers of a ratio are words, because a Ratio has one numerator.
    """
    if found := _ODDS.fullmatch(text):
        if not found[2]:
            ratio = {"numerator": _number(found[1]), "denominator": _number(found[3])}
            return {"url": URL, "valueRatio": ratio}
    elif found := _PERCENT.fullmatch(text):
        sign, first, second = found.groups()
        ends = {
            "low": None if sign == "<" else first,
            "high": None if sign == ">" else second or first,
        }
        percent = {"unit": "%", "system": UCUM, "code": "%"}
        made = {name: _number(end) | percent for name, end in ends.items() if end}
        return {"url": URL, "valueRange": made}
    return {"url": URL, "valueCodeableConcept": {"text": text}}


def _number(text: str) -> Resource:
    """The number with the digits that the author wrote."""
    return {"value": Decimal(text.replace(",", ""))}
