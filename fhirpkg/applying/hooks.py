"""CDS Hooks services made from PlanDefinitions, as pure functions; the routes are the server's.

A plan offers the hooks its actions name in a trigger (`named-event`). One that is about an order,
by a `data-added` trigger or the code of the procedure it is for, offers the hooks of ordering and
the view of the patient, and speaks only when that order is there. See https://cds-hooks.hl7.org/2.0/.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from fhirpkg.applying.application import apply
from fhirpkg.applying.cards import cards, codings
from fhirpkg.applying.given import of_orders
from fhirpkg.applying.goals import all_actions
from fhirpkg.applying.hook_requests import (
    CONTEXTS,
    Gathered,
    HookError,
    check_request,
    dispatched_orders,
    draft_orders,
    gathered,
    problem_of_feedback,
    sent_along,
)
from fhirpkg.applying.shapes import misshapen
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.systems import PROCEDURES
from fhirpkg.errors import FhirpkgError
from fhirpkg.languages.choosing import best, language_of, localized, spoken
from fhirpkg.repository import Layers, MemoryRepository
from fhirpkg.rules import nearest
from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fhirpkg.applying.application import Applied
    from fhirpkg.applying.hook_requests import Fetch
    from fhirpkg.issues import Json, Resource
    from fhirpkg.repository import Repository

WHY = "org.w3id.fhirpkg.why"
"""Key of the extension that tells what was left out and why."""

_ORDER_HOOKS = ("order-select", "order-sign")
_ORDER_QUERY = "ServiceRequest?patient={{context.patientId}}&status=draft,active"
_MOST_CODES = 20
_MOST_JOINED = 100
_MOST_NAMES = 10
_CODES_ASKED = re.compile(r"(.*?)(?:&(code|combo-code)=(.*))?")


@dataclass(frozen=True, slots=True)
class Service:
    """One hook of one plan."""

    plan: Resource
    hook: str
    codes: frozenset[tuple[str, str]]
    """The orders it is about; none for a plan that is about the patient as such."""
    prefetch: dict[str, str]

    @property
    def id(self) -> str:
        """The id in the path."""
        return f"{self.plan['id']}-{self.hook}"

    @property
    def title(self) -> str:
        """The title of its plan."""
        plan = self.plan
        return str(plan.get("title") or plan.get("name") or plan["id"])


def services(plans: Iterable[Resource], repository: Repository) -> list[Service]:
    """The services of plans, in their order; retired plans have none."""
    found = []
    for plan in plans:
        if plan.get("status") == "retired" or "id" not in plan:
            continue
        if misshapen([plan], Definitions.core().types):
            continue  # a server may hold what is not a plan; the others are offered all the same
        codes = frozenset(_order_codes(plan))
        named = list(_named_events(plan))
        hooks = [*named, *_ORDER_HOOKS, "patient-view"] if codes else named
        templates = _prefetch(plan, repository)
        for hook in dict.fromkeys(hooks):
            if plan.get("action") and not answering(plan, hook)["action"]:
                continue
            extra = {"orders": _ORDER_QUERY} if codes and hook == "patient-view" else {}
            found.append(Service(plan, hook, codes, templates | extra))
    return found


def discovery(offered: Iterable[Service]) -> Resource:
    """The answer to `GET /cds-services`: one service a hook, for all plans that answer it.

    The service of a single plan answers under its own id too, without being listed.
    """
    by_hook: dict[str, list[Service]] = {}
    for service in offered:
        by_hook.setdefault(service.hook, []).append(service)
    return {"services": [_described(hook, found) for hook, found in by_hook.items()]}


def _described(hook: str, found: Sequence[Service]) -> Resource:
    names = [str(service.title) for service in found]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return {
        "hook": hook,
        "id": hook,
        "title": names[0] if len(names) == 1 else f"{len(names)} plans of care",
        "description": f"What is open before: {'; '.join(names[:_MOST_NAMES])}{more}.",
        "prefetch": _joined(found),
    }


def _joined(found: Iterable[Service]) -> dict[str, str]:
    """The templates of several services as few queries: codes that are asked for together."""
    asked: dict[str, dict[str, dict[str, None]]] = {}
    for template in (t for service in found for t in service.prefetch.values()):
        matched = _CODES_ASKED.fullmatch(template)
        assert matched, "every template matches"
        query, name, codes = matched.groups(default="")
        asked.setdefault(query, {}).setdefault(name, {}).update(dict.fromkeys(codes.split(",")))
    templates: dict[str, str] = {}
    for query, filters in asked.items():
        if "" in filters or sum(map(len, filters.values())) > _MOST_JOINED:
            _name_template(templates, query)
            continue
        for name, wanted in filters.items():
            _name_template(templates, f"{query}&{name}={','.join(wanted)}")
    return templates


def _name_template(templates: dict[str, str], query: str) -> None:
    """Take in a query under a key that tells its type."""
    if query in templates.values():
        return
    kind = re.split("[/?]", query)[0]
    key = "orders" if query == _ORDER_QUERY else kind[0].lower() + kind[1:]
    number = sum(re.fullmatch(rf"{key}\d*", name) is not None for name in templates) + 1
    templates[key if number == 1 else f"{key}{number}"] = query


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
    data = gathered(request, _joined(found), fetch)
    orders = [*draft_orders(context, hook), *sent_along(context)]
    if hook == "patient-view":
        orders = [r for r in data.resources if r["resourceType"] == "ServiceRequest"]
    elif hook == "order-dispatch":
        orders += dispatched_orders(request, data.resources, fetch)
    if problem := misshapen(orders, Definitions.core().types):
        raise HookError(400, f"what was sent is not FHIR: {problem}")
    speaking = [s for s in found if not s.codes or any(codings(o) & s.codes for o in orders)]
    if not speaking and hook == "patient-view" and "ServiceRequest" in data.shortfalls:
        raise HookError(412, data.shortfalls["ServiceRequest"])
    data.resources += orders
    answer: Resource = {"cards": []}
    left_out: list[str] = []
    read = [*languages, *(s for r in data.resources if _is_patient(r) for s in spoken(r))]
    for each in speaking:
        language = language_of(each.plan, languages)
        service = replace(each, plan=localized(each.plan, language))
        applied = _applied(service, context, data, repository, language)
        answer["cards"] += cards(
            applied,
            service.plan,
            request["hookInstance"],
            orders if service.codes else (),
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

    A canonical only names a resource, and opens nothing; any other address is one. A translation
    that nobody reads is none.
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
    for item in items:
        problem = problem_of_feedback(item)
        if problem:
            raise HookError(400, problem)
    return items


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


def _triggers(plan: Resource) -> Iterator[Resource]:
    for action in all_actions(plan):
        yield from action.get("trigger", ())


def _named_events(plan: Resource) -> Iterator[str]:
    for action in all_actions(plan):
        yield from _events_of(action)


def answering(plan: Resource, hook: str) -> Resource:
    """The plan with those actions that answer a hook: none that only others trigger.

    An action without trigger answers what the one above it answers; one whose part is triggered
    stays for that part.
    """
    return {**plan, "action": list(_answering(plan, hook))} if "action" in plan else plan


def _answering(parent: Resource, hook: str) -> Iterator[Resource]:
    for action in parent.get("action", ()):
        own = set(_events_of(action))
        parts = list(_answering(action, hook))
        if own and hook not in own:
            parts = [part for part in parts if _is_triggered(part, hook)]
            if not parts:
                continue
        kept = {key: value for key, value in action.items() if key != "action"}
        yield {**kept, "action": parts} if parts else kept


def _is_triggered(action: Resource, hook: str) -> bool:
    parts = action.get("action", ())
    return hook in _events_of(action) or any(_is_triggered(part, hook) for part in parts)


def _events_of(action: Resource) -> Iterator[str]:
    for trigger in action.get("trigger", ()):
        if trigger.get("type") == "named-event" and trigger.get("name") in CONTEXTS:
            yield trigger["name"]


def _order_codes(plan: Resource) -> Iterator[tuple[str, str]]:
    """The codes of the orders that a plan is about."""
    for requirement in (r for t in _triggers(plan) for r in t.get("data", ())):
        for code_filter in requirement.get("codeFilter", ()):
            if code_filter.get("path") == "code":
                for coding in code_filter.get("code", ()):
                    yield coding.get("system", ""), coding.get("code", "")
    concepts = list(plan.get("topic", ()))
    concepts += [
        context.get("valueCodeableConcept", {})
        for context in plan.get("useContext", ())
        if context.get("code", {}).get("code") == "focus"
    ]
    for concept in concepts:
        for coding in concept.get("coding", ()):
            if coding.get("system") in PROCEDURES:
                yield coding["system"], coding.get("code", "")


def _prefetch(plan: Resource, repository: Repository) -> dict[str, str]:
    """Templates: the patient, and a query for each data requirement of the plan's logic."""
    templates = {"patient": "Patient/{{context.patientId}}"}
    for requirement in _requirements(plan, repository):
        kind = requirement.get("type")
        if not isinstance(kind, str) or kind == "Patient":
            continue
        query = f"{kind}?{_patient_parameter(kind)}{_code_parameter(requirement, repository)}"
        if query not in templates.values():
            key = kind[0].lower() + kind[1:]
            number = sum(name.startswith(key) for name in templates) + 1
            templates[key if number == 1 else f"{key}{number}"] = query
    return templates


def _patient_parameter(kind: str) -> str:
    """How a search of this type is limited to the patient: by `patient`, else by `subject`."""
    known = Definitions.core().search_parameters(kind)
    if "patient" not in known and "subject" in known:
        return "subject=Patient/{{context.patientId}}"
    return "patient={{context.patientId}}"


def _requirements(plan: Resource, repository: Repository) -> Iterator[Resource]:
    for canonical in plan.get("library", ()):
        library = repository.resolve(canonical, "Library") or {}
        yield from library.get("dataRequirement", ())
    for action in all_actions(plan):
        yield from action.get("input", ())


def _code_parameter(requirement: Resource, repository: Repository) -> str:
    """The codes to ask for when they are few; else all is asked for, and the logic looks at it.

    A filter of which not every code can be asked for is none: it would hide what it leaves out.
    """
    for code_filter in requirement.get("codeFilter", ()):
        name = code_filter.get("searchParam") or code_filter.get("path")
        codings = code_filter.get("code", ())
        if canonical := code_filter.get("valueSet"):
            codings = () if codings else _expanded(repository.resolve(canonical, "ValueSet"))
        whole = all("code" in coding for coding in codings)
        if name in {"code", "combo-code"} and whole and 0 < len(codings) <= _MOST_CODES:
            return f"&{name}={','.join(map(_token, codings))}"
    return ""


def _expanded(value_set: Resource | None) -> Sequence[Resource]:
    """The codes of an expansion that is whole; else none."""
    expansion = (value_set or {}).get("expansion", {})
    codings = expansion.get("contains", ())
    nested = any("contains" in coding for coding in codings)
    return codings if expansion.get("total") == len(codings) and not nested else ()


def _token(coding: Resource) -> str:
    """A code as a search asks for it; without system it may be of any."""
    code = _escaped(coding["code"])
    return f"{_escaped(coding['system'])}|{code}" if coding.get("system") else code


def _escaped(text: str) -> str:
    """Text in a value of a search: what separates values is escaped, the rest encoded."""
    return quote(re.sub(r"([\\,|$])", r"\\\1", text), safe=":/")
