"""`kill -9` after every write, which is before the next one, then once more: as if nothing was.

For a push, a prune and a rollback.
"""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from fhirpkg.publishing.bookkeeping.head import read_head
from fhirpkg.publishing.bookkeeping.state import Phase
from tests.publishing.sample import client, publish, release, resources, state
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
        publish(server, release(*resources("Running")))
        return first, state(server)


def killed_at(server, number, *verb, after=True, sign=signal.SIGKILL):
    """Run a verb in another process and send it a signal at its write of this number.

    Gives its exit code, which is 0 when it has not that many writes.
    """
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
        command = [sys.executable, "-m", PUSHER, proxy.base_url, *verb]
        process.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE))
        process[0].communicate(timeout=60)
    return process[0].returncode


@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_a_killed_first_push_is_ended_by_the_next_one(server, number, undisturbed):
    assert killed_at(server, number, "push", "Walking") == -signal.SIGKILL
    assert publish(server).is_complete
    assert state(server) == undisturbed[0]
    with client(server) as reader:
        assert read_head(reader, "demo.walking").phase is Phase.COMPLETE


@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_a_killed_update_is_ended_by_the_next_one(server, number, undisturbed):
    publish(server)
    assert killed_at(server, number, "push", "Running") == -signal.SIGKILL
    assert publish(server, release(*resources("Running"))).is_complete
    assert state(server) == undisturbed[1]


@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_a_killed_rollback_is_ended_by_the_next_one(server, number, undisturbed):
    publish(server)
    publish(server, release(*resources("Running")))
    assert killed_at(server, number, "rollback") == -signal.SIGKILL
    assert publish(server).is_complete
    assert titles(server) == {"Walking"}
    versions = {place: version for place, (version, _) in state(server).items()}
    assert versions == dict.fromkeys(versions, "1") | dict.fromkeys(UPDATED, "3")


UPDATED = ("ActivityDefinition/walk", "PlanDefinition/course")


def titles(server):
    return {r["title"] for _, r in state(server).values() if "title" in r}


@pytest.mark.parametrize("verb", ["retire", "delete"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_killed_prune_is_ended_by_the_next_one(server, verb, number):
    publish(server)
    before = state(server)
    assert killed_at(server, number, verb) == -signal.SIGKILL
    assert killed_at(server, 99, verb) == 0
    now = state(server)
    assert {place: now[place] for place in UPDATED} == {place: before[place] for place in UPDATED}
    statuses = {place: r["status"] for place, (_, r) in now.items() if place not in UPDATED}
    assert set(statuses.values()) == ({"superseded"} if verb == "retire" else set())


def test_ctrl_c_twice_ends_at_once_and_the_same_push_goes_on(server, undisturbed):
    """The second one hits while the first one lets go of the head."""
    process, writes = [], []

    def script(request, forward):
        writes.append(request) if is_write(request) else None
        if is_write(request) and len(writes) in {4, 5}:
            process[0].send_signal(signal.SIGINT)
        return forward(request)

    with scripted(script, server) as proxy:
        command = [sys.executable, "-m", PUSHER, proxy.base_url, "push", "Walking"]
        process.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE))
        process[0].communicate(timeout=60)
    assert process[0].returncode != 0
    assert publish(server).is_complete
    assert state(server) == undisturbed[0]


def test_ctrl_c_lets_others_in_at_once(server):
    assert killed_at(server, 4, "push", "Walking", after=False, sign=signal.SIGINT) != 0
    with client(server) as reader:
        assert read_head(reader, "demo.walking").phase is Phase.INCOMPLETE
    assert publish(server, release(*resources("Running"))).is_complete
