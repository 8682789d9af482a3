"""When a request is sent again and how long to wait before: one policy for everything.

The decision needs more than a status: the method (a POST that may have worked is never repeated),
what the OperationOutcome says, and the waiting time that the server asks for in its own dialect.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from fhirpkg.client.response import outcome_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fhirpkg.client.response import Response

TRANSIENT_STATUSES = frozenset({0, 408, 425, 429, 500, 502, 503, 504})
TRANSIENT_CODES = frozenset({"transient", "lock-error", "no-store", "timeout", "throttled"})
"""R4 issue-type: what may go away by itself, whatever the HTTP status."""
PERMANENT_CODES = frozenset(
    {
        "invalid", "structure", "required", "value", "invariant",
        "security", "login", "unknown", "expired", "forbidden", "suppressed",
        "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
        "code-invalid", "extension", "too-costly", "business-rule",
    }
)  # fmt: skip
"""R4 issue-type: what stays wrong however often it is sent."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 20.0
_TRIES_WHEN_UNCLEAR = 4
"""A 500, a conflict or a success without a readable body may be a fault that stays."""
_RATE_LIMIT_RESET = re.compile(r"(?:^|[;,\s])t=(\d+)")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient to be: `patience` seconds from the first failure on.

    The clock (seconds, monotonic), the sleep and the random number (0 to 1) can be replaced.
    """

    patience: float = 60.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random

    def attempts(self) -> Attempts:
        """A fresh count of attempts for one thing to be done."""
        return Attempts(self)


class Attempts:
    """The attempts at one thing: waits between them and ends them when patience does."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._since = 0.0

    def again(self, response: Response) -> bool:
        """Wait as long as is right after this failure; False when it is time to give up."""
        now = self._policy.clock()
        if not self._failures:
            self._since = now
        self._failures += 1
        if is_unclear(response) and self._failures >= _TRIES_WHEN_UNCLEAR:
            return False
        backoff = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (self._failures - 1))
        wait = self._policy.random() * backoff
        asked = asked_wait(response.headers)
        if asked is not None:
            wait = asked + self._policy.random() * min(1.0, asked / 4)
        if now + wait - self._since > self._policy.patience:
            return False
        self._policy.sleep(wait)
        return True

    def progress(self) -> None:
        """Something went well: patience starts anew."""
        self._failures = 0


def is_transient(response: Response) -> bool:
    """Whether the same request may work later."""
    codes = outcome_codes(response.outcome)
    if codes & TRANSIENT_CODES or is_throttled(response):
        return not response.ok
    return response.status in TRANSIENT_STATUSES and not codes & PERMANENT_CODES


def is_throttled(response: Response) -> bool:
    """Whether the server refused the request unread because there were too many.

    AWS HealthLake says so with status 400 and ThrottlingException in the body.
    """
    if response.status == 429:
        return True
    return response.status == 400 and "ThrottlingException" in response.text[:2000]


def is_unclear(response: Response) -> bool:
    """Whether waiting may or may not help: a plain 500, a conflict, a success nobody can read."""
    unreadable = response.ok or (not response.status and response.resource is not None)
    return unreadable or response.status in {409, 412, 500}


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, in any of the known ways; None when it does not.

    A date is compared with the server's own clock where it states it, as clocks differ.
    """
    milliseconds = headers.get("x-ms-retry-after-ms", "")
    if milliseconds.isdigit():
        return int(milliseconds) / 1000
    retry_after = headers.get("retry-after", "").strip()
    if retry_after.isdigit():
        return float(retry_after)
    moment = http_date(retry_after)
    if moment is not None:
        return max(0.0, moment - (http_date(headers.get("date", "")) or time.time()))
    reset = _RATE_LIMIT_RESET.search(headers.get("ratelimit", ""))
    return float(reset[1]) if reset else None


def http_date(text: str) -> float | None:
    """Seconds since 1970 of an HTTP date (RFC 9110 5.6.7); None for other text."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, IndexError):
        return None
