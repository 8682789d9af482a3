"""What a fact says so plainly that a key of procedure.yaml can hold it, and what is left to ask.

A rule that is not sure gives a `todo` and no key. Nothing is computed: a number is the source's,
written as a figure where the source writes a word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.authoring.drafting.headings import FIGURES
from fhirpkg.authoring.drafting.monograph import sentences

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.authoring.drafting.monograph import Fact

Keys = dict[str, object]
Read = tuple[Keys, list[str]]
"""Keys with their values, and what is left to do."""

_FIGURES = {word: str(number) for number, word in enumerate(FIGURES, 1)} | {"a": "1", "an": "1"}
_UNITS = {
    "second": "s", "sec": "s", "minute": "min", "min": "min", "hour": "h", "hr": "h", "h": "h",
    "day": "d", "d": "d", "week": "wk", "wk": "wk", "month": "mo", "year": "a",
}  # fmt: skip
_FIGURE = rf"(?:\d+(?:\.\d+)?|\b(?:{'|'.join(_FIGURES)})\b)"
_SPAN = re.compile(
    rf"(?P<bound>\b(?:less than|under|up to|at most|no more than|at least|more than|over|until"
    rf"|fewer than|within|about half)\s+)?(?:about|around|approximately|roughly|some)?\s*"
    rf"(?P<least>{_FIGURE})(?:\s*(?:-|–|to|or)\s*(?P<most>{_FIGURE}))?[\s-]*"
    rf"(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})s?\b",
    re.IGNORECASE,
)
_UPPER = ("less than", "under", "up to", "at most", "no more than", "fewer than")
_LOWER = ("at least", "more than", "over")
_LISTED = re.compile(r"\bat ((?:\d+, )*\d+,? and \d+) (weeks|months|years)\b", re.IGNORECASE)
_DAY_BEFORE = {
    "the day before": "1 d before",
    "the evening before": "1 d before in the evening",
    "the night before": "1 d before at night",
}
_CLOCK = re.compile(r"\d\s*[ap]\.?\s?m\b|\d:\d\d|\bo'clock\b|\bnoon\b|\bmidnight\b", re.IGNORECASE)
_DAY_TIMES = ("at night", "in the morning", "in the evening", "at bedtime", "with meals")
_AMOUNT = r"(?<![\d.,/])(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)"
_DOSE = re.compile(
    rf"(?P<before>[A-Za-z][a-z-]{{3,}})?\s*\b(?P<least>{_AMOUNT})(?:\s*(?:-|–|to)\s*"
    rf"(?P<most>{_AMOUNT}))?\s*(?P<unit>mg/kg|mg/m2|mg|mcg|µg|micrograms?|IU)\b"
    r"(?P<rate>\s*/|\s+(?:per|an?|every|each|for each)\s+"
    r"(?:kg|kilo\w*|h|hours?|min|minutes?|m2|lit\w+)\b)?"
    r"(?:\s+(?:of\s+)?(?P<after>[a-z][a-z-]{4,}))?"
)
"""An amount of a medicine; with `rate` it is one for each kilogram or hour, and no dose."""
_BOUND = re.compile(
    r"(?:\b(?:at most|at least|up to|no more than|not more than|less than|more than|maximum(?: of)?"
    r"|max\.?|over|under|above|below|exceed\w*)|[<>≤≥])\s*$",
    re.IGNORECASE,
)
_DOSE_UNITS = {"mcg": "ug", "µg": "ug", "microgram": "ug", "micrograms": "ug", "IU": "[IU]"}
_NO_MEDICINE = frozenset(
    "take with than about after before give dose dose: each least most from and once twice daily "
    "intravenous intravenously subcutaneous orally every times hours".split()
)
_OFTEN = re.compile(
    r"\b(once|twice|\d times|three times|four times)(?: a day| daily| per day)\b", re.IGNORECASE
)
_ODDS = re.compile(
    r"(?P<bound>(?:up to|less than|fewer than|more than|over|under|at least)\s+)?"
    r"(?:(?P<one>\d+(?:-\d+)?|one) in (?P<many>\d[\d,]*)"
    r"|(?P<least>\d+(?:\.\d+)?)(?:\s*(?:-|–|to)\s*(?P<most>\d+(?:\.\d+)?))?"
    r"\s*(?:%|percent|per cent))",
    re.IGNORECASE,
)
_HOW_RARE = re.compile(r"\b(very rare|very common|rare|uncommon|common)\b", re.IGNORECASE)
_CONDITION = re.compile(r"\b(if|when|unless|in case of|in patients|in those|where needed)\b")


def read_keys(fact: Fact) -> Read:
    """The keys that a fact fills by itself, and what is left to do with it."""
    reader = _READERS.get(fact.section)
    keys, todo = reader(fact) if reader else ({}, [])
    is_one = fact.section not in _LISTS or len(sentences(fact.text)) + fact.text.count("; ") < 2
    if not is_one:  # nobody knows which of the things that it says a key would belong to
        keys = {key: value for key, value in keys.items() if key == "strength"}
    if fact.lead:
        todo.append(f"read it with line {fact.lead_line}, which introduces it")
    if not is_one:
        todo.append("it may say several things: split it")
    return keys, todo


def _duration(fact: Fact) -> Read:
    found = list(_SPAN.finditer(fact.text))
    if len(found) != 1:
        return {}, ["takes: how long" if not found else "takes: several times are named"]
    bound = (found[0]["bound"] or "").strip().lower()
    sign = "< " if bound in _UPPER else "> " if bound in _LOWER else ""
    return {"takes": sign + _span(found[0])}, []


def _action(fact: Fact) -> Read:
    keys, todo = _medicine(fact.text)
    moments, open_ = _moments(fact)
    keys |= moments
    todo += open_
    if _CONDITION.search(fact.text):
        todo.append("only-if: it has a condition")
    return keys, todo


def _medicine(text: str) -> Read:
    found = list(_DOSE.finditer(text))
    if not found:
        return {}, []
    if len(found) > 1:
        return {}, ["kind: a medicine with several doses"]
    dose = found[0]
    if dose["rate"] or _BOUND.search(text[: dose.start("least")]):
        return {}, ["kind: a medicine with a rate or a bound for a dose"]
    number = "-".join(n.replace(",", "") for n in (dose["least"], dose["most"]) if n)
    keys: Keys = {"kind": "medicine"}
    names = [dose["before"], dose["after"]]
    name = next((n for n in names if n and n.lower() not in _NO_MEDICINE), None)
    if name:
        keys["medicine"] = name
    keys["dose"] = f"{number} {_DOSE_UNITS.get(dose['unit'], dose['unit'])}"
    if often := _OFTEN.search(text):
        count = often[1].lower().replace("three", "3").replace("four", "4")
        keys["how-often"] = f"{count} daily"
    return keys, ["medicine: is this the one, and its code"]


def _moments(fact: Fact) -> Read:
    """When an action before or after the procedure is done."""
    if fact.section == "steps":
        return {}, []
    text = fact.text
    if listed := _LISTED.search(text):
        unit = _UNITS[listed[2].lower().rstrip("s")]
        numbers = re.findall(r"\d+", listed[1])
        return {"when": [f"{number} {unit} {_side(fact)}" for number in numbers]}, []
    if _CLOCK.search(text):
        return {}, ["when: it names a time of the clock"]
    spans = list(_SPAN.finditer(text))
    day = next((moment for words, moment in _DAY_BEFORE.items() if words in text.lower()), "")
    times = [words for words in _DAY_TIMES if words in text.lower()]
    if len(spans) + bool(day) > 1 or len(times) > 1:
        return {}, ["when: it names several times"]
    if day:
        return {"when": day}, []
    keys = _moment(fact, spans[0]) if spans else {}
    if times and "when" not in keys:
        keys["when"] = times[0]
    return keys, ["when: it names a time"] if spans and not keys.keys() & {
        "when",
        "for",
        "every",
    } else []


def _side(fact: Fact) -> str:
    return "before" if fact.section == "preparation" else "after"


def _moment(fact: Fact, span: re.Match[str]) -> Keys:
    """The key that one span of time fills, by the words around it."""
    bound = (span["bound"] or "").strip().lower()
    head, tail = (
        fact.text[: span.start()].lower().rstrip(),
        fact.text[span.end() :].lower().lstrip(),
    )
    if bound == "within" and fact.section == "recovery":
        return {"when": f"within {_span(span)} after"}
    if bound:
        return {}
    if re.search(r"\bevery$", head):
        return {"every": _span(span)}
    if fact.section == "preparation":
        if re.match(r"(before|prior|beforehand|in advance)\b", tail):
            return {"when": f"{_span(span)} before"}
        fasts = re.search(r"\b(nothing|no|not|fast|fasting)\b", head) and head.endswith(" for")
        return {"when": f"from {_span(span)} before"} if fasts and not tail.strip(".") else {}
    if head.endswith("after") or re.match(r"(after|later)\b", tail):
        return {"when": f"{_span(span)} after"}
    return {"for": _span(span)} if head.endswith(" for") and not tail.strip(".") else {}


def _risk(fact: Fact) -> Read:
    found = list(_ODDS.finditer(fact.text))
    if len(found) > 1:
        return {}, ["how-often: it names several"]
    if found:
        return _odds(found[0])
    words = _HOW_RARE.findall(fact.text)
    if len(words) == 1 and not re.search(r"\b(not|more|less|most)\b", fact.text):
        return {"how-often": words[0].lower()}, []
    return {}, []


def _odds(found: re.Match[str]) -> Read:
    bound = (found["bound"] or "").strip().lower()
    if found["many"]:
        if bound:
            return {}, ["how-often: it names a bound"]
        return {"how-often": f"{found['one'].replace('one', '1')} in {found['many']}"}, []
    number = "-".join(filter(None, (found["least"], found["most"])))
    sign = (
        "< " if bound in ("less than", "under") else "> " if bound in ("more than", "over") else ""
    )
    return ({}, ["how-often: it names a bound"]) if bound and not sign else (
        {"how-often": f"{sign}{number} %"}, [])  # fmt: skip


def _person(fact: Fact) -> Read:
    todo = ["one-of: it names people of whom one is needed"] if " or " in fact.text else []
    if _CONDITION.search(fact.text):
        todo.append("only: the step that they are needed for")
    return {}, todo


def _against(fact: Fact) -> Read:
    around = f"{fact.heading} {fact.lead} {fact.text.partition(':')[0]}".lower()
    found = [word for word in ("absolute", "relative") if re.search(rf"\b{word}", around)]
    if not found and "caution" in around and "contra" not in around:
        found = ["caution"]
    return ({"strength": found[0]} if len(found) == 1 else {}), []


def _span(found: re.Match[str]) -> str:
    numbers = [_FIGURES.get(n.lower(), n) for n in (found["least"], found["most"]) if n]
    return f"{'-'.join(numbers)} {_UNITS[found['unit'].lower()]}"


_READERS: dict[str, Callable[[Fact], Read]] = {
    "contraindications": _against,
    "duration": _duration,
    "personnel": _person,
    "preparation": _action,
    "recovery": _action,
    "risks": _risk,
    "steps": _action,
}
_LISTS = frozenset((
    "indications", "contraindications", "preparation", "steps", "risks", "benefits", "recovery",
    "alternatives",
))  # fmt: skip
