"""Corrections to published definitions, each with its reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

_EXAMPLES = {
    # Examples of SearchParameters, published among the definitions: they are not search parameters
    # of a server and conflict with the real ones of the same code.
    # http://hl7.org/fhir/R4/searchparameter-examples.html
    "http://hl7.org/fhir/SearchParameter/example",
    "http://hl7.org/fhir/SearchParameter/example-extension",
    "http://hl7.org/fhir/SearchParameter/example-reference",
}
_ID_TYPES = {"Resource.id": "id", "Element.id": "string"}
_DEFINED_TYPES = "http://hl7.org/fhir/ValueSet/defined-types"
_FHIRPATH = "http://hl7.org/fhirpath"
_FHIRPATH_TYPES = (
    "Boolean", "Date", "DateTime", "Decimal", "Integer", "Quantity", "String", "Time",
)  # fmt: skip


def correct(resource: Resource) -> Resource | None:
    """The resource as it should have been published; None when it is not a definition at all."""
    if resource.get("url") in _EXAMPLES:
        return None
    if resource["resourceType"] == "StructureDefinition":
        _give_ids_their_type(resource)
    elif resource.get("url") == _DEFINED_TYPES:
        _add_types_of_fhirpath(resource)
    return resource


def _give_ids_their_type(structure: Resource) -> None:
    """Type `id` for resources where 4.0.1 has `string`, `string` for elements where 4.3.0 has `id`.

    http://hl7.org/fhir/R4/resource-definitions.html#Resource.id
    http://hl7.org/fhir/R5/element-definitions.html#Element.id
    """
    for element in structure.get("snapshot", {}).get("element", ()):
        meant = _ID_TYPES.get(element.get("base", {}).get("path"))
        for extension in element["type"][0].get("extension", ()) if meant else ():
            extension["valueUrl"] = meant


def _add_types_of_fhirpath(value_set: Resource) -> None:
    """The types that every published snapshot has for ids and the values of primitives.

    ElementDefinition.type.code is bound to this value set, which 4.0.1 left without them.
    http://hl7.org/fhir/R4/fhirpath.html#types
    """
    codes = [{"code": f"{_FHIRPATH}/System.{name}"} for name in _FHIRPATH_TYPES]
    value_set["compose"]["include"].append({"system": _FHIRPATH, "concept": codes})
