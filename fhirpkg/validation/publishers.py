"""Which package holds a definition that is not loaded, as far as its canonical shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.releases import Release

_HL7 = re.compile(r"http://hl7\.org/fhir/(?P<realm>[a-z]{2,3})/(?P<guide>[a-z0-9-]+)/")
"""The guides of HL7, whose packages are named by realm and guide."""
_BASES = {
    "http://fhir.de/": "de.basisprofil.r4",
    "http://fhir.ch/ig/ch-core/": "ch.fhir.ig.ch-core",
    "http://hl7.fhir.be/": "hl7.fhir.be.core",
    "http://hl7.org.au/fhir/": "hl7.fhir.au.base",
    "http://hl7.org.nz/fhir/": "fhir.org.nz.ig.base",
    "http://hl7.no/fhir/": "hl7.fhir.no.basis",
    "http://hl7.org/fhir/StructureDefinition/": "hl7.fhir.uv.extensions.{suffix}",
    "http://nictiz.nl/fhir/StructureDefinition/nl-core-": "nictiz.fhir.nl.r4.nl-core",
    "http://nictiz.nl/fhir/": "nictiz.fhir.nl.r4.zib2020",
    "http://terminology.hl7.org/": "hl7.terminology.{suffix}",
    "https://fhir.hl7.org.uk/": "fhir.r4.ukcore.stu3.currentbuild",
    "https://fhir.kbv.de/StructureDefinition/KBV_PR_Base": "kbv.basis",
    "https://gematik.de/fhir/isik/": "de.gematik.isik-basismodul",
    "https://profiles.ihe.net/ITI/MHD/": "ihe.iti.mhd",
}
"""The beginnings of canonicals and the packages that they are published in."""


def package_of(canonical: str, release: Release) -> str:
    """The name of the package that a canonical is published in, or nothing."""
    match = _HL7.match(canonical)
    if match:
        return f"hl7.fhir.{match['realm']}.{match['guide']}"
    found = next((name for base, name in _BASES.items() if canonical.startswith(base)), "")
    return found.format(suffix=release.suffix)


def not_loaded(canonical: str, release: Release, subject: str = "it") -> str:
    """Why a definition was not checked, with the package to load where that is known."""
    name = package_of(canonical, release)
    return f"{subject} is not loaded" + (f"; the package {name} holds it" if name else "")
