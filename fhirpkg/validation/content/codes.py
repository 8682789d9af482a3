"""Codes in our own content: valid in systems that are known, with the notices of their owners."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology import grammars
from fhirpkg.definitions.terminology.grammars import CPT, SNOMED_CT
from fhirpkg.definitions.terminology.systems import BY_URL, NAMES, SYSTEMS
from fhirpkg.definitions.terminology.verdicts import Verdict
from fhirpkg.untrusted import objects
from fhirpkg.validation.content.documents import attachment_of
from fhirpkg.validation.content.rules import (
    CONTENT_CODE,
    CONTENT_CODING,
    CONTENT_CPT_DISPLAY,
    CONTENT_ICD_10_CM,
    CONTENT_NOTICE,
    CONTENT_SYSTEM,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json, Path, Resource
    from fhirpkg.validation.run import Run


_ICD_10 = SYSTEMS["ICD-10"].url
_TOO_LONG_FOR_ICD_10 = re.compile(r"[A-LN-RU-Z]\w\w\.\w\w+")
"""The WHO has a second digit after the point in bones, injuries and poisonings (M, S, T) alone."""


def check_codes(
    resource: Resource, codes: list[tuple[Path, Resource]], path: Path, run: Run
) -> None:
    """No display on CPT; systems that are known and can have the code; ICD-10-CM by its url."""
    in_us = "US" in str(resource.get("jurisdiction"))
    for place, coding in codes:
        if "meta" in place[len(path) :][:1]:
            continue
        if coding["system"] == CPT and "display" in coding:
            run.report(CONTENT_CPT_DISPLAY, (*place, "display"), display=coding["display"])
        if (
            coding["system"] == _ICD_10
            and in_us
            and _TOO_LONG_FOR_ICD_10.fullmatch(str(coding["code"]))
        ):
            run.report(CONTENT_ICD_10_CM, (*place, "system"), code=coding["code"])
        _check_code(coding["system"], coding["code"], place, place, run)
    for place, include in _includes(resource, path):
        for at, concept in enumerate(objects(include, "concept")):
            system, code = str(include.get("system")), concept.get("code")
            _check_code(system, code, place, (*place, "concept", at), run)


def _check_code(system: str, code: Json, place: Path, place_of_code: Path, run: Run) -> None:
    """A code can be one of its system, and the system is known."""
    if meant := _misspelt(system, run):
        run.report(CONTENT_SYSTEM, (*place, "system"), system=system, meant=meant)
    elif isinstance(code, str):
        answer = grammars.check(system, code)
        problem = answer.reason if answer.verdict is Verdict.NO else ""
        if system == SNOMED_CT and not code.isdigit():
            problem = (
                f"'{code}' is not a SNOMED CT id"  # an expression is not a code in our content
            )
        if problem:
            run.report(CONTENT_CODE, (*place_of_code, "code"), problem=problem)


def _misspelt(system: str, run: Run) -> str:
    """The system that was meant by one that nearly is it; nothing for one that is its own.

    Anybody may have a code system, so one that is not known is wrong only by its likeness.
    """
    if system in BY_URL or grammars.check(system, "").verdict is Verdict.NO:
        return ""
    if system.startswith(_FAMILY) or run.definitions.find(system, "CodeSystem") is not None:
        return ""
    known = (*BY_URL, grammars.ISO_3166, grammars.UCUM)
    if cut_short := next((url for url in known if url.startswith(system)), ""):
        return cut_short
    close = difflib.get_close_matches(system, known, n=1, cutoff=0.94)
    return close[0] if close else ""


_FAMILY = "http://hl7.org/fhir/sid/"
"""Below it FHIR has systems for many countries, whose urls differ by a letter or two."""


def check_codings(concept: Resource, place: Path, run: Run) -> None:
    """Each coding of a concept has a code, and says which system it is of."""
    for at, coding in enumerate(objects(concept, "coding")):
        missing = [key for key in ("system", "code") if key not in coding]
        if missing:
            run.report(CONTENT_CODING, (*place, "coding", at), missing=" and ".join(missing))


def _includes(resource: Resource, path: Path) -> Iterator[tuple[Path, Resource]]:
    compose = resource.get("compose")
    for at, include in enumerate(objects(compose, "include")):
        yield (*path, "compose", "include", at), include


def check_notices(
    resource: Resource, codes: list[tuple[Path, Resource]], path: Path, run: Run
) -> None:
    """Each code system that is used and whose owner asks for a notice has one."""
    used = {coding["system"] for _, coding in codes}
    systems = [include.get("system") for _, include in _includes(resource, ())]
    used |= {system for system in systems if isinstance(system, str)}
    if resource["resourceType"] == "DocumentReference":
        data = attachment_of(resource)[1]  # R4 has no element for it: the document itself says it
        text, place = (data or b"").decode(errors="replace"), ("content",)
    else:
        text, place = str(resource.get("copyright", "")), ("copyright",)
    for url, system in BY_URL.items():
        if url in used and system.owner not in text:
            run.report(CONTENT_NOTICE, (*path, *place), system=NAMES[url], owner=system.owner)
