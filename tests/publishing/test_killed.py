"""`kill -9` after every write, which is before the next one, then a push: as if nothing was."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from fhirpkg.publishing.head import read_head
from fhirpkg.publishing.state import Phase
from tests.publishing.sample import client, publish, resources, state, subject
from tests.servers.embedded import running
from tests.servers.faults import is_write
from tests.servers.scripted import Reply, scripted

ROOT = pathlib.Path(__file__).parent.parent.parent
PUSHER = "tests.publishing.pusher"
WRITES = 6


@pytest.fixture(scope="module")
def undisturbed():
    with running() as server:
        publish(server)
        first = state(server)
        publish(server, subject(*resources("Running")))
        return first, state(server)


def killed_at(server, number, title, *, after, sign=signal.SIGKILL):
    """Push in another process and send it a signal at its write of this number; its exit code."""
    writes = []
    process = []

    def script(request, forward):
        if not is_write(request):
            return forward(request)
        writes.append(request)
        if len(writes) != number:
            return forward(request)
        if after:
            forward(request)
        os.kill(process[0].pid, sign)
        return Reply(lost=True) if sign is signal.SIGKILL else forward(request)

    with scripted(script, server) as proxy:
        command = [sys.executable, "-m", PUSHER, proxy.base_url, title]
        process.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE))
        process[0].communicate(timeout=60)
    return process[0].returncode


@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_a_killed_first_push_is_ended_by_the_next_one(server, number, undisturbed):
    assert killed_at(server, number, "Walking", after=True) == -signal.SIGKILL
    assert publish(server).is_complete
    assert state(server) == undisturbed[0]
    with client(server) as reader:
        assert read_head(reader, "demo.walking").phase is Phase.COMPLETE


@pytest.mark.parametrize("number", [2, 4])
def test_a_killed_update_is_ended_by_the_next_one(server, number, undisturbed):
    publish(server)
    assert killed_at(server, number, "Running", after=True) == -signal.SIGKILL
    assert publish(server, subject(*resources("Running"))).is_complete
    assert state(server) == undisturbed[1]


def test_ctrl_c_lets_others_in_at_once(server):
    assert killed_at(server, 4, "Walking", after=False, sign=signal.SIGINT) != 0
    with client(server) as reader:
        assert read_head(reader, "demo.walking").phase is Phase.INCOMPLETE
    assert publish(server, subject(*resources("Running"))).is_complete
