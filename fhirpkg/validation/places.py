"""Places in an input: a trail on the way down, a path once it is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.issues import Json

if TYPE_CHECKING:
    from fhirpkg.issues import Path

Trail = tuple[Json, ...]
"""A path as it is built on the way down: ``()`` or ``(trail, key)`` or ``(trail, key, index)``."""


def flat(path: Path | Trail) -> Path:
    """A trail as a path; a path stays as it is."""
    if not path or not isinstance(path[0], tuple):
        return path
    steps: list[str | int] = []
    trail: Trail = path
    while trail:
        steps.extend(trail[:0:-1])
        trail = trail[0]
    return tuple(steps[::-1])
