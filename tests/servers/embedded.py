"""The embedded server on loopback for tests: `with running() as base_url`."""

import asyncio
import contextlib
import threading
import time

import uvicorn.server

from fhirpkg.server.endpoint import open_endpoint
from fhirpkg.server.web.app import create_app
from fhirpkg.server.web.listening import http_server, listen


class Hurried:
    """The module asyncio for uvicorn, which else sleeps a fifth of a second while it stops."""

    def __getattr__(self, name):
        return getattr(asyncio, name)

    async def sleep(self, seconds):
        await asyncio.sleep(min(seconds, 0.01))


uvicorn.server.asyncio = Hurried()


@contextlib.contextmanager
def running(store=None, *, endpoint=None, wrap=lambda app: app, **options):
    """Serve on a free port in a thread of its own; gives the base url, `http://…/fhir`.

    `store` is a file, else memory; `wrap` puts another ASGI application around ours.
    """
    endpoint = endpoint or open_endpoint(store)
    app = wrap(create_app(endpoint, **options))
    with listen("127.0.0.1", 0) as listener:
        server = http_server(app)
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                time.sleep(0.002)
            yield f"http://127.0.0.1:{port}/fhir"
        finally:
            server.should_exit = True
            thread.join(timeout=10)
            endpoint.store.close()
