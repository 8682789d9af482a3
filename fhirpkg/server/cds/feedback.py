"""What clinicians did with cards: kept in the store, shown on a page."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhirpkg.issues import Resource
    from fhirpkg.server.storing.store import Store

_TABLE = (
    "CREATE TABLE IF NOT EXISTS feedback"
    " (seq INTEGER PRIMARY KEY, received REAL NOT NULL, service TEXT NOT NULL, item TEXT NOT NULL)"
)
_MOST_KEPT = 100_000


def keep(store: Store, service: str, items: list[Resource]) -> None:
    """Keep the items of a feedback; of very many the oldest go."""
    with store.transaction():
        store.query(_TABLE)
        for item in items:
            row = (time.time(), service, json.dumps(item))
            store.query("INSERT INTO feedback (received, service, item) VALUES (?, ?, ?)", row)
        newest = "(SELECT max(seq) FROM feedback)"
        store.query(f"DELETE FROM feedback WHERE seq <= {newest} - ?", (_MOST_KEPT,))  # noqa: S608 - no text of a request


def kept(store: Store, most: int) -> list[tuple[float, str, dict[str, Any]]]:
    """When it came (seconds since 1970), service and item of the newest, the newest first."""
    with store.transaction():
        store.query(_TABLE)
    rows = store.query(
        "SELECT received, service, item FROM feedback ORDER BY seq DESC LIMIT ?", (most,)
    )
    return [(received, service, json.loads(item)) for received, service, item in rows]
