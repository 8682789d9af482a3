"""The codes in a value of any type that can be bound (R4 terminologies.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.issues import Json

Code = tuple[str | None, str]
"""System and code; no system for an element of type `code`, where the value set implies it."""


def is_member(x: Json, value_set: str, terminology: Terminology) -> bool | None:
    """Whether one of the codes of a value is in a value set; None when it is unknown."""
    verdicts = {
        terminology.membership(value_set, code, system).verdict for system, code in codes_of(x)
    }
    if Verdict.YES in verdicts:
        return True
    return None if Verdict.UNKNOWN in verdicts else False


def codes_of(x: Json) -> Iterator[Code]:
    """The codes in a value of any type that can be bound."""
    if isinstance(x, str):
        yield None, x
    elif isinstance(x, dict):
        if isinstance(x.get("coding"), list):
            for coding in x["coding"]:
                yield from codes_of(coding)
        elif isinstance(x.get("code"), str):
            system = x.get("system")
            yield system if isinstance(system, str) else "", x["code"]
