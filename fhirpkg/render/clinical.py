"""Requests, doses, times and results in the words of those who carry them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.canonical import definition_name
from fhirpkg.languages.words import gettext
from fhirpkg.render import words
from fhirpkg.render.times import period, quantity, schedule, span, timed
from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fhirpkg.issues import Resource

_NOT = "http://hl7.org/fhir/StructureDefinition/request-doNotPerform"
_SUBJECTS = (
    "code", "medicationCodeableConcept", "medicationReference", "codeCodeableConcept",
    "codeReference", "itemCodeableConcept", "itemReference", "vaccineCode", "type", "category",
    "serviceType", "reasonCode",
)  # fmt: skip
"""Elements that say what a resource is about, the most informative first."""
_PARTS = (
    ("oralDiet", "type"), ("enteralFormula", "baseFormulaType"), ("supplement", "type"),
    ("lensSpecification", "product"),
)  # fmt: skip
"""Where the parts of a nutrition order or prescription of lenses say what is ordered."""
_TIMES = (
    "occurrence", "effective", "performed", "onset", "started", "requestedPeriod", "period",
    "restriction", "executionPeriod", "authoredOn", "authored", "recordedDate", "issued", "date",
    "start",
)  # fmt: skip
"""Elements that say when, the most informative first."""


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
    parts = (_concept(part.get(key)) for name, key in _PARTS for part in _listed(resource, name))
    text = text or ", ".join(dict.fromkeys(filter(None, parts)))
    return str(text or resource.get("title") or resource.get("description") or "")


def subject_or_kind(resource: Resource) -> str:
    """What a resource is about, else its type: never nothing."""
    return subject_matter(resource) or str(resource["resourceType"])


def _listed(resource: Resource, name: str) -> list[Resource]:
    """The parts of an element, which may be one or a list."""
    found = resource.get(name, ())
    return [found] if isinstance(found, dict) else list(found)


def _concept(value: Any) -> str:
    """A concept, reference or list of them in words."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_concept, value)))
    if not isinstance(value, dict):
        return ""
    if "reference" in value or "display" in value:
        return str(value.get("display") or value["reference"])
    return words.concept(value)


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
        _most(value),
    ]
    composed = ", ".join(filter(None, parts))
    texts = [value.get("text", ""), composed, value.get("patientInstruction", "")]
    return "; ".join(dict.fromkeys(filter(None, texts)))


def taken(resource: Resource) -> Iterator[str]:
    """What a definition, or its request, says of what is given and taken: doses, specimens."""
    for key in ("dosage", "dosageInstruction"):
        for dose in objects(resource, key):
            said, site = dose.get("text") or dosage(dose), _concept(dose.get("site"))
            yield said if site in said else f"{said}, {site}"
    for specimen in objects(resource, "specimenRequirement"):
        if shown := specimen.get("display"):
            yield f"{gettext('Specimen')}: {shown}"
    yield from (_concept(detail) for detail in objects(resource, "orderDetail"))


def _most(value: Resource) -> str:
    if "maxDosePerPeriod" not in value:
        return ""
    return gettext("at most {amount}", amount=_ratio(value["maxDosePerPeriod"]))


def _rate(dose: Resource) -> str:
    if "rateQuantity" in dose:
        return gettext("at {rate}", rate=quantity(dose["rateQuantity"]))
    if "rateRange" in dose:
        return gettext("at {rate}", rate=span(dose["rateRange"]))
    return gettext("at {rate}", rate=_ratio(dose["rateRatio"])) if "rateRatio" in dose else ""


def _ratio(value: Resource) -> str:
    above, below = (quantity(value.get(key, {})) for key in ("numerator", "denominator"))
    return gettext("{count} in {whole}", count=above, whole=below)


def _as_needed(value: Resource) -> str:
    if "asNeededCodeableConcept" in value:
        reason = _concept(value["asNeededCodeableConcept"]).removeprefix("for ")
        return gettext("as needed for {reason}", reason=reason)
    return gettext("as needed") if value.get("asNeededBoolean") else ""


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
    when = moment(resource) or gettext("no date")
    what = subject_or_kind(resource)
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
    day = patient.get("birthDate", "")
    born = gettext("born {day}", day=day) if day else ""
    sex = gettext(patient["gender"]) if patient.get("gender") else ""
    return ", ".join(filter(None, [name, sex, born]))


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
    within = words.within(target.get("dueDuration", {}))
    by = gettext("by {day}", day=target["dueDate"]) if "dueDate" in target else ""
    return ", ".join(filter(None, [measured, within, by]))


def orders(request: Resource, others: Mapping[str, Resource]) -> Iterator[str]:
    """What a request asks for, a line a fact: what, how much, which dose, when, where, why.

    `others` are resources that it may refer to, by `Type/id`.
    """
    prohibited = f"{gettext('DO NOT')}: " if is_prohibited(request) else ""
    request = _named(request, others)
    what = f"{request['resourceType']} {subject_matter(request)}".rstrip()
    yield f"{prohibited}{gettext('order')}: {what}"
    facts = {
        "priority": _coded(request, "priority"),
        "intent": _coded(request, "intent"),
        "dose": f" / {gettext('then')}: ".join(
            filter(None, map(dosage, request.get("dosageInstruction", ())))
        ),
        "amount": amount(request),
        "details": _concept(request.get("orderDetail")),
        "site": _concept(request.get("bodySite")),
        "when": due(request),
        "where": _concept(request.get("locationReference") or request.get("location")),
        "by": _concept(request.get("performerType")),
        "reason": _concept(request.get("reasonCode")),
        "note": "; ".join(n.get("text", "") for n in request.get("note", ())),
    }
    for name, fact in facts.items():
        if fact:
            yield f"{gettext(name)}: {fact}"


def _coded(request: Resource, key: str) -> str:
    code = str(request.get(key) or "")
    return gettext(code) if code else ""


def relation(related: Resource, titles: Mapping[str, str]) -> str:
    """When an action is by another one: ``7 d before the start of Biopsy``.

    `titles` name actions by their ids.
    """
    identity = related.get("actionId", "")
    named = titles.get(identity, identity)
    offset = quantity(related["offsetDuration"]) if "offsetDuration" in related else ""
    offset = offset or span(related.get("offsetRange", {}))
    return f"{offset} {words.behavior(related.get('relationship', ''))} {named}".strip()


def how_often(element: Resource) -> str:
    """How often a risk happens, as its extension says it: ``1 in 1000``, ``1 to 2 %``, ``rare``."""
    for extension in element.get("extension", ()):
        if definition_name(extension.get("url", "")) == "RiskFrequency":
            ratio, said = extension.get("valueRatio"), extension.get("valueCodeableConcept")
            return _ratio(ratio) if ratio else _concept(said) or span(extension["valueRange"])
    return ""
