"""Transactions and questions on one SQLite file: writers share commits, readers never wait.

One connection writes; threads that write at the same time are put into one commit, each under a
savepoint of its own, and no client sees success before that commit is on the disk. Readers have
connections of their own and see what was committed (SQLite's WAL mode).
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

MOST_READERS = 13
_LONGEST_WAIT = 30.0
_MOST_IN_A_GROUP = 64
_STEPS = 100_000  # of SQLite's machine between two looks at the clock: some milliseconds
_CHEAPEST = 0.0001
_ROLLED_BACK = "the transaction was rolled back"


class TooCostly(Exception):  # noqa: N818 - reported as a refusal
    """A question that takes longer than its request may, or whose client is gone."""


class TooBusy(Exception):  # noqa: N818 - reported as a refusal
    """Others read or write for so long that a request does not get its turn."""


@dataclass(slots=True)
class Budget:
    """How long the questions of one request may take altogether, in seconds."""

    seconds: float
    is_cancelled: bool = False

    def fetch(
        self, connection: sqlite3.Connection, sql: str, arguments: Sequence[Any], most: int
    ) -> list[tuple[Any, ...]]:
        """The rows of a question, `most` at most if that is not 0. Raises TooCostly."""
        start = time.monotonic()

        def is_over() -> bool:
            return self.is_cancelled or time.monotonic() - start > self.seconds

        if is_over():
            raise TooCostly
        connection.set_progress_handler(is_over, _STEPS)
        try:
            cursor = connection.execute(sql, arguments)
            return cursor.fetchmany(most) if most else cursor.fetchall()
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise TooCostly from error
            raise
        finally:
            connection.set_progress_handler(None, 0)
            self.seconds -= max(time.monotonic() - start, _CHEAPEST)


BUDGET: ContextVar[Budget | None] = ContextVar("BUDGET", default=None)
"""The budget of the request that is worked on; None: no limit."""


@dataclass(slots=True)
class _Group:
    """Transactions that are committed together."""

    members: int = 0
    is_done: threading.Event = field(default_factory=threading.Event)
    error: sqlite3.Error | None = None


class Writer:
    """The connection that writes, for one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self._mine = threading.local()

    @property
    def is_mine(self) -> bool:
        """Whether this thread is in a transaction."""
        return getattr(self._mine, "depth", 0) > 0

    @contextmanager
    def transaction(self, *, alone: bool = False) -> Iterator[None]:
        """All writes inside are kept together or, when an exception leaves it, not at all.

        What takes long goes `alone`: nobody else's success is to wait for it.
        Raises TooBusy when the turn does not come, sqlite3.Error when nothing could be kept.
        """
        if self.is_mine:
            with self._savepoint():
                yield
            return
        self._take(_LONGEST_WAIT)
        try:
            if alone:
                self._commit()
            group = self._begin()
        except BaseException:
            self._lock.release()
            raise
        try:
            with self._savepoint():
                yield
        finally:
            if alone or group.members >= _MOST_IN_A_GROUP or not self._waiting:
                self._commit()
            self._lock.release()
            self._settle(group)

    def within(self) -> AbstractContextManager[None]:
        """The transaction that this thread is in, whose savepoint will do, else one of its own."""
        return nullcontext() if self.is_mine else self.transaction()

    def _take(self, seconds: float) -> None:
        with self._counting:
            self._waiting += 1
        try:
            if not self._lock.acquire(timeout=seconds):
                raise TooBusy
        finally:
            with self._counting:
                self._waiting -= 1

    def _begin(self) -> _Group:
        if self._group is None or not self.connection.in_transaction:
            self._commit()
            self.connection.execute("BEGIN IMMEDIATE")
            self._group = _Group()
        self._group.members += 1
        return self._group

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        depth = getattr(self._mine, "depth", 0)
        if not self.connection.in_transaction:  # this would begin one of its own
            raise sqlite3.OperationalError(_ROLLED_BACK)
        name = f"level{depth}"
        self.connection.execute(f"SAVEPOINT {name}")
        self._mine.depth = depth + 1
        try:
            yield
            self.connection.execute(f"RELEASE {name}")
        except BaseException:
            if self.connection.in_transaction:  # on a full disk SQLite may roll back all
                self.connection.execute(f"ROLLBACK TO {name}")
                self.connection.execute(f"RELEASE {name}")
            raise
        finally:
            self._mine.depth = depth

    def _commit(self) -> None:
        """Commit the open group, if there is one; its members learn how that went."""
        group, self._group = self._group, None
        if group is None:
            return
        try:
            if not self.connection.in_transaction:
                raise sqlite3.OperationalError(_ROLLED_BACK)
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            group.error = error
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        finally:
            group.is_done.set()

    def _settle(self, group: _Group) -> None:
        """Wait until the group is committed: by one that still waits for its turn, or by this."""
        while not group.is_done.wait(0.05):
            if self._lock.acquire(timeout=0.01):
                try:
                    if self._group is group:
                        self._commit()
                finally:
                    self._lock.release()
        if group.error is not None:
            raise group.error

    def close(self) -> None:
        """Close the connection when nobody writes any more."""
        with self._lock:
            self._commit()
            self.connection.close()


class Readers:
    """Connections that read, made when they are needed, each for one thread at a time."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._free: queue.LifoQueue[sqlite3.Connection | None] = queue.LifoQueue()
        for _ in range(MOST_READERS):
            self._free.put(None)
        self._own = threading.local()
        self._kept: list[sqlite3.Connection] = []

    def keep_one(self) -> None:
        """Keep a connection for this thread alone, which then never waits for one."""
        if not hasattr(self._own, "connection"):
            self._own.connection = self._free.get(timeout=_LONGEST_WAIT) or self._connect()
            self._kept.append(self._own.connection)

    def open_all(self) -> None:
        """Make all connections now, and let each see the file."""
        found = [self._free.get() or self._connect() for _ in range(MOST_READERS)]
        for connection in found:
            connection.execute("SELECT count(*) FROM current").fetchall()
            self._free.put(connection)

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """A connection. Raises TooBusy when none becomes free."""
        if own := getattr(self._own, "connection", None):
            yield own
            return
        try:
            connection = self._free.get(timeout=_LONGEST_WAIT)
        except queue.Empty:
            raise TooBusy from None
        try:
            connection = connection or self._connect()
            yield connection
        finally:
            self._free.put(connection)

    def close(self) -> None:
        """Close those that are not in use, which are all when the requests have ended."""
        for kept in self._kept:
            self._free.put(kept)
        for connection in [self._free.get(timeout=_LONGEST_WAIT) for _ in range(MOST_READERS)]:
            if connection:
                connection.close()
            self._free.put(None)
