"""The releases of FHIR that are validated, each with the package that holds its definitions."""

from __future__ import annotations

from typing import NamedTuple

from fhirpkg.errors import ConfigError


class Release(NamedTuple):
    """One release of FHIR (http://hl7.org/fhir/directory.html)."""

    name: str
    version: str
    package: str
    suffix: str = "r4"
    """How the names of HL7's packages for it end: ``hl7.terminology.r4``."""
    has_extensions: bool = True
    """Whether its core defines HL7's extensions; R5 left them to a package of their own."""

    def __str__(self) -> str:
        return f"{self.name} ({self.version})"

    @property
    def short(self) -> str:
        """The version as canonicals of its elements have it: ``4.0``."""
        return self.version.rpartition(".")[0]


R4 = Release("R4", "4.0.1", "hl7.fhir.r4.core")
R4B = Release("R4B", "4.3.0", "hl7.fhir.r4b.core")
R5 = Release("R5", "5.0.0", "hl7.fhir.r5.core", "r5", has_extensions=False)
RELEASES = (R4, R4B, R5)


def release_of(text: str) -> Release:
    """The release of a version or name, as ``5.0.0``, ``5.0`` or ``R5``.

    Raises ConfigError for another one.
    """
    for release in RELEASES:
        if text.upper() == release.name or text in {release.version, release.short}:
            return release
    allowed = ", ".join(str(release) for release in RELEASES)
    raise ConfigError(f"'{text}' is not a supported version of FHIR; supported: {allowed}")
