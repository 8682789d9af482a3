"""A PlanDefinition as an order set: a row for each group and item, in the order to do them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.course.reading import course
from fhirpkg.languages.words import gettext
from fhirpkg.render.cited import purpose
from fhirpkg.render.limits import is_of, limits
from fhirpkg.sheets import wording
from fhirpkg.sheets.tables import Column, Row, Table
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from fhirpkg.course.steps import Step
    from fhirpkg.issues import Resource

_ITEM = (
    Column("No.", 8, "No."),
    Column("Item", 38, "Item"),
    Column("Build as", 18, "Build as"),
    Column("Select", 22, "Build as"),
    Column("Required", 22, "Build as"),
)
_DEFAULTS = (
    Column("Dose", 34, "Defaults"),
    Column("Amount", 14, "Defaults"),
    Column("When", 26, "Defaults"),
    Column("Priority", 10, "Defaults"),
    Column("By", 26, "Defaults"),
    Column("Where", 26, "Defaults"),
    Column("Body site", 22, "Defaults"),
    Column("Specimen", 20, "Defaults"),
    Column("Because of", 26, "Defaults"),
    Column("Computed", 26, "Defaults"),
)
_RULES = (
    Column("Only if", 40, "Conditions"),
    Column("Limit", 30, "Conditions"),
    Column("On", 24, "Conditions"),
    Column("After", 26, "Conditions"),
    Column("Before", 26, "Conditions"),
    Column("Timing", 28, "Conditions"),
    Column("Instructions", 48, "Item"),
    Column("For the patient", 36, "Item"),
    Column("Logic", 34, "Conditions"),
    Column("Documents", 36, "Documents"),
    Column("Evidence", 40, "Documents"),
    Column("Definition", 36, "Documents"),
)
SIGN_OFF = (
    Column("Built as (id)", 18, "Built", to_fill_in=True),
    Column("Built by", 14, "Built", to_fill_in=True),
    Column("Built on", 12, "Built", to_fill_in=True),
    Column("Checked by", 14, "Checked", to_fill_in=True),
    Column("Checked on", 12, "Checked", to_fill_in=True),
    Column("Comment", 30, "Comment", to_fill_in=True),
)
_HIGHLIGHT = re.compile(r"#:~:text=[^)\s]*")
"""What makes a browser mark words on the page of a link: of no use in print, and long."""
_LABELS = {"If": "Only if", "Starts if": "Only if", "Stops if": "Only if", "On": "On",
           "When": "Timing"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Entry:
    """A step with its number as shown, how deep it is, and the names of its neighbors."""

    step: Step
    number: str
    level: int
    before: tuple[str, ...]
    """Of those in the same table, which come before it."""
    later: tuple[str, ...]
    """Of those in another table, which it comes before."""


def order_set(
    plan: Resource, resolve: Callable[[str], Resource | None], title: str
) -> tuple[Table, list[Row]]:
    """The table of a plan, and the rows of what only shows for some patients: its alerts.

    A single step at the top under a condition is an alert, unless the plan holds nothing else.
    """
    steps = course(plan, resolve)
    actions = dict(_keyed(plan, ""))
    top = list(enumerate(steps.whole.steps))
    alerts = [n for n, s in top if not s.steps and "condition" in actions[s.key]]
    alerts = [] if len(alerts) == len(top) else alerts
    items = [n for n, _ in top if n not in alerts]
    entries = list(_entries(steps.whole, items, "", 0))
    rows = _rows(entries, actions, plan, resolve)
    alert_rows = _rows(_entries(steps.whole, alerts, "A", 0), actions, plan, resolve)
    intro = (text_of(plan, "description"), purpose(plan), *steps.remarks)
    table = Table(
        title=title,
        columns=(*_ITEM, *_codes(rows), *_DEFAULTS, *_RULES, *SIGN_OFF),
        rows=tuple(rows),
        intro=tuple(filter(None, intro)),
        levels=tuple(entry.level for entry in entries),
        headings=frozenset(n for n, entry in enumerate(entries) if entry.step.steps),
    )
    return table, alert_rows


def _entries(parent: Step, places: Sequence[int], prefix: str, level: int) -> Iterator[_Entry]:
    """These parts of a step, each before its own, numbered from 1 behind the prefix."""
    here = set(places)
    for number, place in enumerate(places, 1):
        step = parent.steps[place]
        before = [parent.steps[a].name for a, b in parent.arrows if b == place and a in here]
        later = [parent.steps[b].name for a, b in parent.arrows if a == place and b not in here]
        yield _Entry(step, f"{prefix}{number}", level, tuple(before), tuple(later))
        yield from _entries(step, range(len(step.steps)), f"{prefix}{number}.", level + 1)


def _keyed(parent: Resource, above: str) -> Iterator[tuple[str, Resource]]:
    """Actions by their place in the plan, as steps have it."""
    for number, action in enumerate(objects(parent, "action"), 1):
        key = f"{above}.{number}".lstrip(".")
        yield key, action
        yield from _keyed(action, key)


def _rows(
    entries: Iterable[_Entry],
    actions: dict[str, Resource],
    plan: Resource,
    resolve: Callable[[str], Resource | None],
) -> list[Row]:
    contained = {f"#{text_of(r, 'id')}": r for r in objects(plan, "contained")}
    known = limits(plan)
    rows = []
    for entry in entries:
        action = actions[entry.step.key]
        url = text_of(action, "definitionCanonical")
        definition = contained.get(url) or (resolve(url) if url else None) or {}
        cells = {
            "No.": entry.number,
            **_said(entry.step, action, definition),
            **_built(action, definition),
            "Limit": next((said for name, said in known.items() if is_of(action, name)), ""),
            "After": "; ".join(entry.before),
            "Before": "; ".join(entry.later),
            "Definition": url or text_of(action, "definitionUri"),
        }
        rows.append({head: text for head, text in cells.items() if text})
    return rows


def _said(step: Step, action: Resource, definition: Resource) -> Row:
    """The words of an action and its conditions."""
    told = text_of(action, "textEquivalent") or wording.for_patients(definition)
    description = text_of(action, "description")
    description = _HIGHLIGHT.sub("", description).replace("**", "")
    notes: dict[str, list[str]] = {}
    for note in step.notes:
        if note.label not in _LABELS:  # dose and specimen are among the defaults
            continue
        label = f"{gettext(note.label)}: " if note.label in ("Starts if", "Stops if") else ""
        notes.setdefault(_LABELS[note.label], []).append(f"{label}{note.text}")
    return {
        "Item": step.title or step.text or gettext("Step {number}", number=step.key),
        "Instructions": "" if description in (step.title, step.name) else description,
        "For the patient": "" if told in (step.name, description) else told,
        **{head: "\n".join(texts) for head, texts in notes.items()},
        "Logic": "\n".join([*wording.conditions(action), *wording.data(action)]),
    }


def _built(action: Resource, definition: Resource) -> Row:
    """What is to be built, with its codes and defaults."""
    concepts = wording.concepts(action, definition)
    return {
        "Build as": wording.kind(action, definition),
        "Select": wording.selection(action),
        "Required": wording.demands(action),
        **{system: "\n".join(each) for system, each in wording.codes(concepts).items()},
        **dict(wording.defaults(action, definition)),
        "Documents": wording.artifacts(action, "documentation"),
        "Evidence": wording.artifacts(action, "citation", "justification"),
    }


_HEADS = {column.head for column in (*_ITEM, *_DEFAULTS, *_RULES, *SIGN_OFF)}


def _codes(rows: Iterable[Row]) -> tuple[Column, ...]:
    """A column for each code system in use."""
    systems = dict.fromkeys(head for row in rows for head in row if head not in _HEADS)
    return tuple(Column(system, 26, "Codes") for system in systems)


_ALERT = {
    "Item": "Item", "Instructions": "Item", "For the patient": "Item", "Only if": "Shown if",
    "Limit": "Shown if",
    "Logic": "Shown if", "On": "Shown on", "Priority": "Shown on", "Timing": "Shown on",
    "After": "Shown on", "Before": "Shown on", "Documents": "Evidence", "Evidence": "Evidence",
}  # fmt: skip
"""The columns of alerts, and those that they share on paper."""


def alerts(rows: list[Row], title: str) -> Table:
    """The table of what is looked up in a record and shown to some: when, what and how soon."""
    known = {column.head: column for column in (*_ITEM, *_DEFAULTS, *_RULES)}
    columns = [Column(head, known[head].width, group) for head, group in _ALERT.items()]
    return Table(title, (_ITEM[0], *columns, *_codes(rows), *SIGN_OFF), tuple(rows))
