"""CDS Hooks cards of an applied plan: always valid, whatever the plan leaves out."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from fhirpkg.applying.goals import all_actions
from fhirpkg.languages.words import gettext
from fhirpkg.render import clinical
from fhirpkg.untrusted import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.applying.application import Applied
    from fhirpkg.issues import Json, Resource

_NAMESPACE = uuid.UUID("6b0d3c1e-57f0-5a8e-9d57-0c7e6f1f5a51")
_INDICATORS = {"urgent": "warning", "asap": "warning", "stat": "critical"}
_ONE_OF = ("at-most-one", "exactly-one")
_CHOICES = (*_ONE_OF, "any", "one-or-more")
_LONGEST = 139
_RELATED_GOAL = "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal"
_HELPED_BY = "concurrent-with-start"
"""The relation of what is open to the order that settles it."""
_NOT_CREATED = ("Goal", "RequestGroup", "Questionnaire", "CarePlan")


def cards(
    applied: Applied,
    definition: Resource,
    instance: str,
    ordered: Iterable[Resource],
    hook: str = "",
    place_of: Callable[[str], str] = str,
) -> list[Resource]:
    """One card for each action at the top of the plan that applies and answers the hook.

    In a plan that is about an order, only those that name the hook speak: one card a problem, the
    gravest first; where nothing is open, none, or while the order is written a short one that leads
    to the plan. Ids derive from `instance` (hookInstance), so a repeated call gives the same; an
    order that is being written already is not suggested again. `place_of` gives the address under
    which a resource of the plan can be opened, empty when it cannot.
    """
    group = next(r for r in applied.resources if r["resourceType"] == "RequestGroup")
    made = {f"{r['resourceType']}/{r['id']}": r for r in applied.resources}
    group = _marked(group, made)
    writer = _Writer(definition, instance, made, list(ordered), place_of)
    actions = list(enumerate(group.get("action", ())))
    unknown = [why for why in applied.why if why.verdict == "not evaluated"]
    if speaking := speaking_for(definition, hook):
        parts = {a["id"]: a for a in all_actions(group) if "id" in a}
        open_ones = [a for _, a in actions if a.get("id") in speaking]
        found = sorted((writer.problem(a, parts) for a in open_ones), key=_gravity)
        if not found and not unknown and hook == "order-select":
            found = [writer.nothing_open()]
    else:
        found = [writer.card(action, place) for place, action in actions]
    if unknown:
        found.append(writer.warning([str(why) for why in unknown]))
    return found


def _marked(action: Resource, made: dict[str, Resource]) -> Resource:
    """An action whose title, and those of its parts, say what is not to be done as such."""
    marked = {**action}
    resource = made.get(action.get("resource", {}).get("reference", ""), {})
    if clinical.is_prohibited(resource):
        marked["title"] = f"{_not()}{action.get('title') or clinical.subject_or_kind(resource)}"
    if "action" in action:
        marked["action"] = [_marked(part, made) for part in action["action"]]
    return marked


def speaking_for(definition: Resource, hook: str) -> set[str]:
    """The ids of the actions at the top that name a hook and hold for some patients only."""
    return {
        action["id"]
        for action in definition.get("action", ())
        if "id" in action and "condition" in action
        for trigger in action.get("trigger", ())
        if trigger.get("type") == "named-event" and trigger.get("name") == hook
    }


def _gravity(card: Resource) -> int:
    return ("critical", "warning", "info").index(card["indicator"])


class _Writer:
    def __init__(
        self,
        definition: Resource,
        instance: str,
        made: dict[str, Resource],
        ordered: list[Resource],
        place_of: Callable[[str], str],
    ) -> None:
        self._place_of = place_of
        self._definition = definition
        self._instance = instance
        self._made = made
        self._ordered = ordered

    def card(self, action: Resource, place: int) -> Resource:
        """The card of one action."""
        name = action.get("id") or str(place)
        title = action.get("title") or action.get("description") or self._title()
        card: Resource = {
            "uuid": self._id(name),
            "summary": shortened(str(title)),
            "indicator": _INDICATORS.get(action.get("priority", ""), "info"),
            "source": self._source(action),
        }
        if detail := "\n\n".join(_detail(action)):
            card["detail"] = detail
        suggestions = list(self._suggestions(action, name))
        if suggestions:
            one = action.get("selectionBehavior") in _ONE_OF
            card["selectionBehavior"] = "at-most-one" if one else "any"
            card["suggestions"] = suggestions
        card["overrideReasons"] = _OVERRIDE_REASONS
        if links := self._links():
            card["links"] = links
        return card

    def problem(self, action: Resource, parts: dict[str, Resource]) -> Resource:
        """The card of one thing that is open, and the order that helps; `parts` are by id."""
        words = action.get("textEquivalent") or action.get("description", "")
        card: Resource = {
            "uuid": self._id(action["id"]),
            "summary": shortened(str(action.get("title") or words or self._title())),
            "detail": f"**{self._title()}**\n\n{words}",
            "indicator": _INDICATORS.get(action.get("priority", ""), "info"),
            "source": self._source(action),
            "overrideReasons": _OVERRIDE_REASONS,
        }
        helping = [
            parts[related["actionId"]]
            for related in action.get("relatedAction", ())
            if related["relationship"] == _HELPED_BY and related["actionId"] in parts
        ]
        found = [self._suggestion(other, [action["id"]]) for other in helping]
        if suggestions := [suggestion for suggestion in found if suggestion]:
            card |= {"selectionBehavior": "any", "suggestions": suggestions}
        return card

    def nothing_open(self) -> Resource:
        """The card that leads to the plan while its order is written."""
        definition = self._definition
        card: Resource = {
            "uuid": self._id("nothing-open"),
            "summary": shortened(
                gettext("{title}: nothing is open in the record", title=self._title())
            ),
            "indicator": "info",
            "source": self._source({}),
        }
        address = self._place_of(f"PlanDefinition/{definition.get('id', '')}")
        if _is_absolute(address):
            card["links"] = [{"label": self._title(), "url": address, "type": "absolute"}]
        return card

    def warning(self, reasons: list[str]) -> Resource:
        """The card that lists what could not be evaluated."""
        return {
            "uuid": self._id("not-evaluated"),
            "summary": shortened(
                gettext("{title}: not everything could be checked", title=self._title())
            ),
            "indicator": "warning",
            "source": self._source({}),
            "detail": "\n".join(f"- {reason}" for reason in reasons),
        }

    def _id(self, *names: str) -> str:
        parts = (self._instance, self._definition.get("url", ""), *names)
        return str(uuid.uuid5(_NAMESPACE, "\n".join(parts)))

    def _title(self) -> str:
        definition = self._definition
        return str(definition.get("title") or definition.get("name") or definition.get("id", ""))

    def _source(self, action: Resource) -> Resource:
        """Where the advice comes from: the action's first source, else the publisher."""
        artifacts = [
            a for a in action.get("documentation", ()) if a.get("display") or a.get("label")
        ]
        if artifacts:
            first = artifacts[0]
            source = {"label": str(first.get("label") or first["display"])}
            return source | ({"url": first["url"]} if _is_absolute(first.get("url")) else {})
        return {"label": str(self._definition.get("publisher") or self._title() or "fhirpkg")}

    def _links(self) -> list[Resource]:
        """The documents of the plan that can be opened; a canonical names one and opens nothing."""
        documents = {
            artifact["display"]: self._place_of(address_of(artifact))
            for artifact in self._definition.get("relatedArtifact", ())
            if artifact.get("type") == "documentation" and artifact.get("display")
        }
        return [
            {"label": label, "url": address, "type": "absolute"}
            for label, address in documents.items()
            if _is_absolute(address)
        ]

    def _suggestions(self, action: Resource, name: str) -> Iterator[Resource]:
        """One for each child to choose from, else one for each order; one if it is all or none."""
        children = action.get("action", ())
        if children and action.get("selectionBehavior") in _CHOICES:
            for place, child in enumerate(children):
                suggestion = self._suggestion(child, [name, child.get("id") or str(place)])
                if suggestion:
                    yield suggestion
            return
        if action.get("selectionBehavior") == "all-or-none":
            together = self._suggestion(action, [name])
            yield from [together] if together else []
            return
        for title, resource in self._requests(action):
            names = [name, resource["id"]]
            yield self._proposing([(title, resource)], title or _named(resource, title), names)

    def _suggestion(self, action: Resource, names: list[str]) -> Resource | None:
        """One suggestion for all orders of an action, None when it has none."""
        requests = list(self._requests(action))
        if not requests:
            return None
        title, first = requests[0]
        return self._proposing(requests, action.get("title") or _named(first, title), names)

    def _proposing(
        self, requests: list[tuple[str, Resource]], label: str, names: list[str]
    ) -> Resource:
        """A suggestion to create requests; its label says what is not to be done as such."""
        creations = [
            {
                "type": "create",
                "description": _described(resource, title),
                "resource": _proposed(resource),
            }
            for title, resource in requests
        ]
        prohibits = all(clinical.is_prohibited(resource) for _, resource in requests)
        label = f"{_not()}{label}" if prohibits and not label.startswith(_not()) else label
        return {"label": label, "uuid": self._id(*names, "suggestion"), "actions": creations}

    def _requests(self, action: Resource) -> Iterator[tuple[str, Resource]]:
        """The requests of an action and all below it, but those already being ordered."""
        resource = self._made.get(action.get("resource", {}).get("reference", ""))
        if resource is not None and self._is_new(resource):
            yield str(action.get("title", "")), resource
        for child in action.get("action", ()):
            yield from self._requests(child)

    def _is_new(self, resource: Resource) -> bool:
        prohibited = clinical.is_prohibited(resource)
        known = not prohibited and any(_same_order(resource, order) for order in self._ordered)
        return resource["resourceType"] not in _NOT_CREATED and not known


def shortened(text: str) -> str:
    """A summary: one line of fewer than 140 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def codings(resource: Resource) -> set[tuple[str, str]]:
    """System and code of what a request is for."""
    code = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    items = code.get("coding", ()) if isinstance(code, dict) else ()
    return {(item.get("system", ""), item.get("code", "")) for item in items}


def _same_order(one: Resource, two: Resource) -> bool:
    return one["resourceType"] == two["resourceType"] and bool(codings(one) & codings(two))


_OVERRIDE_REASONS = [
    {"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code, "display": display}
    for system, code, display in (
        ("v3-ActCode", "1", "Therapy Appropriate"),
        ("v3-ActCode", "2", "Assessed Patient"),
        ("v3-ActCode", "4", "Consulted Other Source"),
        ("v3-ActCode", "8", "Other Action Taken"),
        ("v3-ActReason", "PATOBJ", "patient objection"),
    )
]
"""Why a clinician may decide against a card: of HL7's codes for the management of issues."""


def _not() -> str:
    """The words that introduce something that must not be done."""
    return f"{gettext('DO NOT')}: "


def _named(resource: Resource, title: str) -> str:
    prefix = _not() if clinical.is_prohibited(resource) else ""
    what = title.removeprefix(_not()) or resource.get("description") or resource["id"]
    return f"{prefix}{resource['resourceType']}: {what}"


def _described(resource: Resource, title: str) -> str:
    """A request by its name, with the dose and what is taken."""
    taken = "; ".join(clinical.taken(resource))
    return _named(resource, title) + (f" ({taken})" if taken else "")


def _proposed(resource: Resource) -> Resource:
    """A request as a draft, without references to what is not created with it."""
    made = {k: v for k, v in resource.items() if k not in {"basedOn", "id"}}
    extensions = [e for e in made.pop("extension", ()) if e.get("url") != _RELATED_GOAL]
    if extensions:
        made["extension"] = extensions
    if made.get("status") in {"active", "ready"}:
        made["status"] = "draft"
    return made


def _detail(action: Resource) -> Iterator[str]:
    texts = (action.get(element) for element in ("description", "textEquivalent"))
    yield from dict.fromkeys(str(text) for text in texts if text)
    if steps := "\n".join(_steps(action, "")):
        yield steps


def _steps(action: Resource, indent: str) -> Iterator[str]:
    """The parts by title; below them those that hold for this patient only, with what they say."""
    for child in action.get("action", ()):
        title = child.get("title")
        holds_here = "condition" in child
        if title and (holds_here or not indent):
            words = child.get("textEquivalent") if holds_here else None
            yield f"{indent}- {title}" + (f": {words}" if words else "")
        yield from _steps(child, indent + "  " if title else indent)


def _is_absolute(url: Json) -> bool:
    return isinstance(url, str) and url.startswith(("http://", "https://"))
