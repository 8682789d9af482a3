"""The state of each criterion of a plan, as an extension of what applying it gives.

A plan carries one extension for each criterion, whose parts are expressions; the RequestGroup gets
one with their values. Parts: `id`, `state` (`met`, `exceeded`, `unusable`, `missing`, or
`not evaluated`), `number`, `value`, `unit`, `date`, `resource`, `why`. What is said of the limit
for people stays with the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.applying.requests.cells import extension_value
from fhirpkg.applying.rules import APPLY_CRITERION
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.applying.expressions import Evaluator
    from fhirpkg.applying.outcomes import Messages
    from fhirpkg.issues import Json, Resource

RESULT = "https://w3id.org/fhirpkg/StructureDefinition/criterion-result"
NOT_EVALUATED = "not evaluated"

_FOR_PEOPLE = ("limit", "notice")
_FACTS = ("unit", "date", "resource", "why")


def computed(
    extension: Resource, plan: Resource, evaluator: Evaluator, messages: Messages
) -> Resource:
    """The extension of one criterion with its values; what cannot be evaluated is reported once."""
    parts: list[Resource] = []
    try:
        parts += [
            made
            for part in extension["extension"]
            if part["url"] not in _FOR_PEOPLE and (made := _part(part, plan, evaluator))
        ]
    except FhirpkgError as error:
        name = extension_value(extension, "id")
        messages.report(APPLY_CRITERION, f"{name}: {error}")
        parts = [
            {"url": "id", "valueString": name},
            {"url": "state", "valueString": NOT_EVALUATED},
            {"url": "why", "valueString": str(error)},
        ]
    return {"url": RESULT, "extension": parts}


def _part(part: Resource, plan: Resource, evaluator: Evaluator) -> Resource | None:
    """One part with the value of its expression; nothing when it has none, or no words."""
    if "valueExpression" not in part:
        return part
    values = evaluator.evaluate(part["valueExpression"], plan, None)
    key = "valueDecimal" if part["url"] == "number" else "valueString"
    return {"url": part["url"], key: values[0]} if values and values[0] != "" else None


def criteria_of(extensions: Iterable[Resource]) -> Iterator[dict[str, Json]]:
    """The criteria among extensions: id, state, value, unit, date, resource and why of each."""
    for extension in extensions:
        if extension.get("url") != RESULT:
            continue
        found = {
            part["url"]: value
            for part in extension.get("extension", ())
            for key, value in part.items()
            if key.startswith("value")
        }
        state = found.get("state", NOT_EVALUATED)
        value = found.get("number", found.get("value"))
        facts = {fact: found.get(fact) for fact in _FACTS}
        yield {"id": found.get("id"), "state": state, "value": value, **facts}
