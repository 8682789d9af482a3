"""What stands beside a procedure.yaml and goes into its resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.authoring.model.review import SignOff


@dataclass(frozen=True, slots=True)
class Beside:
    """The sign-offs of a procedure as it is, and the bytes of its drawing."""

    signed: tuple[SignOff, ...] = ()
    drawing: bytes = b""
