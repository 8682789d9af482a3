"""Where the embedded server keeps its resources: one SQLite file, hidden or named.

The newest version of each resource is indexed for searching. An acknowledged write is on the disk.
"""

from __future__ import annotations

import hashlib
import json
import operator
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from fhirpkg.server import values
from fhirpkg.server.storing.connections import BUDGET, Budget, Readers, Writer
from fhirpkg.server.storing.indexed import INSERT, full_rows
from fhirpkg.server.storing.layout import SEARCHABLE, StoreFile
from fhirpkg.server.storing.shapes import count_shape, discount_shape
from fhirpkg.server.storing.versions import (
    Prepared,
    Version,
    is_large,
    joined,
    packed,
    prepared,
    unpacked,
)
from fhirpkg.server.storing.words import add_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from fhirpkg.issues import Resource
    from fhirpkg.server.storing.versions import Rows

_COLUMNS = (
    "version.type, version.id, version.version, version.updated, version.method, version.content,"
    " body.content"
)
_SMALL = (
    "SELECT version.type, version.id, version.version, version.updated, method, content"
    " FROM current JOIN version ON version.seq = current.seq"
    " WHERE current.type = ? AND current.id = ? AND body IS NULL"
)
_MOST_CHARACTERS = 16_000_000
"""Of the versions that one question gives: a page may be cut, but never the first of them."""
_AT_ONCE = 20


class Store:
    """All versions of all resources. Raises SourceError when the file cannot be used.

    `index` gives the searchable values of a resource; it may refuse one by raising.
    """

    def __init__(
        self, path: Path | None = None, *, index: Callable[[Resource], Rows] | None = None
    ) -> None:
        self._index = index or (lambda _: {})
        self._longest: dict[int, float] = {}
        self._measured: set[int] = set()
        self._measuring = threading.Lock()
        self._file = StoreFile(path)
        self._writer = Writer(self._file.first())
        self._readers = Readers(self._file.connect)
        if path is None:
            self._readers.open_all()
            self._file.hide()

    def close(self) -> None:
        """Let go of the file."""
        self._readers.close()
        self._writer.close()
        self._file.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def transaction(self, *, alone: bool = False) -> AbstractContextManager[None]:
        """All writes inside are kept together or not at all; see `Writer.transaction`."""
        return self._writer.transaction(alone=alone)

    def current(self, resource_type: str, identity: str) -> Version | None:
        """The newest version of a resource, which may be a deletion; None when it never was."""
        found = self.versions(
            "current JOIN version ON version.seq = current.seq",
            "current.type = ? AND current.id = ?",
            (resource_type, identity),
        )
        return found[0] if found else None

    def present(self, resource_type: str, identity: str) -> Version | None:
        """The newest version of a resource; None when it never was or is deleted."""
        found = self.current(resource_type, identity)
        return found if found and found.content is not None else None

    def newest(self, resource_type: str, identity: str) -> int | None:
        """The number of the newest version inside of a transaction; None when it is not there."""
        head = self._head(resource_type, identity)
        return None if head.digest is None else head.version

    def small(self, resource_type: str, identity: str) -> Version | None:
        """The newest version of a resource if it is small; who asks never waits for others."""
        self._readers.keep_one()
        found = self.query(_SMALL, (resource_type, identity))
        return Version(*found[0]) if found else None

    def all_present(self, condition: str, arguments: Sequence[Any]) -> list[Version]:
        """The newest versions, no deletions, that a condition on `current` picks."""
        return self.versions(
            "current JOIN version ON version.seq = current.seq",
            f"current.digest IS NOT NULL AND {condition}",
            arguments,
        )

    def version(self, resource_type: str, identity: str, number: int) -> Version | None:
        """One version of a resource."""
        found = self.versions(
            "version",
            "version.type = ? AND version.id = ? AND version.version = ?",
            (resource_type, identity, number),
        )
        return found[0] if found else None

    def versions(self, source: str, tail: str, arguments: Sequence[Any]) -> list[Version]:
        """The versions that SQL picks: what is joined with `version`, and what follows WHERE."""
        joined_body = "LEFT JOIN body ON body.id = version.body"
        sql = f"SELECT {_COLUMNS} FROM {source} {joined_body} WHERE {tail}"  # noqa: S608 - ours
        return [_version(row) for row in self.query(sql, arguments)]

    def by_keys(self, keys: Iterable[int]) -> dict[int, Version]:
        """The newest versions of these keys of `current`, in their order, without deletions.

        Of large ones it may give fewer than were asked for, but at least one.
        """
        wanted = list(keys)
        found: dict[int, Version] = {}
        left = _MOST_CHARACTERS
        for start in range(0, len(wanted), _AT_ONCE):
            for key, version in self._of_keys(wanted[start : start + _AT_ONCE]):
                left -= len(version.content or "")
                if left < 0 and found:
                    return found
                found[key] = version
        return found

    def _of_keys(self, keys: list[int]) -> Iterator[tuple[int, Version]]:
        """The newest versions of a few keys, in one row as `keys` gives them."""
        ((text,),) = self.query(
            "SELECT json_group_array(json_array(key, type, id, version, updated, method, content,"
            " body)) FROM (SELECT current.key, version.* FROM json_each(?) AS wanted"
            " CROSS JOIN current ON current.key = wanted.value"
            " JOIN version ON version.seq = current.seq"
            " WHERE current.digest IS NOT NULL ORDER BY wanted.key)",
            [str(keys)],
        )
        for key, *row, body in json.loads(text):
            yield key, _version((*row, self._body(body)))

    def _body(self, number: int | None) -> bytes | None:
        found = (
            [] if number is None else self.query("SELECT content FROM body WHERE id = ?", (number,))
        )
        return found[0][0] if found else None

    def each(self, keys: Iterable[int]) -> Iterator[Version]:
        """The newest versions of all these keys, a few in memory at a time, in their order.

        What is deleted meanwhile is left out.
        """
        left = list(keys)
        while left:
            asked = left[:_AT_ONCE]
            some = self.by_keys(asked)
            yield from some.values()
            given = asked.index(next(reversed(some))) + 1 if some else len(asked)
            del left[:given]

    def query(self, sql: str, arguments: Sequence[Any] = (), *, most: int = 0) -> list[Any]:
        """The rows of a question in SQL; inside of a transaction it sees what that wrote.

        Raises TooCostly when it takes longer than the request may.
        """
        budget = BUDGET.get() or Budget(float("inf"))
        if self._writer.is_mine:
            return budget.fetch(self._writer.connection, sql, arguments, most)
        with self._readers.one() as connection:
            return budget.fetch(connection, sql, arguments, most)

    def keys(self, sql: str, arguments: Sequence[Any]) -> list[int]:
        """The column `key` of a question's rows, in their order.

        They come as one row: with each row of its own, other threads would take their turn.
        """
        ((text,),) = self.query(f"SELECT json_group_array(key) FROM ({sql})", arguments)  # noqa: S608 - ours
        found: list[int] = json.loads(text)
        return found

    def number(self, resource_type: str) -> int:
        """How many resources there are of a type."""
        ((number,),) = self.query("SELECT sum(number) FROM shape WHERE type = ?", (resource_type,))
        return number or 0

    def latest(self, types: Sequence[str]) -> tuple[int, ...]:
        """The number of the last write of each type: while they stay, so do these resources."""
        each = " UNION ALL ".join(
            "SELECT coalesce(max(seq), 0) FROM version WHERE type = ?" for _ in types
        )
        return tuple(number for (number,) in self.query(each, types))

    def longest(self, param: int) -> float:
        """The length of the longest range that a parameter has or had."""
        if param not in self._measured:
            ((there,),) = self.query(
                "SELECT max(high - value) FROM searchable WHERE param = ?", (param,)
            )
            self._lengthen(param, there or 0)
            self._measured.add(param)
        return self._longest.get(param, 0)

    def _lengthen(self, param: int, length: float) -> None:
        with self._measuring:
            self._longest[param] = max(self._longest.get(param, 0), length)

    def prepare(self, resource: Resource) -> Prepared:
        """Make a resource ready for `write`: best done before a transaction begins."""
        ready = prepared(resource)
        if not self._writer.is_mine:
            there = self.query("SELECT digest FROM current WHERE type = ? AND id = ?", ready.place)
            if not there or there[0][0] != ready.digest:
                ready.rows = self._index(resource)
        return ready

    def write(self, resource: Resource | Prepared, method: str) -> tuple[Version, bool]:
        """Keep a resource under its type and id: its version, and whether that is a new one.

        Content that is equal to what is there, apart from `meta.versionId`, `meta.lastUpdated`
        and the order of keys, makes no new version.
        """
        ready = resource if isinstance(resource, Prepared) else self.prepare(resource)
        with self._writer.within():
            head = self._head(*ready.place)
            if head.digest == ready.digest:
                same = self.current(*ready.place)
                assert same is not None, "a resource with a digest has a version"
                return same, False
            rows = self._index(ready.resource) if ready.rows is None else ready.rows
            updated = values.now()
            text = ready.content(head.version + 1, updated)
            version = Version(*ready.place, head.version + 1, updated, method, joined(*text))
            self._append(version, head, ready.digest, rows, text)
        return version, True

    def delete(self, resource_type: str, identity: str) -> Version | None:
        """Mark a resource as deleted; None when there is nothing to delete."""
        with self._writer.within():
            head = self._head(resource_type, identity)
            if head.digest is None:
                return None
            number = head.version + 1
            version = Version(resource_type, identity, number, values.now(), "DELETE", None)
            self._append(version, head, None, {}, None)
        return version

    def amend(self, version: Version, resource: Resource) -> Version:
        """Put other content into the current version, without making a new one."""
        ready = prepared(resource)
        rows = self._index(resource)
        text = ready.content(version.version, version.updated)
        with self._writer.within():
            head = self._head(version.type, version.id)
            assert head.version == version.version, "only the current version is amended"
            assert head.key is not None, "what is amended is there"
            self._execute(
                "UPDATE version SET content = ?, body = ? WHERE seq ="
                " (SELECT seq FROM current WHERE key = ?)",
                (*self._kept(*text), head.key),
            )
            shape = self._replace_index(version.type, head.key, head.shape, rows)
            self._execute(
                "UPDATE current SET digest = ?, shape = ? WHERE key = ?",
                (ready.digest, shape, head.key),
            )
        return replace(version, content=joined(*text))

    def _execute(self, sql: str, arguments: Sequence[Any] = ()) -> int:
        return int(self._writer.connection.execute(sql, arguments).lastrowid or 0)

    def _head(self, resource_type: str, identity: str) -> _Head:
        sql = "SELECT key, version, digest, shape FROM current WHERE type = ? AND id = ?"
        found = self._writer.connection.execute(sql, (resource_type, identity)).fetchone()
        return _Head(*found) if found else _Head(None, 0, None, None)

    def _kept(self, head: str, body: str) -> tuple[str, int | None]:
        """The columns `content` and `body` for a text: a large body is kept once."""
        if not is_large(body):
            return joined(head, body), None
        digest = hashlib.sha256(body.encode()).digest()
        known = self.query("SELECT id FROM body WHERE digest = ?", (digest,))
        if known:
            return head, known[0][0]
        sql = "INSERT INTO body (digest, content) VALUES (?, ?)"
        return head, self._execute(sql, (digest, packed(body)))

    def _append(
        self,
        version: Version,
        head: _Head,
        digest: bytes | None,
        rows: Rows,
        text: tuple[str, str] | None,
    ) -> None:
        seq = self._execute(
            "INSERT INTO version (type, id, version, updated, method, content, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (version.type, version.id, version.version, version.updated, version.method,
             *(self._kept(*text) if text else (None, None))),
        )  # fmt: skip
        newest, key = (version.version, version.updated, seq, digest), head.key
        if key is None:
            sql = "INSERT INTO current (version, updated, seq, digest, shape, type, id)"
            wanted = full_rows(rows)
            shape = count_shape(self._writer.connection, version.type, {row[0] for row in wanted})
            place = (version.type, version.id)
            key = self._execute(f"{sql} VALUES (?, ?, ?, ?, ?, ?, ?)", (*newest, shape, *place))
            self._insert(key, wanted, rows)
            return
        is_there = digest is not None
        shape_ = self._replace_index(version.type, key, head.shape, rows, is_there=is_there)
        self._execute(
            "UPDATE current SET version = ?, updated = ?, seq = ?, digest = ?, shape = ?"
            " WHERE key = ?",
            (*newest, shape_, key),
        )

    def _replace_index(
        self, resource_type: str, key: int, shape: int | None, rows: Rows, *, is_there: bool = True
    ) -> int | None:
        """Make these rows the index of a resource, and give its shape.

        What stays as it is is not written again.
        """
        connection = self._writer.connection
        sql = f"SELECT {', '.join(SEARCHABLE)} FROM searchable WHERE key = ?"  # noqa: S608
        there = {(*row[:2], *row[3:]) for row in connection.execute(sql, (key,))}
        wanted = full_rows(rows)
        connection.executemany(
            "DELETE FROM searchable"
            " WHERE param = ? AND value = ? AND key = ? AND part = ? AND n = ?",
            [(*row[:2], key, *row[2:4]) for row in there - wanted],
        )
        self._insert(key, wanted - there, rows)
        params = {row[0] for row in wanted}
        if shape is not None:
            if is_there and params == {row[0] for row in there}:
                return shape
            discount_shape(connection, shape)
        return count_shape(connection, resource_type, params) if is_there else None

    def _insert(self, key: int, wanted: set[tuple[Any, ...]], rows: Rows) -> None:
        """Write some of a resource's rows; the longest range of a parameter is kept in mind."""
        fresh = [(*row[:2], key, *row[2:]) for row in wanted]
        fresh.sort(key=operator.itemgetter(0))
        for param, low, *_, high in (row[:6] for row in fresh):
            if high is not None and high - low > self._longest.get(param, 0):
                self._lengthen(param, high - low)
        self._writer.connection.executemany(INSERT, fresh)
        if fresh and "string" in rows:
            add_words(self._writer.connection, {row[2] for row in rows["string"]})


@dataclass(frozen=True, slots=True)
class _Head:
    """What `current` says of a resource: no key if it never was, no digest if it is deleted."""

    key: int | None
    version: int
    digest: bytes | None
    shape: int | None


def _version(row: Sequence[Any]) -> Version:
    """A version from `_COLUMNS`."""
    type_, identity, number, updated, method, content, body = row
    return Version(type_, identity, number, updated, method, unpacked(content, body))
