"""How far long work has come: one line on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
import time
from typing import Self

_FIRST = 1.0
"""Seconds before anything is shown: short work needs no bar."""
_STEP = 0.1


class Progress:
    """A line on standard error with rate and remaining time, erased when the work is done."""

    def __init__(self, total: int, verb: str) -> None:
        self._total = total
        self._verb = verb
        self._start = time.monotonic()
        self._next = self._start + _FIRST if sys.stderr.isatty() else float("inf")
        self._is_shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def expect(self, total: int) -> None:
        """Set how much there is to do, where that is known only after the start."""
        self._total = total

    def show(self, done: int) -> None:
        """Say how much is done, now and then."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _STEP
        self._is_shown = True
        rate = done / max(now - self._start, 0.001)
        left = max(self._total - done, 0) / rate if rate else 0
        bar = "█" * min(20 * done // max(self._total, 1), 20)
        counts = f"{done:,} of {self._total:,} {self._verb}, {rate:,.0f}/s, {left:,.0f} s left"
        _write(f"{bar:·<20} {counts}")

    def clear(self) -> None:
        """Erase the line, so that other text can be written."""
        if self._is_shown:
            _write("")
            self._is_shown = False


def _write(text: str) -> None:
    """Put a text in the place of the present line."""
    sys.stderr.write(f"\r\033[K{text}")
    sys.stderr.flush()
