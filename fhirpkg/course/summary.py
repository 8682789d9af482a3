"""What a picture shows in a few sentences, for those who hear it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.course.steps import Course

_MOST = 12


def summary(course: Course) -> str:
    """How many steps, which phases in which order, and who takes part."""
    steps = course.whole.steps
    if not steps:
        return "This plan has no actions."
    phases = [step for step in steps if step.steps] or steps
    others = len(steps) - len(phases)
    names = [step.name for step in phases[:_MOST]]
    more = f"; and {len(phases) - _MOST} more" if len(phases) > _MOST else ""
    beside = f" Beside these, {others} single steps." if others else ""
    count = sum(1 for _ in course.whole.walk()) - 1
    parts = [f"{count} step{'s' if count > 1 else ''}: {'; '.join(names)}{more}.{beside}"]
    if course.lanes:
        parts.append(f"Those who take part: {'; '.join(course.lanes)}.")
    parts += course.remarks
    return " ".join(parts)
