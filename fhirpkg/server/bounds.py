"""What could be stored and never be read again, in XML or at all, and is refused on the way in."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from fhirpkg.server.exchange import refused
from fhirpkg.server.rules import SERVER_DEPTH, SERVER_TEXT

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

_DEEPEST = 100
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]*")
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that no XML can hold."""


def check_bounds(resource: Resource, *, may_have_controls: bool) -> None:
    """Raises Refused (400) for names, control characters and depths that FHIR does not allow."""
    level: list[Any] = [resource]
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                if not all(map(_is_name, value)):
                    raise refused(400, SERVER_TEXT, what="a name that no element can have")
                inner += value.values()
            else:
                inner += value
        if may_have_controls and any(isinstance(v, str) and UNWRITABLE.search(v) for v in inner):
            raise refused(400, SERVER_TEXT, what="a control character")
        level = [value for value in inner if isinstance(value, (dict, list))]
        if not level:
            return
    raise refused(400, SERVER_DEPTH, most=_DEEPEST)


@functools.lru_cache(maxsize=10_000)
def _is_name(key: str) -> bool:
    return _NAME.fullmatch(key) is not None
