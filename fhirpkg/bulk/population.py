"""A plan applied to each patient of a bulk export: who is open for what.

The lines of an export come by type and in no order. They are sorted by patient in a file of the
system's for temporary data, so that memory holds one patient at a time. What applying to a patient
gives is what `apply` gives with the whole export as its data.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.applying.application import apply
from fhirpkg.compartment import EVERYBODY, names, owners
from fhirpkg.errors import FhirpkgError
from fhirpkg.repository import Layers, MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from fhirpkg.applying.application import Applied
    from fhirpkg.bulk.checking import Line
    from fhirpkg.issues import Json, Resource
    from fhirpkg.repository import Repository

_TABLES = """
CREATE TABLE resource (number INTEGER PRIMARY KEY, kind TEXT, name TEXT, line BLOB);
CREATE TABLE belongs (owner TEXT, number INTEGER);
"""
_INDEXES = """
CREATE INDEX by_name ON resource (name);
CREATE INDEX by_owner ON belongs (owner, number);
"""
_NAMED = "SELECT line FROM resource WHERE name = ? ORDER BY number"
_OWNED = """SELECT DISTINCT resource.number, line FROM belongs JOIN resource USING (number)
    WHERE owner IN (SELECT value FROM json_each(?)) ORDER BY resource.number"""
_FOR_ALL = """SELECT line FROM belongs JOIN resource USING (number)
    WHERE owner = ? AND kind = ? ORDER BY number"""
_PATIENTS = "SELECT DISTINCT name FROM resource WHERE kind = 'Patient' ORDER BY number"
_ABSENT = """SELECT DISTINCT owner FROM belongs WHERE owner GLOB 'Patient/*'
    AND owner NOT IN (SELECT name FROM resource WHERE kind = 'Patient') ORDER BY owner"""


@dataclass(frozen=True, slots=True)
class ForPatient:
    """What applying to one patient gave, or the `problem` that kept it from being applied."""

    subject: str
    """``Patient/id``."""
    applied: Applied | None = None
    problem: str = ""

    @property
    def open(self) -> list[dict[str, Json]]:
        """The criteria that are not met: exceeded, unusable, missing or not evaluated."""
        criteria = self.applied.criteria if self.applied else []
        return [each for each in criteria if each["state"] != "met"]


def applied(
    lines: Iterable[str | bytes | Line],
    definition: Resource | str,
    content: Repository,
    *,
    language: str = "",
    parameters: Mapping[str, Json] | None = None,
    now: datetime | None = None,
) -> Iterator[ForPatient]:
    """Apply a definition to each patient in the lines of NDJSON of a bulk export.

    Patients come in the order of their lines, then those that are referred to and not in the
    export, with a problem. `content` holds the definitions; the other arguments are those of
    :func:`fhirpkg.apply`. Lines without a FHIR resource are reported first, as a problem of no
    patient, with how many there are.

        with open("Patient.ndjson", "rb") as one, open("Observation.ndjson", "rb") as other:
            for found in applied(itertools.chain(one, other), "PlanDefinition/p", content):
                print(found.subject, found.problem or [each["id"] for each in found.open])
    """
    export = _Export()
    try:
        unread = export.take(lines)
        if unread:
            yield ForPatient("", problem=f"lines that hold no readable resource: {unread}")
        for subject in export.names(_PATIENTS):
            data = Layers(export.of(subject), export, content)
            try:
                made = apply(
                    definition, subject, data, language=language, parameters=parameters, now=now
                )
            except FhirpkgError as error:
                yield ForPatient(subject, problem=str(error))
            else:
                yield ForPatient(subject, made)
        for subject in export.names(_ABSENT):
            yield ForPatient(
                subject, problem="resources refer to this patient, who is not in the export"
            )
    finally:
        export.close()


class _Export:
    """The resources of an export, by name and by whose they are; a repository of them all."""

    def __init__(self) -> None:
        self._data = sqlite3.connect("", isolation_level=None)  # in a file without a name
        self._data.executescript(_TABLES)
        self._definitions = MemoryRepository(())

    def close(self) -> None:
        """Give back the file."""
        self._data.close()

    def take(self, lines: Iterable[str | bytes | Line]) -> int:
        """Sort the lines in; how many hold no resource."""
        unread = 0
        definitions: list[Resource] = []
        self._data.execute("BEGIN")
        for each in lines:
            text = each if isinstance(each, (str, bytes)) else each.text
            if not text.strip():
                continue
            resource = fhirjson.read(text)[0]
            if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
                unread += 1
                continue
            self._add(resource, text)
            if isinstance(resource.get("url"), str):
                definitions.append(resource)
        self._data.execute("COMMIT")
        self._data.executescript(_INDEXES)
        self._definitions = MemoryRepository(definitions)
        return unread

    def _add(self, resource: Resource, text: str | bytes) -> None:
        kind = resource["resourceType"]
        name = f"{kind}/{resource['id']}" if isinstance(resource.get("id"), str) else None
        cursor = self._data.execute(
            "INSERT INTO resource (kind, name, line) VALUES (?, ?, ?)", (kind, name, text)
        )
        owned = ((owner, cursor.lastrowid) for owner in owners(resource))
        self._data.executemany("INSERT INTO belongs VALUES (?, ?)", owned)

    def names(self, query: str) -> Iterator[str]:
        """The names that a query gives."""
        for (name,) in self._data.execute(query):
            if name:
                yield name

    def of(self, subject: str) -> MemoryRepository:
        """The resources of one patient, the patient included."""
        patient = MemoryRepository(self._read(_NAMED, subject)).read(*subject.split("/", 1)) or {}
        rows = self._data.execute(_OWNED, (fhirjson.dump(sorted(names(subject, patient))),))
        return MemoryRepository(fhirjson.read(line)[0] for _, line in rows)

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """Any resource of the export."""
        found = MemoryRepository(self._read(_NAMED, f"{resource_type}/{resource_id}"))
        return found.read(resource_type, resource_id)

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Those of a type that are nobody's in particular."""
        return MemoryRepository(self._read(_FOR_ALL, EVERYBODY, resource_type)).search(
            resource_type, params
        )

    def resolve(self, canonical: str, resource_type: str | None = None) -> Resource | None:
        """A definition in the export, or a resource by ``Type/id``."""
        found = self._definitions.resolve(canonical, resource_type)
        if found is None and canonical.count("/") == 1:
            kind, _, identifier = canonical.partition("/")
            found = self.read(kind, identifier) if resource_type in (None, kind) else None
        return found

    def _read(self, query: str, *values: str) -> Iterator[Resource]:
        for (line,) in self._data.execute(query, values):
            yield fhirjson.read(line)[0]
