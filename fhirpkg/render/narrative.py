"""Resource to narrative: what a person needs to know of it, as the XHTML of `text.div`.

Everything comes from the resource itself, so the status is `generated`. The XHTML keeps to what
servers store unaltered: no comments, no entities, attributes in double quotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.render.environment import render

if TYPE_CHECKING:
    from fhirpkg.issues import Resource


_HEADINGS = ("title", "description", "name", "id", "resourceType")
"""What a resource is called, the best first."""


def narrative(resource: Resource) -> Resource:
    """The `text` element of a resource; its language is said in both ways that XHTML has.

    http://hl7.org/fhir/R4/languages.html#lang
    """
    heading = next(resource[key] for key in _HEADINGS if resource.get(key))
    goals = {goal.get("id"): goal["description"]["text"] for goal in resource.get("goal", ())}
    div = render("narrative.xhtml", resource=resource, heading=heading, goals=goals)
    lines = (line.strip() for line in div.splitlines())
    return {"status": "generated", "div": "\n".join(line for line in lines if line)}
