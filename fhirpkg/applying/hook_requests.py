"""Requests to a CDS service, checked before they are answered (https://cds-hooks.hl7.org/2.0/)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fhirpkg.repository import in_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.issues import Resource

CONTEXTS = {
    "patient-view": ("userId", "patientId"),
    "order-select": ("userId", "patientId", "selections", "draftOrders"),
    "order-sign": ("userId", "patientId", "draftOrders"),
}
"""Hooks we answer, with what their context must hold."""

_TOKEN = re.compile(r"\{\{\s*context\.(\w+)\s*\}\}")


class HookError(Exception):
    """A request that is not answered: an HTTP status and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(reason)


def check_request(request: Any, hook: str) -> Resource:
    """The context of a request to a service of this hook; raises HookError (400)."""
    if not isinstance(request, dict):
        raise HookError(400, "the request is not a JSON object")
    if request.get("hook") != hook:
        raise HookError(400, f"this service answers '{hook}', not '{request.get('hook')}'")
    _text(request, "hookInstance", "")
    context = request.get("context")
    if not isinstance(context, dict):
        raise HookError(400, "the request has no 'context' object")
    for name in CONTEXTS[hook]:
        _CHECKS.get(name, _text)(context, name, "context.")
    if "encounterId" in context:
        _text(context, "encounterId", "context.")
    prefetch = request.get("prefetch", {})
    if prefetch is not None and not isinstance(prefetch, dict):
        raise HookError(400, "'prefetch' is not an object")
    return context


def _text(holder: Resource, name: str, where: str) -> None:
    value = holder.get(name)
    if not isinstance(value, str) or not value.strip():
        raise HookError(400, f"'{where}{name}' is missing or no text")


def _selections(context: Resource, name: str, where: str) -> None:
    value = context.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise HookError(400, f"'{where}{name}' is not a list of references")


def _orders(context: Resource, name: str, where: str) -> None:
    value = context.get(name)
    if not isinstance(value, dict) or value.get("resourceType") != "Bundle":
        raise HookError(400, f"'{where}{name}' is not a FHIR Bundle")
    entries = value.get("entry", [])
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise HookError(400, f"'{where}{name}' has an entry without a resource")


def _is_entry(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)


_CHECKS = {"selections": _selections, "draftOrders": _orders}


def gathered(
    request: Resource,
    templates: dict[str, str],
    fetch: Callable[[str, Resource], Resource | None] | None,
) -> list[Resource]:
    """The resources of the prefetch; what the client left out is fetched from its server.

    A key that is null means that there is no such data; an OperationOutcome that the client could
    not get them. Raises HookError: 400 for what is no resource, 412 when something is missing and
    cannot be fetched.
    """
    prefetch = request.get("prefetch") or {}
    found: list[Resource] = []
    for key, template in templates.items():
        value = prefetch.get(key)
        if key not in prefetch or _is_failure(value):
            value = _fetched(request, key, template, fetch)
        if value is None:
            continue
        if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
            raise HookError(400, f"prefetch '{key}' is no FHIR resource")
        found += [r for r in in_bundle(value) if r["resourceType"] != "OperationOutcome"]
    return found


def _is_failure(value: Any) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == "OperationOutcome"


def _fetched(
    request: Resource,
    key: str,
    template: str,
    fetch: Callable[[str, Resource], Resource | None] | None,
) -> Resource | None:
    if fetch is None or not isinstance(request.get("fhirServer"), str):
        problem = f"prefetch '{key}' is missing, and there is no fhirServer to fetch it from"
        raise HookError(412, problem)
    try:
        found = fetch(filled(template, request["context"]), request)
    except Exception as error:
        raise HookError(412, f"prefetch '{key}' could not be fetched: {error}") from error
    if _is_failure(found):
        raise HookError(412, f"prefetch '{key}' could not be fetched: an OperationOutcome came")
    return found


def filled(template: str, context: Resource) -> str:
    """A prefetch template with the values of the context in it."""
    return _TOKEN.sub(lambda match: str(context.get(match[1], "")), template)


def draft_orders(context: Resource, hook: str) -> Iterator[Resource]:
    """The orders that a hook is about: those selected, or all that are signed."""
    selected = context.get("selections")
    for resource in in_bundle(context.get("draftOrders", {"resourceType": "Bundle"})):
        reference = f"{resource['resourceType']}/{resource.get('id')}"
        if hook != "order-select" or reference in (selected or ()):
            yield resource
