"""The services of plans: which hooks each plan answers, and with which of its actions.

A plan offers the hooks its actions name in a trigger (`named-event`). One that is about an order,
by a `data-added` trigger or the code of the procedure it is for, offers the hooks of ordering and
the view of the patient, and speaks only when that order is there. See https://cds-hooks.hl7.org/2.0/.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.applying.goals import all_actions
from fhirpkg.applying.hooks.prefetch import ORDER_QUERY, joined, templates_of
from fhirpkg.applying.hooks.requests import CONTEXTS
from fhirpkg.applying.shapes import misshapen
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.systems import PROCEDURES
from fhirpkg.languages.choosing import best, languages_of, localized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fhirpkg.issues import Resource
    from fhirpkg.repository import Repository

_ORDER_HOOKS = ("order-select", "order-sign")
_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class Service:
    """One hook of one plan."""

    plan: Resource
    hook: str
    codes: frozenset[tuple[str, str]]
    """The orders it is about; none for a plan that is about the patient as such."""
    prefetch: dict[str, str]
    languages: frozenset[str] = frozenset()
    """The languages that the texts of the plan are in."""
    _texts: dict[str, Resource] = field(default_factory=dict, compare=False, repr=False)

    def language(self, asked: Iterable[str]) -> str:
        """The first language asked for that the plan has, else its own."""
        return best(asked, self.languages) or str(self.plan.get("language", ""))

    def in_language(self, language: str) -> Resource:
        """The plan with its texts in one of its languages; made once."""
        if language not in self._texts:
            self._texts[language] = localized(self.plan, language)
        return self._texts[language]

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
        languages = frozenset({*languages_of(plan), str(plan.get("language", ""))} - {""})
        named = list(_named_events(plan))
        hooks = [*named, *_ORDER_HOOKS, "patient-view"] if codes else named
        templates = templates_of(plan, repository)
        for hook in dict.fromkeys(hooks):
            if plan.get("action") and not answering(plan, hook)["action"]:
                continue
            extra = {"orders": ORDER_QUERY} if codes and hook == "patient-view" else {}
            found.append(Service(plan, hook, codes, templates | extra, languages))
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
        "prefetch": joined(service.prefetch for service in found),
    }


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
