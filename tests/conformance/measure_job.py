"""The adapter for the measure scorer: ``measure_job.py JOB`` prints each patient's populations."""

from __future__ import annotations

import datetime as dt
import json
import pathlib
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg.cql.evaluating.evaluator import open_session
from fhirpkg.cql.evaluating.library import Library, from_elm, qualified
from fhirpkg.cql.evaluating.values import Interval, to_json
from fhirpkg.cql.reading.library import read_library
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.repository import MemoryRepository, in_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL = Definitions.core().types


def load(name: str) -> Any:
    """A file of JSON, its decimals as written."""
    return json.loads(pathlib.Path(name).read_bytes(), parse_float=Decimal)


def libraries(job: dict[str, Any]) -> dict[str, Library]:
    """The libraries of a job by name."""
    is_elm = job["form"] == "elm"
    files = [pathlib.Path(name) for name in job["libraries"]]
    found = [from_elm(load(str(f))) if is_elm else read_library(f.read_text()) for f in files]
    return {qualified(library.name)[1]: library for library in found}


class PatientData(MemoryRepository):
    """A patient's resources: all that his Bundle holds, whoever they name as their subject."""

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        """All of a type."""
        return super().search(resource_type, {k: v for k, v in params.items() if k != "patient"})


def judged(value: Any) -> Any:
    """A criterion's value as the scorer takes it."""
    if isinstance(value, list):
        return [identity(to_json(item)) for item in value]
    return value is True if value is None or isinstance(value, bool) else to_json(value)


def identity(item: Any) -> Any:
    """Type and id of a resource; anything else as it is."""
    if isinstance(item, dict) and "id" in item and "resourceType" in item:
        return f"{item['resourceType']}/{item['id']}"
    return item


def populations(job: dict[str, Any]) -> dict[str, Any]:
    """Patient -> population -> value."""
    known = libraries(job)
    value_sets = load(job["valueSets"])
    now = dt.datetime.fromisoformat(job["now"])

    def named(name: str, _: str) -> Library:
        local = qualified(name)[1]
        if local not in known:
            raise FhirpkgError(f"the library {name} is not among those of the job")
        return known[local]

    def one(patient: dict[str, Any]) -> dict[str, Any]:
        repository = PatientData([*value_sets, *in_bundle(load(patient["file"]))])
        period = (Temporal.parse("dateTime", patient["period"][end]) for end in ("start", "end"))
        parameters = {"Measurement Period": Interval(*period)}
        subject = patient["subject"]
        session = open_session(repository, subject, parameters, named, MODEL, now)
        found: dict[str, Any] = {}
        for population in job["populations"]:
            try:
                session.unknown = []
                value = session.value_of(known[job["library"]], population["criteria"])
                unknown = {"error": "; ".join(session.unknown)}
                found[population["name"]] = unknown if session.unknown else judged(value)
            except FhirpkgError as error:
                found[population["name"]] = {"error": str(error)}
        return found

    return {patient["id"]: one(patient) for patient in job["patients"]}


if __name__ == "__main__":
    json.dump(populations(load(sys.argv[1])), sys.stdout, default=str)
