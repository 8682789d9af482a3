"""Whose a resource is, by the elements of R4's patient compartment.

http://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fhirpkg.untrusted import child, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource

EVERYBODY = "*"
"""The owner of what serves all patients, such as a Medication."""
_ELEMENTS = ("subject", "patient", "for", "beneficiary", "individual", "candidate")
_ELSEWHERE = {
    "Appointment": ("participant", "actor"),
    "AppointmentResponse": ("actor",),
    "Group": ("member", "entity"),
    "Person": ("link", "target"),
    "Provenance": ("target",),
    "Schedule": ("actor",),
    "SupplyRequest": ("deliverTo",),
}
"""Elements that may hold the patient in resources that have none of those above."""
_SEARCH = "Patient?identifier="
"""How a conditional reference begins, https://hl7.org/fhir/R4/http.html#trules."""
_OF_SOMEBODY = ("Condition", "DiagnosticReport", "ImagingStudy", "Observation", "Procedure")


def owners(resource: Resource, base: str = "") -> set[str]:
    """Whose a resource is: names as :func:`names` gives them, or EVERYBODY.

    A result or problem that does not say whose it is belongs to nobody. An absolute url counts by
    its end alone when it is not known which server (`base`) the patients are from.
    """
    if resource["resourceType"] == "Patient":
        return {f"Patient/{resource.get('id')}"}
    found = [ref for element in _ELEMENTS for ref in _references(resource, (element,))]
    elsewhere = _references(resource, _ELSEWHERE.get(resource["resourceType"], ()))
    found += [ref for ref in elsewhere if "Patient/" in str(ref.get("reference", ""))]
    if not found:
        return set() if resource["resourceType"] in _OF_SOMEBODY else {EVERYBODY}
    return {name for reference in found for name in _named(reference, resource, base)}


def names(reference: str, patient: Resource) -> set[str]:
    """What a patient is known by: the reference to it, and each of its identifiers."""
    return {reference, *_identifiers(objects(patient, "identifier"))}


def _named(reference: Resource, holder: Resource, base: str) -> Iterator[str]:
    """The names that a reference gives: a place, or identifiers, its own or those contained."""
    name = str(reference.get("reference", "")).partition("/_history/")[0]
    if name.startswith("#"):
        for one in objects(holder, "contained"):
            if one.get("id") == name[1:]:
                yield from _identifiers(objects(one, "identifier"))
    elif name.startswith(_SEARCH):
        system, _, value = unquote(name.removeprefix(_SEARCH)).rpartition("|")
        yield from _identifiers([{"system": system or None, "value": value}])
    elif name:
        yield name.removeprefix(f"{base}/") if base else "/".join(name.split("/")[-2:])
    else:
        yield from _identifiers([child(reference, "identifier")])


def _identifiers(found: list[Any]) -> Iterator[str]:
    """Identifiers as texts that no two share; one without a value names nobody."""
    for one in found:
        if text_of(one, "value"):
            yield repr((one.get("system"), one["value"]))


def _references(value: Any, path: tuple[str, ...]) -> list[Resource]:
    """The references at a path below a value."""
    if isinstance(value, list):
        return [found for item in value for found in _references(item, path)]
    if not isinstance(value, dict):
        return []
    return _references(value.get(path[0]), path[1:]) if path else [value]
