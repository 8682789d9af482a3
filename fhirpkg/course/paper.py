"""A course in parts that each fit on a page, where a printer would cut the picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.course.layout import drawing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fhirpkg.course.steps import Course


def sheets(course: Course, width: float, highest: float) -> list[Course]:
    """The parts in their order, each drawn at most `highest` where its steps allow it.

    A part has as many steps as fit; a group that does not fit comes by its own parts.
    """
    found = list(_parts(replace(course, remarks=()), width, highest)) or [course]
    if len(found) > 1:
        found = [
            replace(part, title=f"{part.title} ({number}/{len(found)})")
            for number, part in enumerate(found, 1)
        ]
    return [*found[:-1], replace(found[-1], remarks=course.remarks)]


def _parts(course: Course, width: float, highest: float) -> Iterator[Course]:
    taken: list[int] = []
    for number, step in enumerate(course.whole.steps):
        if taken and not _fits(_part(course, [*taken, number]), width, highest):
            yield _part(course, taken)
            taken = []
        alone = _part(course, [number])
        if not taken and step.steps and not _fits(alone, width, highest):
            yield from _parts(replace(alone, whole=step), width, highest)
        else:
            taken.append(number)
    if taken:
        yield _part(course, taken)


def _fits(course: Course, width: float, highest: float) -> bool:
    return drawing(course, width).height <= highest


def _part(course: Course, numbers: Sequence[int]) -> Course:
    """Some of the steps, with the arrows between them and those who take part in them."""
    place = {number: at for at, number in enumerate(numbers)}
    steps = tuple(course.whole.steps[number] for number in numbers)
    arrows = tuple(
        (place[one], place[two]) for one, two in course.whole.arrows if {one, two} <= place.keys()
    )
    who = {name for step in steps for each in step.walk() for name in each.who}
    who |= set(course.whole.who)
    return replace(
        course,
        whole=replace(course.whole, steps=steps, arrows=arrows),
        lanes=tuple(lane for lane in course.lanes if lane in who),
    )
