"""Content to build sheet: a table for each plan, its alerts, and what they need beside them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.course.measure import printable
from fhirpkg.languages.choosing import localized
from fhirpkg.languages.words import gettext, language
from fhirpkg.repository import MemoryRepository
from fhirpkg.sheets.order_set import alerts, order_set
from fhirpkg.sheets.supporting import name_of, supporting
from fhirpkg.sheets.tables import BuildSheet, Table
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.issues import Resource

GUIDE = (
    (
        "For analysts who build this content by hand. A row is one thing to build; groups stand "
        "above their items. Words and codes are those of the FHIR content; nothing is added."
    ),
    (
        "Fill in what each thing became in your system (its id), who built it and who checked it. "
        "Codes without words have none in the content: look them up under your own licence."
    ),
    (
        "What is built must be checked by a clinician before use. This sheet neither reviews nor "
        "approves the content."
    ),
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
SIGNATURES = ("Clinical owner", "Build analyst", "Second check", "Approved for use")


def build_sheet(resources: Iterable[Resource], name: str) -> BuildSheet:
    """The build sheet of a content, in the language of the `speaking` around the call.

    `name` says which content it is, such as ``org.example#1.2.0``.
    """
    known: list[Resource] = [localized(each, language()) for each in resources]
    plans = [r for r in known if text_of(r, "resourceType") == "PlanDefinition"]
    tables = (*_of_plans(plans, MemoryRepository(known)), *supporting(known))
    dates = [d for r in known if _DAY.fullmatch(d := text_of(r, "date")[:10])]
    return BuildSheet(
        title=printable(name_of(plans[0]) if len(plans) == 1 else name),
        facts=tuple((head, printable(text)) for head, text in _facts(plans, name)),
        guide=tuple(map(gettext, GUIDE)),
        signatures=tuple(map(gettext, SIGNATURES)),
        tables=tuple(map(_printable, tables)),
        plans=len(plans),
        date=max(dates, default=""),
    )


def _printable(table: Table) -> Table:
    """A table that every kind of file can hold."""
    rows = ({head: printable(text) for head, text in row.items()} for row in table.rows)
    intro = tuple(map(printable, table.intro))
    return replace(table, title=printable(table.title), intro=intro, rows=tuple(rows))


def _facts(plans: list[Resource], name: str) -> Iterator[tuple[str, str]]:
    yield gettext("Content"), name
    for number, plan in enumerate(plans, 1):
        yield (
            f"{gettext('Plan')} {number}",
            f"{name_of(plan)}\n{_standing(plan)}\n{text_of(plan, 'url')}",
        )
    rights = (line for plan in plans for line in text_of(plan, "copyright").split("\n\n"))
    if said := "\n\n".join(dict.fromkeys(filter(None, rights))):
        yield gettext("Rights"), said


def _standing(plan: Resource) -> str:
    """Status, version and date of a plan, and whether it was reviewed and approved."""
    keys = ("version", "lastReviewDate", "approvalDate")
    version, reviewed, approved = (text_of(plan, key) for key in keys)
    return ", ".join(filter(None, (
        gettext(status) if (status := text_of(plan, "status")) else "",
        gettext("experimental") if plan.get("experimental") is True else "",
        gettext("version {number}", number=version) if version else "",
        text_of(plan, "date")[:10],
        gettext("reviewed on {day}", day=reviewed) if reviewed else gettext("no review on record"),
        gettext("approved on {day}", day=approved)
        if approved else gettext("no approval on record"),
    )))  # fmt: skip


def _of_plans(plans: list[Resource], known: MemoryRepository) -> Iterator[Table]:
    for number, plan in enumerate(plans, 1):
        prefix = f"{number} " if len(plans) > 1 else ""
        title = f"{prefix}{name_of(plan)}"
        table, shown_to_some = order_set(plan, known.resolve, title)
        yield table
        if shown_to_some:
            yield alerts(shown_to_some, f"{prefix}{gettext('Alerts: {plan}', plan=name_of(plan))}")
