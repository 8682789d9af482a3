"""A real HAPI server for a while: `with hapi(HAPI_CLIENT_ID="NOT_ALLOWED") as base_url`."""

import contextlib
import os
import pathlib
import subprocess

START = pathlib.Path(__file__).parent / "hapi" / "start"


@contextlib.contextmanager
def hapi(**settings):
    """Start on a free port with these settings (see hapi/README.md), stop at the end."""
    environment = os.environ | settings
    done = subprocess.run(
        [START, "0"], env=environment, capture_output=True, text=True, check=False, timeout=880
    )
    assert done.returncode == 0, done.stderr
    told = dict(line.split("=", 1) for line in done.stdout.split())
    try:
        yield told["base_url"]
    finally:
        subprocess.run([START, "--stop", told["pid"]], check=True, timeout=60)
