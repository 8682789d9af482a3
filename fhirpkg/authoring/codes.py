"""Code systems by the names that authors use, and whether a code is one they can have."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.definitions.definitions import Definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.issues import Resource

CPT = "http://www.ama-assn.org/go/cpt"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """One code system: its url, the form of its codes and the check on their digits."""

    url: str
    pattern: str = ""
    check: Callable[[str], bool] | None = None

    def problem(self, code: str) -> str:
        """What is wrong with a code, or nothing."""
        if self.pattern and not re.fullmatch(self.pattern, code):
            return "it does not have the form of one"
        if self.check and not self.check(code):
            return "its check digit is wrong"
        return ""


def _verhoeff(code: str) -> bool:
    """Whether the check digit of a SNOMED CT id is right (Verhoeff's dihedral check)."""
    interim = 0
    for place, digit in enumerate(map(int, reversed(code))):
        for _ in range(place % 8):
            digit = _PERMUTATION[digit]  # noqa: PLW2901 - the permutation is applied repeatedly
        interim = _dihedral(interim, digit)
    return interim == 0


_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _dihedral(one: int, other: int) -> int:
    """The product of two elements of the dihedral group of ten."""
    if one < 5:
        return (one + other) % 5 + 5 * (other >= 5)
    return (one - other) % 5 + 5 * (other < 5)


def _mod_10(code: str) -> bool:
    """Whether the check digit of a LOINC code is right (mod 10, Luhn)."""
    doubled = [int(digit) for digit in code.replace("-", "")[::-1]]
    for place in range(1, len(doubled), 2):
        doubled[place] = sum(divmod(doubled[place] * 2, 10))
    return sum(doubled) % 10 == 0


SYSTEMS = {
    "CPT": CodeSystem(CPT, r"\d{4}[0-9A-Z]"),
    "HCPCS": CodeSystem("http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", r"[A-V]\d{4}"),
    "ICD-10-CM": CodeSystem(
        "http://hl7.org/fhir/sid/icd-10-cm", r"[A-TV-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?"
    ),
    "LOINC": CodeSystem(LOINC, r"\d{1,7}-\d", _mod_10),
    "NUCC": CodeSystem("http://nucc.org/provider-taxonomy", r"[0-9A-Z]{9}X"),
    "RoleCode": CodeSystem("http://terminology.hl7.org/CodeSystem/v3-RoleCode"),
    "SNOMED": CodeSystem(SNOMED, r"[1-9]\d{5,17}", _verhoeff),
}
"""The name that begins a code in procedure.yaml, and the system behind it."""


@functools.cache
def known_codes(system: str) -> frozenset[str]:
    """All codes of a system that the core definitions hold whole; else nothing."""
    if SYSTEMS[system].pattern:
        return frozenset()
    found = Definitions.core().find(SYSTEMS[system].url, "CodeSystem") or {}
    return frozenset(_codes(found.get("concept", ())))


def _codes(concepts: Iterable[Resource]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", ()))


def codings(text: str) -> list[tuple[str, str]]:
    """The name of the system and each code of a text such as ``ICD-10-CM C41.0 C41.1``.

    >>> codings("LOINC 5902-2")
    [('LOINC', '5902-2')]
    """
    system, *found = text.split()
    return [(system, code) for code in found]
