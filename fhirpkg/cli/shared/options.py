"""The options of `validate` as those of the functions that check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fhirpkg.corpus.checking import CorpusOptions


def corpus_options(options: Mapping[str, Any], warn: Callable[[str], None]) -> CorpusOptions:
    """The options of the command as those of `open_corpus`."""
    from fhirpkg.corpus.checking import CorpusOptions
    from fhirpkg.validation.run import Settings

    settings = Settings(
        best_practice=Severity.WARNING if options["best_practice"] else None,
        portability=options["portability"],
        strict=options["strict"],
        by_letter=options["strict"],
    )
    return CorpusOptions(
        profiles=tuple(options["profiles"]),
        packages=tuple(options["packages"]),
        fhir_version=options["fhir_version"],
        settings=settings,
        tx=options["tx"] or "",
        offline=options["offline"],
        installing=options["install"],
        jobs=options["jobs"],
        warn=warn,
    )
