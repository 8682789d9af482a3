"""A plan tried on a patient: criteria, what is ordered and why, cards, and the RequestGroup."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from fhirpkg.applying.application import apply
from fhirpkg.applying.goals import all_actions
from fhirpkg.applying.hooks.cards import cards
from fhirpkg.applying.hooks.requests import CONTEXTS
from fhirpkg.applying.hooks.services import answering
from fhirpkg.applying.outcomes import Verdict
from fhirpkg.applying.shapes import misshapen
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import ConfigError
from fhirpkg.languages.choosing import languages_of, localized
from fhirpkg.languages.words import gettext, language
from fhirpkg.pages.criteria import criteria
from fhirpkg.pages.environment import rendered
from fhirpkg.pages.json_page import coloured
from fhirpkg.pages.shelf import local, place, plan_title
from fhirpkg.render import clinical
from fhirpkg.repository import in_bundles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fhirpkg.applying.application import Applied
    from fhirpkg.issues import Json, Resource
    from fhirpkg.pages.links import Links
    from fhirpkg.pages.shelf import Shelf
    from fhirpkg.repository import Repository

_MARKS = {
    Verdict.APPLICABLE: "applies",
    Verdict.NOT_APPLICABLE: "left out",
    Verdict.NOT_EVALUATED: "not evaluated",
    Verdict.PASSED_OVER: "not looked at",
}
_NOT_ORDERED = ("RequestGroup", "Goal", "CarePlan", "OperationOutcome")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form was filled in with, and what it can be filled in with."""

    examples: tuple[str, ...] = ()
    patients: tuple[tuple[str, str], ...] = ()
    """Reference and name of patients of the server."""
    example: str = ""
    patient: str = ""
    bundle: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """An action of the plan and what came of it."""

    depth: int
    verdict: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What applying a plan to a patient gave."""

    subject: str
    person: str
    criteria: Sequence[Mapping[str, Json]]
    orders: Sequence[tuple[str, Sequence[str]]]
    """Each request by its title, with the lines that say what it asks for."""
    rows: Sequence[Row]
    hook: str
    cards: Sequence[Resource]
    group: Resource
    remarks: Sequence[str] = field(default=())


def tried(plan: Resource, subject: str, repository: Repository) -> Tried:
    """Apply a plan to a patient. Raises FhirpkgError when that is not possible."""
    spoken = language() if language() in languages_of(plan) else ""
    applied = apply(plan, subject, repository, form="bundle", language=spoken)
    hook = next(iter(_hooks(plan)), "")
    answered = applied
    if hook:
        asked = answering(plan, hook)
        answered = apply(asked, subject, repository, form="bundle", language=spoken)
    plan = localized(plan, language())
    patient = repository.read(*subject.split("/", 1)) or {}
    made = {local(r): r for r in applied.resources if "id" in r}
    titles = {c.anchor.removeprefix("criterion-"): c.title for c in criteria(plan)}
    return Tried(
        subject=subject,
        person=clinical.person(patient),
        criteria=[{**c, "title": titles.get(str(c["id"]), c["id"])} for c in applied.criteria],
        orders=[(_title(applied, name), [line.removeprefix(f"{gettext('order')}: ")
                                         for line in clinical.orders(r, made)])
                for name, r in made.items() if r["resourceType"] not in _NOT_ORDERED],
        rows=list(_rows(applied)),
        hook=hook,
        cards=cards(answered, plan, "try", (), hook),
        group=next(r for r in applied.resources if r["resourceType"] == "RequestGroup"),
        remarks=[str(i.get("diagnostics", "")) for o in applied.outcomes for i in o["issue"]
                 if i["severity"] != "information"],
    )  # fmt: skip


def of_bundle(value: Json, subject: str = "") -> tuple[str, Repository]:
    """The patient of a Bundle, and its resources. Raises ConfigError for anything else.

    `subject` names the patient where it holds several.
    """
    if not isinstance(value, dict) or "resourceType" not in value:
        raise ConfigError("this is not a FHIR resource: paste a Bundle with a Patient in it")
    try:
        found = in_bundles([value])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError("this is not a Bundle: its entries do not hold resources") from error
    if problem := misshapen(list(found), Definitions.core().types):
        raise ConfigError(f"this is not FHIR: {problem}")
    people = found.search("Patient", {})
    if not all(patient.get("id") for patient in people):
        raise ConfigError("a Patient in it has no id, by which its other resources refer to it")
    patients = [local(patient) for patient in people]
    if subject and subject not in patients:
        raise ConfigError(f"the Bundle holds no {subject}{_named(patients)}")
    if len(patients) != 1 and not subject:
        problem = f"the Bundle holds {len(patients)} patients, but one is needed{_named(patients)}"
        raise ConfigError(problem)
    return subject or patients[0], found


def try_page(
    plan: Resource, shelf: Shelf, links: Links, asked: Asked, found: Tried | None, problem: str = ""
) -> str:
    """The form, and below it what came of it."""
    plan = localized(plan, language())
    return rendered(
        "try.html",
        links,
        plan=plan,
        title=plan_title(plan),
        asked=asked,
        tried=found,
        problem=problem,
        leads=lambda text: links.page(there) if (there := place(str(text or ""), shelf)) else "",
        details=[_detail(str(card.get("detail", ""))) for card in found.cards] if found else [],
        group=_json(found) if found else "",
    )


def _hooks(plan: Resource) -> list[str]:
    """The hooks that a plan answers by its triggers; those on orders first."""
    triggers = (t for action in all_actions(plan) for t in action.get("trigger", ()))
    named = dict.fromkeys(t.get("name") for t in triggers if t.get("type") == "named-event")
    return sorted(named.keys() & set(CONTEXTS), key=lambda hook: hook != "order-sign")


_BOLD = re.compile(r"\*\*(.+?)\*\*")


def _detail(text: str) -> Markup:
    """The Markdown of a card as far as ours has any: paragraphs, lists and bold."""
    written = _BOLD.sub(r"<b>\1</b>", str(escape(text)))
    return Markup(written)  # noqa: S704 - made of escaped text


def _json(found: Tried) -> Markup:
    return coloured(found.group, lambda _: "")


def _named(patients: Sequence[str]) -> str:
    return f" ({', '.join(patients[:5])})" if patients else ""


def _title(applied: Applied, name: str) -> str:
    return next((why.title for why in applied.why if why.resource == name and why.title), name)


def _rows(applied: Applied) -> Iterator[Row]:
    """The actions in the order of the plan, each with what decided."""
    for why in applied.why:
        name = why.title or why.action_id or why.place
        parts = (why.reason.removesuffix(" (which is false)"), why.problem, *why.evidence)
        yield Row(why.depth, _MARKS[why.verdict], name, "; ".join(filter(None, parts)))
