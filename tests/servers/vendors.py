"""Whole servers played: which habits each is known for (publish.md 3, hapi.md), and the ones
that only one of them has.
"""

import itertools
import json

from tests.servers import habits
from tests.servers.habits import capabilities, is_transaction, only, outcome, with_body
from tests.servers.scripted import Reply


def now_and_then(refusal, every=3):
    """A server at its limits: every so many requests one is refused unread."""
    turn = itertools.count(1)

    def habit(request, forward):
        if not request.path.endswith("/metadata") and next(turn) % every == 0:
            return refusal
        return forward(request)

    return habit


def once(refusal, matches):
    """The first request of a kind is refused."""
    seen = []

    def habit(request, forward):
        if matches(request) and not seen:
            seen.append(request)
            return refusal
        return forward(request)

    return habit


def throttles_later_entries(after):
    """Azure: in a batch one throttled entry makes all entries after it 429."""

    def habit(request, forward):
        bundle = request.resource if is_transaction(request) else None
        if bundle is None or bundle["type"] != "batch" or len(bundle["entry"]) <= after:
            return forward(request)
        reply = forward(with_body(request, bundle | {"entry": bundle["entry"][:after]}))
        late = [{"response": {"status": "429"}}] * (len(bundle["entry"]) - after)
        return reply.but(body=reply.resource | {"entry": reply.resource["entry"] + late})

    return habit


def conditions_by_identifier_only(request, forward):
    """Google v1: a condition by anything else is refused, and a transaction with it."""
    entries = request.resource["entry"] if is_transaction(request) else []
    given = [entry["request"].get("ifNoneExist", "") for entry in entries]
    given.append(request.headers.get("if-none-exist", ""))
    if any(criteria and not criteria.startswith("identifier=") for criteria in given):
        return outcome(400, "only the identifier search parameter is supported", "not-supported")
    return forward(request)


def ignores_conditions_of_creates(request, forward):
    """HealthLake: If-None-Exist is not looked at."""
    return forward(habits.without_condition(request, "if-none-exist", "ifNoneExist"))


def without_update_create(request, forward):
    """Google without enableUpdateCreate: a PUT to an id that is not there finds nothing."""
    entries = request.resource["entry"] if is_transaction(request) else []
    puts = [e["request"]["url"] for e in entries if e["request"]["method"] == "PUT"]
    root = request.path.rstrip("/")
    places = [f"{root}/{place}" for place in puts]
    places += [request.path] if request.method == "PUT" and "?" not in request.path else []
    for place in places:
        if forward(type(request)("GET", place, {}, b"")).status != 200:
            return outcome(404, "resource not found, and updateCreate is off", "not-found")
    return forward(request)


def adds_extensions(request, forward):
    """HealthLake: what its language service finds in a DocumentReference is put into it."""
    resource = request.resource if request.body else {}
    for each in [resource, *(e.get("resource", {}) for e in resource.get("entry", []))]:
        if each.get("resourceType") == "DocumentReference":
            each["extension"] = [*each.get("extension", []), NLP]
    return forward(with_body(request, resource) if request.body else request)


NLP = {
    "url": "http://healthlake.amazonaws.com/aws-cm/infer-icd10/",
    "valueString": '[{"Text": "walk", "Score": 0.4}]',
}


def nothing_comes_back(request, forward):
    """Firely: an id that was deleted cannot be used again."""
    entries = request.resource["entry"] if is_transaction(request) else []
    root = request.path.rstrip("/")
    puts = [f"{root}/{e['request']['url']}" for e in entries if e["request"]["method"] == "PUT"]
    puts += [request.path] if request.method == "PUT" else []
    if any(forward(type(request)("GET", put, {}, b"")).status == 410 for put in puts):
        return outcome(409, "this id was deleted and cannot be used again", "conflict")
    return forward(request)


def references_hold(request, forward):
    """Blaze: a reference that leads nowhere is a conflict, in a delete as in a write."""
    if request.method == "DELETE":
        place = "/".join(request.path.split("/")[-2:])
        for resource_type in ("DocumentReference", "PlanDefinition"):
            path = f"{request.path.rsplit('/', 2)[0]}/{resource_type}"
            found = forward(type(request)("GET", path, {}, b"")).resource
            if json.dumps(found).count(f'"reference": "{place}"'):
                return outcome(409, f"referential integrity: {place} is still used", "conflict")
        return forward(request)
    entries = request.resource.get("entry", []) if is_transaction(request) else []
    sent = {e["request"]["url"] for e in entries}
    root = request.path.rstrip("/")
    for entry in entries:
        for related in entry["resource"].get("relatesTo", []):
            target = related["target"]["reference"]
            known = target in sent or target.startswith("urn:")
            if (
                not known
                and forward(type(request)("GET", f"{root}/{target}", {}, b"")).status != 200
            ):
                return outcome(409, f"referential integrity: {target} does not exist", "conflict")
    return forward(request)


def without_claims(*names):
    """A CapabilityStatement that denies some abilities of every type."""

    def change(statement):
        rest = statement["rest"][0]
        rest["resource"] = [each | dict.fromkeys(names, False) for each in rest["resource"]]
        return statement

    return capabilities(change)


def named(software):
    """The name by which a server's habits are reported."""
    return capabilities(lambda statement: statement | {"software": {"name": software}})


HAPI = (
    habits.stale_is_409,
    habits.ignores_if_none_match,
    habits.ignores_if_match_on_delete,
    habits.keeps_every_tag,
    habits.writes_narrative_anew,
    habits.tells_no_total,
)
HELIOS = (habits.ignores_if_none_match, habits.new_version_at_each_put, habits.tells_no_total)
MEDPLUM = (habits.transaction_is_batch, habits.silent_about_versions)
LENIENT = (
    habits.ignores_if_match,
    habits.ignores_if_none_match,
    habits.ignores_parameter("url"),
    habits.ignores_parameter("_id"),
    habits.ignores_parameter("_tag"),
    habits.names_another_host,
)

HELIOS_WITHOUT_PARAMETERS = (
    *HELIOS,
    *(habits.ignores_parameter(name) for name in ("_id", "_tag", "url", "version", "identifier")),
)
"""Started without its file of search parameters it ignores them and returns everything."""
AZURE = (
    now_and_then(Reply(429, headers={"retry-after": "1", "x-ms-retry-after-ms": "300"}), 5),
    once(outcome(409, "the transaction lost a race", "conflict"), is_transaction),
    habits.at_most(500),
)
AZURE_WITHOUT_TRANSACTIONS = (
    habits.without_system("transaction"),
    throttles_later_entries(1),
    habits.at_most(500),
)
GOOGLE = (
    now_and_then(Reply(429), 7),
    without_claims("updateCreate"),
    without_update_create,
    conditions_by_identifier_only,
)
HEALTHLAKE = (
    named("AWS HealthLake"),
    now_and_then(Reply(400, '{"__type": "ThrottlingException", "message": "Rate exceeded"}'), 6),
    without_claims("conditionalCreate", "conditionalUpdate"),
    ignores_conditions_of_creates,
    adds_extensions,
    habits.finds_late(6),
)
FIRELY = (habits.at_most(150), habits.new_version_at_each_put, nothing_comes_back)
BLAZE = (without_claims("conditionalUpdate"), references_hold, habits.tells_no_total)
MEDPLUM_THROTTLED = (
    now_and_then(Reply(429, headers={"ratelimit": '"fhirInteractions";r=0;t=2'}), 4),
    *MEDPLUM,
)
EPIC = (
    only(
        "Epic",
        {
            "DocumentReference": ["create", "read", "search-type"],
            "Questionnaire": ["read", "search-type"],
            "Patient": ["read"],
        },
    ),
)
ORACLE = (
    only(
        "Oracle Health Millennium",
        {
            "DocumentReference": ["create", "read", "search-type"],
            "Basic": ["create"],
            "Binary": ["read"],
        },
    ),
)
