"""Clinical procedures as FHIR R4 content: written once, validated locally, published without loss.

The public names load on first use, so that ``import fhirpkg`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.applying.application import Applied as Applied
    from fhirpkg.applying.application import apply as apply
    from fhirpkg.authoring.public import build as build
    from fhirpkg.bulk import findings as findings
    from fhirpkg.bulk import index_of as index_of
    from fhirpkg.canonical import Canonical as Canonical
    from fhirpkg.canonical import PackageId as PackageId
    from fhirpkg.client.client import FhirClient as FhirClient
    from fhirpkg.corpus.checking import Checked as Checked
    from fhirpkg.corpus.checking import validate_all as validate_all
    from fhirpkg.definitions.definitions import Definitions as Definitions
    from fhirpkg.definitions.terminology.valuesets import Terminology as Terminology
    from fhirpkg.errors import FhirpkgError as FhirpkgError
    from fhirpkg.issues import Issue as Issue
    from fhirpkg.issues import Outcome as Outcome
    from fhirpkg.issues import Severity as Severity
    from fhirpkg.packages.cache import PackageCache as PackageCache
    from fhirpkg.packages.package import Package as Package
    from fhirpkg.packages.package import read_package as read_package
    from fhirpkg.publishing.members import Release as Release
    from fhirpkg.publishing.members import read_release as read_release
    from fhirpkg.publishing.planning import Plan as Plan
    from fhirpkg.publishing.planning import make_plan as plan  # exported under its verb
    from fhirpkg.publishing.proving.verify import verify as verify
    from fhirpkg.publishing.push import push as push
    from fhirpkg.repository import Repository as Repository
    from fhirpkg.repository import open_repository as open_repository
    from fhirpkg.validation.run import Settings as Settings
    from fhirpkg.validation.validator import Validator as Validator

_HOMES = {
    "Applied": "applying.application",
    "Canonical": "canonical",
    "Checked": "corpus.checking",
    "Definitions": "definitions.definitions",
    "FhirClient": "client.client",
    "FhirpkgError": "errors",
    "Issue": "issues",
    "Outcome": "issues",
    "Package": "packages.package",
    "PackageCache": "packages.cache",
    "PackageId": "canonical",
    "Plan": "publishing.planning",
    "Release": "publishing.members",
    "Repository": "repository",
    "Settings": "validation.run",
    "Severity": "issues",
    "Terminology": "definitions.terminology.valuesets",
    "Validator": "validation.validator",
    "apply": "applying.application",
    "build": "authoring.public",
    "findings": "bulk",
    "index_of": "bulk",
    "open_repository": "repository",
    "plan": "publishing.planning:make_plan",
    "push": "publishing.push",
    "read_package": "packages.package",
    "read_release": "publishing.members",
    "validate_all": "corpus.checking",
    "verify": "publishing.proving.verify",
}
"""The public names and the modules that define them, with the name there where it differs."""

__version__ = "0.1.0"
__all__ = [*_HOMES]  # noqa: PLE0604 - the names of the table


def __dir__() -> list[str]:
    return ["__version__", *__all__]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'fhirpkg' has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only on first use of a public name

    home, _, attribute = _HOMES[name].partition(":")
    return getattr(importlib.import_module(f"fhirpkg.{home}"), attribute or name)
