"""Where the embedded server keeps its resources: one SQLite file, or memory.

Each version is a row of its JSON text; the newest of each resource is indexed for searching. One
connection serves all threads, one at a time. An acknowledged write is on the disk.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from fhirpkg import fhirjson
from fhirpkg.errors import SourceError
from fhirpkg.server import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from fhirpkg.issues import Resource

    Rows = dict[str, list[tuple[Any, ...]]]
    """Rows of `searchable` by kind: param, part, then the columns of the kind."""

_APPLICATION = 0x66686972  # "fhir": marks a SQLite file as ours
_LAYOUT = 1
_COLUMNS = (
    "version.type, version.id, version.version, version.updated, version.method, version.content"
)
INDEXED = {
    "token": ("value", "system"),
    "string": ("value", "exact"),
    "uri": ("value",),
    "date": ("value", "high"),
    "number": ("value", "high"),
    "quantity": ("value", "high", "system", "code", "unit"),
    "reference": ("value", "type", "version"),
}
"""The columns of the table `searchable` that each kind of search parameter fills.

`param` is ``Type.code``; `part` tells the parts of one composite value from those of another;
`value` and `high` are the ends of a range; of a reference `value` is the id, or the url if `type`
is NULL.
"""
_LAYOUT_SQL = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_LAYOUT};
CREATE TABLE version (
    seq INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    updated INTEGER NOT NULL, method TEXT NOT NULL, content TEXT, UNIQUE (type, id, version));
CREATE INDEX version_of_type ON version (type, seq);
CREATE TABLE current (
    key INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    updated INTEGER NOT NULL, seq INTEGER NOT NULL, digest BLOB, UNIQUE (type, id));
CREATE TABLE searchable (
    key INTEGER NOT NULL, param TEXT NOT NULL, part INTEGER NOT NULL, value, high, system TEXT,
    exact TEXT, code TEXT, unit TEXT, type TEXT, version TEXT);
CREATE INDEX searchable_value ON searchable (param, value, key);
CREATE INDEX searchable_key ON searchable (key, param)
"""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a resource; `content` is its JSON text, None for a deletion."""

    type: str
    id: str
    version: int
    updated: int
    method: str
    content: str | None

    @property
    def etag(self) -> str:
        """The weak ETag that FHIR wants: ``W/"3"``."""
        return f'W/"{self.version}"'

    @property
    def url(self) -> str:
        """The relative address of this version."""
        return f"{self.type}/{self.id}/_history/{self.version}"

    def resource(self) -> Resource:
        """The resource, read anew: the caller may change it."""
        assert self.content is not None, f"{self.url} is a deletion"
        resource, _ = fhirjson.read(self.content)
        assert isinstance(resource, dict), f"{self.url} is damaged"
        return resource


class Store:
    """All versions of all resources. Raises SourceError when the file cannot be used.

    `index` gives the searchable values of a resource; it may refuse one by raising.
    """

    def __init__(
        self, path: Path | None = None, *, index: Callable[[Resource], Rows] | None = None
    ) -> None:
        self.path = path
        self._index = index
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = _open(path)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are kept together or, when an exception leaves it, not at all."""
        with self._lock:
            outer = self._depth == 0
            name = f"level{self._depth}"
            self._execute("BEGIN IMMEDIATE" if outer else f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
                self._execute("COMMIT" if outer else f"RELEASE {name}")
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself rolls back on a full disk
                    self._execute("ROLLBACK" if outer else f"ROLLBACK TO {name}")
                raise
            finally:
                self._depth -= 1

    def current(self, resource_type: str, identity: str) -> Version | None:
        """The newest version of a resource, which may be a deletion; None when it never was."""
        found = self.versions(
            "JOIN current ON current.seq = version.seq WHERE current.type = ? AND current.id = ?",
            (resource_type, identity),
        )
        return found[0] if found else None

    def present(self, resource_type: str, identity: str) -> Version | None:
        """The newest version of a resource; None when it never was or is deleted."""
        found = self.current(resource_type, identity)
        return found if found and found.content is not None else None

    def all_present(self, condition: str, arguments: Sequence[Any]) -> list[Version]:
        """The newest versions, no deletions, that a condition on `current` picks."""
        return self.versions(
            "JOIN current ON current.seq = version.seq WHERE current.digest IS NOT NULL"
            f" AND {condition}",
            arguments,
        )

    def version(self, resource_type: str, identity: str, number: int) -> Version | None:
        """One version of a resource."""
        found = self.versions(
            "WHERE version.type = ? AND version.id = ? AND version.version = ?",
            (resource_type, identity, number),
        )
        return found[0] if found else None

    def versions(self, clauses: str, arguments: Sequence[Any]) -> list[Version]:
        """The versions that an SQL tail picks."""
        return [
            Version(*row)
            for row in self.query(
                f"SELECT {_COLUMNS} FROM version {clauses}",  # noqa: S608 - ours
                arguments,
            )
        ]

    def query(self, sql: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a question in SQL."""
        with self._lock:
            return self._connection.execute(sql, arguments).fetchall()

    def write(self, resource: Resource, method: str) -> tuple[Version, bool]:
        """Keep a resource under its type and id: its version, and whether that is a new one.

        Content that is equal to what is there, apart from `meta.versionId`, `meta.lastUpdated`
        and the order of keys, makes no new version.
        """
        digest = _digest(resource)
        with self.transaction():
            key, number, kept = self._head(resource["resourceType"], resource["id"])
            if kept == digest:
                same = self.current(resource["resourceType"], resource["id"])
                assert same is not None, "a resource with a digest has a version"
                return same, False
            rows = self._index(resource) if self._index else {}
            updated = values.now()
            content = fhirjson.dump(stamped(resource, number + 1, updated))
            version = Version(
                resource["resourceType"], resource["id"], number + 1, updated, method, content
            )
            self._append(version, key, digest, rows)
        return version, True

    def delete(self, resource_type: str, identity: str) -> Version | None:
        """Mark a resource as deleted; None when there is nothing to delete."""
        with self.transaction():
            key, number, kept = self._head(resource_type, identity)
            if kept is None:
                return None
            version = Version(resource_type, identity, number + 1, values.now(), "DELETE", None)
            self._append(version, key, None, {})
        return version

    def amend(self, version: Version, resource: Resource) -> Version:
        """Put other content into the current version, without making a new one."""
        rows = self._index(resource) if self._index else {}
        content = fhirjson.dump(stamped(resource, version.version, version.updated))
        with self.transaction():
            key, number, _ = self._head(version.type, version.id)
            assert number == version.version, "only the current version is amended"
            self._execute("UPDATE version SET content = ? WHERE seq = "
                          "(SELECT seq FROM current WHERE key = ?)", (content, key))  # fmt: skip
            digest = _digest(resource)
            self._execute("UPDATE current SET digest = ? WHERE key = ?", (digest, key))
            self._replace_index(key, rows)
        return Version(
            version.type, version.id, version.version, version.updated, version.method, content
        )

    def _execute(self, sql: str, arguments: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, arguments)

    def _head(self, resource_type: str, identity: str) -> tuple[int | None, int, bytes | None]:
        row = self._execute(
            "SELECT key, version, digest FROM current WHERE type = ? AND id = ?",
            (resource_type, identity),
        ).fetchone()
        return row or (None, 0, None)

    def _append(self, version: Version, key: int | None, digest: bytes | None, rows: Rows) -> None:
        seq = self._execute(
            "INSERT INTO version (type, id, version, updated, method, content)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (version.type, version.id, version.version, version.updated, version.method,
             version.content),
        ).lastrowid  # fmt: skip
        head = (version.version, version.updated, seq, digest)
        if key is None:
            key = self._execute(
                "INSERT INTO current (version, updated, seq, digest, type, id)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (*head, version.type, version.id),
            ).lastrowid
        else:
            self._execute(
                "UPDATE current SET version = ?, updated = ?, seq = ?, digest = ? WHERE key = ?",
                (*head, key),
            )
        self._replace_index(key, rows, fresh=version.version == 1)

    def _replace_index(self, key: int | None, rows: Rows, *, fresh: bool = False) -> None:
        if not fresh:
            self._execute("DELETE FROM searchable WHERE key = ?", (key,))
        for kind, found in rows.items():
            columns = INDEXED[kind]
            self._connection.executemany(
                f"INSERT INTO searchable (key, param, part, {', '.join(columns)})"  # noqa: S608
                f" VALUES ({key}{', ?' * (len(columns) + 2)})",
                found,
            )


def stamped(resource: Resource, version: int, updated: int) -> Resource:
    """The resource with its version and time in `meta`, in FHIR's order of elements."""
    meta = _without(resource.get("meta", {}))
    first = {key: meta.pop(key) for key in ("id", "extension") if key in meta}
    stamp = {"versionId": str(version), "lastUpdated": values.instant(updated)}
    head = {"resourceType": resource["resourceType"], "id": resource["id"]}
    return (
        head
        | {"meta": first | stamp | meta}
        | {
            key: value
            for key, value in resource.items()
            if key not in {"resourceType", "id", "meta"}
        }
    )


def _without(meta: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in meta.items() if key not in {"versionId", "lastUpdated"}}


def _digest(resource: Resource) -> bytes:
    content = {key: value for key, value in resource.items() if key != "meta"}
    if meta := _without(resource.get("meta", {})):
        content["meta"] = meta
    # A decimal counts with its digits: 1.0 is not 1.00.
    text = json.dumps(content, sort_keys=True, default=lambda number: {"decimal": str(number)})
    return hashlib.sha256(text.encode()).digest()


def _open(path: Path | None) -> sqlite3.Connection:
    """A connection that holds the file for itself as long as it is open."""
    name = ":memory:" if path is None else str(path)
    try:
        connection = sqlite3.connect(name, timeout=0, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        if pages:
            _check_ours(connection, name)
        # A write touches many places of the index: small pages make the log a third as long.
        connection.execute("PRAGMA page_size = 1024")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("BEGIN EXCLUSIVE")
        if not pages:
            for statement in _LAYOUT_SQL.split(";"):
                connection.execute(statement)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise SourceError(name, *_reason(error)) from error
    return connection


def _check_ours(connection: sqlite3.Connection, name: str) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        raise SourceError(name, "this database is no store of fhirpkg", "name another file")
    if layout != _LAYOUT:
        problem = f"this store has the layout {layout}, this version of fhirpkg knows {_LAYOUT}"
        raise SourceError(name, problem, "name another file")


def _reason(error: sqlite3.Error) -> tuple[str, str]:
    text = str(error)
    if "locked" in text:
        return "the store is in use by another process", "stop that one or name another file"
    if "not a database" in text:
        return "this file is no store of fhirpkg", "name another file"
    return f"the store cannot be opened ({text})", "check the folder, the rights and the disk"
