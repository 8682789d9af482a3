"""The codes that a monograph names: those of known systems, in the form that their systems ask."""

from __future__ import annotations

import re

from fhirpkg.authoring.codes import codings, problem

_TOKEN = re.compile(
    r"\b(?P<system>CPT(?:[- ]?4)?|HCPCS|OPCS(?:[- ]?4)?|OPS|CCAM|SNOMED(?:[- ]?CT)?|ICD-?10-?PCS)\b"
    r"(?![-.]\d)|(?<![\w.-])(?P<code>(?=[A-Z.-]*\d)[A-Z0-9][A-Z0-9.-]{2,}[A-Z0-9](?:\|\d{4})?)\b"
)
_NAMES = {"CPT4": "CPT", "OPCS": "OPCS-4", "OPCS4": "OPCS-4", "SNOMEDCT": "SNOMED"}
_NAMES |= {"ICD10PCS": "ICD-10-PCS"}


def codes_of(heading: str, text: str) -> tuple[list[str], list[str], str]:
    """The codes of a text as procedure.yaml writes them, what is wrong with others, and its codes.

    The last is the text without other words: those may be the descriptor of a code.

    >>> codes_of("Codes", "CPT 37243 (embolisation); ICD-10-PCS 04LF3DU")
    (['CPT 37243', 'ICD-10-PCS 04LF3DU'], [], 'CPT 37243 ICD-10-PCS 04LF3DU')
    >>> codes_of("Code", "43235")
    (['CPT 43235'], [], '43235')
    """
    named = [found["system"] for found in _TOKEN.finditer(heading) if found["system"]]
    system = _named(named[-1]) if named else ""
    codes, wrong, words = [], [], []
    for found in _TOKEN.finditer(text):
        if found["system"]:
            system = _named(found["system"])
            words.append(found[0])
            continue
        line = f"{system or 'CPT'} {found['code']}"
        coding = codings(line)[0]
        if not system and not re.fullmatch(r"\d{4}[0-9A-Z]", coding.code):
            continue
        words.append(found["code"])
        if why := problem(coding):
            wrong.append(why)
        else:
            codes.append(line)
    return codes, wrong, " ".join(words) if words else text


def one_of_each(codes: list[str]) -> tuple[list[str], list[str]]:
    """The codes that are the only one of their system, and what is open about the others.

    >>> one_of_each(["CPT 33208", "ICD-10-PCS 0JH606Z", "ICD-10-PCS 02H63JZ"])
    (['CPT 33208'], ['code: which of ICD-10-PCS 0JH606Z, ICD-10-PCS 02H63JZ it is'])
    """
    by_system: dict[str, list[str]] = {}
    for code in codes:
        by_system.setdefault(code.split()[0], []).append(code)
    several = [each for each in by_system.values() if len(each) > 1]
    alone = [each[0] for each in by_system.values() if len(each) == 1]
    return alone, [f"code: which of {', '.join(each)} it is" for each in several]


def _named(system: str) -> str:
    plain = re.sub("[- ]", "", system)
    return _NAMES.get(plain, system)
