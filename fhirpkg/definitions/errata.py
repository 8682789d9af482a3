"""Corrections to published definitions (R4 4.0.1), each with its reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

_EXAMPLES = {
    # Examples of SearchParameters, published among the definitions: they are no search parameters
    # of a server and stand in the way of the real ones of the same code.
    # http://hl7.org/fhir/R4/searchparameter-examples.html
    "http://hl7.org/fhir/SearchParameter/example",
    "http://hl7.org/fhir/SearchParameter/example-extension",
    "http://hl7.org/fhir/SearchParameter/example-reference",
}


def correct(resource: Resource) -> Resource | None:
    """The resource as it should have been published; None when it is no definition at all."""
    url = resource.get("url", "")
    if url in _EXAMPLES:
        return None
    if resource["resourceType"] == "StructureDefinition":
        _give_resource_ids_their_type(resource)
    return resource


def _give_resource_ids_their_type(structure: Resource) -> None:
    """Type `id` where 4.0.1 has `string`.

    http://hl7.org/fhir/R4/resource-definitions.html#Resource.id
    """
    for element in structure.get("snapshot", {}).get("element", ()):
        if element.get("base", {}).get("path") == "Resource.id":
            for extension in element["type"][0].get("extension", ()):
                extension["valueUrl"] = "id"
