"""A `map` over several processes that share what was loaded before them, in order, killed safely.

The processes are forked, so nothing large is pickled; where a system cannot fork, the map runs in
this process.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_INTERRUPT = {signal.SIGINT}
_shared: list[Any] = []
"""What a forked process works with; empty in the process that forks."""


@contextlib.contextmanager
def mapping(
    function: Callable[[Any, Any], Any], shared: Any, jobs: int
) -> Iterator[Callable[[Iterable[Any]], Iterator[Any]]]:
    """`function(shared, item)` for each item, in order, over `jobs` processes."""
    if jobs == 1 or not hasattr(os, "fork"):
        yield partial(map, partial(function, shared))
        return
    import multiprocessing  # noqa: PLC0415 - takes time, and most runs have one process

    context = multiprocessing.get_context("fork")
    # A process that has just been forked is not to be interrupted; the parent is, once it can act.
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
    with context.Pool(jobs, _start, (shared,)) as pool:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
            yield partial(pool.imap, partial(_call, function), chunksize=8)
        except KeyboardInterrupt:
            # An interrupted pool may wait for its own locks without end, and would replace
            # processes that are killed.
            pool._worker_handler._state = "TERMINATE"  # type: ignore[attr-defined]  # noqa: SLF001
            for worker in multiprocessing.active_children():
                worker.kill()
            pool._terminate.cancel()  # type: ignore[attr-defined]  # noqa: SLF001 - as above
            pool.terminate = lambda: None  # type: ignore[method-assign]
            raise


@contextlib.contextmanager
def few_collections() -> Iterator[None]:
    """Search for cycles seldom, and not in what was loaded before: it takes a tenth of the time."""
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _call(function: Callable[[Any, Any], Any], item: Any) -> Any:
    return function(_shared[0], item)


def _start(shared: Any) -> None:
    """Leave Ctrl-C to the process that reports, and let its SIGTERM end this one in silence."""
    import threading  # noqa: PLC0415

    _shared.append(shared)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    """End this process when the one that made it is gone, however that came."""
    from multiprocessing import connection, parent_process  # noqa: PLC0415

    parent = parent_process()
    assert parent is not None, "it runs in processes that a pool made"
    connection.wait([parent.sentinel])
    os._exit(1)
