"""How an element of a differential changes the element it constrains.

http://hl7.org/fhir/R4/elementdefinition.html#interpretation: most properties replace, some add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.issues import Json, Resource

_ADDED_UP = {"alias", "code", "condition", "example", "mapping"}
_IDENTITY = {"id", "path", "base"}
_SUPPRESS = "http://hl7.org/fhir/StructureDefinition/elementdefinition-suppress"


def merge(element: Resource, change: Resource, source: str) -> None:
    """Lay `change` over `element`; `source` is the profile that new constraints come from."""
    # Where its content is defined is said when an element is new, and never changed afterwards.
    fixed = _IDENTITY | {"contentReference"} if element else _IDENTITY
    for key, value in change.items():
        if key in fixed:
            continue
        if key == "constraint":
            element[key] = _constraints(element.get(key, []), value, source)
        elif key == "extension":
            element[key] = _extensions(element.get(key, []), value)
        elif key == "binding":
            element[key] = _binding(element.get(key, {}), value, source)
        elif key in _ADDED_UP:
            known = element.get(key, [])
            element[key] = [*known, *(item for item in value if item not in known)]
        elif key == "definition" and isinstance(value, str) and value.startswith("..."):
            element[key] = f"{element.get(key, '')}\n{value[3:]}"
        else:
            _drop_alternatives(element, key)
            element[key] = value


def _drop_alternatives(element: Resource, key: str) -> None:
    """`minValueDate` takes the place of `minValueDateTime`: one choice has one value."""
    for choice in ("fixed", "pattern", "minValue", "maxValue", "defaultValue"):
        if key.startswith(choice):
            for known in [k for k in element if k.startswith(choice) and k != key]:
                del element[known]


def is_suppressed(constraint: Resource) -> bool:
    """Whether a profile leaves a warning or best practice out; R4 says so by an extension.

    http://hl7.org/fhir/R5/elementdefinition-definitions.html#ElementDefinition.constraint.suppress
    """
    return constraint.get("suppress") is True or any(
        extension.get("url") == _SUPPRESS and extension.get("valueBoolean") is True
        for extension in constraint.get("extension", ())
    )


def _constraints(known: list[Resource], added: list[Resource], source: str) -> list[Resource]:
    """All constraints add up; the same one said again counts once, unless to suppress it."""
    suppressed = {c.get("key") for c in added if is_suppressed(c)}
    known = [{**c, "suppress": True} if c.get("key") in suppressed else c for c in known]
    seen = {(c.get("key"), c.get("expression")) for c in known}
    seen |= {(c.get("key"), None) for c in known}  # who suppresses names the key
    new = [c for c in added if (c.get("key"), c.get("expression")) not in seen]
    return [*known, *({**c, "source": c.get("source", source)} for c in new)]


def _extensions(known: list[Resource], added: list[Resource]) -> list[Resource]:
    replaced = {x.get("url") for x in added}
    return [*(x for x in known if x.get("url") not in replaced), *added]


def _binding(known: Resource, changed: Resource, source: str) -> Resource:
    """The binding of the differential; what only the base says (a maximum value set) stays.

    A value set that the profile contains is named by the profile's url, for those who derive.
    """
    merged: dict[str, Json] = {**known, **changed}
    if str(changed.get("valueSet", "")).startswith("#"):
        merged["valueSet"] = f"{source}{changed['valueSet']}"
    for each in ("additional",):  # http://hl7.org/fhir/R5/profiling.html#binding
        if each in known and each in changed:
            merged[each] = [*known[each], *(a for a in changed[each] if a not in known[each])]
    extensions = _extensions(known.get("extension", []), changed.get("extension", []))
    if extensions:
        merged["extension"] = extensions
    return merged
