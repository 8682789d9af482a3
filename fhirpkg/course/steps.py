"""A course as data: what is done, by whom, under which conditions, and what comes before what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fhirpkg.languages.words import gettext

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Note:
    """A line on a step: ``If`` and the condition, ``When`` and the time."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """An action of a plan in words, with its parts below it in the order to show them.

    `key` is its place in the plan, counted from 1: ``2.1.3``. `choice` is the code of
    `selectionBehavior`; empty where there is nothing to choose from. `who` are those that the
    action itself names; without any, those of the steps around it take part.
    """

    key: str
    title: str = ""
    text: str = ""
    choice: str = ""
    tags: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    who: tuple[str, ...] = ()
    is_optional: bool = False
    is_repeated: bool = False
    steps: tuple[Step, ...] = ()
    arrows: tuple[tuple[int, int], ...] = ()
    """Which of the steps comes before which, by their index; no arrow follows from others."""

    @property
    def name(self) -> str:
        """What others call this step."""
        return self.title or self.text or gettext("step {number}", number=self.key)

    def walk(self) -> Iterator[Step]:
        """This step and all below it, in the order shown."""
        yield self
        for step in self.steps:
            yield from step.walk()


@dataclass(frozen=True, slots=True)
class Course:
    """The course of a plan: `whole` holds the steps, `lanes` are all who take part."""

    title: str
    whole: Step
    lanes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    """What could not be drawn as the plan says it."""


def in_words(course: Course) -> Course:
    """The same course without lanes: who takes part is a note on each step."""
    return replace(course, whole=_in_words(course.whole), lanes=())


def _in_words(step: Step) -> Step:
    by = (Note("By", ", ".join(step.who)),) if step.who else ()
    return replace(step, notes=(*step.notes, *by), who=(), steps=tuple(map(_in_words, step.steps)))
