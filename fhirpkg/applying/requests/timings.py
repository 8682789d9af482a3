"""When an activity is to happen, as each kind of request says it.

`ActivityDefinition.timing[x]` has six types, requests have three at most. A moment may become a
period or an event of a Timing, a period the bounds of one: they say the same. An Age, a Duration
or a Range only means something to a reader of the plan (from when on?), so it is put nowhere but
where the request has that very type. What a request cannot hold is on the RequestGroup.action.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.applying.requests.cells import Cell, Parties

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Json, Resource

    Value = Json
    """A timing in FHIR JSON: a text or an object, as its type has it."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
TYPES = ("Timing", "DateTime", "Age", "Period", "Range", "Duration")
_CONVERSIONS: dict[tuple[str, str], Callable[[Value], Value]] = {
    ("DateTime", "Period"): lambda moment: {"start": moment, "end": moment},
    ("DateTime", "Timing"): lambda moment: {"event": [moment]},
    ("Period", "Timing"): lambda period: {"repeat": {"boundsPeriod": period}},
}
_WAYS = {
    wanted: [
        (f"timing{given}", _CONVERSIONS.get((given, wanted)))
        for given in TYPES
        if given == wanted or (given, wanted) in _CONVERSIONS
    ]
    for wanted in TYPES
}
"""The keys of a definition that give a type, each with what makes one of its value."""
_FORECAST = "http://terminology.hl7.org/CodeSystem/immunization-recommendation-status"
_DATE_CRITERIA = {"due": "30980-7", "start": "30981-5", "end": "59777-3"}
"""LOINC codes of R4's immunization-recommendation-date-criterion: due, earliest, latest."""


def occurring(target: str, *types: str) -> Cell:
    """A choice element of the request, of the first type that can say it."""

    def make(definition: Resource, _: Parties) -> dict[str, Json]:
        found = [(t, value) for t in types if (value := as_type(definition, t)) is not None]
        if not found:
            return {}
        exact = [(t, value) for t, value in found if f"timing{t}" in definition]
        return {target + t: value for t, value in [*exact, *found][:1]}

    return Cell("timing", make)


def within(target: str, *, as_list: bool = False) -> Cell:
    """A Period of the request, or a list of one."""

    def make(definition: Resource, _: Parties) -> dict[str, Json]:
        period = as_type(definition, "Period")
        return {} if period is None else {target: [period] if as_list else period}

    return Cell("timing", make)


def answered(definition: Resource, _: Parties) -> dict[str, Json]:
    """Start and end of an answer, which are instants; less precise values are left out."""
    period = as_type(definition, "Period") or {}
    found = {name: period[name] for name in ("start", "end") if name in period}
    return found if all(_INSTANT.fullmatch(value) for value in found.values()) else {}


def as_type(definition: Resource, wanted: str) -> Value | None:
    """The timing of a definition as a value of this type, None when there is no such value."""
    for key, conversion in _WAYS[wanted]:
        value = definition.get(key)
        if value is not None:
            return conversion(value) if conversion else value
    return None


def restricted(definition: Resource, _: Parties) -> dict[str, Json]:
    """The period in which a task is to be fulfilled; executionPeriod is when it was."""
    period = as_type(definition, "Period")
    return {} if period is None else {"restriction": {"period": period}}


def dosed(definition: Resource, _: Parties) -> dict[str, Json]:
    """The timing in each dosage that has none of its own, in one of its own without dosage."""
    timing = as_type(definition, "Timing")
    dosages = definition.get("dosage") or [{}]
    if timing is None or all("timing" in dosage for dosage in dosages):
        return {}
    return {"dosageInstruction": [{"timing": timing} | dosage for dosage in dosages]}


def recommended(definition: Resource, _: Parties) -> dict[str, Json]:
    """The product as a recommendation that is due."""
    product = definition.get("productCodeableConcept")
    if product is None:
        return {}
    due = {"coding": [{"system": _FORECAST, "code": "due", "display": "Due"}]}
    made: Resource = {"vaccineCode": [product], "forecastStatus": due}
    return {"recommendation": [made]}


def dated(definition: Resource, parties: Parties) -> dict[str, Json]:
    """The recommendation again, with the dates it is due at, from and until."""
    dates = dict(definition.get("timingPeriod", {}))
    if "timingDateTime" in definition:
        dates["due"] = definition["timingDateTime"]
    criteria = [
        {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "value": dates[name]}
        for name, code in _DATE_CRITERIA.items()
        if name in dates
    ]
    made = recommended(definition, parties)
    if not (made and criteria):
        return {}
    return {"recommendation": [r | {"dateCriterion": criteria} for r in made["recommendation"]]}


def fed(definition: Resource, _: Parties) -> dict[str, Json]:
    """The diet that a nutrition order is for."""
    return {"oralDiet": {"type": [definition["code"]]}} if "code" in definition else {}


def fed_at(definition: Resource, parties: Parties) -> dict[str, Json]:
    """The diet again, with its schedule."""
    timing = as_type(definition, "Timing")
    if timing is None:
        return {}
    return {"oralDiet": {**fed(definition, parties).get("oralDiet", {}), "schedule": [timing]}}
