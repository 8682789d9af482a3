"""A web proxy on loopback: forwards plain requests, tunnels by CONNECT, may ask for a password."""

import contextlib
import http.client
import http.server
import select
import socket
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class WebProxy:
    url: str = ""
    seen: list = field(default_factory=list)
    """(method, target, headers in lower case) of each request."""


@contextlib.contextmanager
def web_proxy(password=None):
    """Run a proxy; with `password` (the header's value) it answers 407 to all others."""
    proxy = WebProxy()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _is_let_in(self):
            headers = {k.lower(): v for k, v in self.headers.items()}
            proxy.seen.append((self.command, self.path, headers))
            if password and headers.get("proxy-authorization") != password:
                self._answer(407, b"", {"Proxy-Authenticate": "Basic"})
                return False
            return True

        def _answer(self, status, body, headers):
            self.send_response_only(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_CONNECT(self):
            if not self._is_let_in():
                return
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=10) as target:
                self.send_response_only(200)
                self.end_headers()
                _both_ways(self.connection, target)
            self.close_connection = True

        def _forward(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self._is_let_in():
                return
            url = urlsplit(self.path)
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
            with contextlib.closing(connection):
                kept = {k: v for k, v in self.headers.items() if k.lower() not in _OWN}
                path = f"{url.path}?{url.query}" if url.query else url.path
                connection.request(self.command, path, body or None, kept)
                answer = connection.getresponse()
                told = {k: v for k, v in answer.getheaders() if k.lower() not in _OWN}
                self._answer(answer.status, answer.read(), told)

        do_GET = do_POST = do_PUT = do_DELETE = _forward  # noqa: N815 - as above

        def log_message(self, *_):
            """Tests are silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _both_ways(one, other):
    ends = {one: other, other: one}
    while True:
        for ready in select.select(list(ends), [], [], 10)[0]:
            data = ready.recv(1 << 16)
            if not data:
                return
            ends[ready].sendall(data)


_OWN = {"host", "connection", "content-length", "transfer-encoding", "proxy-connection",
        "proxy-authorization"}  # fmt: skip
