"""What a plan is for, and what it takes from the publications that it cites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.canonical import definition_name
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

FINDING = "https://w3id.org/fhirpkg/StructureDefinition/CitedFinding"
"""What is taken from a publication; `display` is the name of its link, for which it is too long."""


def taken_from(artifact: Resource) -> str:
    """What was taken from a publication: its extension, or a display that is not just a label."""
    for extension in objects(artifact, "extension"):
        if definition_name(text_of(extension, "url")) == "CitedFinding":
            return text_of(extension, "valueMarkdown")
    display = text_of(artifact, "display")
    return "" if display == artifact.get("label") else display


def purpose(plan: Resource) -> str:
    """What the procedure of a plan is for, as its action says; else the usage of the plan."""
    for action in objects(plan, "action"):
        if action.get("id") == "procedure" and (told := text_of(action, "description")):
            return told
    return text_of(plan, "usage")
