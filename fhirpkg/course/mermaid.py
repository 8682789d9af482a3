"""A course as Mermaid text: a flowchart that README pages and wikis draw by themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fhirpkg.languages.words import gettext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.course.steps import Course, Step

_MOST = 160
"""Letters of a line in a node, which Mermaid breaks but does not cut."""
_MEANINGS = {
    '"': "#quot;", "#": "#35;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;",
    "*": "#42;", "_": "#95;", "%": "#37;",
}  # fmt: skip
"""What means something to Mermaid inside a label, written as it wants it written."""


def flowchart(course: Course) -> str:
    """The Mermaid text: groups as subgraphs, steps as nodes, what comes before what as arrows."""
    lines = [
        "---",
        f"title: {_title(course)}",
        "---",
        "flowchart TD",
        *(_steps(course.whole, "  ") if course.whole.steps else ('  none["No actions"]',)),
        *(f"  %% {_escaped(remark)}" for remark in course.remarks),
        "  classDef optional stroke-dasharray: 5 4",
    ]
    return "\n".join(lines) + "\n"


def _title(course: Course) -> str:
    """The title for YAML; Mermaid looks for directives between signs of percent before it reads."""
    return json.dumps(course.title).replace("%", "\\u0025")


def _steps(step: Step, indent: str) -> Iterator[str]:
    for part in step.steps:
        if part.steps:
            yield f'{indent}subgraph {_id(part)}["{_label(part)}"]'
            yield from _steps(part, f"{indent}  ")
            yield f"{indent}end"
        else:
            opening, closing = _shape(part, step.choice)
            yield f'{indent}{_id(part)}{opening}"{_label(part)}"{closing}'
        if part.is_optional:
            yield f"{indent}class {_id(part)} optional"
    for first, second in step.arrows:
        yield f"{indent}{_id(step.steps[first])} --> {_id(step.steps[second])}"


def _id(step: Step) -> str:
    return "s" + step.key.replace(".", "_")


def _shape(step: Step, choice: str) -> tuple[str, str]:
    """Rounded for what is chosen, with double sides for what may be repeated."""
    if step.is_repeated:
        return "[[", "]]"
    return ("([", "])") if choice else ("[", "]")


def _label(step: Step) -> str:
    facts = (
        step.title or step.text or gettext("Step {number}", number=step.key),
        ", ".join(step.tags),
        *(f"{gettext(note.label)}: {note.text}" for note in step.notes),
        f"{gettext('By')}: {', '.join(step.who)}" if step.who else "",
    )
    return "<br/>".join(_escaped(fact) for fact in facts if fact)


def _escaped(text: str) -> str:
    cut = text if len(text) <= _MOST else f"{text[:_MOST].rstrip()}…"
    return "".join(_MEANINGS.get(letter, letter) for letter in cut)
