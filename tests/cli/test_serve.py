"""`fhirpkg serve` as a process of its own: it starts, ends, and loses nothing when it is killed."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.applying.test_hooks import PATIENT, PLAN, request
from tests.server.client import Client, entry
from tests.servers.listener import Listener


@contextlib.contextmanager
def serving(*arguments):
    """A server process and its base url; it is killed at the end if it still runs."""
    command = [sys.executable, "-m", "fhirpkg", "serve", "--port", "0", *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process, Client(process.stdout.readline().strip())
        finally:
            process.kill()


def failing(*arguments):
    """Exit code and error lines of a server that cannot start."""
    command = [sys.executable, "-m", "fhirpkg", "serve", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


def basic(number, **more):
    return {"resourceType": "Basic", "id": f"b{number}"} | more


def test_it_prints_its_base_when_it_is_ready_and_says_where_it_keeps_things(tmp_path):
    with serving() as (process, client):
        assert client.get("metadata").json()["resourceType"] == "CapabilityStatement"
        assert client.base.startswith("http://127.0.0.1:")
        process.terminate()
        assert process.wait(10) == 0
        assert "not kept: gone when the server ends" in process.stderr.read()
    with serving("--store", tmp_path / "s.db") as (process, _):
        process.terminate()
        assert process.wait(10) == 0
        assert f"kept in {tmp_path / 's.db'}" in process.stderr.read()


@pytest.mark.parametrize("delay", [0, 0.01, 0.02, 0.03, 0.04, 0.06])
def test_a_signal_ends_it_from_the_moment_it_prints_its_base(delay):
    with serving() as (process, _):
        time.sleep(delay)
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order_with_connections_open(tmp_path, number):
    with serving("--store", tmp_path / "s.db") as (process, client), requests.Session() as session:
        session.put(f"{client.base}/Basic/b1", json=basic(1), timeout=10)
        process.send_signal(number)
        assert process.wait(10) == 0
        assert "Traceback" not in process.stderr.read()
    assert [path.name for path in tmp_path.iterdir()] == ["s.db"]


def write_until_it_is_killed(process, client):
    """The numbers that were acknowledged; the kill comes after fifty, while writing goes on."""
    acknowledged = []
    with contextlib.suppress(requests.RequestException), requests.Session() as session:
        for number in range(100_000):
            if number == 50:
                threading.Thread(target=process.kill).start()
            url = f"{client.base}/Basic/b{number}"
            assert session.put(url, json=basic(number), timeout=10).status_code == 201
            acknowledged.append(number)
    return acknowledged


def test_killing_it_loses_no_acknowledged_write(tmp_path):
    with serving("--store", tmp_path / "s.db") as (process, client):
        acknowledged = write_until_it_is_killed(process, client)
    assert len(acknowledged) >= 50
    with serving("--store", tmp_path / "s.db") as (_, client):
        there = client.get("Basic?_summary=count").json()["total"]
        assert there - len(acknowledged) in {0, 1}, "the last one may be written, not yet told"
        assert client.get(f"Basic/b{acknowledged[-1]}").status_code == 200
        assert client.put(basic("new")).status_code == 201


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.3])
def test_killing_it_in_a_transaction_leaves_all_of_it_or_nothing(tmp_path, delay):
    entries = [entry("PUT", f"Basic/b{n}", basic(n, language="x" * 200)) for n in range(2000)]
    told = []

    def send(client):
        with contextlib.suppress(requests.RequestException):
            told.append(client.bundle(*entries).status_code)

    with serving("--store", tmp_path / "s.db") as (process, client):
        client.put(basic("old"))
        sender = threading.Thread(target=send, args=[client])
        sender.start()
        time.sleep(delay)
        process.kill()
        sender.join()
    with serving("--store", tmp_path / "s.db") as (_, client):
        there = client.get("Basic?_summary=count").json()["total"]
        history = client.get("_history?_count=0").json()["total"]
        assert there == history
        assert there in ({2001} if told == [200] else {1, 2001})


def test_a_store_that_is_in_use_is_told_in_one_line(tmp_path):
    with serving("--store", tmp_path / "s.db"):
        code, lines = failing("--port", "0", "--store", tmp_path / "s.db")
    assert (code, len(lines)) == (2, 1)
    assert "in use by another process" in lines[0]


def test_a_port_that_is_taken_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = failing("--port", port)
    assert (code, len(lines)) == (2, 1)
    assert f"port {port}" in lines[0]
    assert "--port" in lines[0]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("notes " * 100), "a store of fhirpkg"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE t (x)"), "a store of fhirpkg"),
        (lambda path: None, "cannot be opened"),
    ],
)
def test_a_store_that_cannot_be_used_is_told_in_one_line(tmp_path, make, said):
    path = tmp_path / "s.db"
    make(path)
    code, lines = failing("--port", "0", "--store", path if path.exists() else path / "x.db")
    assert (code, len(lines)) == (2, 1)
    assert said in lines[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_permission_is_told_in_one_line(tmp_path):
    tmp_path.chmod(0o500)
    code, lines = failing("--port", "0", "--store", tmp_path / "s.db")
    assert (code, len(lines)) == (2, 1)


@pytest.mark.parametrize("arguments", [("--port", "70000"), ("--host", "256.1.1.1")])
def test_an_address_that_cannot_be_is_wrong_use(arguments):
    code, lines = failing(*arguments)
    assert code == 2
    assert "Traceback" not in "\n".join(lines)


PUBLIC = (
    ec.generate_private_key(ec.SECP384R1())
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)


def test_a_fhir_server_on_the_list_is_asked_by_hooks(tmp_path):
    with Listener() as ehr, serving("--cds-fhir-server", f"{ehr.base}/fhir") as (_, client):
        url = client.base.removesuffix("/fhir") + "/cds-services"
        plan = PLAN | {"status": "active"}
        assert requests.put(f"{client.base}/PlanDefinition/Plan", json=plan, timeout=10).ok
        body = request(prefetch={}, fhirServer=f"{ehr.base}/fhir")
        assert requests.post(f"{url}/Plan-order-sign", json=body, timeout=10).status_code == 412
        ehr.answers["/fhir/Patient/x"] = (200, {}, PATIENT)
        assert requests.post(f"{url}/Plan-order-sign", json=body, timeout=10).status_code == 200


def test_calls_of_cds_hooks_can_be_kept_to_known_clients(tmp_path):
    key = tmp_path / "ehr.pem"
    key.write_bytes(PUBLIC)
    options = ("--cds-client", f"https://ehr.example.org={key}", "--cds-audience", "https://us")
    with serving(*options) as (_, client):
        url = client.base.removesuffix("/fhir") + "/cds-services"
        assert requests.get(url, timeout=10).json() == {"services": []}
        assert requests.post(f"{url}/any", json={}, timeout=10).status_code == 401
    with serving() as (_, client):
        url = client.base.removesuffix("/fhir") + "/cds-services"
        assert requests.post(f"{url}/any", json={}, timeout=10).status_code == 404


@pytest.mark.parametrize(
    "options, words",
    [
        (["--cds-client", "x=y"], "must be given together"),
        (["--cds-client", "x=nowhere.pem", "--cds-audience", "https://us"], "no file nowhere.pem"),
        (["--cds-client", "nothing", "--cds-audience", "https://us"], "is not ISSUER=FILE"),
        (["--cds-client", f"x={__file__}", "--cds-audience", "https://us"], "neither a PEM"),
        (["--cds-client", "x=http://e.org/jwks", "--cds-audience", "https://us"], "use https"),
        (["--cds-client", f"x={__file__}", "--cds-audience", "us"], "is not a server"),
        (["--cds-fhir-server", "https://u:p@ehr.example.org/fhir"], "holds credentials"),
    ],
)
def test_clients_that_cannot_be_read_are_wrong_use(options, words):
    code, lines = failing(*options)
    assert code == 2
    assert words in lines[0]
