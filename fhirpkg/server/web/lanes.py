"""How requests share the server: lanes of threads, so that no kind of request holds up another.

A read by id is quick and never waits behind searches; searches that take long wait for each other,
and stop when their client has gone. Large bodies, which take memory, come one at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from fhirpkg.server.storing.connections import BUDGET, Budget, TooBusy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request as HttpRequest
    from starlette.responses import Response

SEARCH_SECONDS = 5
_MOST_WAITING = 100
_LARGE_BODY = 4 * 1024 * 1024
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


class Lanes:
    """The lanes of one server. Threads number 32 together, fewer than the pool of Starlette has."""

    def __init__(self) -> None:
        self._reads = _Lane(8)
        self._searches = _Lane(3)
        self._writes = _Lane(16)
        self._large = _Lane(1)

    async def run(self, http: HttpRequest, size: int, work: Callable[[], Response]) -> Response:
        """Do the work of a request in the lane that is its own. Raises TooBusy."""
        lane, seconds = self._lane(http, size)
        budget = Budget(seconds)

        def in_thread() -> Response:
            BUDGET.set(budget)
            return work()

        async with lane.turn():
            if http.method in _WRITES:  # a write is done, whether or not its client waits for it
                return await run_in_threadpool(in_thread)
            watching = asyncio.create_task(_cancel_when_gone(http, budget))
            try:
                return await run_in_threadpool(in_thread)
            finally:
                watching.cancel()

    def _lane(self, http: HttpRequest, size: int) -> tuple[_Lane, float]:
        path = [part for part in http.path_params.get("path", "").split("/") if part]
        if size > _LARGE_BODY or "content-encoding" in http.headers:  # it may become large
            return self._large, SEARCH_SECONDS
        if path and (path[-1] == "_search" or path[-1].startswith("$")):
            return self._searches, SEARCH_SECONDS
        if http.method in _WRITES:
            return self._writes, SEARCH_SECONDS
        if len(path) == 2 or (len(path) == 4 and path[2] == "_history"):
            return self._reads, SEARCH_SECONDS
        return self._searches, SEARCH_SECONDS


async def _cancel_when_gone(http: HttpRequest, budget: Budget) -> None:
    """The body was read, so what comes next is that the client goes."""
    message = await http.receive()
    if message["type"] == "http.disconnect":
        budget.is_cancelled = True
