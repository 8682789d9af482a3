"""The course of a PlanDefinition as a picture (SVG) and as Mermaid text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.course.layout import drawing
from fhirpkg.course.mermaid import flowchart
from fhirpkg.course.paper import sheets
from fhirpkg.course.picture import written
from fhirpkg.course.reading import course
from fhirpkg.course.summary import summary
from fhirpkg.languages.words import gettext

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Resource

WIDTH = 1000.0
_UPRIGHT = 1.3
"""How much higher than wide a picture may be on a printed page."""


def _unknown(_: str) -> None:
    return None


def svg(
    plan: Resource,
    resolve: Callable[[str], Resource | None] = _unknown,
    *,
    prefix: str = "course",
    width: float = WIDTH,
    is_alone: bool = False,
) -> str:
    """A picture of the course of a plan, as an SVG element for a page.

    `resolve` gives the definition of a canonical, for the titles of actions without their own;
    `prefix` begins the ids. Narrower than 700 it names people on the steps instead of in lanes.
    With `is_alone` it is a file of its own, on white.
    """
    steps = course(plan, resolve)
    title = gettext("Course of: {title}", title=steps.title)
    return written(drawing(steps, width), title, summary(steps), prefix, is_alone=is_alone)


def pages(
    plan: Resource, resolve: Callable[[str], Resource | None], *, prefix: str, width: float
) -> list[str]:
    """The same picture in parts that each fit on a printed page, A4 or Letter upright."""
    parts = sheets(course(plan, resolve), width, width * _UPRIGHT)
    return [
        written(
            drawing(part, width),
            gettext("Course of: {title}", title=part.title),
            summary(part),
            f"{prefix}-{number}",
            is_alone=False,
        )
        for number, part in enumerate(parts, 1)
    ]


def mermaid(plan: Resource, resolve: Callable[[str], Resource | None] = _unknown) -> str:
    """The same course as the text of a Mermaid flowchart."""
    return flowchart(course(plan, resolve))
