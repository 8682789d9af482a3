"""What a plan is for, and what it takes from the publications that it cites."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

FINDING = "https://w3id.org/fhirpkg/StructureDefinition/CitedFinding"
"""What is taken from a publication; `display` is the name of its link, for which it is too long."""


def taken_from(artifact: Resource) -> str:
    """What was taken from a publication: its extension, else a display that is no mere label."""
    for extension in artifact.get("extension", ()):
        if extension.get("url", "").endswith("/StructureDefinition/CitedFinding"):
            return str(extension.get("valueMarkdown", ""))
    display = str(artifact.get("display", ""))
    return "" if display == artifact.get("label") else display


def purpose(plan: Resource) -> str:
    """What the procedure of a plan is for, as its action says; else the usage of the plan."""
    for action in plan.get("action", ()):
        if action.get("id") == "procedure" and action.get("description"):
            return str(action["description"])
    return str(plan.get("usage", ""))
