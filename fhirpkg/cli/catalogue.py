"""Every rule that can be reported, for `explain` and the reports."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.rules import Rule

_TABLES = (
    "applying.rules",
    "authoring.reviewing.rules",
    "authoring.rules",
    "packages.rules",
    "parsing_rules",
    "server.rules",
    "server.web.rules",
    "validation.compiling.slicing_rules",
    "validation.conformance.rules",
    "validation.content.portability_rules",
    "validation.content.rules",
    "validation.elements.binding_rules",
    "validation.elements.datatype_rules",
    "validation.elements.primitive_rules",
    "validation.elements.reference_rules",
    "validation.elements.rules",
    "validation.narrative.rules",
    "validation.questionnaires.rules",
    "validation.resources.bundle_rules",
    "validation.resources.library_rules",
    "validation.resources.measure_rules",
    "validation.rules",
    "validation.terminology.rules",
)
"""The modules of fhirpkg that define rules."""


@functools.cache
def catalogue() -> dict[str, Rule]:
    """Every rule by its id, room by room."""
    from fhirpkg.rules import Rule

    modules = [importlib.import_module(f"fhirpkg.{name}") for name in _TABLES]
    defined = [each for module in modules for each in vars(module).values()]
    return {each.id: each for each in defined if isinstance(each, Rule)}
