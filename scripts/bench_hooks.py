"""The view of a patient by CDS Hooks: our server beside HAPI, the same plan and patient in both.

HAPI offers a plan by a named event only, so both get the plan with a trigger for patient-view. Each
server is asked by its own discovery: the prefetch holds what its templates ask for. Time bounds
both, not a number of calls: a server that is slow gives fewer calls, and the table says how many.
"""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import re
import statistics
import threading
import time
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterable

CLIENTS = (1, 4, 16)
SECONDS = 20.0
"""How long each number of clients asks; a call that has begun is waited for."""
WARM_SECONDS = 30.0
"""How long one client asks before anything is measured: a JVM gets faster over many calls."""
SLOWEST = 120.0
"""Seconds after which nobody waits for an answer: such a call counts as one of so many."""
DISCOVERED_AFTER = 90.0
"""Seconds in which HAPI takes a new plan into its discovery."""

Resource = dict[str, Any]


def content(folder: pathlib.Path) -> tuple[list[Resource], list[Resource]]:
    """What a procedure's folder holds, its plan triggered by the view; and a patient's record."""
    definitions = [
        json.loads(path.read_text()) for path in sorted((folder / "fhir").glob("*.json"))
    ]
    for definition in definitions:
        if definition["resourceType"] == "PlanDefinition":
            drop_triggers(definition)
            trigger = {"type": "named-event", "name": "patient-view"}
            definition["action"][0]["trigger"] = [trigger]
    bundle = json.loads((folder / "examples" / "inr-above-limit.json").read_text())
    record = [entry["resource"] for entry in bundle["entry"]]
    (patient,) = (r["id"] for r in record if r["resourceType"] == "Patient")
    order = {
        "resourceType": "ServiceRequest",
        "id": "order",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "20983"}]},
    }
    return definitions, [*record, order]


def drop_triggers(holder: Resource) -> None:
    """Take the triggers of all actions away: HAPI offers the first of a plan only."""
    for action in holder.get("action", ()):
        action.pop("trigger", None)
        drop_triggers(action)


def publish(base: str, resources: Iterable[Resource]) -> None:
    """Put resources, in one transaction, so that references among them hold."""
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
        for r in resources
        if r["resourceType"] != "ImplementationGuide"
    ]
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    headers = {"Content-Type": "application/fhir+json"}
    request = urllib.request.Request(base, body.encode(), headers)
    urllib.request.urlopen(request, timeout=300).read()


def service_of(base: str) -> Resource:
    """The service that a server offers for patient-view, when it has noticed the plan."""
    until = time.monotonic() + DISCOVERED_AFTER
    url = urllib.parse.urljoin(base, "/cds-services")
    while time.monotonic() < until:
        with urllib.request.urlopen(url, timeout=60) as answer:
            services = json.load(answer)["services"]
        for service in services:
            if service["hook"] == "patient-view":
                found: Resource = service
                return found
        time.sleep(1)
    raise SystemExit(f"{url} offers nothing for patient-view")


def request_for(service: Resource, record: list[Resource], base: str) -> bytes:
    """A call with the prefetch that a service asks for."""
    (patient,) = (r for r in record if r["resourceType"] == "Patient")
    prefetch: Resource = {}
    for key, template in service.get("prefetch", {}).items():
        kind = re.split("[/?]", template)[0]
        entries = [{"resource": r} for r in record if r["resourceType"] == kind]
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        is_read = kind == "Patient" and "?" not in template
        prefetch[key] = patient if is_read else bundle
    context = {"userId": "Practitioner/p", "patientId": patient["id"]}
    call = {"hook": "patient-view", "hookInstance": "bench", "fhirServer": base}
    return json.dumps(call | {"context": context, "prefetch": prefetch}).encode()


def ask(base: str, service: str, body: bytes, until: float) -> list[float]:
    """Seconds of each call of one client, begun before a moment; of one call at least."""
    seconds: list[float] = []
    while not seconds or (time.perf_counter() < until and seconds[-1] < SLOWEST):
        seconds.append(call(base, service, body))
    return seconds


CONNECTIONS = threading.local()


def call(base: str, service: str, body: bytes) -> float:
    """Seconds until the cards came, over the connection of this thread; SLOWEST at most."""
    host = urllib.parse.urlsplit(base).netloc
    if getattr(CONNECTIONS, "host", "") != host:
        CONNECTIONS.host, CONNECTIONS.http = host, http.client.HTTPConnection(host, timeout=SLOWEST)
    start = time.perf_counter()
    try:
        headers = {"Content-Type": "application/json"}
        CONNECTIONS.http.request("POST", f"/cds-services/{service}", body, headers)
        answer = CONNECTIONS.http.getresponse()
        text = answer.read()
    except TimeoutError:
        CONNECTIONS.http.close()
        return SLOWEST
    assert answer.status == 200, (answer.status, text[:300])
    assert b'"cards"' in text, text[:300]
    return min(time.perf_counter() - start, SLOWEST)


def measured(name: str, base: str, record: list[Resource]) -> dict[int, tuple[float, float]]:
    """Calls a second and the 99th percentile of their seconds, by the number of clients."""
    service = service_of(base)
    body = request_for(service, record, base)
    warm = ask(base, service["id"], body, time.perf_counter() + WARM_SECONDS)
    print(f"{name:16} warm-up: {len(warm)} calls, from {warm[0]:.2f} to {warm[-1]:.2f} s a call")
    found = {}
    for clients in CLIENTS:
        start = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            until = start + SECONDS
            tasks = [pool.submit(ask, base, service["id"], body, until) for _ in range(clients)]
            times = sorted(seconds for task in tasks for seconds in task.result())
        given_up = sum(seconds >= SLOWEST for seconds in times)
        rate = (len(times) - given_up) / (time.perf_counter() - start)
        slow = late(times)
        found[clients] = rate, slow
        print(
            f"{name:16} {clients:2} clients {rate:8.1f} /s   "
            f"median {statistics.median(times) * 1000:7.0f} ms   p99 {slow * 1000:7.0f} ms"
            f"   ({len(times)} calls{f', {given_up} without answer' if given_up else ''})",
            flush=True,
        )
    return found


def late(times: list[float]) -> float:
    """The 99th percentile of sorted seconds; the longest of fewer than a hundred."""
    return times[-(-len(times) * 99 // 100) - 1]


def compare(ours: str, peer: str, folder: pathlib.Path) -> None:
    """Publish to both, measure both, and print how many times one is the other."""
    definitions, record = content(folder)
    for base in (ours, peer):
        publish(base, [*definitions, *record])
    found = {name: measured(name, base, record) for name, base in
             (("fhirpkg serve", ours), ("HAPI", peer))}  # fmt: skip
    for clients in CLIENTS:
        (rate, slow), (their_rate, their_slow) = (found[n][clients] for n in found)
        times = f"{rate / their_rate:.0f} x the rate" if their_rate else "no answer of the other"
        print(f"{clients:2} clients: {times}, {slow / their_slow:.4f} of the 99th percentile")
