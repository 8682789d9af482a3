"""Requests to a CDS service, checked before they are answered (https://cds-hooks.hl7.org/2.0/)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from fhirpkg.applying.shapes import misshapen
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.repository import in_bundle, shortfall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.issues import Json, Resource

    Fetch = Callable[[str, Resource], Resource | None]
    """Path of a read or search and the request, to what the client's FHIR server has there."""

CONTEXTS = {
    "patient-view": ("userId", "patientId"),
    "order-select": ("userId", "patientId", "selections", "draftOrders"),
    "order-sign": ("userId", "patientId", "draftOrders"),
    "order-dispatch": ("patientId", "dispatchedOrders", "performer"),
    "appointment-book": ("userId", "patientId", "appointments"),
    "encounter-start": ("userId", "patientId", "encounterId"),
}
"""Hooks we answer, with what their context must hold."""

_TOKEN = re.compile(r"\{\{\s*context\.(\w+)\s*\}\}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}", re.ASCII)
_OPTIONAL = ("userId", "encounterId", "fulfillmentTasks")
_LONGEST_INSTANCE = 256
_MOST_DISPATCHED = 100
"""Orders that one call may send us to fetch."""
_LARGEST_ITEM = 20_000
"""Characters of an item of feedback, which is kept."""


class HookError(Exception):
    """A request that is not answered: an HTTP status and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        self.headers: dict[str, str] = {}
        super().__init__(reason)


class FetchError(Exception):
    """Data that could not be fetched; the client may see its text."""


def check_request(request: Json, hook: str) -> Resource:
    """The context of a request to a service of this hook; raises HookError (400)."""
    if not isinstance(request, dict):
        raise HookError(400, "the request is not a JSON object")
    if request.get("hook") != hook:
        raise HookError(400, f"this service answers '{hook}', not '{request.get('hook')}'")
    _text(request, "hookInstance", "")
    if len(request["hookInstance"]) > _LONGEST_INSTANCE:
        raise HookError(400, f"'hookInstance' has more than {_LONGEST_INSTANCE} characters")
    context = request.get("context")
    if not isinstance(context, dict):
        raise HookError(400, "the request has no 'context' object")
    for name in (*CONTEXTS[hook], *(name for name in _OPTIONAL if name in context)):
        _CHECKS.get(name, _text)(context, name, "context.")
    prefetch = request.get("prefetch", {})
    if prefetch is not None and not isinstance(prefetch, dict):
        raise HookError(400, "'prefetch' is not an object")
    _check_access(request)
    return context


def _check_access(request: Resource) -> None:
    """Where data may be fetched, if the client says so, and with which token."""
    server, access = request.get("fhirServer"), request.get("fhirAuthorization")
    if server is not None and not isinstance(server, str):
        raise HookError(400, "'fhirServer' is not text")
    if access is None:
        return
    if not isinstance(access, dict) or not isinstance(access.get("access_token"), str):
        raise HookError(400, "'fhirAuthorization' is not an object with an 'access_token'")


def _text(holder: Resource, name: str, where: str) -> None:
    value = holder.get(name)
    if not isinstance(value, str) or not value.strip():
        raise HookError(400, f"'{where}{name}' is missing or not text")


def _identity(context: Resource, name: str, where: str) -> None:
    _text(context, name, where)
    if not is_id(context[name]):
        raise HookError(400, f"'{where}{name}' is not a FHIR id (letters, digits, '-' and '.')")


def is_id(text: str) -> bool:
    """Whether a text is a FHIR id that stays one in a path, which `.` and `..` do not."""
    return bool(_ID.fullmatch(text)) and text not in {".", ".."}


def _references(context: Resource, name: str, where: str) -> None:
    value = context.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise HookError(400, f"'{where}{name}' is not a list of references")


def _local_references(context: Resource, name: str, where: str) -> None:
    _references(context, name, where)
    if len(context[name]) > _MOST_DISPATCHED:
        raise HookError(400, f"'{where}{name}' has more than {_MOST_DISPATCHED} references")
    for reference in context[name]:
        if not _REFERENCE.fullmatch(reference) or not is_id(reference.rpartition("/")[2]):
            raise HookError(
                400, f"'{where}{name}' holds a value that is not a reference of the form Type/id"
            )


def _bundle(context: Resource, name: str, where: str) -> None:
    value = context.get(name)
    if not isinstance(value, dict) or value.get("resourceType") != "Bundle":
        raise HookError(400, f"'{where}{name}' is not a FHIR Bundle")
    entries = value.get("entry", [])
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise HookError(400, f"'{where}{name}' has an entry without a resource")
    for entry in entries:
        _in(entry["resource"], f"{where}{name}")


def _resources(context: Resource, name: str, where: str) -> None:
    value = context.get(name)
    if not isinstance(value, list) or not all(_is_entry({"resource": item}) for item in value):
        raise HookError(400, f"'{where}{name}' is not a list of resources")
    for resource in value:
        _in(resource, f"{where}{name}")


def _is_entry(entry: Json) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)


_CHECKS = {
    "appointments": _bundle,
    "dispatchedOrders": _local_references,
    "draftOrders": _bundle,
    "encounterId": _identity,
    "fulfillmentTasks": _resources,
    "patientId": _identity,
    "selections": _references,
}
_OUTCOMES = ("accepted", "overridden")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(slots=True)
class Gathered:
    """The patient's data for a request, and what they lack."""

    resources: list[Resource] = field(default_factory=list)
    shortfalls: dict[str, str] = field(default_factory=dict)
    """By resource type why not all data of it are there."""


def gathered(request: Resource, templates: dict[str, str], fetch: Fetch | None) -> Gathered:
    """The resources of the prefetch; what the client left out is fetched from its server.

    A key that is null means that there is no such data; an OperationOutcome that the client could
    not get them. A search of which the client sent one page is asked for again; when that cannot
    be, its type is among the shortfalls. Raises HookError: 400 for what is not a resource, 412 when
    something is missing and cannot be fetched. What is of no patient (all locations) only keeps the
    logic that looks at it from being evaluated.
    """
    prefetch = request.get("prefetch") or {}
    found = Gathered()
    without: dict[str, str] = {}
    for key, template in templates.items():
        value = prefetch.get(key)
        if key not in prefetch or _is_failure(value):
            try:
                value = _fetched(request, key, template, fetch)
            except HookError as error:
                if "{{context." in template:
                    raise
                without[re.split("[/?]", template)[0]] = error.reason
                continue
        elif shortfall(value) and fetch is not None:
            value = _completed(request, value, template, fetch)
        if value is None:
            continue
        found.resources += _in(value, f"prefetch {key}")
        if lack := shortfall(value):
            found.shortfalls[re.split("[/?]", template)[0]] = f"prefetch '{key}' {lack}"
    # Clients send along what is referred to, such as the drug of an order: then that is enough.
    sent = [*found.resources, *draft_orders(request["context"], "")]
    kinds = {resource["resourceType"] for resource in sent}
    found.shortfalls |= {kind: why for kind, why in without.items() if kind not in kinds}
    return found


def _in(value: Json, key: str) -> list[Resource]:
    """The resources in a value of a prefetch or context. Raises HookError (400)."""
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise HookError(400, f"'{key}' is not a FHIR resource")
    if problem := misshapen([value], Definitions.core().types):
        raise HookError(400, f"'{key}': what was sent is not FHIR: {problem}")
    resources = in_bundle(value)
    if not all(_is_entry({"resource": resource}) for resource in resources):
        raise HookError(400, f"'{key}' has an entry without a resourceType")
    return [r for r in resources if r["resourceType"] != "OperationOutcome"]


def _is_failure(value: Json) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == "OperationOutcome"


def _completed(request: Resource, value: Json, template: str, fetch: Fetch) -> Json:
    """The whole search where the client sent a part of it; the part when it cannot be had."""
    if not isinstance(request.get("fhirServer"), str):
        return value
    try:
        found = fetch(filled(template, request["context"]), request)
    except FetchError:
        return value
    return value if found is None or _is_failure(found) else found


def _fetched(request: Resource, key: str, template: str, fetch: Fetch | None) -> Resource | None:
    if fetch is None or not isinstance(request.get("fhirServer"), str):
        problem = f"prefetch '{key}' is missing, and there is no fhirServer to fetch it from"
        raise HookError(412, problem)
    try:
        found = fetch(filled(template, request["context"]), request)
    except FetchError as error:
        raise HookError(412, f"prefetch '{key}' could not be fetched: {error}") from error
    if _is_failure(found):
        raise HookError(
            412, f"prefetch '{key}' could not be fetched: the server returned an OperationOutcome"
        )
    return found


def filled(template: str, context: Resource) -> str:
    """A prefetch template with the values of the context in it, encoded for a url."""
    return _TOKEN.sub(lambda match: quote(str(context.get(match[1], "")), safe=""), template)


def dispatched_orders(
    request: Resource, data: list[Resource], fetch: Fetch | None
) -> list[Resource]:
    """The orders that are sent to who is to carry them out. Raises HookError (412)."""
    known = {f"{r['resourceType']}/{r.get('id')}": r for r in data}
    found = []
    for reference in request["context"].get("dispatchedOrders", ()):
        order = known.get(reference) or _fetched(request, reference, reference, fetch)
        if order is None:
            raise HookError(412, f"the dispatched order {reference} was not found")
        found += _in(order, reference)
    return found


def sent_along(context: Resource) -> list[Resource]:
    """Appointments to book and tasks to fulfil, which a context holds as such."""
    return [
        *in_bundle(context.get("appointments", {"resourceType": "Bundle"})),
        *context.get("fulfillmentTasks", ()),
    ]


def draft_orders(context: Resource, hook: str) -> Iterator[Resource]:
    """The orders that a hook is about: those selected, or all that are signed."""
    selected = frozenset(context.get("selections", ()))
    for resource in in_bundle(context.get("draftOrders", {"resourceType": "Bundle"})):
        reference = f"{resource['resourceType']}/{resource.get('id')}"
        if hook != "order-select" or reference in selected:
            yield resource


def problem_of_feedback(item: Json) -> str:
    """What is wrong with an item of a feedback; nothing when it is right."""
    if not isinstance(item, dict) or not isinstance(item.get("card"), str):
        return "an item of the feedback has no 'card'"
    if item.get("outcome") not in _OUTCOMES:
        return f"'outcome' of card {item['card']} is neither accepted nor overridden"
    if not _TIMESTAMP.fullmatch(str(item.get("outcomeTimestamp", ""))):
        return f"'outcomeTimestamp' of card {item['card']} is not an ISO timestamp"
    accepted = item.get("acceptedSuggestions")
    is_list = isinstance(accepted, list) and all(
        isinstance(a, dict) and isinstance(a.get("id"), str) for a in accepted
    )
    if not is_list and accepted is not None:
        return f"'acceptedSuggestions' of card {item['card']} is not a list of objects with an id"
    if item["outcome"] == "accepted" and not accepted:
        return f"card {item['card']} is accepted, but 'acceptedSuggestions' names none by id"
    if len(json.dumps(item)) > _LARGEST_ITEM:
        return f"an item of the feedback has more than {_LARGEST_ITEM} characters"
    return ""
