"""Checks of values that stand in many resources: what was right once is not looked at again.

The snapshots of a guide repeat the types, bindings and constraints of their bases, its examples
repeat codes. A value is known by its content, its language and where it stands. Only one in which
nothing was found is remembered, and only if its check looked at nothing around it.
"""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Json
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

    _Key = tuple[tuple[str, ...], str, bytes]

REPEATED = frozenset(
    "CodeableConcept Coding ElementDefinition.binding ElementDefinition.constraint "
    "ElementDefinition.type Extension".split()
)
"""Types whose values are repeated, and whose checks cost more than telling that."""
_MOST_KEPT = 8192
_LONGEST = 4096
"""Bytes of a value that is worth being remembered."""
_WITHOUT_REFERENCES = 2
"""The format of marshal in which equal values give equal bytes."""


class Remembered:
    """The check of a type, which passes over what it has found nothing in before."""

    def __init__(self, check: Callable[..., object]) -> None:
        self._check = check
        self._right: set[_Key] = set()

    def __call__(self, value: Json, trail: Trail, run: Run) -> None:
        """Check one value."""
        key = _key(value, trail, run) if run.is_at_root else None
        if key is None:
            self._check(value, trail, run)
            return
        if key in self._right:
            return
        before = run.traces
        self._check(value, trail, run)
        if run.traces == before:
            if len(self._right) >= _MOST_KEPT:
                self._right.clear()
            self._right.add(key)


def _key(value: Json, trail: Trail, run: Run) -> _Key | None:
    """The place, from the type of the resource on, the language and the content of a value.

    None for what marshal cannot write.
    """
    try:
        content = marshal.dumps(value, _WITHOUT_REFERENCES)
    except ValueError:  # a decimal, or nested too deeply
        return None
    if len(content) > _LONGEST:
        return None
    steps = []
    while trail:
        steps.append(trail[1])
        trail = trail[0]
    steps.append(run.root_of_names["resourceType"])
    return tuple(steps), run.language, content
