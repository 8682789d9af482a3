"""The limits of criteria, as their author wrote them and as a plan carries them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.canonical import definition_name
from fhirpkg.languages.words import gettext
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

CRITERION = "https://w3id.org/fhirpkg/StructureDefinition/criterion"
"""The extension of a plan by which applying it computes the state of a criterion."""


def is_criterion(extension: Resource) -> bool:
    """Whether an extension is a criterion, under our base or that of a package that carries it."""
    is_one = definition_name(text_of(extension, "url")) == "criterion"
    return is_one and "extension" in extension


def criteria_parts(plan: Resource) -> dict[str, dict[str, str]]:
    """The parts of each criterion of a plan that are text, by the ids of the criteria."""
    extensions = [e for e in objects(plan, "extension") if is_criterion(e)]
    parts = [
        {text_of(p, "url"): text_of(p, "valueString") for p in objects(extension, "extension")}
        for extension in extensions
    ]
    return {part["id"]: part for part in parts if part.get("id")}


def limits(plan: Resource) -> dict[str, str]:
    """The limit of each criterion that has one, in words: ``above 1.8, noticed from 1.5``."""
    found = {name: _limit(parts) for name, parts in criteria_parts(plan).items()}
    return {name: words for name, words in found.items() if words}


def is_of(action: Resource, criterion: str) -> bool:
    """Whether an action is a case of a criterion: ``exceeded-inr`` of ``inr``."""
    return text_of(action, "id").partition("-")[2] == criterion


def _limit(parts: dict[str, str]) -> str:
    """Limit and band of notice, their first words in the language that is spoken."""
    limit, notice = (_said(parts.get(key, "")) for key in ("limit", "notice"))
    noticed = gettext("noticed {limit}", limit=notice) if notice else ""
    return ", ".join(filter(None, (limit, noticed)))


def _said(bound: str) -> str:
    direction, _, value = bound.partition(" ")
    return f"{gettext(direction)} {value}" if value else bound
