"""A whole procedure as one document, out of its FHIR resources alone.

This is the way back: what an author wrote went into resources, and a person reads it here again.
Nothing but FHIR is used, so it shows any PlanDefinition whose actions have titles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.render.clinical import how_often, relation, timed
from fhirpkg.render.document import Document, Section
from fhirpkg.render.words import concept, target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fhirpkg.issues import Resource


def procedure_document(plan: Resource, resources: Sequence[Resource]) -> Document:
    """The document of a plan; `resources` are those it refers to, by their canonical urls."""
    by_url = {resource["url"]: resource for resource in resources if "url" in resource}
    actions = plan.get("action", ())
    phases = [action for action in actions if "action" in action or "condition" not in action]
    sections = [
        Section("Summary", plan.get("description", "")),
        Section("Purpose", plan.get("usage", "")),
        *_of_procedure(plan, by_url),
        Section("Goals", items=tuple(_goal(goal) for goal in plan.get("goal", ()))),
        *(section for action in phases for section in _phase(action, by_url)),
        _readiness([action for action in actions if action not in phases]),
        Section("Personnel", items=tuple(dict.fromkeys(_roles(plan.get("action", ()))))),
    ]
    return Document(
        title=str(plan.get("title", plan["id"])),
        sections=tuple(section for section in sections if section.text or section.items),
        note="Draft, not reviewed by a clinician." if plan.get("experimental") else "",
        sources=tuple(
            " ".join(filter(None, (a["citation"], a.get("display"), a.get("url"))))
            for a in plan.get("relatedArtifact", ())
            if "citation" in a
        ),
        notices=tuple(plan.get("copyright", "").split("\n\n")),
    )


def _of_procedure(plan: Resource, by_url: dict[str, Resource]) -> Iterator[Section]:
    """What the definitions of the phases say of themselves: name, code, duration, setting."""
    for action in plan.get("action", ()):
        definition = by_url.get(action.get("definitionCanonical", "").partition("|")[0], {})
        if not definition:
            continue
        yield Section("Procedure", definition.get("title", ""))
        yield Section("Code", concept(definition.get("code", {})))
        words = definition.get("timingTiming", {}).get("code", {}).get("text", "")
        yield Section("Duration", words or timed(definition, "timing"))
        places = [r.get("description", r.get("name", "")) for r in definition.get("contained", ())]
        yield Section("Setting", " ".join(places))
        sites = tuple(concept(site) for site in definition.get("bodySite", ()))
        yield Section("Body site", items=sites)


def _goal(goal: Resource) -> str:
    targets = "; ".join(map(target, goal.get("target", ())))
    aim = filter(None, (concept(goal.get("category", {})), concept(goal["description"])))
    return ". ".join(filter(None, (": ".join(aim), targets)))


def _readiness(actions: Sequence[Resource]) -> Section:
    """What is told only to some patients, from their records: no step of the course."""
    items = tuple(
        ". ".join(filter(None, (action.get(e) for e in ("title", "description", "textEquivalent"))))
        for action in actions
    )
    text = "Looked up in the record of the patient, and shown when it is so."
    return Section("Readiness", text if items else "", items)


def _phase(action: Resource, by_url: dict[str, Resource]) -> Iterator[Section]:
    """A phase as one list; one that is mostly made of groups, group by group."""
    parts = action.get("action", ())
    groups = [part for part in parts if "action" in part]
    is_grouped = len(groups) * 2 > len(parts)
    title, text = str(action.get("title", "")), str(action.get("description", ""))
    if is_grouped:
        yield Section(title, text)
        for part in parts:
            items = tuple(_lines(part.get("action", ()), by_url))
            yield Section(part.get("title", ""), part.get("description", ""), items)
    else:
        yield Section(title, text, tuple(_lines(parts, by_url)), numbered=True)


def _lines(actions: Sequence[Resource], by_url: dict[str, Resource]) -> Iterator[str]:
    """Each action as a line, its parts after it; questions of a questionnaire count as parts."""
    for action in actions:
        yield _line(action)
        yield from _lines(action.get("action", ()), by_url)
        definition = by_url.get(action.get("definitionCanonical", "").partition("|")[0], {})
        yield from (item["text"] for item in definition.get("item", ()))


def _line(action: Resource) -> str:
    """What an action is, how often the risk that it tells of happens, and when it is done."""
    title, text = str(action.get("title", "")), str(action.get("description", ""))
    said = [title] if text.rstrip(".") == title else [title, text]
    related = [r for r in action.get("relatedAction", ()) if _is_far(r)]
    more = [how_often(action), *(relation(r, {}) for r in related), timed(action, "timing")]
    extra = "; ".join(filter(None, more))
    return ": ".join(filter(None, said)) + (f" ({extra})" if extra else "")


def _is_far(related: Resource) -> bool:
    """Whether a relation says how far: steps that only follow each other stand in their order."""
    return "offsetDuration" in related or "offsetRange" in related


def _roles(actions: Sequence[Resource]) -> Iterator[str]:
    for action in actions:
        for participant in action.get("participant", ()):
            if "role" in participant:
                yield concept(participant["role"])
        yield from _roles(action.get("action", ()))
