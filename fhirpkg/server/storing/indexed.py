"""Rows of the index as the table `searchable` has them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from fhirpkg.server.storing.layout import INDEXED, SEARCHABLE, param_key

if TYPE_CHECKING:
    from fhirpkg.server.storing.versions import Rows

_ARRANGED = {
    kind: operator.itemgetter(*(n.index(c) if c in n else -1 for c in SEARCHABLE[5:]))
    for kind, n in INDEXED.items()
}
"""By kind of parameter: its cells with a None at their end, as the last columns of a row."""
INSERT = (
    f"INSERT INTO searchable ({', '.join(SEARCHABLE)}) VALUES ({', '.join('?' * len(SEARCHABLE))})"  # noqa: S608
)


def full_rows(rows: Rows) -> set[tuple[Any, ...]]:
    """The rows with all columns but the key; `n` tells apart what is alike in the primary key."""
    seen: dict[tuple[Any, ...], int] = {}
    full = set()
    for kind, found in rows.items():
        arrange = _ARRANGED[kind]
        for name, part, *cells in dict.fromkeys(found):
            value = "" if cells[0] is None else cells[0]
            if kind == "string" and cells[1] == value:
                cells[1] = None
            place = (param_key(name), value, part)
            n = seen[place] = seen.get(place, -1) + 1
            full.add((*place, n, *arrange([*cells, None])))
    return full
