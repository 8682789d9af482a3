"""Names and their codes against what the sources know of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.authoring.checking.walking import mapping, named, parts, texts
from fhirpkg.authoring.codes import Coding, codings, is_url_and_code, words_of
from fhirpkg.authoring.rules import (
    CODE_DISPLAY_DIFFERS,
    CODE_INACTIVE,
    CODE_KIND,
    CODE_LANGUAGE,
    CODE_NOT_VERIFIED,
    CODE_UNKNOWN,
)
from fhirpkg.authoring.terms.sources import CORE, Sources, available
from fhirpkg.authoring.terms.words import likeness, tag, untagged
from fhirpkg.definitions.terminology.grammars import CPT, SNOMED_CT
from fhirpkg.definitions.terminology.systems import NAMES, SYSTEMS, written
from fhirpkg.languages.choosing import primary
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.authoring.checking.walking import Data
    from fhirpkg.authoring.source import Source
    from fhirpkg.authoring.terms.sources import Known, Terms
    from fhirpkg.issues import Path

_PROBLEM, _DONE, _PERSON, _SITE = "a diagnosis or finding", "a procedure", "a person", "a site"
_PLACE, _MEDICINE, _THING, _VALUE = (
    "a place",
    "a medicine",
    "a device or material",
    "an observation",
)

_TAGS = {
    _PROBLEM: ("disorder", "finding", "situation", "event", "morphologic abnormality"),
    _DONE: ("procedure", "regime/therapy", "situation"),
    _PERSON: ("occupation", "person"),
    _SITE: ("body structure", "cell structure", "morphologic abnormality"),
    _PLACE: ("environment", "environment / location"),
    _MEDICINE: (
        "substance", "product", "medicinal product", "clinical drug", "medicinal product form",
    ),
    _THING: ("physical object", "product", "substance"),
    _VALUE: ("observable entity", "procedure", "regime/therapy"),
}  # fmt: skip
"""Semantic tags of SNOMED CT, by what they are the tags of."""
_SYSTEMS = {
    "ATC": (_MEDICINE,), "CCAM": (_DONE,), "CPT": (_DONE, _VALUE), "CVX": (_MEDICINE,),
    "HCPCS": (_DONE, _THING, _MEDICINE), "RoleCode": (_PLACE, _PERSON),
    "ICD-10": (_PROBLEM,), "ICD-10-CM": (_PROBLEM,), "ICD-10-PCS": (_DONE,), "ICD-11": (_PROBLEM,),
    "ICD-10-GM": (_PROBLEM,), "ICD-10-GM-DIMDI": (_PROBLEM,), "ICD-9-CM": (_PROBLEM,),
    "LOINC": (_VALUE, _DONE), "NUCC": (_PERSON,), "OPCS-4": (_DONE,), "OPS": (_DONE,),
    "RxNorm": (_MEDICINE,),
}  # fmt: skip
"""What the codes of a system are, where they are of one kind."""
_OF_GPS = "hl7.terminology"
_LOWEST_OF_CPT, _HIGHEST_OF_CPT = "00100", "99607"
_LETTERS_OF_CPT = "AFMTU"
"""The numbers of CPT that we know of, and the letters after four digits. The AMA publishes no list
that may be shipped, so that these are no limits of CPT's own: the message says what is known here,
and a file or server decides."""
_KINDS = {
    "use": _DONE, "diagnoses": _PROBLEM, "condition": _PROBLEM, "one-of": _PERSON, "sites": _SITE,
    "places": _PLACE, "medicine": _MEDICINE, "stop": _MEDICINE, "observation": _VALUE,
    "measure": _VALUE, "procedure": _DONE, "imaging": _DONE,
}  # fmt: skip
_CODES_OF = {
    "indications": _PROBLEM, "contraindications": _PROBLEM, "risks": _PROBLEM, "steps": _DONE,
    "preparation": _DONE, "recovery": _DONE, "alternatives": _DONE, "personnel": _PERSON,
    "equipment": _THING,
}  # fmt: skip
"""What `code` is of, by section; elsewhere it may be anything."""


def sources_for(data: Data, locked: Terms | None) -> Sources:
    """The sources for a procedure: codes.lock, and what is available for codes that it lacks."""
    known = locked.codes if locked else {}
    systems = {coding.system for *_, coding in _coded(data) if coding[:2] not in known}
    return Sources((*([locked] if locked else ()), *(available(systems) if systems else ())))


def listed(known: Iterable[Known], locked: Terms | None) -> frozenset[tuple[str, str]]:
    """The codes that the Global Patient Set, by codes.lock, or the value sets of FHIR R4 list.

    A build is the same on any machine: what else is installed there does not count.
    """
    kept = locked.codes if locked else {}
    return frozenset(
        key
        for each in known
        for key in [(each.system, each.code)]
        if each.source == CORE or (key in kept and each.source.startswith(_OF_GPS))
    )


@dataclass(frozen=True, slots=True)
class Use:
    """A code of a name: where it is, and the kinds that the name is used as."""

    name: str
    path: Path
    coding: Coding
    kinds: tuple[str, ...]


def uses(data: Data) -> Iterator[Use]:
    """Each code under `codes`, with what its name is used for."""
    kinds = _kinds(data)
    for name, path, coding in _coded(data):
        yield Use(name, path, coding, tuple(kinds.get(name, ())))


def _coded(data: Data) -> Iterator[tuple[str, Path, Coding]]:
    """Each code under `codes`, with its name and where it is."""
    for name, lines in mapping(data.get("codes")).items():
        for at, line in enumerate(texts(lines)):
            path: Path = ("codes", name, at) if isinstance(lines, list) else ("codes", name)
            if not (words_of(line)[:1] and (words_of(line)[0] in SYSTEMS or is_url_and_code(line))):
                continue
            for coding in codings(line):
                yield name, path, coding


def _kinds(data: Data) -> dict[str, dict[str, None]]:
    found: dict[str, dict[str, None]] = {}
    for path, part in parts(data):
        for key in (key for key in (*_KINDS, "code") if key in part):
            kind = _CODES_OF.get(str(path[0])) if key == "code" else _KINDS[key]
            if kind and not (key == "one-of" and path[-1] == "who"):
                for _, name in named(part, path, key):
                    found.setdefault(name, {})[kind] = None
    return found


def check_terms(read: Source, sources: Sources, language: str = "en") -> list[Known]:
    """Report what the sources say against the codes of a procedure; gives what they know.

    `language` is that of the names; those without a display in it are counted, not compared.
    """
    found, open_, foreign, verified = [], [], [], 0
    names = mapping(read.data.get("names"))
    for use in uses(read.data):
        known = sources.find(use.coding.system, use.coding.code)
        _check_kind(read, use, known)
        if known is None:
            if source := sources.denied(*use.coding[:2]) or _out_of_range(use.coding):
                read.report(
                    CODE_UNKNOWN,
                    use.path,
                    code=written(*use.coding[:2]),
                    source=source,
                )
            else:
                open_.append(written(*use.coding[:2]))
            continue
        found.append(known)
        if known.is_active is False:
            code = written(*use.coding[:2])
            read.report(CODE_INACTIVE, use.path, code=code, source=known.source)
        if known.display or known.system == CPT:  # whose displays are never kept
            verified += 1
            english = text_of(mapping(names.get(use.name)), "en")
            if not _check_display(read, use, known, language, english):
                foreign.append(written(*use.coding[:2]))
        else:  # that it exists does not say what it means
            open_.append(written(*use.coding[:2]))
    for rule, codes in ((CODE_NOT_VERIFIED, open_), (CODE_LANGUAGE, foreign)):
        if codes:
            count = f"{len(codes)} of {len(open_) + verified} codes"
            first = ", ".join(dict.fromkeys(codes[:8])) + (", …" if len(codes) > 8 else "")
            told = {"count": count, "codes": first, "language": language}
            read.report(rule, ("codes",), key=True, **told)
    return found


def _out_of_range(coding: Coding) -> str:
    """What a code of CPT beyond all that are known is not known to."""
    code = coding.code
    if coding.system != CPT or not code:
        return ""
    if not code.isdecimal():
        known = f"of CPT's letters only {', '.join(_LETTERS_OF_CPT)}"
        return "" if code[-1] in _LETTERS_OF_CPT else f"this program, which knows {known}"
    known = f"CPT's numbers from {_LOWEST_OF_CPT} to {_HIGHEST_OF_CPT}"
    is_known = _LOWEST_OF_CPT <= code <= _HIGHEST_OF_CPT
    return "" if is_known else f"this program, which knows {known}"


def _check_display(read: Source, use: Use, known: Known, language: str, english: str) -> bool:
    """Report a display that differs from the name; False where their languages differ."""
    is_english = primary(language) == "en"
    display, own = untagged(known.display), known.names(language)
    pairs = [(use.name, each) for each in (display, *own)] + [(english, display)] * bool(english)
    if not display or _abbreviates(use.name, use.coding.code):
        return True
    if any(likeness(name, each) for name, each in pairs):
        return True
    if not (is_english or own or english):
        return False
    read.report(
        CODE_DISPLAY_DIFFERS,
        use.path,
        code=written(*use.coding[:2]),
        display=own[0] if own and not is_english else display,
        name=use.name if own or is_english else english,
    )
    return True


def _abbreviates(name: str, code: str) -> bool:
    """Whether a code is letters that the name has among its abbreviations: MR, NMR and MRI."""
    if not (code.isalpha() and len(code) < 5):
        return False
    short = [word for word in name.split() if word.isupper() and len(word) > 1]
    return any(word[at : at + 2] in code for word in short for at in range(len(word) - 1))


def _check_kind(read: Source, use: Use, known: Known | None) -> None:
    """A code is of a kind that fits each use of its name."""
    is_kinds = kinds_of(use.coding.system, known.display if known else "")
    for kind in use.kinds:
        if is_kinds and kind not in is_kinds:
            found = " or ".join(is_kinds)
            read.report(
                CODE_KIND,
                use.path,
                code=written(*use.coding[:2]),
                found=found,
                wanted=kind,
            )


def kinds_of(system: str, display: str = "") -> list[str]:
    """What a code can be used as, by its system or semantic tag; nothing when that is not known."""
    if system == SNOMED_CT:
        found = tag(display)
        return [kind for kind, tags in _TAGS.items() if found in tags] or [f"'{found}'"] * bool(
            found
        )
    return list(_SYSTEMS.get(NAMES.get(system, system), ()))


def fits(kind: str) -> tuple[str, ...]:
    """The names of kinds that `codes search --for` takes, to what they mean here."""
    return _FOR.get(kind, ())


_FOR = {
    "diagnosis": (_PROBLEM,), "step": (_DONE,), "person": (_PERSON,), "site": (_SITE,),
    "place": (_PLACE,), "medicine": (_MEDICINE,), "device": (_THING,), "test": (_VALUE,),
}  # fmt: skip
FOR = tuple(_FOR)
