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


def codes_of(heading: str, text: str) -> tuple[list[str], str]:
    """The codes of a text as procedure.yaml writes them, and the text without other words.

    >>> codes_of("Codes", "CPT 37243 (embolisation); ICD-10-PCS 04LF3DU")
    (['CPT 37243', 'ICD-10-PCS 04LF3DU'], 'CPT 37243 ICD-10-PCS 04LF3DU')
    >>> codes_of("Code", "43235")
    (['CPT 43235'], '43235')
    """
    named = [found["system"] for found in _TOKEN.finditer(heading) if found["system"]]
    system = _named(named[-1]) if named else ""
    codes, words = [], []
    for found in _TOKEN.finditer(text):
        if found["system"]:
            system = _named(found["system"])
            words.append(found[0])
            continue
        line = f"{system or 'CPT'} {found['code']}"
        coding = codings(line)[0]
        if not problem(coding) and (system or re.fullmatch(r"\d{4}[0-9A-Z]", coding.code)):
            codes.append(line)
            words.append(found["code"])
    return codes, " ".join(words) if codes else text


def _named(system: str) -> str:
    plain = re.sub("[- ]", "", system)
    return _NAMES.get(plain, system)
