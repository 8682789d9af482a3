"""The socket, and the server that speaks HTTP on it; clients that do not speak are let go."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST_HEAD = 256 * 1024  # a search for 400 urls in its address is to fit
_SLOWEST_HEAD = 15
_MOST_CONNECTIONS = 900


class _Protocol(HttpToolsProtocol):
    """HTTP whose heads are bounded, in their size and in the time that they may take."""

    _waiting: asyncio.TimerHandle | None = None
    _unbounded = 0
    """Bytes that came since the last head or part of a body was complete."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the head of the first request."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Pass on what arrived; answer 400 when a head is larger than allowed."""
        self._unbounded += len(data)
        super().data_received(data)
        if self._unbounded > _LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")
        self._await_head()

    def on_headers_complete(self) -> None:
        """Set the counter of the head back, and split the query off the url."""
        self._unbounded = 0
        self.url, _, query = self.url.partition(b"?")  # what parses it takes 64 kB at most
        super().on_headers_complete()
        self.scope["query_string"] = query

    def on_body(self, body: bytes) -> None:
        """Set the counter back: what counts is the head alone."""
        self._unbounded = 0
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting for a head."""
        if self._waiting:
            self._waiting.cancel()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        is_idle = self.cycle is None or self.cycle.response_complete
        if not is_idle and self._waiting:
            self._waiting.cancel()
            self._waiting = None
        elif is_idle and self._waiting is None:
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_later(_SLOWEST_HEAD, self._give_up)

    def _give_up(self) -> None:
        self._waiting = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address; port 0 is a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches off Nagle's delay (40 ms an answer) only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def http_server(
    app: Any, *, certificate: Path | None = None, key: Path | None = None
) -> uvicorn.Server:
    """What speaks HTTP for an application; `run(sockets=[…])` serves until SIGTERM or SIGINT.

    With a certificate (PEM, with its key unless that is in a file of its own) it speaks TLS.
    """
    # A thread that computes lets others have their turn after this time, not after 5 ms: reads by
    # id, and searches, which ask for it after each question to the store.
    sys.setswitchinterval(0.0002)
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=3,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    return uvicorn.Server(config)
