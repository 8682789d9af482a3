"""What a place in a resource is called where definitions speak of it: by types and by paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.model import TypeModel, kept_by_model

if TYPE_CHECKING:
    from fhirpkg.issues import Json, Path
    from fhirpkg.validation.run import Run

_HOLDERS = {"ElementDefinition", "ElementDefinition.example"}
_VALUE = re.compile(r"(?:fixed|pattern|defaultValue|minValue|maxValue|value)[A-Z]\w*")
"""The keys of values in an ElementDefinition, which are values of the element it defines."""
_METADATA = (
    "ActivityDefinition ChargeItemDefinition CodeSystem ConceptMap EventDefinition Evidence "
    "EvidenceVariable Library Measure NamingSystem PlanDefinition Questionnaire "
    "ResearchDefinition ResearchElementDefinition ValueSet"
).split()
_OTHER_CANONICAL = (
    "CapabilityStatement CompartmentDefinition EffectEvidenceSynthesis ExampleScenario "
    "GraphDefinition ImplementationGuide MessageDefinition OperationDefinition "
    "RiskEvidenceSynthesis SearchParameter StructureDefinition StructureMap "
    "TerminologyCapabilities TestScript"
).split()
_LATER_TYPES = {
    "BackboneType": ["BackboneElement"],
    "CanonicalResource": [*_METADATA, *_OTHER_CANONICAL],
    "MetadataResource": _METADATA,
}
"""Types of R5 and the types of R4 that they were made for, whether a url is there or not
(http://hl7.org/fhir/R5/canonicalresource.html, metadataresource.html)."""


class Places:
    """The names under which definitions may know the element that an extension is on.

    `shown` is the one for people, `extension` the url where the element is an extension's value.
    """

    def __init__(self) -> None:
        self.names: frozenset[str] = frozenset()
        self.shown = ""
        self.extension = ""


def places(path: Path, run: Run) -> Places:
    """What the element around an extension at a path is called."""
    found = Places()
    types = run.definitions.types
    node: Json = run.root_of_names
    defining: Json = None
    current = frozenset({str(node.get("resourceType"))})
    owner = path[:-1] if isinstance(path[-1], str) else path[:-2]
    for step in owner:
        if isinstance(step, str):
            is_value = "Extension" in current and step.removeprefix("_").startswith("value")
            found.extension = _url_around(node, run) if is_value else ""
            if "ElementDefinition" in current:
                defining = node
        node = value_of(node, step)
        if isinstance(step, str):
            key = step.removeprefix("_")
            is_defined = not current.isdisjoint(_HOLDERS) and _VALUE.fullmatch(key)
            current = _stepped(types, current, key)
            if is_defined:
                run.look_around()
                current = _as_defined(types, current, str(value_of(defining, "path")))
        if isinstance(node, dict) and isinstance(node.get("resourceType"), str):
            current = frozenset({node["resourceType"], *current})
    found.shown = min(current, key=len) if current else ""
    if isinstance(node, dict) and "Extension" in current:
        found.extension = _url_around(node, run)
    found.names = _with_bases(types, current)
    return found


def _url_around(extension: Json, run: Run) -> str:
    """The url of an extension around a place."""
    run.look_around()
    return str(value_of(extension, "url"))


@kept_by_model(5_000)
def _with_bases(types: TypeModel, names: frozenset[str]) -> frozenset[str]:
    """Names of types and elements, and of the types that those are made from."""
    return frozenset(base for name in names for base in types.ancestors(name))


@kept_by_model(5_000)
def _stepped(types: TypeModel, current: frozenset[str], key: str) -> frozenset[str]:
    """The names of the element of a JSON key below elements of some names."""
    found: set[str] = set()
    for name in current:
        for base in types.ancestors(name):
            found |= _named(base, key, types)
    tails = {name.rpartition(".")[2] for name in found if "." in name} or {key}
    return frozenset(found | {f"{name}.{tail}" for name in current for tail in tails})


def _named(name: str, key: str, types: TypeModel) -> set[str]:
    """What the element of a JSON key is called as part of one type, and its own types."""
    for element in types.elements(name).values():
        if element.name == key:
            return {f"{name}.{key}", *element.types}
        if element.is_choice and key.startswith(element.name):
            for kind in element.types:
                if key == element.key(kind):
                    stem = f"{name}.{element.name}"
                    return {f"{stem}[x]", stem, f"{name}.{key}", kind}
    return set()


def value_of(node: Json, step: str | int) -> Json:
    """The value one step further into a value, or None."""
    try:
        return node[step]
    except (KeyError, IndexError, TypeError):
        return None


@kept_by_model(500)
def _as_defined(types: TypeModel, value: frozenset[str], path: str) -> frozenset[str]:
    """The names of the element at a path that an ElementDefinition defines, with its value's type.

    What it states as an example, a fixed value or a pattern is an instance of that element.
    """
    root, *steps = path.split(".")
    current = frozenset({root})
    for step in steps:
        current = _stepped(types, current, step.removesuffix("[x]"))
    return frozenset({name for name in current if "." in name} | {t for t in value if "." not in t})


def is_of_later_type(expression: str, place: Places) -> bool:
    """Whether a place is an element of what later versions made types of: CanonicalResource.url."""
    name, dot, rest = expression.partition(".")
    return any(f"{each}{dot}{rest}" in place.names for each in _LATER_TYPES.get(name, ()))
