"""The answer of a CDS Hooks service: the cards of its plans for a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.applying.application import apply
from fhirpkg.applying.given import of_orders
from fhirpkg.applying.hooks.cards import cards, codings
from fhirpkg.applying.hooks.prefetch import joined
from fhirpkg.applying.hooks.requests import (
    HookError,
    check_request,
    dispatched_orders,
    draft_orders,
    gathered,
    problem_of_feedback,
    sent_along,
)
from fhirpkg.applying.hooks.services import answering
from fhirpkg.errors import FhirpkgError
from fhirpkg.languages.choosing import best, spoken
from fhirpkg.languages.words import speaking
from fhirpkg.repository import Layers, MemoryRepository
from fhirpkg.rules import nearest
from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fhirpkg.applying.application import Applied
    from fhirpkg.applying.hooks.requests import Fetch, Gathered
    from fhirpkg.applying.hooks.services import Service
    from fhirpkg.issues import Json, Resource
    from fhirpkg.repository import Repository

WHY = "org.w3id.fhirpkg.why"
"""Key of the extension that lists what was left out and why."""


def respond(
    service_id: str,
    request: Json,
    offered: Iterable[Service],
    repository: Repository,
    fetch: Fetch | None = None,
    base: str = "",
    languages: Sequence[str] = (),
) -> Resource:
    """The cards for a request; `base` is the FHIR base under which the plans can be opened.

    Texts are in the first of `languages` (those of Accept-Language) that a plan has, links lead to
    documents in the plan's own and in the patient's.

    Raises HookError: 404 for an unknown service, 400 for a request that is wrong, 412 when data
    are missing.
    """
    found = _chosen(service_id, offered)
    hook = found[0].hook
    context = check_request(request, hook)
    data = gathered(request, joined(service.prefetch for service in found), fetch)
    orders = [*draft_orders(context, hook), *sent_along(context)]
    if hook == "patient-view":
        orders = [r for r in data.resources if r["resourceType"] == "ServiceRequest"]
    elif hook == "order-dispatch":
        orders += dispatched_orders(request, data.resources, fetch)
    asked = [s for s in found if not s.codes or any(codings(o) & s.codes for o in orders)]
    if not asked and hook == "patient-view" and "ServiceRequest" in data.shortfalls:
        raise HookError(412, data.shortfalls["ServiceRequest"])
    data.resources += orders
    answer: Resource = {"cards": []}
    left_out: list[str] = []
    read = [*languages, *(s for r in data.resources if _is_patient(r) for s in spoken(r))]
    for each in asked:
        language = each.language(languages)
        applied = _applied(each, context, data, repository, language)
        with speaking(language or "en"):
            answer["cards"] += cards(
                applied,
                each.in_language(language),
                request["hookInstance"],
                orders if each.codes else (),
                hook,
                lambda url: _address(url, base, repository, read),
            )
        left_out += [str(why) for why in applied.why if why.verdict != "applicable"]
    if left_out:
        answer["extension"] = {WHY: left_out}
    return answer


def _is_patient(resource: Resource) -> bool:
    return bool(resource["resourceType"] == "Patient")


def _address(url: str, base: str, repository: Repository, languages: Sequence[str] = ()) -> str:
    """Where something of the plan can be opened: a resource below the base, if it is there.

    A canonical only names a resource, and opens nothing; any other address does. A translation
    that nobody reads has no address.
    """
    found = re.fullmatch(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})", url)
    if not found:
        return url
    kind, identity = found.groups()
    resource = repository.read(kind, identity) if base else None
    if resource is None:
        return ""
    is_translation = any(r.get("code") == "transforms" for r in objects(resource, "relatesTo"))
    if is_translation and not best(languages, [str(resource.get("language", ""))]):
        return ""
    return f"{base}/{kind}/{identity}"


def feedback(service_id: str, body: Json, offered: Iterable[Service]) -> list[Resource]:
    """The items of a feedback, checked; raises HookError (404, 400)."""
    _chosen(service_id, offered)
    items = body.get("feedback") if isinstance(body, dict) else None
    if not isinstance(items, list) or not items:
        raise HookError(400, "the feedback is not an object with a list 'feedback'")
    if len(items) > _MOST_ITEMS:
        raise HookError(400, f"the feedback has more than {_MOST_ITEMS} items")
    for item in items:
        problem = problem_of_feedback(item)
        if problem:
            raise HookError(400, problem)
    return items


_MOST_ITEMS = 1000


def _chosen(service_id: str, offered: Iterable[Service]) -> list[Service]:
    """The service of one plan by its id, or those of all plans by the name of their hook."""
    known = list(offered)
    found = [s for s in known if s.id == service_id] or [s for s in known if s.hook == service_id]
    if not found:
        hint = nearest(service_id, [s.id for s in known])
        raise HookError(404, f"there is no CDS service '{service_id}'{hint}")
    return found


def _applied(
    service: Service,
    context: Resource,
    data: Gathered,
    repository: Repository,
    language: str,
) -> Applied:
    user = context.get("userId", "")
    known = MemoryRepository(data.resources, data.shortfalls)
    try:
        return apply(
            answering(service.plan, service.hook),
            context["patientId"],
            Layers(known, repository),
            encounter=context.get("encounterId", ""),
            practitioner=user if user.startswith(("Practitioner/", "PractitionerRole/")) else "",
            parameters=of_orders(service.plan, draft_orders(context, service.hook), repository),
            form="bundle",
            language=language,
        )
    except FhirpkgError as error:
        raise HookError(412, f"the plan cannot be applied: {error}") from error
