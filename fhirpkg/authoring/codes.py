"""Code systems by the names that authors use, and whether a code is one they can have."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology import grammars
from fhirpkg.definitions.terminology.grammars import CPT, ICD_10_CM, LOINC, SNOMED_CT
from fhirpkg.definitions.terminology.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.issues import Resource

SYSTEMS = {
    "CPT": CPT,
    "HCPCS": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "ICD-10-CM": ICD_10_CM,
    "LOINC": LOINC,
    "NUCC": "http://nucc.org/provider-taxonomy",
    "RoleCode": "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
    "SNOMED": SNOMED_CT,
}
"""The name that begins a code in procedure.yaml, and the url of its system."""


def codings(text: str) -> list[tuple[str, str]]:
    """The name of the system and each code of a text such as ``ICD-10-CM C41.0 C41.1``.

    >>> codings("LOINC 5902-2")
    [('LOINC', '5902-2')]
    """
    system, *found = text.split()
    return [(system, code) for code in found]


def problem(system: str, code: str) -> str:
    """What is wrong with a code by the grammar or the content of its system, or nothing.

    >>> problem("LOINC", "5902-3")
    "'5902-3' is no LOINC code: its check digit is wrong"
    """
    known = known_codes(SYSTEMS[system])
    if known:
        return "" if code in known else f"{system} has no code '{code}'"
    answer = grammars.check(SYSTEMS[system], code)
    return answer.reason if answer.verdict is Verdict.NO else ""


@functools.cache
def known_codes(url: str) -> frozenset[str]:
    """All codes of a system that the core definitions hold whole; else nothing."""
    found = Definitions.core().find(url, "CodeSystem") or {}
    return frozenset(_codes(found.get("concept", ())))


def _codes(concepts: Iterable[Resource]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", ()))
