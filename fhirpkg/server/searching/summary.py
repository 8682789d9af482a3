"""Parts of a resource: `_summary` and `_elements` (R4 search.html#summary)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from fhirpkg import rules
from fhirpkg.server.exchange import refused
from fhirpkg.server.rules import (
    SERVER_SEARCH_VALUE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Resource

MODES = ("true", "text", "data", "count", "false")
_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


def check_mode(mode: str) -> None:
    """Raises Refused (400) when `_summary` has no such mode."""
    if mode not in MODES:
        problem = f"'{mode}' is not one of {', '.join(MODES)}"
        raise refused(400, SERVER_SEARCH_VALUE, parameter="_summary", problem=problem)


def check_elements(
    text: str, resource_type: str, definitions: Definitions, *, includes: bool = False
) -> None:
    """Raises Refused (400) when `_elements` names what a type does not have.

    Where a search includes resources of other types, it may name elements of those.
    """
    for name in filter(None, map(str.strip, text.split(","))):
        of, _, element = name.rpartition(".")
        types = [of] if of else [resource_type]
        if includes and not of:
            types = sorted(definitions.types.resource_types())
        known = [_all_elements(one, definitions) for one in types if _is_type(one, definitions)]
        if not any(_element_name(element, names) for names in known):
            near = rules.nearest(element, [one for names in known for one in names])
            problem = f"'{element}' is not an element of {of or resource_type}{near}"
            raise refused(400, SERVER_SEARCH_VALUE, parameter="_elements", problem=problem)


def reduced(resource: Resource, wanted: Mapping[str, str], definitions: Definitions) -> Resource:
    """The resource with the elements that `_summary` or `_elements` wants, tagged as a part.

    Mandatory and modifying elements stay in any case. Raises Refused (400) for an unknown mode.
    """
    mode = wanted.get("_summary", "false")
    check_mode(mode)
    elements = wanted.get("_elements", "")
    if mode == "false" and not elements:
        return resource
    kept = _always_kept(resource["resourceType"], definitions)
    if mode == "data":
        kept = frozenset(resource) - {"text"}
    elif mode == "true":
        kept |= _summary_elements(resource["resourceType"], definitions)
    elif mode == "text":
        kept |= {"text"}
    names = {name.strip().rpartition(".")[2] for name in elements.split(",")}
    kept |= names | {f"{name}[x]" for name in names if name}
    part: Resource = {
        key: value
        for key, value in resource.items()
        if key in {"resourceType", "id", "meta"} or _element_name(key, kept)
    }
    meta: dict[str, Any] = dict(resource.get("meta", {}))
    meta["tag"] = [*meta.get("tag", []), _SUBSETTED]
    return part | {"meta": meta}


def is_part(resource: Resource) -> bool:
    """Whether a resource is tagged as a part of itself: it must not replace the whole."""
    tags = resource.get("meta", {}).get("tag", [])
    return isinstance(tags, list) and _SUBSETTED in tags


def _element_name(key: str, kept: frozenset[str]) -> bool:
    """Whether a JSON key is one of the elements: `_title` is title, valueCode is value[x]."""
    name = key.removeprefix("_")
    return name in kept or any(
        choice.endswith("[x]") and _is_choice_of(name, choice[:-3]) for choice in kept
    )


def _is_choice_of(name: str, choice: str) -> bool:
    rest = name.removeprefix(choice)
    return rest != name and (not rest or rest[0].isupper())


def _is_type(name: str, definitions: Definitions) -> bool:
    return name in definitions.types.resource_types()


@functools.lru_cache(maxsize=256)
def _always_kept(resource_type: str, definitions: Definitions) -> frozenset[str]:
    return _elements(resource_type, definitions, lambda e: e.get("min") or e.get("isModifier"))


@functools.lru_cache(maxsize=256)
def _summary_elements(resource_type: str, definitions: Definitions) -> frozenset[str]:
    return _elements(resource_type, definitions, lambda e: e.get("isSummary"))


@functools.lru_cache(maxsize=256)
def _all_elements(resource_type: str, definitions: Definitions) -> frozenset[str]:
    return _elements(resource_type, definitions, lambda _: True)


def _elements(resource_type: str, definitions: Definitions, wanted: Any) -> frozenset[str]:
    structure = definitions.structure(resource_type)
    assert structure is not None, f"{resource_type} was checked to be a type"
    return frozenset(
        path[1]
        for element in structure["snapshot"]["element"]
        if wanted(element) and len(path := element["path"].split(".")) == 2
    )
