"""What is known of codes: from FHIR's own definitions, packages, extras and files of users."""

from __future__ import annotations

import codecs
import csv
import functools
import gzip
import importlib.metadata
import importlib.resources
import io
import json
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.authoring.codes import Coding, problem
from fhirpkg.authoring.terms.words import likeness, stems
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.codesystems import CodeSystem
from fhirpkg.definitions.terminology.grammars import ICD_10_CM, LOINC, RXNORM, SNOMED_CT
from fhirpkg.definitions.terminology.systems import NAMES, SYSTEMS
from fhirpkg.errors import SourceError
from fhirpkg.languages.choosing import primary
from fhirpkg.packages.cache import PackageCache
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fhirpkg.issues import Resource
    from fhirpkg.packages.package import Package

GPS = "http://terminology.hl7.org/ValueSet/snomed-intl-gps"
"""The Global Patient Set of SNOMED CT, as HL7 publishes it."""
CORE = "FHIR R4"
_LICENCE_OF_CORE = "CC0; LOINC and SNOMED CT by their own"
_SHIPPED = "hl7.terminology.r4#7.0.1"
_OF_GPS = ("hl7.terminology.r4", "hl7.terminology", "hl7.terminology.r5")


class Known(NamedTuple):
    """What a source says of a code; `display` may be empty, `is_active` unknown (None)."""

    system: str
    code: str
    display: str = ""
    is_active: bool | None = None
    source: str = ""
    version: str = ""
    """The version of the system that the source has, where it says so."""
    designations: tuple[tuple[str, str], ...] = ()
    """Other names for it: a language, which may be empty, and the name."""

    def names(self, language: str) -> list[str]:
        """The names for it that are in a language, whatever its region."""
        wanted = primary(language)
        return [text for own, text in self.designations if own and primary(own) == wanted]


@dataclass(slots=True)
class Terms:
    """The codes of one source: a name, the systems it holds whole, its licence."""

    name: str
    codes: dict[tuple[str, str], Known] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    licence: str = ""
    absent: set[tuple[str, str]] = field(default_factory=set)
    """Codes that it was asked for and does not have."""

    def add(
        self,
        system: str,
        code: str,
        display: str,
        is_active: bool | None = None,
        version: str = "",
        designations: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Note a code; the first that is said of it stays."""
        others = tuple(designations)
        known = Known(system, code, display, is_active, self.name, version, others)
        self.codes.setdefault((system, code), known)


@dataclass(frozen=True, slots=True)
class Sources:
    """All available sources, asked in their order."""

    terms: tuple[Terms, ...]

    def find(self, system: str, code: str) -> Known | None:
        """What is known of a code, its activity where any source says it."""
        found = [known for each in self.terms if (known := each.codes.get((system, code)))]
        if not found:
            return None
        best = max(found, key=lambda known: bool(known.display))
        told = (known.is_active for known in found if known.is_active is not None)
        others = dict.fromkeys(each for known in found for each in known.designations)
        return best._replace(is_active=next(told, None), designations=tuple(others))

    def denied(self, system: str, code: str) -> str:
        """The name of a source that holds all codes of a system, but not this one; or nothing."""
        for each in self.terms:
            if (system, code) in each.absent or (
                system in each.whole and (system, code) not in each.codes
            ):
                return each.name
        return ""

    def search(
        self, words: str, *, systems: Iterable[str] = (), least: float = 0.4
    ) -> list[tuple[float, Known]]:
        """Codes whose display is like some words, the most alike first."""
        wanted, asked = stems(words), set(systems)
        found: dict[tuple[str, str], tuple[float, Known]] = {}
        for each in self.terms:
            for key, known in each.codes.items():
                if (asked and key[0] not in asked) or key in found or not known.display:
                    continue
                if (
                    wanted & stems(known.display)
                    and (score := likeness(words, known.display)) >= least
                ):
                    found[key] = (score, known)
        return sorted(found.values(), key=lambda pair: (-pair[0], pair[1].display, pair[1].code))


@functools.cache
def of_core(systems: frozenset[str] | None = None) -> Terms:
    """What FHIR R4 itself displays of some systems, or of all.

    Those are codes of LOINC, SNOMED CT and others in its value sets, then its own code systems.
    """
    terms = Terms(CORE, dict(_value_sets_of_core().codes), licence=_LICENCE_OF_CORE)
    definitions = Definitions.core()
    for entry in definitions.entries("CodeSystem"):
        if systems is None or entry.url in systems:
            _add(terms, definitions.find(entry.url, "CodeSystem") or {})
    return terms


@functools.cache
def _value_sets_of_core() -> Terms:
    """Read once for all procedures, whatever systems each of them uses."""
    definitions = Definitions.core()
    terms = Terms(CORE, licence=_LICENCE_OF_CORE)
    for entry in definitions.entries("ValueSet"):
        _add(terms, definitions.find(entry.url, "ValueSet") or {})
    return terms


def available(systems: Iterable[str] | None = None) -> list[Terms]:
    """The terms that need not be named: those of some systems, or of all.

    Those are FHIR R4, the Global Patient Set and the extra for ICD-10-CM.
    """
    wanted = None if systems is None else frozenset(systems)
    found: list[Terms | None] = [of_core(wanted)]
    found += [global_patient_set()] if wanted is None or SNOMED_CT in wanted else []
    found += [icd_10_cm()] if wanted is None or ICD_10_CM in wanted else []
    return [terms for terms in found if terms]


def of_package(package: Package) -> Terms:
    """The codes that a package's code systems and value sets display.

    Of hl7.terminology only the Global Patient Set has its name: other value sets there list codes
    of SNOMED CT that are not free.
    """
    terms = Terms(str(package.id))
    others = Terms(f"value sets of {package.id}") if package.id.name in _OF_GPS else terms
    for _, resource in package.resources():
        is_other = resource.get("resourceType") == "ValueSet" and resource.get("url") != GPS
        _add(others if is_other else terms, resource)
    terms.codes = {**others.codes, **terms.codes}
    return terms


def _add(terms: Terms, resource: Resource) -> None:
    if resource.get("resourceType") == "CodeSystem" and resource.get("content") == "complete":
        system = CodeSystem(resource)
        own = text_of(resource, "language")
        for concept in system.concepts.values():
            others = [(language, text) for text, language in concept.designations]
            others += [(own, concept.display)] if own else []
            is_active = not concept.is_inactive
            terms.add(system.url, concept.code, concept.display, is_active, "", others)
        terms.whole |= {system.url}
    elif resource.get("resourceType") == "ValueSet":
        compose = resource.get("compose")
        for include in objects(compose, "include") if isinstance(compose, dict) else ():
            for each in objects(include, "concept"):
                code, display = text_of(each, "code"), text_of(each, "display")
                others = designations(each)
                terms.add(text_of(include, "system"), code, display, None, "", others)


def designations(concept: Resource) -> list[tuple[str, str]]:
    """The language and the text of each designation that an element has."""
    found = objects(concept, "designation")
    return [(text_of(each, "language"), text_of(each, "value")) for each in found]


@functools.cache
def global_patient_set() -> Terms:
    """SNOMED's Global Patient Set: out of an installed hl7.terminology, else the list shipped."""
    cache = PackageCache()
    for id_ in (id_ for name in _OF_GPS for id_ in reversed(cache.installed()) if id_.name == name):
        file = cache.folder / str(id_) / "package" / "ValueSet-snomed-intl-gps.json"
        if file.is_file():
            terms = Terms(str(id_), licence="CC BY 4.0, as stated there")
            _add(terms, json.loads(file.read_bytes()))
            return terms
    return _shipped()


def _shipped() -> Terms:
    """Codes and names of the list in hl7.terminology.r4#7.0.1: the release of September 2020.

    SNOMED International gives them under CC BY 4.0.
    """
    terms = Terms(_SHIPPED, licence="CC BY 4.0, SNOMED International")
    data = importlib.resources.files(__package__).joinpath("gps.tsv.gz").read_bytes()
    for line in gzip.decompress(data).decode().splitlines():
        code, _, display = line.partition("\t")
        terms.add(SNOMED_CT, code, display)
    return terms


@functools.cache
def icd_10_cm() -> Terms | None:
    """ICD-10-CM, where the extra `codes` is installed; it takes seconds to load."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks setuptools for its files in an old way
            package = importlib.import_module("simple_icd_10_cm")
    except ImportError:
        return None
    name = f"simple-icd-10-cm {importlib.metadata.version('simple-icd-10-cm')}"
    terms = Terms(name, whole=frozenset((ICD_10_CM,)), licence="public domain (CMS)")
    for code in package.get_all_codes(with_dots=True):
        if not package.is_chapter_or_block(code):
            terms.add(ICD_10_CM, code, package.get_description(code))
    return terms


_COLUMNS = {
    "code": ("code", "loincnum", "rxcui", "conceptid", "id", "cptcode"),
    "display": ("display", "longcommonname", "str", "fsn", "term", "name", "description"),
    "status": ("status", "active", "suppress", "inactive"),
}
"""Headings in small letters, spaces and other marks left out: exact first, else as an ending."""
_GONE = frozenset("deprecated discouraged inactive retired 0 o e false no n".split())
_TRUE = frozenset("1 true yes y inactive o e".split())


def of_file(file: Path, system: str = "") -> Terms:
    """A user's own file: code and display by tab, comma or semicolon, with or without headings.

    `system` is the name of the system; LOINC's own file and files of SNOMED's are known by their
    headings. Raises SourceError when it cannot be read or has no code.
    """
    rows = _rows(file)
    heads = [re.sub(r"[\s_-]+", "", cell).lower() for cell in rows[0]] if rows else []
    at = {name: _column(heads, *names) for name, names in _COLUMNS.items()}
    has_heads = at["code"] >= 0
    url = SYSTEMS[system].url if system in SYSTEMS else system or _system_of(heads)
    if not url:
        advice = f"name it before the file: SYSTEM={file.name}; known systems: {', '.join(SYSTEMS)}"
        raise SourceError(
            str(file), "it does not say which code system its codes belong to", advice
        )
    columns = (at["code"], at["display"], at["status"]) if has_heads else (0, 1, 2)
    says_gone = has_heads and heads[at["status"]] in ("inactive", "suppress")
    terms = Terms(file.name, licence="yours")
    for row in rows[has_heads:]:
        code, display, status = (
            row[column].strip() if 0 <= column < len(row) else "" for column in columns
        )
        if code:
            gone = status.lower() in (_TRUE if says_gone else _GONE)
            terms.add(url, code, display, (not gone) if status else None)
    if not any(not problem(Coding(url, code, "1")) for _, code in terms.codes):
        found = f"'{next(iter(terms.codes))[1]}'" if terms.codes else "nothing"
        advice = f"write code and display into its first two columns; found {found} for a code"
        raise SourceError(str(file), f"it has no code of {NAMES.get(url, url)}", advice)
    return terms


def _rows(file: Path) -> list[list[str]]:
    """The rows of a file that have cells, of what Excel writes too: `sep=;`, UTF-16."""
    try:
        content = file.read_bytes()
        is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except OSError as error:
        raise SourceError(str(file), f"it cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        advice = "save it as text in UTF-8; Excel calls that 'CSV UTF-8'"
        raise SourceError(str(file), "it is not text in UTF-8", advice) from error
    text = text.lstrip("\r\n")
    first, _, rest = text.partition("\n")
    said = re.fullmatch(r"sep=(.)\s*", first)
    delimiter = said[1] if said else max("\t;,", key=lambda each: (first.count(each), each == "\t"))
    try:
        rows = list(csv.reader(io.StringIO(rest if said else text), delimiter=delimiter))
    except csv.Error as error:
        raise SourceError(str(file), f"it is not a table ({error})") from error
    return [row for row in rows if any(map(str.strip, row))]


def _column(heads: list[str], *names: str) -> int:
    """The place of the column that has one of some headings, the first of them first; else -1."""
    exact = (at for name in names for at, head in enumerate(heads) if head == name)
    ending = (at for name in names[:1] for at, head in enumerate(heads) if head.endswith(name))
    return next(iter((*exact, *ending, -1)))


def _system_of(heads: list[str]) -> str:
    if "loincnum" in heads:
        return LOINC
    if "rxcui" in heads:
        return RXNORM
    return SNOMED_CT if {"conceptid", "fsn"} & set(heads) else ""
