"""Small elements that several builders make: concepts, relations, quantities, timings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.model.values import DAY_TIMES, frequency, length, moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.model.values import Length
    from fhirpkg.issues import Resource

HL7 = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"


def filled(element: Resource) -> Resource:
    """An element without the properties that have no value."""
    return {key: value for key, value in element.items() if value not in (None, "", [], {})}


def concept_of(system: str, code: str, display: str) -> Resource:
    """A concept of HL7's own, whose display may be shipped."""
    return {"coding": [{"system": system, "code": code, "display": display}]}


PATIENT = concept_of("http://hl7.org/fhir/resource-types", "Patient", "Patient")
CREATE = concept_of(f"{HL7}/action-type", "create", "Create")


def related(action: str, relationship: str, offset: Length | None = None) -> Resource:
    """A relation to another action of the plan, with how far from it when that is known."""
    made = {"actionId": action, "relationship": relationship}
    if offset is None:
        return made
    if offset.is_exact:
        return made | {"offsetDuration": quantity(offset.most, offset.unit)}
    return made | {"offsetRange": span(offset)}


HOOKS = ("order-sign", "order-select", "patient-view")
"""The events at which a record is looked at."""


def named_events(hooks: Iterable[str]) -> list[Resource]:
    """Triggers by the name of the event, as CDS Hooks calls it."""
    return [{"type": "named-event", "name": hook} for hook in hooks]


def quantity(value: object, unit: str) -> Resource:
    """A number with a unit of UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def span(value: Length) -> Resource:
    """A Range; an end that is open is left out."""
    ends = {"low": value.least, "high": value.most}
    return {name: quantity(end, value.unit) for name, end in ends.items() if end is not None}


def duration_timing(procedure: Procedure) -> Resource | None:
    """How long the procedure takes; the author's words are the text of the timing's code."""
    duration = procedure.duration
    if duration is None:
        return None
    return filled({"repeat": _taking(duration.takes), "code": {"text": duration.text}})


def _taking(takes: str | None) -> Resource:
    if takes is None:
        return {}
    read = length(takes)
    if read.least is None or read.most is None:  # Timing.repeat.duration has no open end
        return {"boundsRange": span(read)}
    most = None if read.is_exact else read.most
    return filled({"duration": read.least, "durationMax": most, "durationUnit": read.unit})


def action_timing(action: Action) -> Resource | None:
    """How often, at which time of the day and for how long; None when nothing of it is said."""
    moments = [moment(text) for text in action.when]
    repeat: Resource = {"when": list(dict.fromkeys(m.day_time for m in moments if m.day_time))}
    lasting = [m.offset for m in moments if m.how == "from" and m.offset]
    bounds = length(action.for_) if action.for_ else lasting[0] if lasting else None
    if bounds and bounds.is_exact:
        repeat["boundsDuration"] = quantity(bounds.most, bounds.unit)
    elif bounds:
        repeat["boundsRange"] = span(bounds)
    repeat["count"] = action.times
    repeat |= _frequency(action)
    repeat = filled(repeat)
    return {"repeat": repeat} if repeat else None


def _frequency(action: Action) -> Resource:
    made: Resource = {}
    if action.how_often:
        least, most, unit = frequency(action.how_often)
        made = {"frequency": least, "frequencyMax": most}
        if unit:
            made |= {"period": 1, "periodUnit": unit}
    if action.every:
        read = length(action.every)
        most_apart = None if read.is_exact else read.most
        made = {"frequency": 1, "period": read.least, "periodMax": most_apart}
        made["periodUnit"] = read.unit
    return made


def schedule_words(action: Action) -> str:
    """How often and for how long, as a line for people: ``3 times daily, for 5 d``."""
    parts = (
        action.how_often or "",
        f"every {action.every}" if action.every else "",
        f"{action.times} times in all" if action.times else "",
        *(text for text in action.when if text in DAY_TIMES),
        f"for {action.for_}" if action.for_ else "",
    )
    return ", ".join(filter(None, parts))


def relations(action: Action, at: str | None = None) -> list[Resource]:
    """When an action is by other actions: one or two relations for each of its moments.

    `at` is one of several moments; without it all count.
    """
    made = []
    for text in action.when if at is None else (at,):
        read = moment(text)
        if not read.relation:
            continue
        offset = read.offset
        if read.how == "within" and offset:
            offset = type(offset)(None, offset.most, offset.unit)
        made.append(related(read.step or "procedure", read.relation, offset))
        if read.until:
            made.append(related(read.until, "before-start"))
    return made
