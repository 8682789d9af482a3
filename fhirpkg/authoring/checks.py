"""What is wrong with an authored file, beyond its YAML: each problem once, at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.package_source import PackageSource
from fhirpkg.authoring.procedure import Procedure

if TYPE_CHECKING:
    from fhirpkg.authoring.source import Source
    from fhirpkg.issues import Issue


def check_package(read: Source) -> tuple[PackageSource | None, list[Issue]]:
    """The package, or None, and the issues of its file."""
    return PackageSource.model_validate(read.data), read.issues


def check_procedure(read: Source) -> tuple[Procedure | None, list[Issue]]:
    """The procedure, or None, and the issues of its file."""
    return Procedure.model_validate(read.data), read.issues
