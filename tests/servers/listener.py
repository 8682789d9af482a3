"""A server on loopback that answers by path and remembers what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listener(ThreadingHTTPServer):
    """`answers` by path: status, headers, body; `asked`: path and Authorization of each request."""

    daemon_threads = True

    def __init__(self, host="127.0.0.1", handler=None):
        super().__init__((host, 0), handler or Answering)
        self.answers, self.asked = {}, []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def __exit__(self, *raised):
        self.shutdown()  # else its thread goes on with a closed socket, as fast as it can
        super().__exit__(*raised)

    @property
    def base(self):
        return f"http://{self.server_address[0]}:{self.server_address[1]}"


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, headers, body = self.server.answers.get(self.path, (404, {}, "not here"))
        content = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_):
        pass
