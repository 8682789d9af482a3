"""What a plan looks up in a patient's record: each criterion, what is said of it, its sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.render.limits import criteria_parts, is_of, limits
from fhirpkg.render.procedure import conditions, looked_up
from fhirpkg.render.words import readable
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a criterion: what it is called, what is said then, how soon, by which logic."""

    anchor: str
    name: str
    words: str
    priority: str
    logic: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Criterion:
    """Something that is looked up: its name, why, its limit, its cases and their sources."""

    anchor: str
    title: str
    why: str
    limit: str
    cases: tuple[Case, ...]
    sources: tuple[Resource, ...]


def criteria(plan: Resource) -> list[Criterion]:
    """The criteria of a plan; an action that only some patients see is a separate one."""
    named, bounds = criteria_parts(plan), limits(plan)
    grouped: dict[str, list[Resource]] = {}
    for action in looked_up(plan):
        own = text_of(action, "id")
        name = next((name for name in named if is_of(action, name)), own)
        grouped.setdefault(name or str(len(grouped)), []).append(action)
    return [
        _criterion(name, actions, bounds.get(name, ""), is_named=name in named)
        for name, actions in grouped.items()
    ]


def _criterion(name: str, actions: list[Resource], limit: str, *, is_named: bool) -> Criterion:
    titles = [text_of(action, "title").partition(": ")[0] for action in actions]
    is_one = is_named and len(set(titles)) == 1
    sources = [a for action in actions for a in objects(action, "documentation")]
    return Criterion(
        anchor=f"criterion-{name}",
        title=titles[0] if is_one else text_of(actions[0], "title") or name,
        why=text_of(actions[0], "description"),
        limit=readable(limit),
        cases=tuple(_case(action, is_one=is_one) for action in actions),
        sources=tuple(
            {text_of(s, "citation") or text_of(s, "display"): s for s in sources}.values()
        ),
    )


def _case(action: Resource, *, is_one: bool) -> Case:
    title = text_of(action, "title")
    return Case(
        anchor=text_of(action, "id"),
        name=title.partition(": ")[2] if is_one else "",
        words=text_of(action, "textEquivalent") or "; ".join(conditions(action)),
        priority=text_of(action, "priority"),
        logic=tuple(_logic(action)),
    )


def _logic(action: Resource) -> Iterator[str]:
    """The expressions of the conditions, with their language."""
    for condition in objects(action, "condition"):
        said = condition.get("expression")
        if text_of(said, "expression"):
            yield f"{text_of(said, 'expression')} ({text_of(said, 'language')})"
