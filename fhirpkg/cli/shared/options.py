"""The options of `validate` as arguments of the functions that check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def corpus_options(options: Mapping[str, Any], warn: Callable[[str], None]) -> dict[str, Any]:
    """What `open_corpus` and `validate_all` take, from the options of the command."""
    from fhirpkg.validation.run import Settings

    settings = Settings(
        best_practice=Severity.WARNING if options["best_practice"] else None,
        portability=options["portability"],
        strict=options["strict"],
        by_letter=options["strict"],
    )
    return {
        "profiles": options["profiles"],
        "packages": options["packages"],
        "fhir_version": options["fhir_version"],
        "settings": settings,
        "tx": options["tx"] or "",
        "offline": options["offline"],
        "installing": options["install"],
        "jobs": options["jobs"],
        "warn": warn,
    }
