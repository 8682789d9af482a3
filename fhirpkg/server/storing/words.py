"""Words: the texts that string parameters have had, each once, found by any three of its letters.

They lead a search for a part of a text (`:contains`) to the values that have it. Words that no
resource has any more stay: they lead to nothing. Those that came last are looked through; many of
them are indexed at once, which costs a write less than each on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_LONGEST = 200
"""Characters; longer texts are looked through, for their letters would take more than they do."""
_MOST_LAST = 1000
SHORTEST_PART = 3
WORDS_SQL = f"""
CREATE TABLE word (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);
CREATE INDEX long_word ON word (id) WHERE length(value) > {_LONGEST};
CREATE TABLE word_indexed (upto INTEGER NOT NULL);
INSERT INTO word_indexed VALUES (0);
CREATE VIRTUAL TABLE word_part USING fts5 (
    value, content = 'word', content_rowid = 'id', tokenize = 'trigram', columnsize = 0)
"""  # noqa: S608 - ours
CONTAINING = f"""(
SELECT word.value FROM word_part CROSS JOIN word ON word.id = word_part.rowid
WHERE word_part MATCH ? AND instr(word.value, ?)
UNION ALL
SELECT value FROM word INDEXED BY long_word WHERE length(value) > {_LONGEST} AND instr(value, ?)
UNION ALL
SELECT value FROM word WHERE id > (SELECT upto FROM word_indexed)
AND length(value) <= {_LONGEST} AND instr(value, ?))
"""  # noqa: S608 - ours
"""A SELECT of the words that have a text as a part; it takes `containing`."""


def containing(text: str) -> list[str]:
    """The arguments of CONTAINING for a text of SHORTEST_PART characters at least."""
    quoted = text.replace('"', '""')
    return [f'"{quoted}"', text, text, text]


def add_words(connection: sqlite3.Connection, values: Iterable[str]) -> None:
    """Add those texts that are not among the words."""
    sql = "INSERT OR IGNORE INTO word (value) VALUES (?)"
    connection.executemany(sql, [(value,) for value in values])
    last = "SELECT (SELECT max(id) FROM word), upto FROM word_indexed"
    ((newest, upto),) = connection.execute(last).fetchall()
    if newest and newest - upto > _MOST_LAST:
        connection.execute(
            "INSERT INTO word_part (rowid, value)"
            " SELECT id, value FROM word WHERE id > ? AND length(value) <= ?",
            (upto, _LONGEST),
        )
        connection.execute("UPDATE word_indexed SET upto = ?", (newest,))


def give_words(connection: sqlite3.Connection) -> None:
    """Add the words of a file that was made before there were words, with some that are none."""
    there = connection.execute(
        "SELECT DISTINCT value FROM searchable WHERE typeof(value) = 'text' AND"
        " coalesce(system, code, unit, type, version, high) IS NULL"
    ).fetchall()
    add_words(connection, (value for (value,) in there))
