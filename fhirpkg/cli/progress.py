"""How far long work has come: one line on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
import time
from typing import Self

_FIRST = 1.0
"""Seconds before anything is shown: short work needs no bar."""
_STEP = 0.1


class Progress:
    """A counter on standard error with rate and remaining time, erased when the work is done."""

    def __init__(self, total: int, unit: str) -> None:
        self._total = total
        self._unit = unit
        self._done = 0
        self._shown = False
        self._start = self._last = time.monotonic()
        self._enabled = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()

    def advance(self, number: int = 1) -> None:
        """Count work as done and show it now and then."""
        self._done += number
        now = time.monotonic()
        if self._enabled and now - self._start > _FIRST and now - self._last > _STEP:
            self._last = now
            self._shown = True
            sys.stderr.write(f"\r\033[K{self._line(now - self._start)}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Erase the line, so that other text can be written."""
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self._shown = False

    def _line(self, seconds: float) -> str:
        rate = self._done / seconds
        if not self._total:
            return f"{self._done} {self._unit}, {rate:,.0f}/s"
        left = (self._total - self._done) / rate if rate else 0
        bar = "█" * (20 * self._done // self._total)
        counts = f"{self._done}/{self._total} {self._unit}"
        return f"{bar:·<20} {counts}, {rate:,.0f}/s, {left:.0f} s left"
