"""Official package -> data file: what is kept of the definitions, and what is left out.

It keeps what validating, evaluating, searching and explaining need; narratives,
differentials, mappings and explaining prose are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions import datafile, errata, typemodel

if TYPE_CHECKING:
    from fhirpkg.issues import Json, Resource
    from fhirpkg.packages.package import Package

_LEFT_OUT = {
    # of any definition
    "text", "contact", "publisher", "description", "purpose", "copyright", "useContext",
    "jurisdiction", "documentation",
    # of a StructureDefinition and its elements
    "differential", "mapping", "keyword", "definition", "comment", "requirements", "alias",
    "example", "meaningWhenMissing", "orderMeaning", "xpath",
}  # fmt: skip
_URL = "http://hl7.org/fhir/StructureDefinition/"
_KEPT_EXTENSIONS = {
    _URL + name
    for name in (
        "codesystem-ordinalValue",
        "elementdefinition-allowedUnits",
        "elementdefinition-bestpractice",
        "elementdefinition-maxValueSet",
        "elementdefinition-minValueSet",
        "ordinalValue",
        "regex",
        "structuredefinition-fhir-type",
        "structuredefinition-implements",
        "valueset-ordinalValue",
    )
}


def compile_package(package: Package) -> bytes:
    """The data file of a package of definitions, corrected by `errata`."""
    resources = []
    for _, resource in package.resources():
        corrected = errata.correct(resource)
        if corrected is not None and corrected.get("url"):
            resources.append(slim(corrected))
    structures = [r for r in resources if typemodel.defines_type(datafile.entry_of(r))]
    lines = sorted(line for s in structures for line in typemodel.type_lines(s))
    return datafile.pack(str(package.id), resources, lines)


def slim(resource: Resource) -> Resource:
    """A definition without what only people read."""
    slimmed: Resource = _slim(resource)
    if "differential" in resource and "snapshot" not in resource:
        slimmed["differential"] = _slim(resource["differential"])
    return slimmed


def _slim(value: Json) -> Json:
    if isinstance(value, list):
        return [_slim(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        if key.startswith(("fixed", "pattern")):  # a value, in which each word counts
            kept[key] = item
        elif key == "extension":
            extensions = [x for x in item if x["url"] in _KEPT_EXTENSIONS]
            if extensions:
                kept[key] = extensions
        elif key.removeprefix("_") not in _LEFT_OUT or _is_component(key, value):
            slimmed = _slim(item)
            if slimmed != {}:  # a `_key` whose extensions all went
                kept[key] = slimmed
    return kept


def _is_component(key: str, value: dict[str, Json]) -> bool:
    """Whether what is prose elsewhere says something to programs.

    `definition` is a canonical in a part of a composite SearchParameter, `purpose` a code in R5's
    additional bindings.
    """
    if key == "purpose":
        return "valueSet" in value and "resourceType" not in value
    return key == "definition" and value.keys() == {"definition", "expression"}
