"""Shapes: which search parameters a resource has a value for, kept once for all that are alike.

A store has few shapes however many resources it has, so that what lacks a value (`:missing`) is
found, and counted, by the shapes that lack it. The numbers of a type's shapes add up to the number
of its resources.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

SHAPES_SQL = """
CREATE TABLE shape (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, digest BLOB NOT NULL UNIQUE,
    number INTEGER NOT NULL);
CREATE INDEX shape_of_type ON shape (type);
CREATE TABLE shape_param (
    param INTEGER NOT NULL, shape INTEGER NOT NULL, PRIMARY KEY (param, shape)) WITHOUT ROWID;
CREATE INDEX current_of_shape ON current (shape) WHERE shape IS NOT NULL
"""
_COUNTED = """
INSERT INTO shape (type, digest, number) VALUES (?, ?, 1)
ON CONFLICT (digest) DO UPDATE SET number = number + 1 RETURNING id, number
"""
HAVING = "(SELECT shape FROM shape_param WHERE param = ?)"
"""The shapes that have a value for a parameter."""


def shape_digest(resource_type: str, params: Iterable[int]) -> bytes:
    """What tells a shape from all others."""
    text = f"{resource_type} {sorted(params)}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def count_shape(connection: sqlite3.Connection, resource_type: str, params: set[int]) -> int:
    """Count one more resource of a shape, which is made if it is the first: its id."""
    row = (resource_type, shape_digest(resource_type, params))
    ((shape, number),) = connection.execute(_COUNTED, row).fetchall()
    if number == 1:
        sql = "INSERT OR IGNORE INTO shape_param VALUES (?, ?)"
        connection.executemany(sql, [(param, shape) for param in params])
    return int(shape)


def discount_shape(connection: sqlite3.Connection, shape: int) -> None:
    """Count one resource of a shape less."""
    connection.execute("UPDATE shape SET number = number - 1 WHERE id = ?", (shape,))


def give_shapes(connection: sqlite3.Connection) -> None:
    """Find the shapes of all resources of a file that was made before there were shapes."""
    there = connection.execute(
        "SELECT key, type, (SELECT group_concat(param) FROM (SELECT DISTINCT param FROM searchable"
        " INDEXED BY searchable_key WHERE key = current.key)) FROM current WHERE digest IS NOT NULL"
    ).fetchall()
    for key, resource_type, params in there:
        found = set(map(int, params.split(","))) if params else set()
        shape = count_shape(connection, resource_type, found)
        connection.execute("UPDATE current SET shape = ? WHERE key = ?", (shape, key))
