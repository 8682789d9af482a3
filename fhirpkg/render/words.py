"""FHIR's codes, concepts, people and times in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology.grammars import SNOMED_CT
from fhirpkg.definitions.terminology.systems import NAMES
from fhirpkg.languages.words import gettext

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

_NAMES = {SNOMED_CT: "SNOMED CT"}
_WORDS = {
    "before-start": "before the start of",
    "before-end": "before the end of",
    "concurrent-with-start": "at the start of",
    "concurrent": "during",
    "concurrent-with-end": "at the end of",
    "after-start": "after the start of",
    "after-end": "after the end of",
    "all": "all of these",
    "any": "any of these",
    "all-or-none": "all of these or none",
    "exactly-one": "exactly one of these",
    "at-most-one": "at most one of these",
    "one-or-more": "one or more of these",
    "could": "may be left out",
    "must": "must be done",
    "multiple": "may be done several times",
    "single": "done once",
}
"""R4's codes for how actions are related, chosen, required and repeated."""
MANY = {
    "s": "seconds", "min": "minutes", "h": "hours", "d": "days", "wk": "weeks", "mo": "months",
    "a": "years",
}  # fmt: skip
"""UCUM's units of time behind a number of them."""


def behavior(code: str) -> str:
    """A code of an action's behaviour in words; the code itself where there are none."""
    return gettext(_WORDS[code]) if code in _WORDS else code


def coding(value: Resource) -> str:
    """A code as people write it: ``LOINC 58410-2``."""
    system = value.get("system", "")
    name = _NAMES.get(system) or NAMES.get(system) or system.rpartition("/")[2]
    return f"{name} {value.get('code', '')}".strip()


def concept(value: Resource) -> str:
    """A concept in words, with its codes in parentheses."""
    codings = [c for c in value.get("coding", []) if isinstance(c, dict)]  # whatever it claims
    codes = ", ".join(coding(item) for item in codings if not item.get("display"))
    words = value.get("text") or ", ".join(c["display"] for c in codings if c.get("display"))
    return f"{words} ({codes})" if words and codes else words or codes


def target(value: Resource) -> str:
    """What a goal is measured by, what is to be reached and by when."""
    parts = (concept(value.get(key, {})) for key in ("measure", "detailCodeableConcept"))
    due: Resource = value.get("dueDuration") or value.get("due") or {}
    return ", ".join(filter(None, [": ".join(filter(None, parts)), within(due)]))


def within(due: Resource) -> str:
    """By when, as a Duration: ``within 24 weeks``; nothing without one."""
    if due.get("value") is None:
        return ""
    code = due.get("code") or due.get("unit", "")
    unit = gettext(MANY[code]) if code in MANY and due["value"] != 1 else due.get("unit", code)
    return gettext("within {count} {unit}", count=due["value"], unit=unit).strip()


def readable(text: str) -> str:
    """A text with powers of ten as people write them, not as UCUM does.

    >>> readable("below 50 10*9/L")
    'below 50 \u00d7 10\u2079/L'
    """
    return _POWER.sub(lambda found: f"{_TIMES} 10{found[1].translate(_RAISED)}", text)


_POWER = re.compile(r"(?<![\d.])10[*^](-?\d{1,2})(?!\d)")
_TIMES = "\u00d7"
_RAISED = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)


def role(participant: str) -> str:
    """A type of participant as people say it: ``Related person``; nothing for none."""
    return gettext(participant.replace("-", " ").capitalize())


def people(action: Resource) -> str:
    """Who takes part in an action."""
    found = (
        concept(item["role"]) if "role" in item else gettext(item["type"])
        for item in action.get("participant", [])
    )
    return "; ".join(dict.fromkeys(found))
