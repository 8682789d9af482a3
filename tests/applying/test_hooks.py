"""CDS Hooks: services of plans, requests checked, cards that keep the rules."""

import copy

import pytest

from fhirpkg.applying.application import apply
from fhirpkg.applying.hooks.cards import cards, shortened
from fhirpkg.applying.hooks.requests import CONTEXTS, FetchError, HookError
from fhirpkg.applying.hooks.responses import WHY, feedback, respond
from fhirpkg.applying.hooks.services import discovery, services
from fhirpkg.definitions.terminology.grammars import CPT
from fhirpkg.repository import MemoryRepository
from tests.applying.cds_hooks_rules import broken_in_discovery, broken_in_response

BASE = "http://example.org"
CODE = {"system": CPT, "code": "20983"}
PATIENT = {"resourceType": "Patient", "id": "x", "gender": "female"}
ORDER = {
    "resourceType": "ServiceRequest",
    "id": "o",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/x"},
    "code": {"coding": [CODE]},
}


def activity(name, code):
    url = f"{BASE}/ActivityDefinition/{name}"
    made = {"resourceType": "ActivityDefinition", "id": name, "url": url, "code": code}
    return made | {"kind": "ServiceRequest"}


BLOOD = activity("blood", {"text": "Blood count"})
ITSELF = activity("itself", {"coding": [CODE]})
MALES_ONLY = {
    "kind": "applicability",
    "expression": {"language": "text/fhirpath", "expression": "%subject.gender = 'male'"},
}
PLAN = {
    "resourceType": "PlanDefinition",
    "id": "Plan",
    "url": f"{BASE}/PlanDefinition/Plan",
    "title": "Plan of care",
    "publisher": "We",
    "topic": [{"coding": [CODE]}],
    "relatedArtifact": [
        {"type": "documentation", "display": "Leaflet", "url": f"{BASE}/leaflet"},
        {"type": "documentation", "display": "Relative", "url": "leaflet"},
        {"type": "citation", "display": "Study", "url": f"{BASE}/study"},
    ],
    "action": [
        {
            "id": "prepare",
            "title": "Prepare",
            "priority": "urgent",
            "documentation": [{"type": "citation", "label": "Guideline", "url": f"{BASE}/g"}],
            "action": [
                {"id": "b", "title": "Blood", "definitionCanonical": BLOOD["url"]},
                {"id": "i", "title": "Itself", "definitionCanonical": ITSELF["url"]},
            ],
        },
        {
            "id": "choose",
            "title": "Choose",
            "selectionBehavior": "exactly-one",
            "action": [
                {"id": "c1", "title": "One", "definitionCanonical": BLOOD["url"]},
                {"id": "c2", "title": "Other", "definitionCanonical": BLOOD["url"]},
                {"id": "c3", "title": "Nothing to order"},
            ],
        },
        {"id": "males", "title": "For males", "condition": [MALES_ONLY]},
        {"description": "x " * 200},
    ],
}
REPOSITORY = MemoryRepository([PLAN, BLOOD, ITSELF])
OFFERED = services([PLAN], REPOSITORY)


def request(hook="order-sign", **more):
    context = {"userId": "Practitioner/d", "patientId": "x"}
    if hook != "patient-view":
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": ORDER}]}
    if hook == "order-select":
        context["selections"] = ["ServiceRequest/o"]
    prefetch = {"patient": PATIENT}
    if hook == "patient-view":
        prefetch["orders"] = {"resourceType": "Bundle", "entry": [{"resource": ORDER}]}
    made = {"hook": hook, "hookInstance": "i-1", "context": context, "prefetch": prefetch}
    return copy.deepcopy(made) | more


def answered(hook="order-sign", **more):
    return respond(f"Plan-{hook}", request(hook, **more), OFFERED, REPOSITORY)


# -- discovery --------------------------------------------------------------------------------


def test_a_plan_for_a_cpt_code_offers_the_hooks_of_ordering_and_the_view_of_the_patient():
    assert [service.hook for service in OFFERED] == ["order-select", "order-sign", "patient-view"]
    assert list(broken_in_discovery(discovery(OFFERED))) == []


def test_a_plan_offers_the_hooks_that_its_triggers_name():
    trigger = {"type": "named-event", "name": "patient-view"}
    other = {"type": "named-event", "name": "something-else"}
    plan = {"resourceType": "PlanDefinition", "id": "q", "action": [{"trigger": [trigger, other]}]}
    assert [service.id for service in services([plan], REPOSITORY)] == ["q-patient-view"]


def test_a_trigger_on_an_ordered_code_counts_as_the_code_of_the_plan():
    data = {"type": "ServiceRequest", "codeFilter": [{"path": "code", "code": [CODE]}]}
    trigger = {"type": "data-added", "data": [data]}
    plan = {"resourceType": "PlanDefinition", "id": "q", "action": [{"trigger": [trigger]}]}
    assert services([plan], REPOSITORY)[0].codes == {(CPT, "20983")}


@pytest.mark.parametrize("change", [{"status": "retired"}, {"topic": []}])
def test_a_plan_that_is_retired_or_about_nothing_offers_none(change):
    assert services([PLAN | change], REPOSITORY) == []


def test_no_services_are_an_empty_list():
    assert discovery([]) == {"services": []}


def test_prefetch_asks_for_what_logic_and_inputs_need():
    by_code = {"path": "code", "code": [{"system": "http://loinc.org", "code": "6301-6"}]}
    needed = [{"type": "Observation", "codeFilter": [by_code]}, {"type": "Observation"}]
    library = {"resourceType": "Library", "id": "l", "url": f"{BASE}/l", "dataRequirement": needed}
    inputs = [{"type": "Condition"}, {"type": "Patient"}]
    plan = PLAN | {"library": [f"{BASE}/l"], "action": [{"input": inputs}]}
    service = services([plan], MemoryRepository([library]))[0]
    patient = "patient={{context.patientId}}"
    assert service.prefetch == {
        "patient": "Patient/{{context.patientId}}",
        "observation": f"Observation?{patient}&code=http://loinc.org|6301-6",
        "observation2": f"Observation?{patient}",
        "condition": f"Condition?{patient}",
    }


def asked(*requirements):
    """What is asked for data requirements, besides the patient."""
    action = {"title": "A", "input": list(requirements)}
    service = services([PLAN | {"action": [action]}], REPOSITORY)[0]
    return {key: query for key, query in service.prefetch.items() if key != "patient"}


def coded(*codes, **more):
    return {"type": "Observation", "codeFilter": [{"path": "code", "code": list(codes)} | more]}


FILTERS = [
    (coded({"code": "a"}), "&code=a"),
    (coded({"system": "urn:x", "code": "a,b|c$d\\e"}), "&code=urn:x|a%5C%2Cb%5C%7Cc%5C%24d%5C%5Ce"),
    (coded({"system": "urn:x&y=z", "code": "a#"}), "&code=urn:x%26y%3Dz|a%23"),
    (coded({"system": "urn:x", "code": "a"}, {"system": "urn:x"}), ""),
    (coded({"system": "urn:x", "code": "a"}, valueSet=f"{BASE}/v"), ""),
    (coded(*({"code": str(n)} for n in range(21))), ""),
    (coded({"code": "a"}) | {"codeFilter": [{"path": "category", "code": [{"code": "a"}]}]}, ""),
]


@pytest.mark.parametrize("requirement, query", FILTERS)
def test_a_filter_that_cannot_be_asked_for_whole_is_not_asked_for(requirement, query):
    assert asked(requirement) == {
        "observation": f"Observation?patient={{{{context.patientId}}}}{query}"
    }


EXPANDED = {"total": 2, "contains": [{"code": "a"}, {"code": "b"}]}


@pytest.mark.parametrize(
    "expansion, query",
    [
        (EXPANDED, "&code=a,b"),
        (EXPANDED | {"total": 500}, ""),
        ({"contains": EXPANDED["contains"]}, ""),
        (EXPANDED | {"total": 1, "contains": [{"code": "a", "contains": [{"code": "b"}]}]}, ""),
    ],
    ids=["whole", "partial", "without total", "nested"],
)
def test_a_value_set_is_asked_for_only_when_all_its_codes_are_known(expansion, query):
    value_set = {"resourceType": "ValueSet", "url": f"{BASE}/v", "expansion": expansion}
    action = {"title": "A", "input": [coded(valueSet=f"{BASE}/v")]}
    repository = MemoryRepository([value_set])
    service = services([PLAN | {"action": [action]}], repository)[0]
    assert service.prefetch["observation"] == (
        f"Observation?patient={{{{context.patientId}}}}{query}"
    )


def test_a_service_of_one_plan_has_its_name_and_one_of_several_their_number():
    other = PLAN | {"id": "Other", "url": f"{BASE}/PlanDefinition/Other", "title": "Another plan"}
    titles = {s["title"] for s in discovery(OFFERED)["services"]}
    assert titles == {"Plan of care"}
    both = discovery(services([PLAN, other], REPOSITORY))["services"]
    assert all(s["title"].startswith("2 ") for s in both)


def test_a_type_without_a_parameter_patient_is_asked_for_by_its_subject():
    subject = "subject=Patient/{{context.patientId}}"
    assert asked({"type": "AdverseEvent"}) == {"adverseEvent": f"AdverseEvent?{subject}"}
    assert asked({"type": "Task"}) == {"task": "Task?patient={{context.patientId}}"}


# -- which action answers -----------------------------------------------------------------------


def triggered(title, *hooks, **more):
    events = [{"type": "named-event", "name": hook} for hook in hooks]
    return {"title": title, "trigger": events} | more


NAMED = PLAN | {
    "id": "named",
    "topic": [],
    "action": [
        triggered("View", "patient-view"),
        triggered("Sign", "order-sign", action=[{"title": "Part of sign"}]),
        triggered("Both", "patient-view", "order-sign"),
        triggered("Other", "something-else"),
        {"title": "Always"},
        triggered("Outer", "order-sign", action=[triggered("Inner", "patient-view")]),
        triggered("Start", "encounter-start"),
    ],
}
ANSWERS = {
    "patient-view": ["View", "Both", "Other", "Always", "Outer"],
    "order-sign": ["Sign", "Both", "Other", "Always", "Outer"],
    "encounter-start": ["Other", "Always", "Start"],
}


@pytest.mark.parametrize("hook", ANSWERS)
def test_an_action_answers_the_hook_that_triggers_it_and_no_other(hook):
    offered = services([NAMED], REPOSITORY)
    assert sorted(service.hook for service in offered) == sorted(ANSWERS)
    body = request(hook, prefetch={"patient": PATIENT})
    body["context"] |= {"encounterId": "e", "draftOrders": {"resourceType": "Bundle"}}
    answer = respond(f"named-{hook}", body, offered, REPOSITORY)
    assert [card["summary"] for card in answer["cards"]] == ANSWERS[hook]


def test_a_problem_of_another_hook_takes_no_card_from_this_one():
    signed = triggered("Signed", "order-sign", id="s", condition=[MALES_ONLY])
    actions = [{"title": "Always"}, signed, triggered("Seen", "patient-view")]
    offered = services([NAMED | {"action": actions}], REPOSITORY)
    body = request("patient-view", prefetch={"patient": PATIENT})
    answer = respond("named-patient-view", body, offered, REPOSITORY)
    assert [card["summary"] for card in answer["cards"]] == ["Always", "Seen"]


def test_a_plan_for_an_order_that_says_when_is_silent_otherwise():
    plan = PLAN | {"action": [triggered("View", "patient-view")]}
    assert [service.hook for service in services([plan], REPOSITORY)] == ["patient-view"]


CONTEXT_OF = {
    "order-dispatch": {"dispatchedOrders": ["ServiceRequest/o"], "performer": "Organization/lab"},
    "appointment-book": {
        "userId": "Practitioner/d",
        "appointments": {
            "resourceType": "Bundle",
            "entry": [{"resource": {"resourceType": "Appointment", "id": "a"}}],
        },
    },
    "encounter-start": {"userId": "Practitioner/d", "encounterId": "e"},
}


def conversation(hook, **changes):
    """A request for a hook that only a plan can name, and the service that answers it."""
    plan = NAMED | {"id": "n", "action": [triggered("A", hook)]}
    context = {"patientId": "x"} | CONTEXT_OF[hook] | changes
    context = {name: value for name, value in context.items() if value is not None}
    body = {"hook": hook, "hookInstance": "i", "context": context, "prefetch": {"patient": PATIENT}}
    return f"n-{hook}", body, services([plan], REPOSITORY), REPOSITORY


@pytest.mark.parametrize("hook", CONTEXT_OF)
def test_a_hook_that_a_plan_names_is_served(hook):
    def fetch(path, _):
        assert path == "ServiceRequest/o"
        return ORDER

    service, body, *rest = conversation(hook)
    body["fhirServer"] = f"{BASE}/fhir"
    answer = respond(service, body, *rest, fetch)
    assert [card["summary"] for card in answer["cards"]] == ["A"]
    assert list(broken_in_response(answer)) == []


@pytest.mark.parametrize("hook, name", [(h, n) for h in CONTEXT_OF for n in CONTEXTS[h]])
def test_a_context_without_what_its_hook_demands_is_a_400(hook, name):
    with pytest.raises(HookError, match=f"context.{name}") as caught:
        respond(*conversation(hook, **{name: None}))
    assert caught.value.status == 400


NO_ORDERS = [
    ["../x"],
    ["ServiceRequest/.."],
    ["ServiceRequest/a?b"],
    ["http://x/ServiceRequest/a"],
    [1],
]


@pytest.mark.parametrize("orders", NO_ORDERS, ids=str)
def test_dispatched_orders_that_are_no_references_are_a_400(orders):
    with pytest.raises(HookError, match="dispatchedOrders") as caught:
        respond(*conversation("order-dispatch", dispatchedOrders=orders))
    assert caught.value.status == 400


def test_a_dispatched_order_that_cannot_be_had_is_a_412():
    with pytest.raises(HookError, match="ServiceRequest/o") as caught:
        respond(*conversation("order-dispatch"))
    assert caught.value.status == 412


# -- cards ------------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", ["order-select", "order-sign", "patient-view"])
def test_every_answer_keeps_the_rules(hook):
    answer = answered(hook)
    assert list(broken_in_response(answer)) == []
    assert [card["summary"][:8] for card in answer["cards"]] == ["Prepare", "Choose", "x x x x "]


def test_a_card_carries_urgency_source_and_documents():
    card = answered()["cards"][0]
    assert card["indicator"] == "warning"
    assert card["source"] == {"label": "Guideline", "url": f"{BASE}/g"}
    assert card["links"] == [{"label": "Leaflet", "url": f"{BASE}/leaflet", "type": "absolute"}]
    assert answered()["cards"][1]["source"] == {"label": "We"}


def test_all_that_is_to_be_ordered_is_one_suggestion_without_the_order_itself():
    card = answered()["cards"][0]
    (suggestion,) = card["suggestions"]
    assert card["selectionBehavior"] == "any"
    assert [action["description"] for action in suggestion["actions"]] == ["ServiceRequest: Blood"]
    resource = suggestion["actions"][0]["resource"]
    assert resource["status"] == "draft"
    assert resource["requester"] == {"reference": "Practitioner/d"}


def test_children_to_choose_from_are_a_suggestion_each():
    card = answered()["cards"][1]
    assert card["selectionBehavior"] == "at-most-one"
    assert [suggestion["label"] for suggestion in card["suggestions"]] == ["One", "Other"]


TWO = {
    "title": "Order",
    "action": [
        {"id": "one", "title": "One", "definitionCanonical": BLOOD["url"]},
        {"id": "two", "title": "Two", "definitionCanonical": BLOOD["url"]},
    ],
}
TOGETHER = {None: ["One", "Two"], "all": ["One", "Two"], "all-or-none": ["Order"]}


@pytest.mark.parametrize("behavior", TOGETHER)
def test_each_order_is_a_suggestion_unless_it_is_all_or_none(behavior):
    action = TWO | ({"selectionBehavior": behavior} if behavior else {})
    plan = PLAN | {"action": [action]}
    answer = respond("Plan-order-sign", request(), services([plan], REPOSITORY), REPOSITORY)
    (card,) = answer["cards"]
    assert [s["label"] for s in card["suggestions"]] == TOGETHER[behavior]
    assert len({s["uuid"] for s in card["suggestions"]}) == len(card["suggestions"])
    assert sum(len(s["actions"]) for s in card["suggestions"]) == 2
    assert list(broken_in_response(answer)) == []


def test_a_card_offers_reasons_to_decide_against_it():
    reasons = answered()["cards"][0]["overrideReasons"]
    assert all(reason["system"] and reason["display"] for reason in reasons)
    assert len({(reason["system"], reason["code"]) for reason in reasons}) == len(reasons) > 2


def test_a_suggestion_of_what_is_not_to_be_done_says_so():
    never = BLOOD | {"url": f"{BASE}/ActivityDefinition/never", "doNotPerform": True}
    plan = PLAN | {"action": [{"title": "Aspirin", "definitionCanonical": never["url"]}]}
    repository = MemoryRepository([plan, never])
    answer = respond("Plan-order-sign", request(), services([plan], repository), repository)
    (card,) = answer["cards"]
    (suggestion,) = card["suggestions"]
    assert card["summary"] == suggestion["label"] == "DO NOT: Aspirin"
    assert suggestion["actions"][0]["description"] == "DO NOT: ServiceRequest: Aspirin"


def test_a_part_that_is_not_to_be_done_says_so_in_the_card_even_when_it_is_being_ordered():
    never = ITSELF | {"url": f"{BASE}/ActivityDefinition/never", "doNotPerform": True}
    part = {"title": "Aspirin", "definitionCanonical": never["url"]}
    plan = PLAN | {"action": [{"title": "Bleeding", "action": [part]}]}
    repository = MemoryRepository([plan, never])
    answer = respond("Plan-order-sign", request(), services([plan], repository), repository)
    (card,) = answer["cards"]
    assert "- DO NOT: Aspirin" in card["detail"]
    assert card["suggestions"][0]["label"] == "DO NOT: Aspirin"


def test_the_same_call_gives_the_same_ids_and_another_call_others():
    assert answered() == answered()
    other = answered(hookInstance="i-2")
    assert other["cards"][0]["uuid"] != answered()["cards"][0]["uuid"]


def test_what_is_left_out_is_told_in_an_extension():
    (reason,) = answered()["extension"][WHY]
    assert reason == "For males: not applicable: only if: %subject.gender = 'male' (which is false)"


def test_a_condition_that_cannot_be_evaluated_is_a_card_that_warns():
    broken = copy.deepcopy(MALES_ONLY)
    broken["expression"]["expression"] = "%encounter.id = 'e'"
    plan = PLAN | {"action": [{"title": "A", "condition": [broken]}]}
    answer = respond("Plan-order-sign", request(), services([plan], REPOSITORY), REPOSITORY)
    (card,) = answer["cards"]
    assert card["indicator"] == "warning"
    assert "no encounter was given" in card["detail"]
    assert list(broken_in_response(answer)) == []


def test_an_order_for_something_else_gets_no_card():
    other = ORDER | {"code": {"coding": [{"system": CPT, "code": "99999"}]}}
    orders = {"resourceType": "Bundle", "entry": [{"resource": other}]}
    context = request()["context"] | {"draftOrders": orders}
    assert answered(context=context) == {"cards": []}


def test_of_draft_orders_only_the_selected_count():
    context = request("order-select")["context"] | {"selections": ["ServiceRequest/else"]}
    assert answered("order-select", context=context) == {"cards": []}


def test_the_view_of_a_patient_without_the_order_gets_no_card():
    prefetch = {"patient": PATIENT, "orders": None}
    assert answered("patient-view", prefetch=prefetch) == {"cards": []}


def test_a_long_summary_is_cut_below_140_characters():
    assert shortened("a\n b") == "a b"
    assert len(shortened("a" * 200)) == 139
    assert shortened("a" * 139) == "a" * 139


def test_a_plan_without_anything_still_gives_valid_cards():
    bare = {"resourceType": "PlanDefinition", "id": "bare", "action": [{}]}
    applied = apply(bare, "x", MemoryRepository([PATIENT]), form="bundle")
    found = cards(applied, bare, "i", [])
    assert list(broken_in_response({"cards": found})) == []


# -- refusals ---------------------------------------------------------------------------------

WRONG = [
    ([], "not a JSON object"),
    (request(hook="patient-view"), "this service answers 'order-sign'"),
    (request() | {"hookInstance": ""}, "hookInstance"),
    (request() | {"context": None}, "no 'context'"),
    (request() | {"context": {"userId": "Practitioner/d"}}, "context.patientId"),
    (request() | {"context": {"patientId": "x"}}, "context.userId"),
    (request() | {"prefetch": []}, "'prefetch' is not an object"),
    (request() | {"prefetch": {"patient": "x"}}, "is not a FHIR resource"),
    (request() | {"context": {"userId": "u", "patientId": "x"}}, "context.draftOrders"),
    (
        request() | {"context": {"userId": "u", "patientId": "x", "draftOrders": {
            "resourceType": "Bundle", "entry": [{}]}}},
        "entry without a resource",
    ),
]  # fmt: skip


@pytest.mark.parametrize("body, words", WRONG, ids=[words for _, words in WRONG])
def test_a_wrong_request_is_a_400_with_the_reason(body, words):
    with pytest.raises(HookError, match=words) as caught:
        respond("Plan-order-sign", body, OFFERED, REPOSITORY)
    assert caught.value.status == 400


def test_selections_that_are_no_list_are_a_400():
    context = request("order-select")["context"] | {"selections": "o"}
    with pytest.raises(HookError, match="selections"):
        answered("order-select", context=context)


def test_an_unknown_service_is_a_404_with_the_nearest():
    with pytest.raises(HookError, match="did you mean 'Plan-order-sign'") as caught:
        respond("Plan-order-sing", request(), OFFERED, REPOSITORY)
    assert caught.value.status == 404


def test_missing_prefetch_without_a_server_is_a_412():
    with pytest.raises(HookError, match="prefetch 'patient' is missing") as caught:
        answered(prefetch={})
    assert caught.value.status == 412


def test_missing_prefetch_is_fetched_from_the_server_of_the_client():
    asked = []

    def fetch(path, _):
        asked.append(path)
        return PATIENT

    body = request(prefetch={}, fhirServer=f"{BASE}/fhir")
    answer = respond("Plan-order-sign", body, OFFERED, REPOSITORY, fetch)
    assert asked == ["Patient/x"]
    assert len(answer["cards"]) == 3


FAILURE = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


def test_prefetch_that_the_client_could_not_get_is_missing_not_empty():
    with pytest.raises(HookError, match="prefetch 'orders' is missing") as caught:
        answered("patient-view", prefetch={"patient": PATIENT, "orders": FAILURE})
    assert caught.value.status == 412


def test_a_failure_that_the_server_answers_with_is_a_412():
    body = request(prefetch={"patient": FAILURE}, fhirServer=f"{BASE}/fhir")
    with pytest.raises(HookError, match="returned an OperationOutcome") as caught:
        respond("Plan-order-sign", body, OFFERED, REPOSITORY, lambda *_: FAILURE)
    assert caught.value.status == 412


def test_the_draft_orders_are_a_variable_of_the_logic():
    drafts = {"language": "text/fhirpath", "expression": "%draftOrders.where(id = 'o').exists()"}
    asked = {"kind": "applicability", "expression": drafts}
    plan = PLAN | {"action": [{"title": "Drafted", "condition": [asked]}]}
    answer = respond("Plan-order-sign", request(), services([plan], REPOSITORY), REPOSITORY)
    assert [card["summary"] for card in answer["cards"]] == ["Drafted"]


def test_draft_orders_of_several_kinds_are_answered_by_the_rules():
    others = [
        {"resourceType": "MedicationRequest", "id": "m", "medicationReference": {"display": "x"}},
        {"resourceType": "NutritionOrder", "id": "n", "dateTime": "2026-01-01"},
        {"resourceType": "DeviceRequest", "codeCodeableConcept": {"text": "Bed"}},
    ]
    body = request()
    body["context"]["draftOrders"]["entry"] += [{"resource": r} for r in others]
    answer = respond("Plan-order-sign", body, OFFERED, REPOSITORY)
    assert list(broken_in_response(answer)) == []
    assert len(answer["cards"]) == 3


def test_a_server_that_fails_is_a_412():
    def fetch(*_):
        raise FetchError("no answer came")

    body = request(prefetch={}, fhirServer=f"{BASE}/fhir")
    with pytest.raises(HookError, match="could not be fetched: no answer came") as caught:
        respond("Plan-order-sign", body, OFFERED, REPOSITORY, fetch)
    assert caught.value.status == 412


def test_a_patient_that_is_not_there_is_a_412():
    with pytest.raises(HookError, match="subject is not in the data") as caught:
        answered(prefetch={"patient": None})
    assert caught.value.status == 412


# -- feedback ---------------------------------------------------------------------------------

ITEM = {
    "card": "u",
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "s"}],
    "outcomeTimestamp": "2026-06-15T12:00:00Z",
}


def test_feedback_is_taken():
    overridden = ITEM | {"outcome": "overridden", "acceptedSuggestions": None}
    body = {"feedback": [ITEM, overridden]}
    assert feedback("Plan-order-sign", body, OFFERED) == body["feedback"]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"card": None}, "no 'card'"),
        ({"outcome": "ignored"}, "neither accepted nor overridden"),
        ({"outcomeTimestamp": "today"}, "ISO timestamp"),
        ({"acceptedSuggestions": []}, "names none by id"),
    ],
)
def test_wrong_feedback_is_a_400(change, words):
    with pytest.raises(HookError, match=words) as caught:
        feedback("Plan-order-sign", {"feedback": [ITEM | change]}, OFFERED)
    assert caught.value.status == 400


@pytest.mark.parametrize("body", [[], {}, {"feedback": []}])
def test_feedback_without_items_is_a_400(body):
    with pytest.raises(HookError, match="list 'feedback'"):
        feedback("Plan-order-sign", body, OFFERED)


HOSTILE = [
    ORDER | {"code": "20983"},
    ORDER | {"code": {"coding": "20983"}},
    ORDER | {"code": {"coding": [{"code": ["20983"]}]}},
    ORDER | {"subject": []},
    ORDER | {"contained": [1]},
]


@pytest.mark.parametrize("order", HOSTILE, ids=lambda order: str(order)[-60:])
def test_an_order_that_is_no_fhir_is_a_400_with_its_place(order):
    bundle = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    context = request()["context"] | {"draftOrders": bundle}
    with pytest.raises(HookError, match="what was sent is not FHIR: ServiceRequest/o: ") as caught:
        answered(context=context)
    assert caught.value.status == 400


def test_a_plan_that_is_no_fhir_does_not_hide_the_others():
    broken = {"resourceType": "PlanDefinition", "id": "broken", "action": {"title": "x"}}
    assert services([broken, PLAN], REPOSITORY) == OFFERED
