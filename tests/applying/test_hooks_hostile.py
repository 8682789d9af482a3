"""Requests to a CDS service with one part replaced by what does not belong there: never a fault.

Each part of a whole request is replaced by each of the values below. What comes is an answer, or a
refusal with a status of 400 or 412; an exception of another kind would be a 500.
"""

import copy

import pytest

from fhirpkg import fhirjson
from fhirpkg.applying.hooks.prefetch import joined
from fhirpkg.applying.hooks.requests import CONTEXTS, HookError
from fhirpkg.applying.hooks.responses import feedback, respond
from fhirpkg.applying.hooks.services import services
from fhirpkg.repository import MemoryRepository
from tests.applying.test_hooks import BASE, BLOOD, ITEM, ITSELF, ORDER, PATIENT, PLAN

LOGIC = {"language": "text/cql", "expression": "exists ([Observation] O where O.value > 1 'mg')"}
ANY = {
    "resourceType": "PlanDefinition",
    "id": "Any",
    "url": f"{BASE}/PlanDefinition/Any",
    "action": [
        {
            "title": "Any",
            "trigger": [{"type": "named-event", "name": hook} for hook in CONTEXTS],
            "condition": [{"kind": "applicability", "expression": LOGIC}],
        }
    ],
}
REPOSITORY = MemoryRepository([PLAN, ANY, BLOOD, ITSELF])
OFFERED = services([PLAN, ANY], REPOSITORY)
OBSERVATION = {
    "resourceType": "Observation",
    "id": "ob",
    "status": "final",
    "code": {"coding": [{"system": "s", "code": "c"}]},
    "subject": {"reference": "Patient/x"},
    "valueQuantity": {"value": 1, "unit": "mg"},
    "effectiveDateTime": "2026-01-01",
}


def bundle(*resources):
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": entries}


APPOINTMENT = {"resourceType": "Appointment", "id": "a", "participant": [{"actor": {}}]}
PARTS = {
    "userId": "Practitioner/d",
    "patientId": "x",
    "encounterId": "e",
    "selections": ["ServiceRequest/o"],
    "draftOrders": bundle(ORDER),
    "dispatchedOrders": ["ServiceRequest/o"],
    "performer": "Practitioner/p",
    "appointments": bundle(APPOINTMENT),
}


def whole(hook):
    """A request that has everything."""
    context = {name: PARTS[name] for name in {*CONTEXTS[hook], "userId", "encounterId"}}
    if hook == "order-dispatch":
        context["fulfillmentTasks"] = [{"resourceType": "Task", "id": "t", "status": "draft"}]
    templates = joined(service.prefetch for service in OFFERED if service.hook == hook)
    kinds = {"Patient": PATIENT, "ServiceRequest": bundle(ORDER)}
    prefetch = {
        key: kinds.get(template.split("/")[0].split("?")[0], bundle(OBSERVATION))
        for key, template in templates.items()
    }
    access = {"access_token": "t", "token_type": "Bearer"}
    made = {"hook": hook, "hookInstance": "i", "fhirServer": "http://x", "context": context}
    return copy.deepcopy(made | {"fhirAuthorization": access, "prefetch": prefetch})


def nested(levels):
    made = {"resourceType": "Bundle"}
    for _ in range(levels):
        made = {"resourceType": "Bundle", "entry": [{"resource": made}]}
    return made


VALUES = [
    None, True, -1, 1.5, 10**400, "", "x", "\x00", [], {}, [None], [[]], [1], {"coding": [5]},
    {"resourceType": "Bundle", "entry": [None]}, {"resourceType": []}, {"reference": 5},
    {"resourceType": "Patient", "id": {"x": 1}}, nested(150),
    {"resourceType": "ServiceRequest", "id": "o", "code": {"coding": [{"code": ["b"]}]}},
]  # fmt: skip


def places(value, way=()):
    yield way
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    for key in keys:
        yield from places(value[key], (*way, key))


def replaced(value, way, other):
    if not way:
        return other
    made = copy.copy(value)
    made[way[0]] = replaced(value[way[0]], way[1:], other)
    return made


def fetched(path, _request):
    return ORDER if path.startswith("ServiceRequest/") else None


@pytest.mark.parametrize("hook", CONTEXTS)
def test_a_part_that_does_not_belong_there_is_refused_or_answered(hook):
    request = whole(hook)
    assert respond(hook, request, OFFERED, REPOSITORY, fetched)["cards"] is not None
    statuses = set()
    for way in (way for way in places(request) if len(way) < 9):
        for value in VALUES:
            try:
                answer = respond(hook, replaced(request, way, value), OFFERED, REPOSITORY, fetched)
                assert fhirjson.dump(answer).encode()
            except HookError as error:
                statuses.add(error.status)
            except Exception as error:
                raise AssertionError(f"{way} {str(value)[:80]}") from error
    assert statuses == {400, 412}


def test_feedback_with_such_a_part_is_refused_or_kept():
    request = {"feedback": [ITEM | {"outcome": "overridden", "acceptedSuggestions": [{"id": "s"}]}]}
    kept, statuses = [], set()
    for way in places(request):
        for value in VALUES:
            try:
                kept += feedback("order-sign", replaced(request, way, value), OFFERED)
            except HookError as error:
                statuses.add(error.status)
    assert (statuses, bool(kept)) == ({400}, True)
    for item in kept:
        assert all(isinstance(a["id"], str) for a in item.get("acceptedSuggestions") or [])


@pytest.mark.parametrize(
    "items", [[ITEM] * 1001, [ITEM | {"overrideReason": {"userComment": "x" * 30_000}}]]
)
def test_feedback_is_bounded(items):
    with pytest.raises(HookError, match="more than") as caught:
        feedback("order-sign", {"feedback": items}, OFFERED)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "way, value",
    [(("hookInstance",), "x" * 257), (("context", "dispatchedOrders"), ["ServiceRequest/o"] * 101)],
)
def test_what_a_call_may_cost_is_bounded(way, value):
    request = replaced(whole("order-dispatch"), way, value)
    with pytest.raises(HookError, match="more than") as caught:
        respond("order-dispatch", request, OFFERED, REPOSITORY, fetched)
    assert caught.value.status == 400
