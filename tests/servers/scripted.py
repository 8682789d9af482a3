"""A loopback HTTP server that asks a script what to answer, alone or in front of another server."""

import contextlib
import http.client
import http.server
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """What came in; `path` holds the query too, `headers` has lower-case keys."""

    method: str
    path: str
    headers: dict
    body: bytes

    @property
    def resource(self):
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Reply:
    """What goes out. `lost` breaks the connection instead, `cut` does so after that many bytes.

    `drip` sends it in a hundred drops with that pause, `chunked` in chunks; `version` is HTTP's.
    """

    status: int = 200
    body: bytes | dict | str = b""
    headers: dict = field(default_factory=dict)
    lost: bool = False
    cut: int | None = None
    delay: float = 0.0
    drip: float = 0.0
    chunked: bool = False
    version: str = "HTTP/1.1"

    @property
    def resource(self):
        data = self.bytes()
        return json.loads(data) if data else None

    def bytes(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()

    def but(self, **changes):
        return replace(self, **changes)


Forward = Callable[[Request], Reply]
Script = Callable[[Request, Forward], Reply]


def is_reading(request: Request) -> bool:
    """Whether a POST only reads: a search, or a batch of nothing but GETs."""
    if request.method != "POST" or "_search" in request.path:
        return request.method == "POST"
    bundle = request.resource if request.body[:1] == b"{" else None
    entries = (bundle or {}).get("entry") or []
    return bool(entries) and all(e.get("request", {}).get("method") == "GET" for e in entries)


@dataclass
class Scripted:
    base_url: str
    seen: list[Request]

    def count(self, *methods: str) -> int:
        return sum(request.method in methods for request in self.seen)

    @property
    def writes(self) -> list[Request]:
        return [r for r in self.seen if r.method != "GET" and not is_reading(r)]


@contextlib.contextmanager
def scripted(
    script: Script, target: str = "http://nobody.invalid/fhir", tls: ssl.SSLContext | None = None
) -> Iterator[Scripted]:
    """Run the script on a free port, with the path of the target as its own; by `tls` if given."""
    parts = urlsplit(target)
    seen: list[Request] = []

    def forward(request: Request) -> Reply:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        with contextlib.closing(connection):
            headers = {k: v for k, v in request.headers.items() if k not in _HOP_BY_HOP}
            connection.request(request.method, request.path, request.body or None, headers)
            answer = connection.getresponse()
            kept = {k.lower(): v for k, v in answer.getheaders() if k.lower() not in _HOP_BY_HOP}
            return Reply(answer.status, answer.read(), kept)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            request = Request(self.command, self.path, headers, self.rfile.read(length))
            seen.append(request)
            reply = script(request, forward)
            time.sleep(reply.delay)
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            body = reply.bytes()
            if reply.lost:
                self._reset()
                return
            self.protocol_version = reply.version  # on the instance: for this answer alone
            self.send_response_only(reply.status)
            usual = {"content-type": "application/fhir+json", "date": self.date_time_string()}
            given = usual | reply.headers
            for name, value in given.items():
                self.send_header(name, value)
            if reply.chunked:
                self.send_header("Transfer-Encoding", "chunked")
                body = b"".join(_chunks(body))
            elif reply.version == "HTTP/1.1":
                self.send_header("Content-Length", str(len(body)))
            else:
                self.close_connection = True  # whose end is the end of the body
            self.end_headers()
            if reply.cut is not None:
                self.wfile.write(body[: reply.cut])
                self.wfile.flush()
                self._reset()
            elif self.command != "HEAD":
                for part in _drops(body) if reply.drip else [body]:
                    self.wfile.write(part)
                    self.wfile.flush()
                    time.sleep(reply.drip)

        def _reset(self) -> None:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Tests are silent."""

    server = _QuietServer(("127.0.0.1", 0), Handler)
    if tls is not None:  # the handshake is the handler's: a slow one must not keep others out
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield Scripted(f"{scheme}://127.0.0.1:{server.server_port}{parts.path}", seen)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 100):
        part = body[start : start + 100]
        yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def _drops(body: bytes) -> Iterator[bytes]:
    size = max(1, len(body) // 100)
    for start in range(0, len(body), size):
        yield body[start : start + size]


class _QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A connection that broke is what many tests are about."""


_HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}
