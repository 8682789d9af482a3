"""Other servers' habits, played in front of the embedded one; what each does was measured.

A habit takes a request and what would answer it, as a script of the proxy does; `server_like`
puts several of them one before the other.
"""

import functools
import json
import re
import time
from datetime import datetime, timedelta
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.servers.scripted import Reply, is_reading


def server_like(*habits):
    """A script that plays all the habits, the first one outermost."""

    def script(request, forward):
        answer = forward
        for habit in reversed(habits):
            answer = functools.partial(_played, habit, answer)
        if request.method == "POST" and is_reading(request) and "_search" not in request.path:
            return _batch_of_reads(request, answer)
        return answer(request)

    return script


def _batch_of_reads(request, answer):
    """A batch of GETs, each of them answered as if it had come alone: a server has one mind."""
    reply = answer(request)
    if reply.status != 200 or (reply.resource or {}).get("resourceType") != "Bundle":
        return reply
    entries = []
    for entry in request.resource["entry"]:
        path = f"{urlsplit(request.path).path.rstrip('/')}/{entry['request']['url']}"
        alone = answer(type(request)("GET", path, request.headers, b""))
        told = {"response": {"status": str(alone.status)}}
        is_json = alone.bytes()[:1] == b"{" and not alone.lost and alone.cut is None
        entries.append(told | ({"resource": alone.resource} if is_json else {}))
    return reply.but(body=reply.resource | {"entry": entries})


def _played(habit, forward, request):
    return habit(request, forward)


def outcome(status, words, code="processing"):
    issue = {"severity": "error", "code": code, "diagnostics": words}
    return Reply(status, {"resourceType": "OperationOutcome", "issue": [issue]})


def reads_its_own(*places):
    """HAPI answers a read of an OperationDefinition with its own operations alone."""

    def habit(request, forward):
        if request.method == "GET" and request.path.endswith(tuple(f"/{p}" for p in places)):
            return outcome(404, "HAPI-2249: not one of mine", "not-found")
        return forward(request)

    return habit


def with_body(request, resource):
    body = json.dumps(resource).encode()
    return type(request)(request.method, request.path, request.headers, body)


def with_path(request, path):
    return type(request)(request.method, path, request.headers, request.body)


def without_header(request, *names):
    headers = {k: v for k, v in request.headers.items() if k not in names}
    return type(request)(request.method, request.path, headers, request.body)


def is_transaction(request):
    """Whether resources are written in a Bundle, by transaction or batch."""
    is_bundle = request.method == "POST" and (request.resource or {}).get("resourceType")
    return is_bundle == "Bundle" and not is_reading(request)


def ignores_if_none_match(request, forward):
    """HAPI, Helios: a PUT overwrites in spite of ``If-None-Match: *``."""
    return forward(without_condition(request, "if-none-match", "ifNoneMatch"))


def ignores_if_match(request, forward):
    """fhirsnake: no If-Match is looked at."""
    return forward(without_condition(request, "if-match", "ifMatch"))


def ignores_if_match_on_delete(request, forward):
    """HAPI."""
    if request.method == "DELETE":
        return forward(without_header(request, "if-match"))
    return forward(request)


def without_condition(request, header, key):
    if is_transaction(request):
        bundle = request.resource
        for entry in bundle["entry"]:
            entry["request"].pop(key, None)
        return with_body(request, bundle)
    return without_header(request, header)


def stale_is_409(request, forward):
    """HAPI, Oracle: a stale If-Match is a conflict rather than a failed precondition."""
    reply = forward(request)
    if reply.status == 412 and "if-match" in request.headers:
        return outcome(409, "HAPI-0989: trying to update an old version", "conflict")
    return reply


def keeps_every_tag(request, forward):
    """HAPI: a PUT adds tags and takes none away, alone as in a transaction."""
    if is_transaction(request):
        bundle = request.resource
        for entry in bundle["entry"]:
            if entry["request"]["method"] == "PUT":
                place = f"{request.path.rstrip('/')}/{entry['request']['url']}"
                _with_old_tags(entry["resource"], forward(type(request)("GET", place, {}, b"")))
        return forward(with_body(request, bundle))
    if request.method != "PUT" or not request.body:
        return forward(request)
    resource = request.resource
    _with_old_tags(resource, forward(type(request)("GET", request.path, {}, b"")))
    return forward(with_body(request, resource))


def _with_old_tags(resource, there):
    old = there.resource.get("meta", {}).get("tag", []) if there.status == 200 else []
    meta = resource.setdefault("meta", {})
    meta["tag"] = meta.get("tag", []) + [t for t in old if t not in meta.get("tag", [])]


def writes_narrative_anew(request, forward):
    """HAPI: its own quotes, short empty elements, characters for entities."""
    changed = request.body.decode().replace("<br></br>", "<br/>").replace("&#160;", "\u00a0")
    changed = changed.replace("'", '\\"').encode()
    return forward(type(request)(request.method, request.path, request.headers, changed))


def drops_copyright(request, forward):
    """Stands for every server that leaves out, with 201, what it does not know."""
    resource = request.resource if request.body else None
    entries = (resource or {}).get("entry", [])
    for each in [resource or {}, *(entry.get("resource", {}) for entry in entries)]:
        each.pop("copyright", None)
    return forward(with_body(request, resource) if resource else request)


def new_version_at_each_put(request, forward):
    """Helios: an identical PUT makes a version all the same."""
    if request.method == "PUT" and "if-match" not in request.headers and request.body:
        forward(with_body(request, request.resource | {"language": "en"}))
    return forward(request)


def refuses_client_ids(request, forward):
    """HAPI with client ids NOT_ALLOWED: an update cannot create."""
    if request.method == "PUT" and "?" not in request.path:
        there = forward(type(request)("GET", request.path, {}, b""))
        if there.status != 200:
            return outcome(400, "HAPI-0959: client assigned ids are not allowed")
    return forward(request)


def ignores_parameter(name):
    """A lenient server that does not know a parameter and answers with everything."""

    def habit(request, forward):
        path, query = urlsplit(request.path).path, urlsplit(request.path).query
        kept = [(k, v) for k, v in parse_qsl(query, keep_blank_values=True) if k != name]
        return forward(with_path(request, f"{path}?{urlencode(kept)}" if kept else path))

    return habit


def stale_searches(seconds, obeys_no_cache):
    """HAPI: a repeated search is answered as the first time, for a minute."""
    known = {}

    def habit(request, forward):
        if request.method != "GET" or "?" not in request.path:
            return forward(request)
        if obeys_no_cache and request.headers.get("cache-control") == "no-cache":
            return forward(request)
        since, reply = known.get(request.path, (0.0, None))
        if reply is None or time.monotonic() - since > seconds:
            reply = forward(request)
            known[request.path] = (time.monotonic(), reply)
        return reply

    return habit


def finds_late(requests):
    """An index that is behind: new resources are found by search after that many searches."""
    searches = []

    def habit(request, forward):
        reply = forward(request)
        if request.method == "GET" and "?" in request.path and reply.status == 200:
            searches.append(request.path)
            if len(searches) <= requests and reply.resource.get("entry"):
                return reply.but(body=reply.resource | {"entry": [], "total": 0})
        return reply

    return habit


def clock_off_by(seconds):
    """A server whose clock is wrong, in its Date as in what it writes down."""

    def shifted(match):
        moment = datetime.fromisoformat(match[1]) + timedelta(seconds=seconds)
        return f'"lastUpdated":"{moment.isoformat()}"'

    def habit(request, forward):
        reply = forward(request)
        date = parsedate_to_datetime(reply.headers["date"]).timestamp() + seconds
        headers = reply.headers | {"date": formatdate(date, usegmt=True)}
        text = re.sub(r'"lastUpdated": ?"([^"]+)"', shifted, reply.bytes().decode())
        return reply.but(body=text, headers=headers)

    return habit


def tells_no_total(request, forward):
    """HAPI where there is a next page, Helios unless asked."""
    reply = forward(request)
    if reply.status == 200 and (reply.resource or {}).get("type") == "searchset":
        return reply.but(body={k: v for k, v in reply.resource.items() if k != "total"})
    return reply


def pages_of_two(request, forward):
    """A small page, whatever was asked for."""
    if request.method == "GET" and "?" in request.path and "_page" not in request.path:
        parts = urlsplit(request.path)
        query = [(k, v) for k, v in parse_qsl(parts.query) if k != "_count"]
        query.append(("_count", "2"))
        return forward(with_path(request, f"{parts.path}?{urlencode(query)}"))
    return forward(request)


def at_most(entries):
    """Firely (150), Azure and HealthLake (500): larger transactions are 413."""

    def habit(request, forward):
        if is_transaction(request) and len(request.resource["entry"]) > entries:
            return outcome(413, "HAPI-0528: too many entries", "too-costly")
        return forward(request)

    return habit


def transaction_is_batch(request, forward):
    """Older Medplum: a transaction is carried out entry by entry."""
    if is_transaction(request):
        return forward(with_body(request, request.resource | {"type": "batch"}))
    return forward(request)


def no_bundles(request, forward):
    """fhirsnake: the root takes no POST, though the CapabilityStatement says so."""
    if is_transaction(request):
        return Reply(405, "Method Not Allowed", {"content-type": "text/plain"})
    return forward(request)


def silent_about_versions(request, forward):
    """Medplum in memory: neither etag nor location in the entries of an answer."""
    reply = forward(request)
    if is_transaction(request) and reply.status == 200:
        bundle = reply.resource
        for entry in bundle["entry"]:
            entry["response"].pop("etag", None)
            entry["response"].pop("location", None)
        return reply.but(body=bundle)
    return reply


def names_another_host(request, forward):
    """sekmet: locations and links with the host that it was configured for."""
    reply = forward(request)
    host = request.headers["host"].encode()
    return reply.but(body=reply.body.replace(host, b"inside.example:9999"))


def capabilities(change):
    """A CapabilityStatement that says something else."""

    def habit(request, forward):
        reply = forward(request)
        if request.path.endswith("/metadata"):
            return reply.but(body=change(reply.resource))
        return reply

    return habit


def only(software, types):
    """The CapabilityStatement of a server with these types and their interactions."""

    def change(statement):
        rest = statement["rest"][0]
        rest["resource"] = [
            {"type": name, "interaction": [{"code": code} for code in codes]}
            for name, codes in types.items()
        ]
        rest["interaction"] = [{"code": "batch"}]
        return statement | {"software": {"name": software}}

    return capabilities(change)


def without_system(code):
    """A CapabilityStatement without transaction, or batch."""

    def change(statement):
        rest = statement["rest"][0]
        rest["interaction"] = [i for i in rest["interaction"] if i["code"] != code]
        return statement

    return capabilities(change)


def without_type(*names):
    """A CapabilityStatement without some types."""

    def change(statement):
        rest = statement["rest"][0]
        rest["resource"] = [r for r in rest["resource"] if r["type"] not in names]
        return statement

    return capabilities(change)
