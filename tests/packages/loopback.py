"""A package registry on loopback, and packages for it."""

import contextlib
import http.server
import json
import threading

from fhirpkg.packages.packing import write_package


def archive(name="test.one", version="1.0.0", files=None, **manifest):
    content = {k: json.dumps(v).encode() for k, v in (files or {}).items()}
    return write_package({"name": name, "version": version, **manifest}, content)


class Registry(http.server.ThreadingHTTPServer):
    """A registry on loopback: `answers` maps a path to (status, body); `seen` notes requests."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = {}
        self.seen = []

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server_port}"

    def publish(self, packed, name="test.one", version="1.0.0", **dist):
        listing = json.loads(self.answers.get(f"/{name}", (200, "{}"))[1])
        versions = listing.setdefault("versions", {})
        place = {"tarball": f"{self.base}/{name}/{version}"}
        versions[version] = {"dist": place | dist}
        self.answers[f"/{name}"] = (200, json.dumps(listing))
        self.answers[f"/{name}/{version}"] = (200, packed)


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        status, body, *headers = self.server.answers.get(self.path, (404, "{}"))
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers[0] if headers else {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def running():
    """A registry that answers as long as the block lasts."""
    server = Registry()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
