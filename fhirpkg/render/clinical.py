"""Requests, doses, times and results in the words of those who carry them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.render import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fhirpkg.issues import Resource

_UNITS = {"s": "second", "min": "minute", "h": "hour", "d": "day", "wk": "week", "mo": "month",
          "a": "year"}  # fmt: skip
_EVENTS = {
    "MORN": "in the morning", "AFT": "in the afternoon", "EVE": "in the evening",
    "NIGHT": "at night", "PHS": "after going to sleep", "HS": "at bedtime", "WAKE": "on waking",
    "C": "with meals", "CM": "with breakfast", "CD": "with lunch", "CV": "with dinner",
    "AC": "before meals", "ACM": "before breakfast", "ACD": "before lunch", "ACV": "before dinner",
    "PC": "after meals", "PCM": "after breakfast", "PCD": "after lunch", "PCV": "after dinner",
}  # fmt: skip
_NOT = "http://hl7.org/fhir/StructureDefinition/request-doNotPerform"
_SUBJECTS = (
    "code", "medicationCodeableConcept", "medicationReference", "codeCodeableConcept",
    "codeReference", "itemCodeableConcept", "itemReference", "vaccineCode", "type", "category",
    "serviceType", "reasonCode",
)  # fmt: skip
"""Elements that say what a resource is about, the most telling first."""
_TIMES = (
    "occurrence", "effective", "performed", "onset", "started", "requestedPeriod", "period",
    "restriction", "executionPeriod", "authoredOn", "authored", "recordedDate", "issued", "date",
    "start",
)  # fmt: skip
"""Elements that say when, the most telling first."""


def is_prohibited(resource: Resource) -> bool:
    """Whether a request says that something is not to be done."""
    flags = [
        e.get("valueBoolean") for e in resource.get("modifierExtension", ()) if e.get("url") == _NOT
    ]
    return resource.get("doNotPerform") is True or True in flags


def subject_matter(resource: Resource) -> str:
    """What a resource is about: its code, drug, item or message."""
    for key in _SUBJECTS:
        if key in resource and (found := _concept(resource[key])):
            return found
    payload = resource.get("payload") or resource.get("recommendation") or [{}]
    text = payload[0].get("contentString") or _concept(payload[0].get("vaccineCode"))
    diet = _concept(resource.get("oralDiet", {}).get("type"))
    return str(text or diet or resource.get("title") or resource.get("description") or "")


def _concept(value: Any) -> str:
    """A concept, reference or list of them in words."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_concept, value)))
    if not isinstance(value, dict):
        return ""
    if "reference" in value or "display" in value:
        return str(value.get("display") or value["reference"])
    return words.concept(value)


def quantity(value: Resource) -> str:
    """A number with its unit and comparator: ``<5 mg``."""
    unit = value.get("unit") or value.get("code") or ""
    unit = "" if unit == "1" else unit  # UCUM's unity says nothing to a reader
    unit = unit[1:-1] if unit.startswith("{") else unit
    return f"{value.get('comparator', '')}{value.get('value', '')} {unit}".strip()


def span(value: Resource) -> str:
    """A Range: ``1 to 2 h``."""
    low, high = value.get("low"), value.get("high")
    if low and low == high:
        return quantity(high)
    if low and high:
        return f"{low.get('value')} to {quantity(high)}"
    return f"at least {quantity(low)}" if low else f"at most {quantity(high)}" if high else ""


def period(value: Resource) -> str:
    """From when until when."""
    start, end = value.get("start"), value.get("end")
    if start and start == end:
        return f"on {start}"
    parts = (f"from {start}" if start else "", f"until {end}" if end else "")
    return " ".join(filter(None, parts))


def schedule(value: Resource) -> str:
    """A Timing: ``twice a day after meals for 5 days``; its code says all of it but the bounds."""
    repeat: Resource = value.get("repeat", {})
    if said := _concept(value.get("code")):
        return f"{said} {_bounds(repeat)}".strip()
    parts = [
        ", ".join(f"on {moment}" for moment in value.get("event", ())),
        _frequency(repeat),
        ", ".join(f"at {time}" for time in repeat.get("timeOfDay", ())),
        ", ".join(f"on {day}" for day in repeat.get("dayOfWeek", ())),
        " or ".join(_event(code, repeat) for code in repeat.get("when", ())),
        _lasting(repeat),
        _counted(repeat),
        _bounds(repeat),
    ]
    return " ".join(filter(None, parts))


def _frequency(repeat: Resource) -> str:
    if not {"frequency", "period", "periodUnit"} & set(repeat):
        return ""
    times = _upto(repeat, "frequency", 1)
    times = {"1": "once", "2": "twice"}.get(times, f"{times} times")
    if "period" not in repeat:
        return times
    unit = _UNITS.get(repeat.get("periodUnit", ""), repeat.get("periodUnit", ""))
    every = _upto(repeat, "period", 1)
    return f"{times} a {unit}" if every == "1" else f"{times} every {every} {unit}s"


def _upto(repeat: Resource, key: str, default: int) -> str:
    most = repeat.get(f"{key}Max")
    return f"{repeat.get(key, default)}" + (f" to {most}" if most is not None else "")


def _event(code: str, repeat: Resource) -> str:
    offset = repeat.get("offset")
    named = _EVENTS.get(code, code)
    return f"{offset} minutes {named}" if offset else named


def _lasting(repeat: Resource) -> str:
    if "duration" not in repeat:
        return ""
    return f"lasting {_upto(repeat, 'duration', 1)} {repeat.get('durationUnit', '')}".strip()


def _counted(repeat: Resource) -> str:
    return f"{_upto(repeat, 'count', 1)} times in all" if "count" in repeat else ""


def _bounds(repeat: Resource) -> str:
    if "boundsDuration" in repeat:
        return f"for {quantity(repeat['boundsDuration'])}"
    if "boundsRange" in repeat:
        return f"for {span(repeat['boundsRange'])}"
    return period(repeat.get("boundsPeriod", {}))


def timed(element: Resource, name: str) -> str:
    """A choice of times (`timing[x]`, `occurrence[x]` …) in words; nothing when there is none."""
    for type_, maker in _MAKERS.items():
        if f"{name}{type_}" in element:
            return maker(element[f"{name}{type_}"])
    return ""


_MAKERS: dict[str, Callable[[Any], str]] = {
    "DateTime": lambda value: f"on {value}",
    "Period": period,
    "Timing": schedule,
    "Age": lambda value: f"at the age of {quantity(value)}",
    "Duration": lambda value: f"{quantity(value)}",
    "Range": span,
    "String": str,
}
"""How each type of a choice of times is said."""


def due(resource: Resource) -> str:
    """When a request is to be carried out."""
    found = timed(resource, "occurrence") or timed(resource, "performed")
    ranges = [resource.get("restriction", {}).get("period"), resource.get("executionPeriod"),
              *resource.get("requestedPeriod", ()), resource.get("period")]  # fmt: skip
    criteria = [
        f"{_concept(c.get('code'))}: {c.get('value')}"
        for r in resource.get("recommendation", ())
        for c in r.get("dateCriterion", ())
    ]
    diets = [schedule(s) for s in resource.get("oralDiet", {}).get("schedule", ())]
    return "; ".join(filter(None, [found, *(period(r) for r in ranges if r), *diets, *criteria]))


def dosage(value: Resource) -> str:
    """A Dosage as it would be written on a prescription."""
    doses = [(d.get("doseQuantity") and quantity(d["doseQuantity"])) or span(d.get("doseRange", {}))
             for d in value.get("doseAndRate", ())]  # fmt: skip
    rates = [_rate(d) for d in value.get("doseAndRate", ())]
    parts = [
        *doses,
        *rates,
        _concept(value.get("method")),
        _concept(value.get("route")),
        _concept(value.get("site")),
        schedule(value.get("timing", {})),
        _as_needed(value),
        *(_concept(a) for a in value.get("additionalInstruction", ())),
        f"at most {_ratio(value['maxDosePerPeriod'])}" if "maxDosePerPeriod" in value else "",
    ]
    composed = ", ".join(filter(None, parts))
    texts = [value.get("text", ""), composed, value.get("patientInstruction", "")]
    return "; ".join(dict.fromkeys(filter(None, texts)))


def _rate(dose: Resource) -> str:
    if "rateQuantity" in dose:
        return f"at {quantity(dose['rateQuantity'])}"
    if "rateRange" in dose:
        return f"at {span(dose['rateRange'])}"
    return f"at {_ratio(dose['rateRatio'])}" if "rateRatio" in dose else ""


def _ratio(value: Resource) -> str:
    return f"{quantity(value.get('numerator', {}))} in {quantity(value.get('denominator', {}))}"


def _as_needed(value: Resource) -> str:
    if "asNeededCodeableConcept" in value:
        reason = _concept(value["asNeededCodeableConcept"]).removeprefix("for ")
        return f"as needed for {reason}"
    return "as needed" if value.get("asNeededBoolean") else ""


def amount(resource: Resource) -> str:
    """How much is asked for."""
    dispensed = resource.get("dispenseRequest", {}).get("quantity")
    given = resource.get("quantity") or resource.get("quantityQuantity") or dispensed
    return quantity(given) if isinstance(given, dict) else ""


def finding(resource: Resource) -> str:
    """What is on record, with its value and date: ``INR 2.4 (2026-11-02)``."""
    value = _value(resource)
    states = [_state(resource.get(k, {})) for k in ("clinicalStatus", "verificationStatus")]
    status = resource.get("status", "")
    states += [status] if status not in {"final", "active", "completed", ""} else []
    when = moment(resource) or "no date"
    what = subject_matter(resource) or resource.get("resourceType", "")
    return " ".join(filter(None, [what, value])) + f" ({', '.join(filter(None, [*states, when]))})"


def _state(value: Resource) -> str:
    """A status without the name of its code system."""
    codes = (coding.get("display") or coding.get("code") for coding in value.get("coding", ()))
    return str(value.get("text") or next(filter(None, codes), ""))


def moment(resource: Resource) -> str:
    """The day or period a resource is about, as it sorts; nothing when it has none."""
    return next((found for name in _TIMES if (found := _moment(resource, name))), "")


def _value(resource: Resource) -> str:
    if "valueQuantity" in resource:
        return quantity(resource["valueQuantity"])
    for key in ("valueCodeableConcept", "dataAbsentReason"):
        if key in resource:
            return _concept(resource[key])
    if "valueRange" in resource:
        return span(resource["valueRange"])
    plain = next((v for k, v in resource.items() if k.startswith("value")), "")
    return "" if isinstance(plain, dict | list) else str(plain)


def _moment(resource: Resource, name: str) -> str:
    plain = resource.get(name, resource.get(f"{name}DateTime", resource.get(f"{name}Instant")))
    if isinstance(plain, str):
        return plain[:10]
    held = resource.get(f"{name}Period", plain)
    ends = (held.get("end"), held.get("start")) if isinstance(held, dict) else ()
    return next((str(end)[:10] for end in ends if end), "")


def person(patient: Resource) -> str:
    """Name, sex and day of birth of a patient, as far as they are known."""
    names: list[Resource] = patient.get("name", [])
    chosen = next((n for n in names if n.get("use") == "official"), names[0] if names else {})
    parts = [*chosen.get("prefix", ()), *chosen.get("given", ()), chosen.get("family", "")]
    name = chosen.get("text") or " ".join(filter(None, parts))
    born = f"born {patient['birthDate']}" if "birthDate" in patient else ""
    return ", ".join(filter(None, [name, patient.get("gender", ""), born]))


def goal(value: Resource) -> str:
    """A Goal in words: what, how it is measured, by when, how important."""
    targets = [_target(t) for t in value.get("target", ())]
    parts = [_concept(value.get("description")), *targets, _concept(value.get("priority"))]
    return "; ".join(filter(None, parts))


def _named(request: Resource, others: Mapping[str, Resource]) -> Resource:
    """The request with the name of each resource it refers to that it contains or came along."""
    inside = {f"#{r.get('id')}": r for r in request.get("contained", ())}

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(item) for item in value]
        if not isinstance(value, dict) or "reference" not in value:
            return value
        reference = str(value["reference"])
        known = inside.get(reference) or others.get("/".join(reference.split("/")[-2:]))
        known = known or next((o for k, o in others.items() if reference == _local(k)), None)
        return {**value, "display": _name(known)} if known else value

    return {key: named(value) for key, value in request.items()}


def _local(reference: str) -> str:
    """`#id` for `Type/id`: what the result contains is referred to so."""
    return "#" + reference.partition("/")[2]


def _name(known: Resource) -> str:
    """What people call a resource: its name, title or code, the form of a drug, else its type."""
    devices: list[Resource] = known.get("deviceName", [])
    name = known.get("name") or (devices[0].get("name") if devices else None)
    if isinstance(name, list):
        return person({"name": name})
    said = name or known.get("title") or _concept(known.get("code") or known.get("type"))
    parts = [str(said or known.get("description") or ""), _concept(known.get("form"))]
    return ", ".join(filter(None, parts)) or str(known["resourceType"])


def _target(target: Resource) -> str:
    detail = next((v for k, v in target.items() if k.startswith("detail")), None)
    shown = ""
    if isinstance(detail, dict):
        shown = span(detail) or (quantity(detail) if "value" in detail else _concept(detail))
    elif detail is not None:
        shown = str(detail)
    measured = ": ".join(filter(None, [_concept(target.get("measure")), shown]))
    within = f"within {quantity(target['dueDuration'])}" if "dueDuration" in target else ""
    by = f"by {target['dueDate']}" if "dueDate" in target else ""
    return ", ".join(filter(None, [measured, within, by]))


def orders(request: Resource, others: Mapping[str, Resource]) -> Iterator[str]:
    """What a request asks for, a line a fact: what, how much, which dose, when, where, why.

    `others` are resources that it may refer to, by `Type/id`.
    """
    prohibited = "DO NOT: " if is_prohibited(request) else ""
    request = _named(request, others)
    yield f"{prohibited}order: {request['resourceType']} {subject_matter(request)}".rstrip()
    facts = {
        "priority": request.get("priority", ""),
        "intent": request.get("intent", ""),
        "dose": " / then: ".join(filter(None, map(dosage, request.get("dosageInstruction", ())))),
        "amount": amount(request),
        "site": _concept(request.get("bodySite")),
        "when": due(request),
        "where": _concept(request.get("locationReference") or request.get("location")),
        "by": _concept(request.get("performerType")),
        "reason": _concept(request.get("reasonCode")),
        "note": "; ".join(n.get("text", "") for n in request.get("note", ())),
    }
    for name, fact in facts.items():
        if fact:
            yield f"{name}: {fact}"


def relation(related: Resource, titles: Mapping[str, str]) -> str:
    """When an action is by another one: ``7 d before the start of Biopsy``.

    `titles` name actions by their ids.
    """
    named = titles.get(related["actionId"], related["actionId"])
    offset = quantity(related["offsetDuration"]) if "offsetDuration" in related else ""
    offset = offset or span(related.get("offsetRange", {}))
    return f"{offset} {words.behavior(related['relationship'])} {named}".strip()


_FREQUENCY = "/StructureDefinition/RiskFrequency"
"""The end of its url: a package may carry it under a base of its own."""


def how_often(element: Resource) -> str:
    """How often a risk happens, as its extension says it: ``1 in 1000``, ``1 to 2 %``, ``rare``."""
    for extension in element.get("extension", ()):
        if extension.get("url", "").endswith(_FREQUENCY):
            ratio, said = extension.get("valueRatio"), extension.get("valueCodeableConcept")
            return _ratio(ratio) if ratio else _concept(said) or span(extension["valueRange"])
    return ""
