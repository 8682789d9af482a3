"""The layout of a store's file, and how it is opened: by one process at a time, for its user alone.

`version` has each version. Its `content` is the JSON text; of a large resource it is the head
(type, id, meta) alone, and the rest, compressed, is once in `body`, however many versions and
resources share it. `current` has the newest version of each resource, `searchable` what that is
found by; `shape` tells which parameters a resource has a value for, `word` has the texts.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

from fhirpkg.errors import SourceError
from fhirpkg.server.storing.shapes import SHAPES_SQL, give_shapes
from fhirpkg.server.storing.words import WORDS_SQL, give_words

try:
    import fcntl
except ImportError:  # Windows: there a second process is stopped by nothing but SQLite's own locks
    fcntl = None  # type: ignore[assignment]

_APPLICATION = 0x66686972  # "fhir": marks a SQLite file as ours
_LAYOUT = 4
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

`param` is `param_key` of ``Type.code``; `part` groups the parts of one composite value;
`value` and `high` are the ends of a range; of a reference `value` is the id, or the url if
`type` is NULL; `exact` is NULL when it is the same as `value`.
"""
SEARCHABLE = (
    "param", "value", "key", "part", "n", "high", "system", "exact", "code", "unit", "type",
    "version",
)  # fmt: skip
_LAYOUT_SQL = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_LAYOUT};
CREATE TABLE body (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, content BLOB NOT NULL);
CREATE TABLE version (
    seq INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    updated INTEGER NOT NULL, method TEXT NOT NULL, content TEXT, body INTEGER,
    UNIQUE (type, id, version));
CREATE INDEX version_of_type ON version (type);
CREATE TABLE current (
    key INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    updated INTEGER NOT NULL, seq INTEGER NOT NULL, digest BLOB, shape INTEGER,
    UNIQUE (type, id));
CREATE INDEX current_of_type ON current (type) WHERE digest IS NOT NULL;
CREATE INDEX current_updated ON current (type, updated) WHERE digest IS NOT NULL;
CREATE TABLE searchable (
    param INTEGER NOT NULL, value NOT NULL, key INTEGER NOT NULL, part INTEGER NOT NULL,
    n INTEGER NOT NULL, high, system TEXT, exact TEXT, code TEXT, unit TEXT, type TEXT,
    version TEXT, PRIMARY KEY (param, value, key, part, n)) WITHOUT ROWID;
CREATE INDEX searchable_key ON searchable (key, param);
{SHAPES_SQL};
{WORDS_SQL}
"""
_SHAPED = f"""
DROP TABLE IF EXISTS present;
ALTER TABLE current ADD COLUMN shape INTEGER;
{SHAPES_SQL}
"""
_CHANGES = {2: (_SHAPED, give_shapes), 3: (WORDS_SQL, give_words)}
"""By an earlier layout: SQL and then a call that make the next one of it when a file is opened."""


@functools.cache
def param_key(name: str) -> int:
    """The number that stands for a search parameter like ``PlanDefinition.url`` in the index."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest(), "big")


class StoreFile:
    """The file of a store, held for this process; without a path a hidden one that nobody else has.

    Raises SourceError when it cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        self._folder = None if path else Path(tempfile.mkdtemp(prefix="fhirpkg-"))
        self.path = path or Path(str(self._folder), "store.db")
        self.is_kept = path is not None
        self._held: int | None = None
        self._hold()

    def _hold(self) -> None:
        """Take the file, made with rights for its user alone, before SQLite looks at it."""
        try:
            # SQLite's locks are of another kind (POSIX) and do not meet this one.
            self._held = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            if fcntl:
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Left open: closing it would drop the locks of a store that this process itself has.
            raise SourceError(
                str(self.path),
                "the store is in use by another process",
                "stop that one or name another file",
            ) from None
        except OSError as error:
            raise SourceError(str(self.path), *_reason(error)) from error

    def connect(self) -> sqlite3.Connection:
        """A connection of its own to the file, which lies there with its layout; 2 MB of pages."""
        connection = sqlite3.connect(
            self.path, timeout=10, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA cache_size = -2000")
        connection.execute(f"PRAGMA synchronous = {'FULL' if self.is_kept else 'OFF'}")
        return connection

    def first(self) -> sqlite3.Connection:
        """The connection that writes; it checks the file, or lays it out when it is empty."""
        connection = None
        try:
            connection = self.connect()
            # Else a disk that is full in the middle of a group of writes takes those before it too.
            connection.execute("PRAGMA cache_size = -16000")
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            layout = _layout_of(connection, str(self.path)) if pages else None
            connection.execute("PRAGMA page_size = 4096")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA wal_autocheckpoint = 1000")
            connection.execute("PRAGMA journal_size_limit = 16777216")
            connection.execute("BEGIN EXCLUSIVE")
            if layout is None:
                _lay_out(connection, _LAYOUT_SQL)
            else:
                _bring_up(connection, layout)
            connection.execute("COMMIT")
        except (sqlite3.Error, SourceError) as error:
            if connection:
                connection.close()
            self.release()
            if isinstance(error, SourceError):
                raise
            raise SourceError(str(self.path), *_reason(error)) from error
        return connection

    def hide(self) -> None:
        """Take a store that is not kept out of its folder: it goes with its connections."""
        if self._folder and fcntl:  # where an open file can be removed
            shutil.rmtree(self._folder, ignore_errors=True)

    def release(self) -> None:
        """Let go of the file, after its connections."""
        if self._held is not None:
            os.close(self._held)
            self._held = None
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _lay_out(connection: sqlite3.Connection, script: str) -> None:
    for statement in script.split(";"):  # executescript would commit first
        connection.execute(statement)


def _bring_up(connection: sqlite3.Connection, layout: int) -> None:
    """Make the present layout of an earlier one."""
    for number in range(layout, _LAYOUT):
        script, fill = _CHANGES[number]
        _lay_out(connection, script)
        fill(connection)
    connection.execute(f"PRAGMA user_version = {_LAYOUT}")


def _layout_of(connection: sqlite3.Connection, name: str) -> int:
    """The layout of a file. Raises SourceError when it is not one that this version knows."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        raise SourceError(name, "this database is not a store of fhirpkg", "name another file")
    if layout not in {*_CHANGES, _LAYOUT}:
        problem = f"this store has the layout {layout}, this version of fhirpkg knows {_LAYOUT}"
        raise SourceError(name, problem, "name another file")
    return int(layout)


def _reason(error: Exception) -> tuple[str, str]:
    text = str(error)
    if "locked" in text:
        return "the store is in use by another process", "stop that one or name another file"
    if "not a database" in text:
        return "this file is not a store of fhirpkg", "name another file"
    return f"the store cannot be opened ({text})", "check the folder, the rights and the disk"
