"""ImplementationGuides: what they depend on.

See http://hl7.org/fhir/R4/implementationguide-definitions.html#ImplementationGuide.dependsOn.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.untrusted import numbered, text_of
from fhirpkg.validation.conformance.rules import (
    GUIDE_DEPENDENCY_PACKAGE,
    GUIDE_DEPENDENCY_URL,
    GUIDE_DEPENDENCY_VERSION,
)

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_PACKAGE = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+")
"""https://confluence.hl7.org/display/FHIR/NPM+Package+Specification: names and their scopes."""


def check_dependencies(guide: Resource, path: Path, run: Run) -> None:
    """Report guides named by another url than their own, names of no package, open versions."""
    for place, dependency in numbered(guide, "dependsOn", path):
        uri, package = text_of(dependency, "uri"), text_of(dependency, "packageId")
        if uri and "/ImplementationGuide/" not in uri:
            run.report(GUIDE_DEPENDENCY_URL, place, found=uri)
        if package and not _PACKAGE.fullmatch(package):
            run.report(GUIDE_DEPENDENCY_PACKAGE, place, found=package)
        if not dependency.keys() & {"version", "_version"}:
            run.report(GUIDE_DEPENDENCY_VERSION, place, name=package or uri)
