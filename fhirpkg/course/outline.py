"""A course as a list: all that the picture shows, for those who read it, hear it or search it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.course.steps import Course, Step


def listed(course: Course) -> str:
    """Nested lists in HTML that is XHTML as well; what comes before a step stands on it."""
    remarks = "".join(f"<p>{escape(remark)}</p>\n" for remark in course.remarks)
    if not course.whole.steps:
        return "<p>This plan has no actions.</p>\n"
    return "\n".join(_list(course.whole)) + "\n" + remarks


def _list(step: Step) -> Iterator[str]:
    yield '<ol class="course-list">'
    for number, part in enumerate(step.steps):
        before = [step.steps[first].name for first, second in step.arrows if second == number]
        yield f"<li>{_line(part, before)}"
        if part.steps:
            yield from _list(part)
        yield "</li>"
    yield "</ol>"


def _line(step: Step, before: list[str]) -> str:
    named = f"<strong>{escape(step.title)}</strong>" if step.title else ""
    head = ": ".join(filter(None, (named, escape(step.text)))) or f"Step {step.key}"
    facts = [
        *(escape(tag) for tag in step.tags),
        *(f"{note.label}: {escape(note.text)}" for note in step.notes),
        f"After: {escape('; '.join(before))}" if before else "",
        f"By: {escape('; '.join(step.who))}" if step.who else "",
    ]
    return "<br/>".join(filter(None, (head, *facts)))
