"""What may be read from servers for one purpose: bytes and seconds, in any number of requests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fhirpkg.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable


class SpentError(ServerError):
    """Nothing more may be read; its problem holds nothing of what a server said."""


class Allowance:
    """`most` bytes and `seconds` from now on; the clock (seconds, monotonic) can be replaced."""

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._left = most
        self._clock = clock
        self._end = clock() + seconds

    def spend(self, url: str, size: int) -> None:
        """Take what came off what is left. Raises SpentError when it is more, or too late."""
        self._left -= size
        if self._left < 0:
            raise SpentError(url, f"more than {self._most / 2**20:g} MB arrived")
        if self._clock() >= self._end:
            raise SpentError(url, f"it took longer than {self._seconds:g} s")
