"""Resource to narrative: what a person needs to know of it, as the XHTML of `text.div`.

Everything comes from the resource itself, so the status is `generated`. The XHTML keeps to what
servers store unaltered: no comments, no entities, attributes in double quotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.render.environment import render

if TYPE_CHECKING:
    from fhirpkg.issues import Resource


def narrative(resource: Resource) -> Resource:
    """The `text` element of a resource."""
    heading = resource.get("title") or resource.get("description") or resource.get("name")
    div = render("narrative.xhtml", resource=resource, heading=heading)
    lines = (line.strip() for line in div.splitlines())
    return {"status": "generated", "div": "\n".join(line for line in lines if line)}
