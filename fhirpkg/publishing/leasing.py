"""The lease of a push: one at a time writes a package, and says while it lasts that it lives."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.errors import FhirpkgError
from fhirpkg.publishing.bookkeeping import head as heads
from fhirpkg.publishing.bookkeeping.head import ConflictError
from fhirpkg.publishing.bookkeeping.state import LEASE, Head, Phase

if TYPE_CHECKING:
    from fhirpkg.client.client import FhirClient
    from fhirpkg.publishing.planning import Plan


_BEAT = LEASE / 3
_PATIENCE_AT_THE_END = 3.0


def check_lease(plan: Plan) -> None:
    """Raise ConflictError when another content is being pushed right now."""
    head = plan.head
    if head is not None and head.is_held and head.digest != plan.release.digest:
        left = round(LEASE - head.age)
        raise ConflictError(
            f"{head.package} {head.version} is being pushed by {head.owner} (content "
            f"{head.digest[:12]}); if that push has died, try again in {left} s"
        )


class Lease:
    """Our hold on a package's head: taken, kept alive while we write, ended."""

    def __init__(self, client: FhirClient, head: Head) -> None:
        self.head = head
        self.is_guarded = True
        self._client = client
        self._last_beat = 0.0

    def take(self, manifest: str) -> None:
        """Write the head as ours and find out whether the server enforces If-Match."""
        self.head = heads.write_head(self._client, self.head.next(manifest=manifest))
        self._last_beat = time.monotonic()
        self.is_guarded = heads.proves_if_match(self._client, self.head)
        if not self.is_guarded:  # the probe was carried out: go on from what it made
            self.head = heads.reread(self._client, self.head)

    def keep(self) -> None:
        """Give a sign of life when it is time for one."""
        if time.monotonic() - self._last_beat > _BEAT:
            self.head = heads.write_head(self._client, self.head.next())
            self._last_beat = time.monotonic()

    def end(self, phase: Phase, settled: str) -> None:
        """Say how it ended."""
        ended = self.head.next(phase=phase, settled=settled)
        if not self.is_guarded:
            heads.reread(self._client, self.head)
        self.head = heads.write_head(self._client, ended)

    def release(self) -> None:
        """Release the lease after an interruption, if the server can still be reached."""
        self._client.retry = replace(self._client.retry, patience=_PATIENCE_AT_THE_END)
        try:
            self.end(Phase.INCOMPLETE, "")
        except FhirpkgError:
            return  # the lease ends by itself
