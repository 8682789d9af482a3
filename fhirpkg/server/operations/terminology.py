"""`$expand`, `$lookup` and `$validate-code`, of what the definitions of R4 and the store list.

http://hl7.org/fhir/R4/terminology-service.html. What cannot be known here (a code system that is
not loaded, a value set that cannot be listed whole) is refused in words, never half answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg import rules
from fhirpkg.definitions.terminology.codesystems import Concept, is_display
from fhirpkg.definitions.terminology.grammars import LOINC
from fhirpkg.definitions.terminology.systems import NAMES
from fhirpkg.definitions.terminology.verdicts import Verdict
from fhirpkg.server import values
from fhirpkg.server.exchange import Answer, Request, parameters, refused
from fhirpkg.server.rules import (
    SERVER_OPERATION_INPUT,
    SERVER_UNKNOWN_CODE,
    SERVER_UNKNOWN_RESOURCE,
)
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.exchange import Refused

TERMINOLOGY = ("CodeSystem", "ValueSet")
_MOST_CODES = 1000
_CODE = ("code", "system", "version", "coding")
_DONE = {
    "expand": ("url", "valueSet", "valueSetVersion", "filter", "offset", "count", "activeOnly",
               "excludeNested", "includeDefinition"),
    "lookup": _CODE,
    "validate-code": (*_CODE, "url", "valueSet", "valueSetVersion", "systemVersion", "display",
                      "inferSystem"),
}  # fmt: skip
"""The parameters that are done; any other could change the answer."""


class _Input:
    """The parameters of a call, in the query or in a Parameters resource."""

    def __init__(self, request: Request, name: str) -> None:
        self._name = name
        self._given = parameters(request.resource)
        for key, text in request.query:
            if key not in {"_format", "_pretty"}:
                self._given.setdefault(key, []).append(text)
        for key in self._given:
            if key not in _DONE[name]:
                near = rules.nearest(key, list(_DONE[name]))
                raise self.wrong(f"the parameter '{key}' is not supported{near}")

    def wrong(self, problem: str, status: int = 400) -> Refused:
        """The refusal of the call."""
        return refused(status, SERVER_OPERATION_INPUT, name=self._name, problem=problem)

    def first(self, name: str) -> Any:
        """The first value of a name, or None."""
        return next(iter(self._given.get(name, ())), None)

    def text(self, name: str) -> str:
        """The first value of a name as text."""
        value = self.first(name)
        if value is not None and not isinstance(value, (str, int, bool)):
            raise self.wrong(f"'{name}' is not text")
        return "" if value is None else str(value)

    def is_true(self, name: str) -> bool:
        """Whether a parameter is true; false without it."""
        text = self.text(name).lower()
        if text not in {"true", "false", ""}:
            raise self.wrong(f"'{name}' must be true or false, not '{text}'")
        return text == "true"

    def number(self, name: str, default: int) -> int:
        """The first value of a name as a number from 0 on."""
        text = self.text(name)
        if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise self.wrong(f"'{name}' must be a number from 0 on, not '{text}'")
        return int(text or default)

    def coding(self) -> tuple[str, str, str, str]:
        """System, version, code and display, alone or of a Coding."""
        given = self.first("coding")
        if isinstance(given, dict):
            return tuple(str(given.get(k, "")) for k in ("system", "version", "code", "display"))  # type: ignore[return-value]
        system = self.text("system")
        return system, self.text("version"), self.text("code"), self.text("display")


def expand(request: Request, endpoint: Endpoint) -> Answer:
    """A value set with all its codes, or a page of them (`offset`, `count`, `filter`)."""
    given = _Input(request, "expand")
    terminology = endpoint.learned.validator().terminology
    value_set = _definition(request, endpoint, given, "ValueSet", "valueSet")
    codes = terminology.expansion(value_set)
    if codes is None:
        raise given.wrong("not all codes of it can be listed here", 422)
    own, active_only = terminology.own_displays(value_set), given.is_true("activeOnly")
    shown = [
        (*pair, own.get(pair) or _display(terminology, *pair), is_inactive)
        for pair in sorted(codes)
        if not (is_inactive := _is_inactive(terminology, *pair)) or not active_only
    ]
    if wanted := given.text("filter"):
        words = values.plain(wanted).split()
        said = ((one, values.plain(f"{one[1]} {one[2]}")) for one in shown)
        shown = [one for one, text in said if all(word in text for word in words)]
    start = given.number("offset", 0)
    count = given.number("count", min(len(shown), _MOST_CODES))
    if count > _MOST_CODES and len(shown) > _MOST_CODES:
        raise given.wrong(f"{len(shown)} codes; at most {_MOST_CODES} at once, with 'count'", 422)
    if len(shown) > count and given.first("count") is None:
        problem = f"it has {len(shown)} codes: ask for pages with 'offset' and 'count'"
        raise given.wrong(problem, 422)
    expansion: Resource = {
        "timestamp": values.instant(values.now()),
        "total": len(shown),
        "offset": start,
    }
    contains = [_contained(*one) for one in shown[start : start + count]]
    if contains:
        expansion["contains"] = contains
    return Answer(200, value_set | {"expansion": expansion})


def _contained(system: str, code: str, display: str, is_inactive: bool) -> Resource:
    found = {"system": system, "inactive": is_inactive, "code": code, "display": display}
    return {key: value for key, value in found.items() if value}


def _is_inactive(terminology: Terminology, system: str, code: str) -> bool:
    held = terminology.system(system)
    concept = held.get(code) if held else None
    return concept is not None and concept.is_inactive


def _display(terminology: Terminology, system: str, code: str) -> str:
    return next(iter(terminology.displays(system, code)), "")


def lookup(request: Request, endpoint: Endpoint) -> Answer:
    """What is known of a code."""
    given = _Input(request, "lookup")
    known = endpoint.learned.validator()
    terminology = known.terminology
    system, version, code, _ = given.coding()
    if len(request.path) == 3:
        system = str(_stored(request, endpoint).get("url", ""))
    if not system or not code:
        raise given.wrong("it needs 'system' and 'code', or a 'coding' with both")
    found = terminology.lookup(system, code, version or None)
    if not isinstance(found, Concept):
        status = 404 if found.verdict is Verdict.NO else 422
        raise refused(status, SERVER_UNKNOWN_CODE, code=code, system=system, reason=found.reason)
    held = known.definitions.find(system, "CodeSystem") or {}
    if version and text_of(held, "version") != version:
        reason = f"version {version} of {system} is not loaded"
        raise refused(422, SERVER_UNKNOWN_CODE, code=code, system=system, reason=reason)
    return _parameters([
        ("name", "valueString", text_of(held, "name") or system),
        ("version", "valueString", text_of(held, "version")),
        ("display", "valueString", _display(terminology, system, code) or code),
    ])  # fmt: skip


def validate_code(request: Request, endpoint: Endpoint) -> Answer:
    """Whether a code is in a value set, or in a code system."""
    given = _Input(request, "validate-code")
    terminology = endpoint.learned.validator().terminology
    system, version, code, display = given.coding()
    if not code:
        raise given.wrong("it needs a 'code' or a 'coding'")
    own: set[str] = set()
    if request.path[0] == "CodeSystem":
        if len(request.path) == 3:
            system = str(_stored(request, endpoint).get("url", ""))
        system = system or given.text("url")
        found = terminology.lookup(system, code, version or None)
        verdict = Verdict.YES if isinstance(found, Concept) else found.verdict
        reason = "" if isinstance(found, Concept) else found.reason
    else:
        if not system and not given.is_true("inferSystem"):
            raise given.wrong("a code needs its 'system', or 'inferSystem'")
        value_set = _definition(request, endpoint, given, "ValueSet", "valueSet")
        version = version or given.text("systemVersion")
        member = terminology.membership(value_set, code, system or None, version or None)
        verdict, reason = member.verdict, member.reason
        own = terminology.listed_displays(value_set, system, code)
    if verdict is Verdict.UNKNOWN:
        raise refused(422, SERVER_UNKNOWN_CODE, code=code, system=system, reason=reason)
    known = (*sorted(own), *(terminology.displays(system, code) if system else ()))
    is_right = verdict is Verdict.YES
    if is_right and display and known and not is_display(display, known):
        is_right, reason = False, f"the display is '{known[0]}', not '{display}'"
    parts: list[tuple[str, str, Any]] = [("result", "valueBoolean", is_right)]
    if not is_right:
        parts.append(("message", "valueString", reason or f"'{code}' is not in it"))
    return _parameters([*parts, ("display", "valueString", known[0] if known else "")])


def _parameters(parts: Iterable[tuple[str, str, Any]]) -> Answer:
    found = [{"name": name, kind: value} for name, kind, value in parts if value != ""]
    return Answer(200, {"resourceType": "Parameters", "parameter": found})


def _definition(
    request: Request, endpoint: Endpoint, given: _Input, kind: str, inline: str
) -> Resource:
    """The value set by the path, in the call, or by its `url`. Raises Refused."""
    if len(request.path) == 3:
        return _stored(request, endpoint)
    resource = given.first(inline)
    if isinstance(resource, dict):
        return resource
    url, version = given.text("url"), given.text("valueSetVersion")
    if not url:
        raise given.wrong(f"it needs a {kind}: by its id in the path, as 'url' or as '{inline}'")
    canonical = f"{url}|{version}" if version else url
    found = endpoint.learned.validator().definitions.find(canonical, kind)
    found = found or _of_all_codes(endpoint, url, version)
    if found is None:
        raise given.wrong(f"there is no {kind} {canonical}", 404)
    return found


def _of_all_codes(endpoint: Endpoint, url: str, version: str) -> Resource | None:
    """The value set of all codes of a system, which has no resource: ``SYSTEM?fhir_vs``.

    R4 defines that url for SNOMED CT and servers take it for any system; LOINC has one of its own.
    http://hl7.org/fhir/R4/snomedct.html#implicit, loinc.html#implicit
    """
    system = LOINC if url == f"{LOINC}/vs" else url.removesuffix("?fhir_vs")
    if system == url:
        return None
    if endpoint.learned.validator().terminology.system(system) is None and system not in NAMES:
        return None
    include = {"system": system} | ({"version": version} if version else {})
    compose = {"include": [include]}
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": compose}


def _stored(request: Request, endpoint: Endpoint) -> Resource:
    resource_type, identity = request.path[:2]
    version = endpoint.store.present(resource_type, identity)
    if version is None:
        raise refused(404, SERVER_UNKNOWN_RESOURCE, type=resource_type, id=identity)
    return version.resource()
