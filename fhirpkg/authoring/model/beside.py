"""The files that accompany a procedure.yaml and go into its resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.authoring.drafting.lock import Lock
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.model.review import SignOff


@dataclass(frozen=True, slots=True)
class Beside:
    """The sign-offs of a procedure as it is, the bytes of its drawing, its other languages."""

    signed: tuple[SignOff, ...] = ()
    drawing: bytes = b""
    translated: Mapping[str, Procedure] = field(default_factory=dict)
    """The procedure in other languages."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The translations of its texts, by the language."""
    edition: Lock | None = None
    """The source.lock beside it."""
