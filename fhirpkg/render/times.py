"""Quantities and times in words, in the language that is spoken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.languages.words import gettext
from fhirpkg.render import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Resource

EACH = {
    "s": "a second", "min": "a minute", "h": "an hour", "d": "a day", "wk": "a week",
    "mo": "a month", "a": "a year",
}  # fmt: skip
"""UCUM's units of time behind a number of times."""
DAYS = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday",
    "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip
EVENTS = {
    "MORN": "in the morning", "AFT": "in the afternoon", "EVE": "in the evening",
    "NIGHT": "at night", "PHS": "after going to sleep", "HS": "at bedtime", "WAKE": "on waking",
    "C": "with meals", "CM": "with breakfast", "CD": "with lunch", "CV": "with dinner",
    "AC": "before meals", "ACM": "before breakfast", "ACD": "before lunch", "ACV": "before dinner",
    "PC": "after meals", "PCM": "after breakfast", "PCD": "after lunch", "PCV": "after dinner",
}  # fmt: skip


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
        return gettext("{low} to {high}", low=low.get("value"), high=quantity(high))
    if low:
        return gettext("at least {amount}", amount=quantity(low))
    return gettext("at most {amount}", amount=quantity(high)) if high else ""


def period(value: Resource) -> str:
    """From when until when."""
    start, end = value.get("start"), value.get("end")
    if start and start == end:
        return gettext("on {day}", day=start)
    since = gettext("from {day}", day=start) if start else ""
    until = gettext("until {day}", day=end) if end else ""
    return " ".join(filter(None, (since, until)))


def schedule(value: Resource) -> str:
    """A Timing: ``twice a day after meals for 5 days``; its code says all of it but the bounds."""
    repeat: Resource = value.get("repeat", {})
    if said := words.concept(value.get("code") or {}):
        return f"{said} {_bounds(repeat)}".strip()
    lasts = lasting(repeat)
    parts = [
        ", ".join(gettext("on {day}", day=moment) for moment in value.get("event", ())),
        _frequency(repeat),
        ", ".join(gettext("at {time}", time=time) for time in repeat.get("timeOfDay", ())),
        ", ".join(gettext("on {day}", day=_day(day)) for day in repeat.get("dayOfWeek", ())),
        f" {gettext('or')} ".join(_event(code, repeat) for code in repeat.get("when", ())),
        gettext("lasting {time}", time=lasts) if lasts else "",
        _counted(repeat),
        _bounds(repeat),
    ]
    return " ".join(filter(None, parts))


def lasting(repeat: Resource) -> str:
    """How long each time takes: ``1 to 2 h``."""
    if "duration" not in repeat:
        return ""
    return f"{_upto(repeat, 'duration')} {repeat.get('durationUnit', '')}".strip()


def _frequency(repeat: Resource) -> str:
    if not {"frequency", "period", "periodUnit"} & set(repeat):
        return ""
    number = _upto(repeat, "frequency")
    few = {"1": gettext("once"), "2": gettext("twice")}
    times = few.get(number) or gettext("{count} times", count=number)
    if "period" not in repeat:
        return times
    unit = str(repeat.get("periodUnit", ""))
    every = _upto(repeat, "period")
    if every == "1":
        return f"{times} {gettext(EACH.get(unit, f'a {unit}'))}"
    often = gettext("every {count} {unit}", count=every, unit=gettext(words.MANY.get(unit, unit)))
    return f"{times} {often}"


def _upto(repeat: Resource, key: str) -> str:
    least, most = repeat.get(key, 1), repeat.get(f"{key}Max")
    return f"{least}" if most is None else gettext("{low} to {high}", low=least, high=most)


def _day(code: str) -> str:
    return gettext(DAYS.get(code, code))


def _event(code: str, repeat: Resource) -> str:
    offset = repeat.get("offset")
    named = gettext(EVENTS.get(code, code))
    return f"{offset} {gettext('minutes')} {named}" if offset else named


def _counted(repeat: Resource) -> str:
    return (
        gettext("{count} times in all", count=_upto(repeat, "count")) if "count" in repeat else ""
    )


def _bounds(repeat: Resource) -> str:
    if "boundsDuration" in repeat:
        return gettext("for {time}", time=quantity(repeat["boundsDuration"]))
    if "boundsRange" in repeat:
        return gettext("for {time}", time=span(repeat["boundsRange"]))
    return period(repeat.get("boundsPeriod", {}))


def timed(element: Resource, name: str) -> str:
    """A choice of times (`timing[x]`, `occurrence[x]` …) in words; nothing when there is none."""
    for type_, maker in _MAKERS.items():
        if f"{name}{type_}" in element:
            return maker(element[f"{name}{type_}"])
    return ""


_MAKERS: dict[str, Callable[[Any], str]] = {
    "DateTime": lambda value: gettext("on {day}", day=value),
    "Period": period,
    "Timing": schedule,
    "Age": lambda value: gettext("at the age of {age}", age=quantity(value)),
    "Duration": quantity,
    "Range": span,
    "String": str,
}
"""How each type of a choice of times is said."""
