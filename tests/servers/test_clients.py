"""A round of each client that others use: HAPI's (Java), fhirclient, fhirpy, fhir-kit-client."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.servers.embedded import running

HERE = pathlib.Path(__file__).parent
CLIENTS = HERE / "clients"
CACHE = HERE.parent.parent / ".examples" / "clients"
HAPI = HERE / "hapi"
pytestmark = [pytest.mark.servers, pytest.mark.timeout(800)]


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def needed(program):
    if not shutil.which(program):
        pytest.skip(f"there is no {program} on this machine")
    return program


@pytest.mark.parametrize("name", ["fhirclient", "fhirpy"])
def test_clients_in_python(name):
    python = CACHE / "python" / "bin" / "python"
    if not python.exists():
        run(sys.executable, "-m", "venv", str(CACHE / "python"))
        run(str(python), "-m", "pip", "install", "-q", "fhirclient==4.4.0", "fhirpy==2.3.1")
    with running() as base:
        run(str(python), str(CLIENTS / f"{name}_round.py"), base)


def test_a_client_in_javascript():
    folder = CACHE / "node"
    if not (folder / "node_modules" / "fhir-kit-client").exists():
        folder.mkdir(parents=True, exist_ok=True)
        run(needed("npm"), "install", "--silent", "--prefix", str(folder), "fhir-kit-client@2.0.3")
    shutil.copy(CLIENTS / "round.mjs", folder)
    with running() as base:
        run(needed("node"), "round.mjs", base, cwd=folder)


def test_hapis_client_in_java():
    needed("java")
    needed("mvn")
    run(str(HAPI / "start"), "--build")
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    jars = os.environ.get("HAPI_CACHE", str(home / "fhirpkg-hapi"))
    (*_, classpath) = sorted(pathlib.Path(jars).glob("*/classpath.txt"), key=os.path.getmtime)
    with running() as base:
        run("java", "-cp", classpath.read_text(), str(CLIENTS / "Round.java"), base)
