"""A whole procedure as one document, out of its FHIR resources alone.

This is the way back: what an author wrote went into resources, and a person reads it here again.
Nothing but FHIR is used, so it shows any PlanDefinition whose actions have titles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.canonical import definition_name
from fhirpkg.languages.words import gettext
from fhirpkg.render.cited import purpose, taken_from
from fhirpkg.render.clinical import how_often, relation, taken
from fhirpkg.render.document import Document, Item, Link, Section, Table
from fhirpkg.render.limits import is_of, limits
from fhirpkg.render.times import timed
from fhirpkg.render.told import told_sections
from fhirpkg.render.words import behavior, concept, target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fhirpkg.issues import Resource


def procedure_document(plan: Resource, resources: Sequence[Resource]) -> Document:
    """The document of a plan; `resources` are those it refers to, by their canonical urls."""
    by_url = {resource["url"]: resource for resource in resources if "url" in resource}
    sections = [
        Section("Summary", plan.get("description", "")),
        Section("Purpose", purpose(plan)),
        *_of_procedure(plan, by_url),
        Section("Goals", items=tuple(_goal(goal) for goal in plan.get("goal", ()))),
        *_course(plan, by_url),
        *_readiness(plan),
        Section("Personnel", items=tuple(dict.fromkeys(_roles(plan.get("action", ()))))),
    ]
    return Document(
        title=str(plan.get("title", plan["id"])),
        sections=tuple(s for s in sections if s.text or s.items or s.table),
        note="Draft, not reviewed by a clinician." if plan.get("experimental") else "",
        sources=tuple(_source(a) for a in plan.get("relatedArtifact", ()) if "citation" in a),
        notices=tuple(plan.get("copyright", "").split("\n\n")),
    )


def _is_of_course(action: Resource) -> bool:
    """Whether an action at the top is part of the course, not shown to some patients only."""
    return "action" in action or "condition" not in action


def looked_up(plan: Resource) -> list[Resource]:
    """The actions at the top that are shown only to some patients, by their records."""
    return [action for action in plan.get("action", ()) if not _is_of_course(action)]


def phases(plan: Resource, by_url: Mapping[str, Resource]) -> Iterator[Section]:
    """The course as sections, each with the id of its action, and what is explained in it."""
    for action in filter(_is_of_course, plan.get("action", ())):
        yield from _phase(action, by_url)
        yield from told_sections(_definition(action, by_url))


def _course(plan: Resource, by_url: dict[str, Resource]) -> Iterator[Section]:
    """The course; after each phase the questions that are asked in it."""
    for action in filter(_is_of_course, plan.get("action", ())):
        yield from _phase(action, by_url)
        yield from told_sections(_definition(action, by_url))
        for definition in _definitions(action.get("action", ()), by_url):
            if "item" in definition:
                title = definition.get("title", action.get("title", ""))
                yield Section(f"Questions: {title}", items=questions(definition))


def _of_procedure(plan: Resource, by_url: dict[str, Resource]) -> Iterator[Section]:
    """What the definitions of the phases say of themselves: name, code, duration, setting."""
    for action in plan.get("action", ()):
        definition = _definition(action, by_url)
        if not definition or definition.get("kind") == "CommunicationRequest":
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


def _source(artifact: Resource) -> Link | str:
    """A publication with what was taken from it; a link where it has an address."""
    said = " ".join(filter(None, (artifact["citation"], taken_from(artifact))))
    return Link(said, artifact["url"]) if "url" in artifact else said


_READINESS = ("Looked up", "Limit", "Why", "What is said", "How soon", "Source")


def _readiness(plan: Resource) -> Iterator[Section]:
    """What only some patients are shown, by their records; not a step of the course."""
    if actions := looked_up(plan):
        known = limits(plan)
        text = "Looked up in the record of the patient, and shown when it is so."
        rows = tuple(tuple(_looked_up(action, known)) for action in actions)
        yield Section("Readiness", text, table=Table(_READINESS, rows))


def _looked_up(action: Resource, known: Mapping[str, str]) -> Iterator[str]:
    """The cells of an action that a record shows."""
    yield str(action.get("title", ""))
    yield next((words for name, words in known.items() if is_of(action, name)), "")
    yield str(action.get("description", ""))
    yield str(action.get("textEquivalent") or "; ".join(conditions(action)))
    yield str(action.get("priority", ""))
    cited = action.get("documentation", ())
    yield ", ".join(filter(None, (a.get("label") or a.get("citation") for a in cited)))


def conditions(action: Resource) -> Iterator[str]:
    """What has to hold for an action, in the words of its author where there are some."""
    for condition in action.get("condition", ()):
        said = condition.get("expression", {})
        yield str(said.get("description") or said.get("name") or said.get("expression", ""))


def _phase(action: Resource, by_url: Mapping[str, Resource]) -> Iterator[Section]:
    """A phase as one list, or group by group where it is mostly groups."""
    parts = action.get("action", ())
    groups = [part for part in parts if "action" in part]
    title, text = str(action.get("title", "")), str(action.get("description", ""))
    anchor = str(action.get("id", ""))
    if needed := "; ".join(conditions(action)):
        whole = gettext("If: {condition}", condition=needed)
        text = whole if text in ("", needed) else f"{_sentence(text)} {whole}"
    if len(groups) * 2 <= len(parts):
        yield Section(title, text, _items(action, by_url), numbered=True, anchor=anchor)
        return
    yield Section(title, text, anchor=anchor)
    for part in parts:
        said = (part.get("description", ""), _limits(part, by_url), _choice(part))
        text = " ".join(_sentence(words) for words in said if words)
        items = _items(part, by_url)
        yield Section(part.get("title", ""), text, items, anchor=str(part.get("id", "")))


def questions(questionnaire: Resource) -> tuple[Item, ...]:
    """The questions of a Questionnaire, each with the answers to choose from."""
    return tuple(map(_question, questionnaire.get("item", ())))


def _definition(action: Resource, by_url: Mapping[str, Resource]) -> Resource:
    """The definition that an action has of its own; empty when it is not known."""
    return by_url.get(action.get("definitionCanonical", "").partition("|")[0], {})


def _definitions(actions: Sequence[Resource], by_url: dict[str, Resource]) -> Iterator[Resource]:
    for action in actions:
        if definition := _definition(action, by_url):
            yield definition
            yield from (by_url[url] for url in _collected_with(definition) if url in by_url)
        yield from _definitions(action.get("action", ()), by_url)


def _collected_with(definition: Resource) -> Iterator[str]:
    """The questionnaires that a task collects information with (CPG's cpg-collectWith)."""
    for extension in definition.get("extension", ()):
        if definition_name(extension["url"]) == "cpg-collectWith":
            yield str(extension.get("valueCanonical", "")).partition("|")[0]


def _question(item: Resource) -> Item:
    """A question with the answers to choose from and the questions below it."""
    options = (
        option.get("valueString") or concept({"coding": [option.get("valueCoding", {})]})
        for option in item.get("answerOption", ())
    )
    choices = " / ".join(filter(None, options))
    text = str(item.get("text", item.get("linkId", "")))
    words = f"{text} ({choices})" if choices else text
    return Item(words, questions(item), anchor=str(item.get("linkId", "")))


def _items(action: Resource, by_url: Mapping[str, Resource]) -> tuple[Item, ...]:
    """The parts of an action, each with its own parts below it."""
    return tuple(
        Item(_line(part, by_url), _items(part, by_url), _choice(part), str(part.get("id", "")))
        for part in action.get("action", ())
    )


def _choice(action: Resource) -> str:
    """How many of the parts are meant; nothing where it is all of them, as in any list."""
    code = action.get("selectionBehavior", "")
    return "" if code in ("", "all") or not action.get("action") else behavior(code)


def _line(action: Resource, by_url: Mapping[str, Resource]) -> str:
    """What an action is, and in parentheses when, by whom and under which conditions."""
    title, text = str(action.get("title", "")), str(action.get("description", ""))
    said = [title] if text.rstrip(".") == title else [title, text]
    extra = _limits(action, by_url)
    return ": ".join(filter(None, said)) + (f" ({extra})" if extra else "")


def _limits(action: Resource, by_url: Mapping[str, Resource]) -> str:
    """If, when, by whom and how often an action is done, what is taken, how often a risk comes."""
    related = [r for r in action.get("relatedAction", ()) if _is_far(r)]
    behaviors = (action.get("requiredBehavior"), action.get("cardinalityBehavior"))
    who = "; ".join(dict.fromkeys(_people(action)))
    more = (
        *(gettext("if: {condition}", condition=each) for each in conditions(action)),
        how_often(action),
        *taken(_definition(action, by_url)),
        *(relation(r, {}) for r in related),
        timed(action, "timing"),
        *(behavior(code) for code in behaviors if code in ("could", "multiple")),
        gettext("by: {who}", who=who) if who else "",
    )
    return "; ".join(filter(None, more))


def _people(action: Resource) -> Iterator[str]:
    """Who takes part, in words alone: the codes are under Personnel."""
    for participant in action.get("participant", ()):
        role = participant.get("role")
        yield str(role.get("text") or concept(role)) if role else gettext(participant["type"])


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text[-1] in ".?!:" else f"{text}."


def _is_far(related: Resource) -> bool:
    """Whether a relation states a distance; steps that only follow each other are in order."""
    return "offsetDuration" in related or "offsetRange" in related


def _roles(actions: Sequence[Resource]) -> Iterator[str]:
    for action in actions:
        for participant in action.get("participant", ()):
            if "role" in participant:
                yield concept(participant["role"])
        yield from _roles(action.get("action", ()))
