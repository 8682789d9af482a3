"""An action in words: what it is called, when and under which conditions it is done, and by whom.

Everything is read as if it might be wrong in structure: what cannot be said is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.course.measure import clean
from fhirpkg.course.steps import Note
from fhirpkg.languages.words import gettext
from fhirpkg.render import clinical, times, words
from fhirpkg.render.environment import timing
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.issues import Json, Resource

_KINDS = {"applicability": "If", "start": "Starts if", "stop": "Stops if"}
_NAME = re.compile(r'^(?:\w+\.)?"([^"]+)"$')
"""An expression that is the name of a definition in CQL: ``ANCLogic."Has anemia"``."""
_LINK = re.compile(r"\[([^\[\]]+)\]\([^()\s]*\)")
_SHORT = 24
"""Letters of a time that still fits on a tag."""


def said(maker: Callable[[Json], str], value: Json) -> str:
    """A value in words on one line; nothing where it has not the structure of its type."""
    try:
        return clean(maker(value))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return ""


def heading(action: Resource, definition: Resource) -> tuple[str, str]:
    """What an action is called, and what else is said of it; either may be empty."""
    title = clean(text_of(action, "title"))
    text = _plain(text_of(action, "description") or text_of(action, "textEquivalent"))
    if not title and not text:
        codes = (said(words.concept, code) for code in objects(action, "code"))
        title = next(filter(None, codes), "") or _title(definition)
        title = title or _of_canonical(text_of(action, "definitionCanonical"))
    if not title and not text:
        text = clean(text_of(action, "definitionUri") or text_of(action, "prefix"))
    return title, "" if text.rstrip(".") == title.rstrip(".") else text


def _plain(text: str) -> str:
    """Words without the addresses and the emphasis of Markdown, which some write there."""
    return clean(_LINK.sub(r"\1", text).replace("**", ""))


def _title(definition: Resource) -> str:
    found = (text_of(definition, key) for key in ("title", "name", "description"))
    code = said(words.concept, definition.get("code", {}))
    return clean(next(filter(None, found), "")) or code


def _of_canonical(url: str) -> str:
    """The last part of a url, which is often a name: ``Order blood count``."""
    last = url.partition("|")[0].rstrip("/").rpartition("/")[2].lstrip("#")
    name = clean(last.replace("-", " ").replace("_", " "))
    return name[:1].upper() + name[1:]


def tags(action: Resource, definition: Resource) -> Iterator[str]:
    """What fits in a few words: how many are meant, how often, how long, how urgent."""
    if is_choice(action):
        yield clean(words.behavior(text_of(action, "selectionBehavior")))
    required = text_of(action, "requiredBehavior")
    if required == "must-unless-documented":
        yield gettext("must be done, or the reason given")
    elif required == "could":
        yield words.behavior(required)
    if text_of(action, "cardinalityBehavior") == "multiple":
        yield words.behavior("multiple")
    if text_of(action, "precheckBehavior") == "yes":
        yield gettext("chosen beforehand")
    if (priority := text_of(action, "priority")) in ("urgent", "asap", "stat"):
        yield gettext(priority)
    when = _timing(action, definition)
    if when and len(when) <= _SHORT:
        yield when


def is_choice(action: Resource) -> bool:
    """Whether the parts of an action are there to choose from."""
    code = text_of(action, "selectionBehavior")
    return code not in ("", "all") and bool(objects(action, "action"))


def _timing(action: Resource, definition: Resource) -> str:
    return said(timing, action) or said(timing, definition)


def notes(action: Resource, definition: Resource) -> Iterator[Note]:
    """Conditions, triggers and times, as far as they take more words; doses and specimens."""
    events = (said(_trigger, trigger) for trigger in objects(action, "trigger"))
    yield Note("On", ", ".join(dict.fromkeys(filter(None, events))))
    for condition in objects(action, "condition"):
        label = _KINDS.get(text_of(condition, "kind"), "If")
        yield Note(label, words_of_expression(condition))
    when = _timing(action, definition)
    yield Note("When", when if len(when) > _SHORT else "")
    for dose in objects(definition, "dosage"):
        yield Note("Dose", clean(text_of(dose, "text")) or said(clinical.dosage, dose))
    for specimen in objects(definition, "specimenRequirement"):
        yield Note("Specimen", clean(text_of(specimen, "display")))


def words_of_expression(holder: Resource) -> str:
    """The `expression` of a condition or value in the words of its author, else as it stands."""
    expression = holder.get("expression")
    keys = ("description", "name", "expression", "reference")
    found = (text_of(expression, key) for key in keys)
    text = clean(next(filter(None, found), ""))
    return _NAME.sub(r"\1", text)


def _trigger(trigger: Resource) -> str:
    """The event that starts an action: by its name, or by the data it is about."""
    data = [of for d in objects(trigger, "data") if (of := text_of(d, "type"))]
    named = text_of(trigger, "name") or times.timed(trigger, "timing")
    kind = text_of(trigger, "type").replace("-", " ")
    made = gettext(_EVENTS[kind], types=", ".join(data)) if kind in _EVENTS and data else ""
    return named or made or f"{kind} {', '.join(data)}".strip()


_EVENTS = {
    "data added": "{types} added", "data modified": "{types} changed",
    "data removed": "{types} removed", "data changed": "{types} added or changed",
}  # fmt: skip
"""R4's events about data, as far as people say them in a few words."""


def relation(related: Resource, name: str) -> str:
    """How an action is related to one with that name: ``2 h before the start of 'Biopsy'``."""
    at = {**related, "actionId": "it", "relationship": text_of(related, "relationship")}
    return said(lambda r: clinical.relation(r, {"it": f"'{name}'"}), at)


def people(action: Resource) -> Iterator[str]:
    """Who takes part, each once."""
    found = (_person(participant) for participant in objects(action, "participant"))
    yield from dict.fromkeys(filter(None, found))


def _person(participant: Resource) -> str:
    role = participant.get("role")
    text = clean(text_of(role, "text")) or said(words.concept, role or {})
    return text or words.role(clean(text_of(participant, "type")))
