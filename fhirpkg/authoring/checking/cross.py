"""What the parts of procedure.yaml name of each other: ids, people, goals, steps, choices."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg import ucum
from fhirpkg.authoring.building.medicines import unit_problem
from fhirpkg.authoring.checking.concepts import check_codes, check_key, check_names
from fhirpkg.authoring.checking.facts import check_facts, check_origins
from fhirpkg.authoring.checking.walking import actions, ids, items, mapping, named, parts, texts
from fhirpkg.authoring.model.values import steps_named
from fhirpkg.authoring.rules import (
    SOURCE_DUPLICATE_ID,
    SOURCE_MISSING,
    SOURCE_TODO,
    SOURCE_UNKNOWN_REFERENCE,
    SOURCE_VALUE,
)
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.authoring.checking.walking import Parts
    from fhirpkg.authoring.source import Source
    from fhirpkg.issues import Path

_SPAN = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?) ")
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RESERVED_IDS = (
    "counseling", "preparation", "checklist", "equipment", "site", "procedure", "recovery",
    "readiness",
)  # fmt: skip
"""Ids of the actions that every plan has; an author's own differ from them."""


def cross_check(read: Source) -> None:
    """Report everything that does not fit together."""
    found = list(parts(read.data))
    check_codes(read)
    _check_ids(read)
    _check_references(read, found)
    check_facts(read, found)
    check_origins(read, found)
    _check_questions(read)
    _check_choosing(read)
    _check_quantities(read, found)
    check_key(read)
    check_names(read, found)
    _check_todos(read, found)


def check_words(read: Source) -> None:
    """Report what does not fit together in another language, of which the main one has no fault.

    Only words differ there: their numbers, conditions that name steps, and what is chosen from.
    """
    found = list(parts(read.data))
    _check_references(read, found)
    check_origins(read, found)
    _check_questions(read)


def _check_ids(read: Source) -> None:
    """No id twice among things that are named together."""
    data = read.data
    sections = (
        "indications", "contraindications", "alternatives", "personnel", "equipment", "criteria",
        "checklist",
    )  # fmt: skip
    groups = [
        actions(data),
        [*items(data, "risks"), *items(data, "benefits")],
        *([*items(data, name)] for name in sections),
    ]
    for number, group in enumerate(groups):
        first: dict[str, int] = {}
        for path, item in group:
            found, place = item.get("id"), (*path, "id")
            line = read.place(place)[0]
            if not isinstance(found, str):
                continue
            if found in first:
                read.report(SOURCE_DUPLICATE_ID, place, id=found, first=first[found])
            elif number == 0 and found in _RESERVED_IDS:
                _report_value(read, place, found, "an id that the plan does not have by itself")
            first.setdefault(found, line)


def _check_references(read: Source, found: Parts) -> None:
    """Each person, goal, step, criterion and piece of evidence that is named is there."""
    data = read.data
    steps = ids(actions(data))
    people = ["patient", *ids(items(data, "personnel"))]
    goals = ids([*items(data, "risks"), *items(data, "benefits")])
    criteria = ids(items(data, "criteria"))
    preparing = [item for item in actions(data) if item[0][0] == "preparation"]
    kinds = {
        "person": people,
        "risk or benefit": goals,
        "evidence": list(mapping(data.get("evidence"))),
        "step": steps,
        "criterion": criteria,
        "action of the preparation": ids(preparing),
    }
    for place, kind, name in _references(found):
        if name not in kinds[kind]:
            read.report(
                SOURCE_UNKNOWN_REFERENCE,
                place,
                kind=kind,
                name=name,
                nearest=nearest(name, kinds[kind]),
                allowed=", ".join(kinds[kind]) or "none",
            )


def _references(found: Parts) -> Iterator[tuple[Path, str, str]]:
    """Everything that is named by its id: where, what kind of thing, which."""
    kinds = {"who": "person", "goals": "risk or benefit", "cite": "evidence", "only": "step",
             "criterion": "criterion", "order": "action of the preparation"}  # fmt: skip
    for path, part in found:
        for key in kinds.keys() & part.keys():
            for place, name in named(part, path, key):
                yield place, kinds[key], name
        if path[-1] == "who":
            for place, name in named(part, path, "one-of"):
                yield place, "person", name
        for place, text in named(part, path, "when"):
            for name in steps_named(text):
                yield place, "step", name
        for place, condition in named(part, path, "only-if"):
            if _ID.fullmatch(condition) and path[0] != "code":
                yield place, "step", condition


def _check_questions(read: Source) -> None:
    """A question that is answered by a choice has something to choose from."""
    for path, question in items(read.data, "checklist"):
        if question.get("answer") == "choice" and not question.get("choices"):
            read.report(SOURCE_MISSING, (*path, "choices"), missing="choices")


def _check_choosing(read: Source) -> None:
    """Where parts are chosen from there are parts."""
    data = read.data
    found = [*((path, a, "parts") for path, a in actions(data)),
             (("code",), mapping(data.get("code")), "sites")]  # fmt: skip
    for path, part, key in found:
        for place, choice in named(part, path, "choose"):
            if not part.get(key) and not isinstance(part.get("when"), list):
                _report_value(read, place, choice, f"'{key}' to choose from")


def _check_quantities(read: Source, found: Parts) -> None:
    """A span begins with its lesser number; a limit and a dose have a unit of UCUM."""
    for path, part in found:
        for key in ("takes", "for", "every", "dose", "when"):
            for place, text in named(part, path, key):
                span = _SPAN.search(text)
                if span and Decimal(span[1]) >= Decimal(span[2]):
                    _report_value(read, place, text, "the lesser number first")
        for place, limit in named(part, path, "limit"):
            unit = limit.split(" ")[2:]
            if unit and (wrong := ucum.problem(unit[0])):
                _report_value(read, place, limit, f"a unit of UCUM ({wrong})")
        for key in ("dose", "max"):
            for place, text in named(part, path, key):
                words = text.split(" ")
                if len(words) > 1 and (wrong := unit_problem(words[1])):
                    _report_value(
                        read, place, text, f"a unit of UCUM, or what is counted ({wrong})"
                    )


def _report_value(read: Source, path: Path, found: str, expected: str) -> None:
    read.report(SOURCE_VALUE, path, found=repr(found), expected=expected, nearest="")


def _check_todos(read: Source, found: Parts) -> None:
    """Report what is left to do at its place; a medicine without a code counts, too."""
    codes = mapping(read.data.get("codes"))
    for todo in texts(read.data.get("todo")):
        read.report(SOURCE_TODO, ("todo",), key=True, todo=todo)
    for path, part in found:
        for place, todo in named(part, path, "todo"):
            read.report(SOURCE_TODO, place, todo=todo)
        for key in ("medicine", "stop"):
            for place, name in named(part, path, key):
                if name not in codes and path[-1] != "found-by":
                    read.report(SOURCE_TODO, place, todo=f"a code for the medicine '{name}'")
