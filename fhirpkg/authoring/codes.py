"""The codes of procedure.yaml: what a line of them says, and what is wrong with it.

A line is the name of a system and codes (``SNOMED 12584003``), a code with the version of its
system (``OPS 1-650.2|2026``), or the url of any system and a code (``https://example.org/cs|A1``).
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology import grammars
from fhirpkg.definitions.terminology.systems import BY_URL, NAMES, SYSTEMS
from fhirpkg.definitions.terminology.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.issues import Resource


class Coding(NamedTuple):
    """A code with the url of its system, and the version of it when that is said."""

    system: str
    code: str
    version: str = ""

    def element(self) -> Resource:
        """The Coding of FHIR, without a display."""
        found = {"system": self.system, "version": self.version, "code": self.code}
        return {name: value for name, value in found.items() if value}


@functools.lru_cache(maxsize=5000)
def codings(line: str) -> tuple[Coding, ...]:
    """The codes of a line that :func:`problem_of_line` finds nothing wrong with.

    >>> codings("ICD-10-CM C41.0 C41.1")[1].code
    'C41.1'
    >>> codings("https://example.org/cs|A1")
    (Coding(system='https://example.org/cs', code='A1', version=''),)
    """
    name, *found = words_of(line)
    if name in SYSTEMS:
        parts = [code.partition("|") for code in found]
        return tuple(Coding(SYSTEMS[name].url, code, version) for code, _, version in parts)
    url, _, code = name.rpartition("|")
    return (Coding(url, code),)


def words_of(line: str) -> list[str]:
    """The system and the codes of a line; SNOMED is also written as SNOMED CT.

    >>> words_of("SNOMED CT 12584003")
    ['SNOMED', '12584003']
    """
    return re.sub(r"^SNOMED CT\b", "SNOMED", line.strip()).split()


def is_url_and_code(line: str) -> bool:
    """Whether a line has the form ``url|code``."""
    return bool(re.fullmatch(r"(https?://|urn:)[^\s|]+\|[^\s|]+", line))


def problem(coding: Coding) -> str:
    """What is wrong with a code by the grammar or the content of its system, or nothing.

    >>> problem(Coding("http://loinc.org", "5902-3"))
    "'5902-3' is no LOINC code: its check digit is wrong"
    """
    url, code = coding.system, coding.code
    name = NAMES.get(url, url)
    known = known_codes(url)
    if known:
        return "" if code in known else f"{name} has no code '{code}'"
    system = BY_URL.get(url)
    if system and system.pattern and not re.fullmatch(system.pattern, code, re.ASCII):
        return f"'{code}' is not a code of {name}: write {system.form}"
    if system and system.needs_version and not coding.version:
        return f"'{code}' needs the year of {name}, such as '{code}|2026'"
    answer = grammars.check(url, code)
    return answer.reason if answer.verdict is Verdict.NO else ""


def problem_of_line(line: str) -> str:
    """What is wrong with a line of a system and its codes, or nothing.

    >>> problem_of_line("CPT 43235"), problem_of_line("43235")[:36]
    ('', "'43235' does not begin with a system")
    """
    if is_url_and_code(line):
        return problem(*codings(line))
    system, *found = words_of(line) or [""]
    if system not in SYSTEMS or not found:
        known = ", ".join(SYSTEMS)
        return f"'{line}' does not begin with a system, as 'CPT 43235' does (known: {known})"
    return next(filter(None, map(problem, codings(line))), "")


@functools.cache
def known_codes(url: str) -> frozenset[str]:
    """All codes of a system that the core definitions hold whole; else nothing."""
    found = Definitions.core().find(url, "CodeSystem") or {}
    if found.get("content") not in (None, "complete"):
        return frozenset()
    return frozenset(_codes(found.get("concept", ())))


def _codes(concepts: Iterable[Resource]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", ()))
