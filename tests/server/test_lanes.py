"""Small writes that wait are done together: in one commit, and each with an answer of its own."""

import contextlib
import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fhirpkg.server.endpoint import open_endpoint
from fhirpkg.server.storing import connections
from tests.server.client import Client, rules_of
from tests.servers.embedded import running


@pytest.fixture
def kept(tmp_path):
    """An endpoint that keeps its resources, and a client of it."""
    endpoint = open_endpoint(tmp_path / "s.db")
    with running(endpoint=endpoint) as base:
        yield endpoint.store, Client(base)


def basic(identity, **more):
    return {"resourceType": "Basic", "id": identity} | more


def together(store, calls):
    """The answers to calls that all wait until somebody else has written."""
    with ThreadPoolExecutor(len(calls)) as pool:
        # This transaction writes nothing, but a full disk may undo the group that it is part of.
        with contextlib.suppress(sqlite3.OperationalError), store.transaction():
            told = [pool.submit(call) for call in calls]
            time.sleep(0.5)
        return [one.result() for one in told]


def test_writes_that_wait_share_a_commit_and_one_that_is_refused_harms_no_other(kept):
    store, client = kept
    client.put(basic("b"))
    commits = []
    store._writer.connection.set_trace_callback(commits.append)
    calls = [lambda n=n: client.put(basic(f"n{n}")) for n in range(12)]
    calls += [lambda: client.put(basic("b", language="de"), If_Match='W/"9"')]
    calls += [lambda: client("PUT", "Basic/x", "{", Content_Type="application/json")]
    calls += [lambda: client.post(basic("same", language="de"), If_None_Exist="_language=fr")] * 3
    answers = together(store, calls)
    assert [answer.status_code for answer in answers[:14]] == [201] * 12 + [412, 400]
    assert commits.count("COMMIT") <= 5, "fewer than writes"
    assert all(client.get(f"Basic/n{n}").ok for n in range(12))
    assert client.get("Basic/b").headers["ETag"] == 'W/"1"'


def test_one_of_conditional_creations_at_the_same_time_creates(kept):
    store, client = kept
    one = basic("x", identifier=[{"system": "urn:s", "value": "1"}])
    calls = [lambda: client.post(one, If_None_Exist="identifier=urn:s|1")] * 16
    answers = together(store, calls)
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert client.get("Basic?_summary=count").json()["total"] == 1


def test_on_a_full_disk_each_is_told_of_its_own(kept):
    store, client = kept
    noise = random.Random(1).randbytes(31_000).hex()
    with store.transaction():
        store.query("PRAGMA max_page_count = 22")
    calls = [lambda n=n: client.put(basic(f"n{n}", language="x" * 1500)) for n in range(8)]
    calls.insert(4, lambda: client.put(basic("large", language=noise)))
    answers = together(store, calls)
    assert answers[4].status_code == 507
    told = {n for n, answer in enumerate(answers) if answer.status_code == 201}
    assert told, "what is small has room"
    with store.transaction():
        store.query("PRAGMA max_page_count = 100000")
    ids = [f"n{n}" for n in range(4)] + ["large"] + [f"n{n}" for n in range(4, 8)]
    assert {n for n, name in enumerate(ids) if client.get(f"Basic/{name}").ok} == told


def test_when_the_turn_never_comes_each_is_told_to_wait(kept, monkeypatch):
    store, client = kept
    monkeypatch.setattr(connections, "_LONGEST_WAIT", 0.05)
    answers = together(store, [lambda n=n: client.put(basic(f"n{n}")) for n in range(3)])
    assert {answer.status_code for answer in answers} == {429}
    assert rules_of(answers[0]) == ["server-busy"]
    assert client.put(basic("n0")).status_code == 201, "the next one has its turn"
