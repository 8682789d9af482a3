"""Clinical procedures as FHIR R4 content: written once, validated locally, published without loss.

The public names are loaded on first use, so that ``import fhirpkg`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhirpkg.applying.application import apply
    from fhirpkg.canonical import Canonical, PackageId
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.errors import FhirpkgError
    from fhirpkg.issues import Issue, Outcome, Severity
    from fhirpkg.validation.validator import Validator

_HOMES = {
    "Canonical": "fhirpkg.canonical",
    "Definitions": "fhirpkg.definitions.definitions",
    "FhirpkgError": "fhirpkg.errors",
    "Issue": "fhirpkg.issues",
    "Outcome": "fhirpkg.issues",
    "PackageId": "fhirpkg.canonical",
    "Severity": "fhirpkg.issues",
    "Validator": "fhirpkg.validation.validator",
    "apply": "fhirpkg.applying.application",
}

__version__ = "0.1.0"
__all__ = [
    "Canonical",
    "Definitions",
    "FhirpkgError",
    "Issue",
    "Outcome",
    "PackageId",
    "Severity",
    "Validator",
    "apply",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fhirpkg' has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only on first use of a public name

    return getattr(importlib.import_module(_HOMES[name]), name)
