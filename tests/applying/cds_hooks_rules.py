"""The rules of CDS Hooks 2.0 for discovery and cards, as a checker: gives what is broken.

https://cds-hooks.hl7.org/2.0/#discovery and #cds-service-response
"""

import re
import uuid

HOOK_CONTEXT = {
    "patient-view": {"userId", "patientId", "encounterId"},
    "order-select": {"userId", "patientId", "encounterId", "selections", "draftOrders"},
    "order-sign": {"userId", "patientId", "encounterId", "draftOrders"},
}
ROOT_TOKENS = {"userId", "patientId", "encounterId"}
CARD_KEYS = {
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior",
    "overrideReasons", "links", "extension",
}  # fmt: skip
TOKEN = re.compile(r"\{\{(.*?)\}\}")


def broken_in_discovery(answer):
    """What a discovery response breaks."""
    yield from _only(answer, {"services", "extension"}, "discovery")
    services = answer.get("services")
    if not isinstance(services, list):
        yield "discovery: 'services' is not a list"
        return
    ids = [service.get("id") for service in services]
    if len(set(ids)) != len(ids):
        yield "discovery: an id appears twice"
    for service in services:
        yield from _service(service)


def _service(service):
    name = f"service {service.get('id')}"
    allowed = {"hook", "title", "description", "id", "prefetch", "usageRequirements", "extension"}
    yield from _only(service, allowed, name)
    for key in ("hook", "description", "id"):
        yield from _text(service, key, name)
    if service.get("hook") not in HOOK_CONTEXT:
        yield f"{name}: '{service.get('hook')}' is not a hook"
    for key, template in service.get("prefetch", {}).items():
        for token in TOKEN.findall(template):
            field = token.strip().removeprefix("context.")
            if field not in ROOT_TOKENS & HOOK_CONTEXT.get(service.get("hook"), set()):
                yield f"{name}: prefetch {key} uses {{{{{token}}}}}, no primitive of the context"


def broken_in_response(answer):
    """What a response with cards breaks."""
    yield from _only(answer, {"cards", "systemActions", "extension"}, "response")
    if not isinstance(answer.get("cards"), list):
        yield "response: 'cards' is not a list"
        return
    found = [card.get("uuid") for card in answer["cards"]]
    found += [s.get("uuid") for card in answer["cards"] for s in card.get("suggestions", ())]
    if len(set(found)) != len(found):
        yield "response: a uuid appears twice"
    for number, card in enumerate(answer["cards"]):
        yield from _card(card, f"card {number}")


def _card(card, name):
    yield from _only(card, CARD_KEYS, name)
    yield from _text(card, "summary", name)
    if len(card.get("summary", "")) >= 140 or "\n" in card.get("summary", ""):
        yield f"{name}: the summary is not a line of fewer than 140 characters"
    if card.get("indicator") not in {"info", "warning", "critical"}:
        yield f"{name}: indicator is {card.get('indicator')}"
    source = card.get("source", {})
    yield from _text(source, "label", f"{name} source")
    yield from _only(source, {"label", "url", "icon", "topic"}, f"{name} source")
    yield from _url(source, f"{name} source", required=False)
    yield from _uuid(card, name)
    if "suggestions" in card:
        if card.get("selectionBehavior") not in {"at-most-one", "any"}:
            yield f"{name}: selectionBehavior is {card.get('selectionBehavior')}"
        for number, suggestion in enumerate(card["suggestions"]):
            yield from _suggestion(suggestion, f"{name} suggestion {number}")
    for number, link in enumerate(card.get("links", ())):
        yield from _text(link, "label", f"{name} link {number}")
        yield from _url(link, f"{name} link {number}", required=True)
        if link.get("type") not in {"absolute", "smart"}:
            yield f"{name} link {number}: type is {link.get('type')}"


def _suggestion(suggestion, name):
    yield from _only(suggestion, {"label", "uuid", "isRecommended", "actions", "extension"}, name)
    yield from _text(suggestion, "label", name)
    yield from _uuid(suggestion, name)
    for number, action in enumerate(suggestion.get("actions", ())):
        where = f"{name} action {number}"
        yield from _text(action, "description", where)
        kind = action.get("type")
        if kind not in {"create", "update", "delete"}:
            yield f"{where}: type is {kind}"
        if kind in {"create", "update"} and "resourceType" not in action.get("resource", {}):
            yield f"{where}: there is no resource to {kind}"


def _only(item, allowed, name):
    for key in set(item) - allowed:
        yield f"{name}: '{key}' is not defined"


def _text(item, key, name):
    if not isinstance(item.get(key), str) or not item[key].strip():
        yield f"{name}: '{key}' is missing"


def _url(item, name, *, required):
    url = item.get("url")
    if (required or url is not None) and not str(url).startswith(("http://", "https://")):
        yield f"{name}: the url is not absolute"


def _uuid(item, name):
    try:
        uuid.UUID(item.get("uuid", ""))
    except ValueError:
        yield f"{name}: uuid is {item.get('uuid')!r}"
