"""A real browser (Debian's chromium): a page from elsewhere can neither write nor read."""

import contextlib
import functools
import http.server
import pathlib
import shutil
import subprocess
import threading

import pytest

from tests.server.client import Client
from tests.servers.embedded import running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine"),
]
PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "Secret"}]}
PAGE = """<!DOCTYPE html><body><form id="f" method="POST" action="BASE/Basic" target="t"
enctype="text/plain"><input name='{"resourceType":"Basic","language":"' value='"}'></form>
<iframe name="t"></iframe><script>
async function tries() {
  const said = [];
  for (const [method, mode] of [["GET", "cors"], ["PUT", "cors"], ["GET", "no-cors"],
                                ["POST", "no-cors"]]) {
    const body = method === "GET" ? undefined : '{"resourceType":"Basic","id":"evil"}';
    const path = method === "GET" ? "Patient/p" : method === "PUT" ? "Basic/evil" : "Basic";
    const type = mode === "cors" ? "application/fhir+json" : "text/plain";
    try {
      const answer = await fetch("BASE/" + path, {method, mode, body,
        headers: body ? {"Content-Type": type} : {}});
      said.push(method + " " + mode + " " + answer.status + " " + await answer.text());
    } catch (error) { said.push(method + " " + mode + " failed"); }
  }
  document.getElementById("f").submit();
  await new Promise(done => setTimeout(done, 1000));
  document.body.innerText = "SAID " + said.join("; ");
}
tries();
</script></body>"""


@contextlib.contextmanager
def elsewhere(folder):
    """A web server of another origin that serves a folder: gives its port."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.func.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def shown(url, folder, *options):
    """What a page holds after its scripts have run."""
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
        f"--user-data-dir={folder}/profile",
        "--virtual-time-budget=8000", "--dump-dom", *options, url,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.stdout


@pytest.fixture
def page(tmp_path):
    """Opens the page of a stranger who knows the base of our server."""

    def opened(base, name="127.0.0.1", *options, told_base=None):
        pathlib.Path(tmp_path, "evil.html").write_text(PAGE.replace("BASE", told_base or base))
        with elsewhere(tmp_path) as port:
            return shown(f"http://{name}:{port}/evil.html", tmp_path, *options)

    return opened


@pytest.mark.timeout(200)
def test_a_page_from_elsewhere_can_neither_write_nor_read(page):
    with running() as base:
        client = Client(base)
        client.put(PATIENT)
        said = page(base)
        assert "SAID GET cors failed; PUT cors failed" in said, said
        assert "Secret" not in said
        assert client.get("Basic").json().get("entry", []) == []


@pytest.mark.timeout(200)
def test_a_page_that_takes_a_name_of_its_own_to_this_machine_is_refused(page):
    """DNS rebinding: the stranger's own name leads to our server, so the browser lets it read."""
    with running() as base:
        client = Client(base)
        client.put(PATIENT)
        port = base.split("/")[2].split(":")[1]
        rebound = f"http://evil.example:{port}/fhir"
        rule = "--host-resolver-rules=MAP evil.example 127.0.0.1"
        answer = shown(f"{rebound}/Patient/p", pathlib.Path("/tmp"), rule)
        assert "Secret" not in answer
        assert "server-host" in answer
        said = page(base, "evil.example", rule, told_base=rebound)
        assert "Secret" not in said
        assert client.get("Basic").json().get("entry", []) == []


@pytest.mark.timeout(200)
def test_the_page_of_an_origin_that_was_named_may_call(tmp_path):
    with elsewhere(tmp_path) as port, running(origins=[f"http://127.0.0.1:{port}"]) as base:
        client = Client(base)
        client.put(PATIENT)
        pathlib.Path(tmp_path, "app.html").write_text(PAGE.replace("BASE", base))
        said = shown(f"http://127.0.0.1:{port}/app.html", tmp_path)
        assert "GET cors 200" in said
        assert "Secret" in said
        assert client.get("Basic/evil").status_code == 200
