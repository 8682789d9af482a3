"""Vital signs: the LOINC codes that make a profile of R4 apply whether it is claimed or not.

http://hl7.org/fhir/R4/observation-vitalsigns.html: an Observation with one of these codes SHALL
conform to the profile of its line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

_LOINC = "http://loinc.org"
_BASE = "http://hl7.org/fhir/StructureDefinition/"
_PROFILES = {
    "85353-1": "vitalspanel",
    "9279-1": "resprate",
    "8867-4": "heartrate",
    "2708-6": "oxygensat",
    "8310-5": "bodytemp",
    "8302-2": "bodyheight",
    "9843-4": "headcircum",
    "29463-7": "bodyweight",
    "39156-5": "bmi",
    "85354-9": "bp",
}


def implied_profiles(resource: Resource) -> list[str]:
    """The profiles that the codes of an Observation make it subject to."""
    code = resource.get("code")
    codings = code.get("coding") if isinstance(code, dict) else None
    found: dict[str, None] = {}
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, dict) and coding.get("system") == _LOINC:
            symbol = coding.get("code")
            if isinstance(symbol, str) and symbol in _PROFILES:
                found[_BASE + _PROFILES[symbol]] = None
    return list(found)
