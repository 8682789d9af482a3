"""The made-up records of the files records*.yaml as FHIR resources."""

import itertools
import json
import pathlib

import yaml

FILES = ("records.yaml", "records_sent.yaml", "records_further.yaml", "records_countries.yaml")
UCUM = "http://unitsofmeasure.org"
CONDITION = "http://terminology.hl7.org/CodeSystem/condition"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
BASE = {
    "indication": [{"sct": "94222008", "clinical": "active", "recordedDate": "2026-09-01"}],
    "inr": [{"loinc": "6301-6", "value": 1.1, "at": "2026-11-02"}],
    "platelets": [{"loinc": "777-3", "value": 210, "unit": "10*9/L", "at": "2026-11-02"}],
    "images": [
        {
            "study": "available",
            "started": "2026-10-20T09:00:00Z",
            "modality": [{"system": DICOM, "code": "CT"}],
        }
    ],
}
CRITERIA = tuple(BASE)


class _Loader(yaml.SafeLoader):
    """Dates stay text, as in JSON."""


_LIKE_JSON = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.yaml_implicit_resolvers = _LIKE_JSON


def cases():
    folder = pathlib.Path(__file__).parent
    return [case for name in FILES for case in yaml.load((folder / name).read_text(), _Loader)]


def wanted(case):
    return dict.fromkeys(CRITERIA, "met") | case.get("states", {})


def record(case, patient="p1"):
    """The resources of a case, for this patient: `Patient/p1` in the file, never `Patient/p2`."""
    ids = itertools.count(1)
    made = [{"resourceType": "Patient", "id": patient, "gender": "male", "birthDate": "1961-05-02"}]
    made[0] |= case.get("patient", {})
    for name, brief in [*BASE.items(), ("more", [])]:
        for item in case.get(name, brief):
            subject = {"reference": f"Patient/{patient}"}
            made.append(_resource(item, {"id": f"{patient}-{next(ids)}", "subject": subject}))
    return json.loads(json.dumps(made).replace("Patient/p1", f"Patient/{patient}"))


def _resource(brief, head):
    rest = dict(brief)
    if "resourceType" in rest:
        return _without_null(head | rest)
    for key, resource_type in (
        ("study", "ImagingStudy"), ("report", "DiagnosticReport"), ("procedure", "Procedure"),
    ):  # fmt: skip
        if key in rest:
            return _without_null(
                {"resourceType": resource_type, **head, "status": rest.pop(key), **rest}
            )
    if "clinical" in rest or "verification" in rest or "sct" in rest or "icd" in rest:
        return _without_null({"resourceType": "Condition", **head, **_condition(rest)})
    made = {"resourceType": "Observation", **head, "status": rest.pop("status", "final")}
    if at := rest.pop("at", None):
        made["effectiveDateTime"] = at
    components = [_measured(component) for component in rest.pop("component", ())]
    made |= _measured(rest)
    return _without_null(made | ({"component": components} if components else {}))


def _condition(rest):
    system, code = (
        ("http://snomed.info/sct", rest.pop("sct"))
        if "sct" in rest
        else ("http://hl7.org/fhir/sid/icd-10-cm", rest.pop("icd"))
    )
    made = {"code": {"coding": [{"system": system, "code": code}]}}
    for key, element, name in (
        ("clinical", "clinicalStatus", "clinical"),
        ("verification", "verificationStatus", "ver-status"),
    ):
        if key in rest:
            made[element] = {"coding": [{"system": f"{CONDITION}-{name}", "code": rest.pop(key)}]}
    return made | rest


def _measured(brief):
    rest = dict(brief)
    made = {}
    if loinc := rest.pop("loinc", None):
        made["code"] = {"coding": [{"system": "http://loinc.org", "code": loinc}]}
    if "value" in rest:
        unit = rest.pop("unit", "1")
        quantity = {"value": rest.pop("value"), "unit": unit, "system": UCUM, "code": unit}
        if "comparator" in rest:
            quantity["comparator"] = rest.pop("comparator")
        made["valueQuantity"] = quantity
    if "text" in rest:
        made["valueString"] = rest.pop("text")
    return made | rest


def _without_null(resource):
    return {key: value for key, value in resource.items() if value is not None}
