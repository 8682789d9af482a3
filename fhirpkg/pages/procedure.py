"""The page of a procedure: all that its plan and the resources around it say, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from fhirpkg.applying.shapes import misshapen
from fhirpkg.course import pages, svg
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.languages.choosing import localized
from fhirpkg.languages.words import gettext, language
from fhirpkg.pages.attachments import documents
from fhirpkg.pages.changes import versions
from fhirpkg.pages.codes import code_systems, procedure_codes
from fhirpkg.pages.criteria import criteria
from fhirpkg.pages.downloads import offers
from fhirpkg.pages.environment import rendered
from fhirpkg.pages.reached import MOST, reached
from fhirpkg.pages.shelf import InLanguage, local, place, plan_title, standing, title_of
from fhirpkg.render.procedure import phases, questions
from fhirpkg.render.times import timed
from fhirpkg.render.words import concept, role, target
from fhirpkg.untrusted import address_of, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fhirpkg.canonical import PackageId
    from fhirpkg.issues import Resource
    from fhirpkg.pages.facts import Sources
    from fhirpkg.pages.links import Links
    from fhirpkg.pages.shelf import Shelf
    from fhirpkg.render.document import Item


@dataclass(frozen=True, slots=True)
class Goal:
    """What is aimed at: its kind, its words, how it is measured, and the sources of that."""

    anchor: str
    kind: str
    words: str
    targets: tuple[str, ...]
    sources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class Checklist:
    """Questions that are asked beforehand."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A resource as a row: where it is, what it is called, whether its structure is wrong."""

    place: str
    title: str
    is_odd: bool


def procedure_page(
    plan: Resource,
    shelf: Shelf,
    links: Links,
    packages: Sequence[PackageId] = (),
    sources: Sources | None = None,
) -> str:
    """The page of a PlanDefinition, whoever wrote it, as HTML.

    `packages` are those that can be taken away, `sources` the authored procedures where there are
    some. Of a plan whose structure is not FHIR's the page says so, and leads to its JSON.
    """
    types = Definitions.core().types
    if problem := misshapen([plan], types):
        return rendered("problem.html", links, plan=plan, title=title_of(plan), problem=problem)
    found = reached(plan, shelf)
    sound = {local(r) for r in found if not misshapen([r], types)}
    facts = sources.facts(plan["id"], [r for r in found if local(r) in sound]) if sources else []
    found = [localized(r, language()) for r in found]
    resources = [r for r in found if local(r) in sound]
    plan, shelf = found[0], InLanguage(shelf, language())
    told = {
        **_told(plan, resources, shelf),
        "criteria": criteria(plan),
        **_around(plan, resources, shelf),
        "pictures": _pictures(plan, shelf),
        "facts": facts,
        "readers": list(dict.fromkeys(fact.by for fact in facts if fact.by)),
        "downloads": offers(plan, resources, packages),
        "is_cut": len(found) >= MOST,
        "resources": [Listed(local(r), title_of(r), local(r) not in sound) for r in found],
    }
    contents = [(anchor, name) for anchor, name, keys in _CONTENTS
                if not keys or any(told[key] for key in keys)]  # fmt: skip
    return rendered("procedure.html", links, plan=plan, contents=contents, **told)


_CONTENTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("what", "What it is", ()),
    ("goals", "Goals", ("goals",)),
    ("who", "Who, where, how long", ("people", "places", "durations")),
    ("picture", "The course in a picture", ("pictures",)),
    ("plan", "The course in words", ()),
    ("criteria", "Criteria", ("criteria",)),
    ("documents", "Documents", ("documents",)),
    ("checklist", "Checklist", ("checklists",)),
    ("codes", "Codes by system", ("systems",)),
    ("evidence", "Evidence", ("evidence",)),
    ("facts", "Facts of the source", ()),
    ("versions", "Versions", ()),
    ("downloads", "Downloads", ("downloads",)),
    ("resources", "FHIR resources", ()),
)
"""The sections of the page: anchor, name, and what of it must be there, if anything."""


def _pictures(plan: Resource, shelf: Shelf) -> dict[str, Markup]:
    """The course as a picture: for a page of usual width, for a narrow one, and for paper."""
    if not plan.get("action"):
        return {}
    drawn = {name: svg(plan, shelf.resolve, prefix=f"course-{name}", width=width)
             for name, width in _WIDTHS.items()}  # fmt: skip
    printed = pages(plan, shelf.resolve, prefix="course-paper", width=_WIDTHS["wide"])
    drawn["paper"] = "\n".join(printed)
    return {name: Markup(text) for name, text in drawn.items()}  # noqa: S704 - escaped where made


def _state(plan: Resource) -> str:
    """What a reader must know first: whether it is meant for care, and who has reviewed it."""
    names = [text_of(who, "name") for key in ("reviewer", "endorser") for who in objects(plan, key)]
    reviewed = ", ".join(dict.fromkeys(filter(None, names)))
    meant = gettext("For testing, not for care.") if plan.get("experimental") else ""
    draft = gettext("A draft.") if plan.get("status") == "draft" else ""
    said = gettext("No reviewer is named in it.")
    said = gettext("Reviewed by {names}.", names=reviewed) if reviewed else said
    return " ".join(filter(None, (draft, meant, said if draft or meant or reviewed else "")))


_WIDTHS = {"wide": 860.0, "narrow": 400.0}


def _told(plan: Resource, resources: Sequence[Resource], shelf: Shelf) -> dict[str, object]:
    """What the plan itself says."""
    return {
        "title": plan_title(plan),
        "standing": standing(plan),
        "state": _state(plan),
        "phases": list(phases(plan, {r["url"]: r for r in resources if "url" in r})),
        "goals": [_goal(goal) for goal in plan.get("goal", ())],
        "people": _people(plan),
        "evidence": _evidence(plan, shelf),
        "notices": text_of(plan, "copyright").split("\n\n"),
    }


def _around(plan: Resource, resources: list[Resource], shelf: Shelf) -> dict[str, object]:
    """What the resources say that the plan leads to."""
    defined = list(_defined(plan, resources))
    questionnaires = [r for r in resources if r["resourceType"] == "Questionnaire"]
    return {
        "codes": procedure_codes(plan, resources),
        "systems": code_systems(
            (r for r in resources if r["resourceType"] in _CODED), plan_title(plan)
        ),
        "places": [text for definition in defined for text in _places(definition)],
        "durations": list(filter(None, map(_duration, defined))),
        "documents": documents(resources, shelf),
        "versions": versions(plan, shelf.earlier(plan)),
        "checklists": [Checklist(title_of(r), questions(r)) for r in questionnaires],
    }


_CODED = ("PlanDefinition", "ActivityDefinition", "Questionnaire", "DocumentReference")
"""Types whose codes say something of the procedure itself."""


def _defined(plan: Resource, resources: Sequence[Resource]) -> Iterator[Resource]:
    """The definitions of the phases, in their order."""
    by_url = {r["url"]: r for r in resources if "url" in r}
    for action in plan.get("action", ()):
        url = action.get("definitionCanonical", "").partition("|")[0]
        if url in by_url:
            yield by_url[url]


def _duration(definition: Resource) -> str:
    said = definition.get("timingTiming", {}).get("code", {}).get("text", "")
    return said or timed(definition, "timing")


def _places(definition: Resource) -> Iterator[str]:
    for contained in definition.get("contained", ()):
        if contained.get("resourceType") == "Location":
            yield text_of(contained, "description") or text_of(contained, "name")


def _goal(goal: Resource) -> Goal:
    return Goal(
        anchor=f"goal-{goal['id'].removeprefix('goal-')}" if "id" in goal else "",
        kind=gettext(concept(goal.get("category", {}))),
        words=concept(goal.get("description", {})),
        targets=tuple(filter(None, map(target, goal.get("target", ())))),
        sources=tuple(goal.get("documentation", ())),
    )


def _people(plan: Resource) -> list[tuple[str, str]]:
    """Each role in words, and its codes."""
    found: dict[str, list[str]] = {}

    def walk(actions: Sequence[Resource]) -> None:
        for action in actions:
            for participant in action.get("participant", ()):
                given = participant.get("role", {})
                words = text_of(given, "text") or concept(given)
                words = words or role(text_of(participant, "type"))
                coded = concept({"coding": given.get("coding", [])}) if given.get("text") else ""
                found.setdefault(words, []).append(coded)
            walk(action.get("action", ()))

    walk(plan.get("action", ()))
    return [
        (words, ", ".join(dict.fromkeys(filter(None, codes)))) for words, codes in found.items()
    ]


def _evidence(plan: Resource, shelf: Shelf) -> list[Resource]:
    """The publications that a plan is based on, without the documents of this package."""
    return [
        artifact
        for artifact in objects(plan, "relatedArtifact")
        if artifact.get("type") in _PUBLISHED and not place(address_of(artifact), shelf)
    ]


_PUBLISHED = ("citation", "justification", "derived-from", "documentation")
