"""How requests share the server: lanes of threads, so that no kind of request holds up another.

A read by id is quick and never waits behind searches; searches that take long wait for each other,
and stop when their client has gone. Large bodies, which take memory, come one at a time. Small
writes that wait are done by one thread in one commit: a thread and a commit for each would cost
more than the writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from fhirpkg.server.storing.connections import BUDGET, Budget, TooBusy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request as HttpRequest
    from starlette.responses import Response

    from fhirpkg.server.storing.store import Store
    from fhirpkg.server.storing.versions import Version

    Work = Callable[[], Response]

FOUND = "fhirpkg.found"
"""The key of a request's scope under which the version stands that a lane has read for it."""
SEARCH_SECONDS = 5
_MOST_WAITING = 100
_LARGE_BODY = 4 * 1024 * 1024
_SMALL_BODY = 64 * 1024
_MOST_TOGETHER = 64
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}


class _Lane:
    """Threads for one kind of request; those that find none free wait, up to a number."""

    def __init__(self, threads: int) -> None:
        self._free = asyncio.Semaphore(threads)
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a thread. Raises TooBusy when too many wait already."""
        if self._waiting >= _MOST_WAITING:
            raise TooBusy
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


class _Together:
    """Small writes: one thread does all that wait, and none is answered before their commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Work, asyncio.Future[Response]]] = []
        self._running: asyncio.Task[None] | None = None

    async def run(self, work: Work) -> Response:
        """Do it with others. Raises TooBusy when too many wait already, or the turn never comes."""
        if len(self._waiting) >= _MOST_WAITING:
            raise TooBusy
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, answer))
        if self._running is None:
            self._running = asyncio.create_task(self._run_all())
        return await answer

    async def _run_all(self) -> None:
        while self._waiting:
            some = self._waiting[:_MOST_TOGETHER]
            del self._waiting[:_MOST_TOGETHER]
            done = await run_in_threadpool(self._written, [work for work, _ in some])
            for (_, answer), response in zip(some, done, strict=True):
                if answer.done():  # nobody waits for it
                    continue
                if response is None:
                    answer.set_exception(TooBusy())
                else:
                    answer.set_result(response)
        self._running = None

    def _written(self, works: list[Work]) -> list[Response] | list[None]:
        """The answers, once all is on the disk; None for each when the turn does not come."""
        try:
            with self._store.transaction():
                return [work() for work in works]
        except TooBusy:
            return [None] * len(works)
        except sqlite3.Error:  # nothing was kept: each for itself learns why
            return [work() for work in works]


class Lanes:
    """The lanes of one server. Threads number 33 together, fewer than the pool of Starlette has."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._together = _Together(store)
        self._reads = _Lane(8)
        self._searches = _Lane(3)
        self._writes = _Lane(16)
        self._large = _Lane(1)

    async def run(self, http: HttpRequest, size: int, work: Work) -> Response:
        """Do the work of a request in the lane that is its own. Raises TooBusy."""
        path: tuple[str, ...] = http.path_params["path"]
        lane = self._lane(http, path, size)
        if lane is self._reads and (found := self._small(http, path)):
            http.scope[FOUND] = found
            return work()
        budget = Budget(SEARCH_SECONDS)

        def in_thread() -> Response:
            BUDGET.set(budget)
            return work()

        if lane is self._writes and size <= _SMALL_BODY and path:
            return await self._together.run(in_thread)
        async with lane.turn():
            # A write is done, whether or not its client waits for it; a read by id is quick.
            if lane is self._reads or http.method in _WRITES:
                return await run_in_threadpool(in_thread)
            watching = asyncio.create_task(_cancel_when_gone(http, budget))
            try:
                return await run_in_threadpool(in_thread)
            finally:
                watching.cancel()

    def _small(self, http: HttpRequest, path: tuple[str, ...]) -> Version | None:
        """What is read in less time than it takes to hand that to a thread: small, and in JSON."""
        if len(path) != 2 or http.scope["query_string"] or "xml" in http.headers.get("accept", ""):
            return None
        try:
            return self._store.small(*path)
        except (sqlite3.Error, TooBusy):  # the read says it in words
            return None

    def _lane(self, http: HttpRequest, path: tuple[str, ...], size: int) -> _Lane:
        if size > _LARGE_BODY or "content-encoding" in http.headers:  # it may become large
            return self._large
        if path and (path[-1] == "_search" or path[-1].startswith("$")):
            return self._searches
        if http.method in _WRITES:
            return self._writes
        if len(path) == 2 or (len(path) == 4 and path[2] == "_history"):
            return self._reads
        return self._searches


async def _cancel_when_gone(http: HttpRequest, budget: Budget) -> None:
    """The body was read, so what comes next, after its empty end, is that the client goes."""
    while (await http.receive())["type"] != "http.disconnect":
        pass
    budget.is_cancelled = True
