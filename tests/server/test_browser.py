"""A page of another origin in a browser: it discovers, prefetches and calls as EHRs' pages do."""

import contextlib
import http.server
import json
import pathlib
import shutil
import subprocess
import threading

import pytest

from tests.applying.made_records import record
from tests.server.client import Client
from tests.servers.embedded import running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CONTENT = pathlib.Path(__file__).parents[2] / "resources" / "cpt-20983" / "fhir"
PAGE = """<!doctype html><title>EHR</title><ul id="cards"></ul><script>
const fhir = "BASE", root = fhir.replace("/fhir", "");
const patient = "{{context.patientId}}";
const ask = {headers: {Accept: "application/json+fhir"}};
const body = async (answer) => {
  const got = await answer;
  if (!got.ok) throw got.status;
  return got.json();
};
async function show() {
  const {services} = await body(fetch(root + "/cds-services"));
  const service = services.find((s) => s.hook === "order-sign");
  const prefetch = {};
  for (const [key, template] of Object.entries(service.prefetch))
    prefetch[key] = await body(fetch(`${fhir}/${template.replaceAll(patient, "p1")}`, ask));
  const coding = [{system: "http://www.ama-assn.org/go/cpt", code: "20983"}];
  const order = {resourceType: "ServiceRequest", id: "o", status: "draft", intent: "order",
    subject: {reference: "Patient/p1"}, code: {coding}};
  const draftOrders = {resourceType: "Bundle", type: "collection", entry: [{resource: order}]};
  const call = {hook: "order-sign", hookInstance: "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", prefetch,
    context: {userId: "Practitioner/d", patientId: "p1", draftOrders}};
  const headers = {"Content-Type": "application/json"};
  const options = {method: "POST", headers, body: JSON.stringify(call)};
  return body(fetch(root + "/cds-services/" + service.id, options));
}
show().then(({cards}) => {
  for (const card of cards) {
    const item = document.createElement("li");
    item.textContent = card.indicator + ": " + card.summary;
    document.getElementById("cards").append(item);
  }
  document.title = "done";
}).catch((error) => { document.title = "failed: " + error; });
</script>"""

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (Debian: chromium)"),
]


@contextlib.contextmanager
def page():
    """A site of its own: gives its origin, and a list that takes the text it serves."""
    text = []

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(text[0].encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_address[1]}", text
        site.shutdown()


def shown(address, folder):
    """What the browser shows at an address when its scripts have run."""
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}",
         "--virtual-time-budget=60000", "--dump-dom", address],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("allowed", [True, False])
def test_a_page_shows_the_alarm_if_its_origin_may_call(allowed, tmp_path):
    high = {"name": "x", "more": [{"loinc": "6301-6", "value": 2.4, "at": "2026-11-20"}]}
    with page() as (origin, text), running(origins=[origin] if allowed else []) as base:
        client = Client(base)
        for file in sorted(CONTENT.glob("*.json")):
            assert client.put(json.loads(file.read_text())).status_code == 201
        for resource in record(high):
            assert client.put(resource).status_code == 201
        text.append(PAGE.replace("BASE", base))
        found = shown(origin, tmp_path)
    alarm = "<li>warning: INR 2.4 on 20 Nov 2026: above 1.8 (SIR 2019)</li>"
    assert (alarm in found) == allowed, found[-600:]
    assert ("<title>done</title>" in found) == allowed
