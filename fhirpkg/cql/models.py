"""The models that CQL names with `using`: FHIR R4, and QICore and US Core as profiles of it.

What a model adds to FHIR is data (data/models.json, made by scripts/models of HL7's model infos):
types that are profiles, elements that are extensions or slices, the element that codes are looked
for in (https://cql.hl7.org/07-physicalrepresentation.html#data-model-references).
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path as File
from typing import NamedTuple

from fhirpkg.cql.tree import Value
from fhirpkg.errors import FhirpkgError

_DATA = File(__file__).parent / "data" / "models.json"
FHIR_VERSIONS = ("4.0.0", "4.0.1", "4.0")
_STEP = re.compile(r"(\w+)(?:\[(.*?)\])?\.?")
_CONDITION = re.compile(r"([\w.]+)='([^']*)'")
Path = tuple[Value, ...]
"""Names of elements, and conditions ((path, value), …) that choose one of many items."""

_MANY = frozenset({("race", "ombCategory"), ("race", "detailed"), ("ethnicity", "detailed")})
"""The parts that an extension of US Core may have several of."""
PRIMARY_CODES = {
    "Account": "type", "ActivityDefinition": "topic", "AdverseEvent": "event",
    "Appointment": "serviceType", "BodyStructure": "location", "CarePlan": "category",
    "CareTeam": "category", "Claim": "type", "Communication": "reasonCode",
    "CommunicationRequest": "category", "Composition": "type", "Consent": "category",
    "Coverage": "type", "Device": "type", "DeviceMetric": "type", "DocumentReference": "type",
    "Encounter": "type", "EpisodeOfCare": "type", "ExplanationOfBenefit": "type",
    "FamilyMemberHistory": "relationship", "Goal": "category", "GuidanceResponse": "module",
    "HealthcareService": "type", "ImagingStudy": "procedureCode", "Immunization": "vaccineCode",
    "ImmunizationEvaluation": "targetDisease", "Library": "topic", "Location": "type",
    "Measure": "topic", "MeasureReport": "type", "MedicationAdministration": "medication",
    "MedicationDispense": "medication", "MedicationRequest": "medication",
    "MedicationStatement": "medication", "MessageDefinition": "event", "Organization": "type",
    "Questionnaire": "name", "RelatedPerson": "relationship", "Specimen": "type",
    "SupplyDelivery": "type", "SupplyRequest": "category",
}  # fmt: skip
"""The element a retrieve filters by when it names none; `code` for the other types."""


class Profile(NamedTuple):
    """A type of a model that stands for a profile of one of R4."""

    base: str
    url: str
    code_path: str


@functools.cache
def _data() -> dict[str, Value]:
    found: dict[str, Value] = json.loads(_DATA.read_bytes())
    return found


def check(name: str, version: str) -> str:
    """The version of a model that is known, the newest when none is given.

    Raises FhirpkgError for a model or version that is not known, by its name.
    """
    if name == "System":
        return version
    known = FHIR_VERSIONS if name == "FHIR" else tuple(_data()["models"].get(name, ()))
    if not known:
        models = ", ".join(["FHIR", *_data()["models"]])
        raise FhirpkgError(f"the model '{name}' is not supported; supported are {models}")
    if version and version not in known:
        offered = ", ".join(known)
        raise FhirpkgError(
            f"version '{version}' of the model {name} is not supported; supported are {offered}"
        )
    return version or known[-1]


def profile(models: dict[str, str], name: str) -> Profile | None:
    """The profile that a type of one of these models (name to version) is; None for R4's own."""
    for model, version in models.items():
        found = _data()["models"].get(model, {}).get(version, {}).get(name)
        if found is not None:
            return Profile(*found)
    return None


def names(models: dict[str, str]) -> list[str]:
    """The types that some models (name to version) add to those of R4."""
    found = (_data()["models"].get(model, {}).get(version, ()) for model, version in models.items())
    return [name for types in found for name in types]


def r4_type(models: dict[str, str], name: str) -> str:
    """The type of R4 that a type of a model is or constrains; `Encounter.Diagnosis` included."""
    first, *rest = name.split(".")
    found = profile(models, name if not rest else first)
    base = found.base if found else first
    return backbone(".".join([base, *rest]))


def backbone(name: str) -> str:
    """A type inside another by its path: `CodeSystem.concept` for `CodeSystem.Concept`."""
    first, *rest = name.split(".")
    return ".".join([first, *(part[:1].lower() + part[1:] for part in rest)])


@functools.cache
def slice_path(type_name: str, name: str) -> Path | None:
    """The path of R4 behind an element that only profiles have; None for no such element."""
    slices = _data()["slices"]
    path = slices.get(type_name, {}).get(name)
    return None if path is None else tuple(_steps(path))


def is_many(holder: dict[str, Value], name: str) -> bool:
    """Whether an element that a profile adds is a list."""
    return (str(holder.get("url", "")).rpartition("us-core-")[2], name) in _MANY


def slice_names(type_name: str) -> list[str]:
    """The elements that profiles add to a type."""
    return list(_data()["slices"].get(type_name, ()))


def _steps(path: str) -> Value:
    for step in _STEP.finditer(path):
        yield step[1]
        if step[2]:
            yield tuple(_CONDITION.findall(step[2]))


# -- profiles that say what a resource must be -----------------------------------------------

_VITAL_SIGNS = {
    "bmi": "39156-5", "bodyheight": "8302-2", "body-height": "8302-2", "bodytemp": "8310-5",
    "body-temperature": "8310-5", "bodyweight": "29463-7", "body-weight": "29463-7",
    "bp": "85354-9", "blood-pressure": "85354-9", "headcircum": "9843-4",
    "head-circumference": "9843-4", "heartrate": "8867-4", "heart-rate": "8867-4",
    "oxygensat": "2708-6", "pulse-oximetry": "2708-6", "resprate": "9279-1",
    "respiratory-rate": "9279-1", "vitalspanel": "85353-1", "pediatric-bmi-for-age": "59576-9",
    "pediatric-weight-for-height": "77606-2", "smokingstatus": "72166-2",
}  # fmt: skip
"""The LOINC code that a profile of Observation fixes, by the last word of its canonical."""
_NOT_DONE = {
    "communicationnotdone": ("status", "not-done"),
    "immunizationnotdone": ("status", "not-done"),
    "mednotadministered": ("status", "not-done"),
    "medicationadministrationnotdone": ("status", "not-done"),
    "mednotdispensed": ("status", "declined"),
    "medicationdispensedeclined": ("status", "declined"),
    "mednotrequested": ("doNotPerform", True),
    "medicationnotrequested": ("doNotPerform", True),
    "observationnotdone": ("status", "cancelled"),
    "observationcancelled": ("status", "cancelled"),
    "procedurenotdone": ("status", "not-done"),
    "servicenotrequested": ("doNotPerform", True),
    "tasknotdone": ("status", "rejected"),
    "taskrejected": ("status", "rejected"),
}
"""What QICore's profiles of things that were not done fix, by the last word of their canonical."""
_VALUE_SET_EXTENSIONS = ("qicore-notDoneValueSet", "valueset-reference")


def conforms(url: str, resource: dict[str, Value]) -> bool:
    """Whether a resource is what a profile of these models is for: a vital sign, a thing not done.

    Nothing else is looked at: data is not left out for an element that a profile wants.
    """
    name = url.rpartition("/")[2].removeprefix("qicore-").removeprefix("us-core-")
    if name in _VITAL_SIGNS:
        codings = resource.get("code", {}).get("coding", ())
        return any(coding.get("code") == _VITAL_SIGNS[name] for coding in codings)
    if name in _NOT_DONE:
        element, value = _NOT_DONE[name]
        return bool(resource.get(element) == value)
    return True


def not_done_value_set(concept: Value) -> str:
    """The value set of things that were not done, where QICore puts it; empty for none."""
    for holder in (concept, *(concept.get("coding", ()) if isinstance(concept, dict) else ())):
        for extension in holder.get("extension", ()) if isinstance(holder, dict) else ():
            if extension.get("url", "").endswith(_VALUE_SET_EXTENSIONS):
                found = extension.get("valueCanonical") or extension.get("valueUri") or ""
                return str(found).partition("|")[0]
    return ""
