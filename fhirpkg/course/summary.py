"""What a picture shows in a few sentences, for those who hear it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.languages.words import gettext

if TYPE_CHECKING:
    from fhirpkg.course.steps import Course

_MOST = 12


def summary(course: Course) -> str:
    """How many steps, which phases in which order, and who takes part."""
    steps = course.whole.steps
    if not steps:
        return gettext("This plan has no actions.")
    phases = [step for step in steps if step.steps] or steps
    others = len(steps) - len(phases)
    names = [step.name for step in phases[:_MOST]]
    if len(phases) > _MOST:
        names.append(gettext("and {count} more", count=len(phases) - _MOST))
    count = sum(1 for _ in course.whole.walk()) - 1
    parts = [f"{gettext('Steps: {count}', count=count)} ({'; '.join(names)})."]
    if others:
        parts.append(gettext("Single steps beside these: {count}.", count=others))
    if course.lanes:
        parts.append(gettext("Those who take part: {names}.", names="; ".join(course.lanes)))
    parts += course.remarks
    return " ".join(parts)
