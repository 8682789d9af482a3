"""Searches on many patients while others write, each beside a read by id of the same moment.

The searches are made from what the CapabilityStatement says of Patient and Observation: each
parameter with values that fit many, few and none, its modifiers and prefixes, each order, and
combinations of these with pages, totals, chains and includes.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import multiprocessing
import random
import statistics
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

from fhirpkg.server.endpoint import open_endpoint

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

WRITERS = 8
TIMES = 5
"""How often each search and the read beside it are asked."""
MOST = 20.0
"""How many reads by id a search may cost."""
GROUP = 2000
CITIES = [f"City{n:03}" for n in range(200)]
CODES = ["29463-7", "8302-2", "8480-6", "8462-4", "718-7", "2345-7", "6301-6", "777-3"]
VALUES: dict[str, dict[str, list[str]]] = {
    "Patient": {
        "active": ["true", "false"],
        "address": ["City", "City001", "zzz"],
        "address-city": ["City", "City001", "zzz"],
        "address-country": ["US", "zz"],
        "address-postalcode": ["1", "10001"],
        "address-state": ["S", "S01"],
        "address-use": ["home", "work"],
        "birthdate": ["1970-01-01", "1970-01", "1970", "1800"],
        "death-date": ["2020", "2020-05-01"],
        "deceased": ["true", "false"],
        "email": ["p77@example.org"],
        "family": ["F", "Family077", "zzz"],
        "gender": ["male", "female,other", "http://hl7.org/fhir/administrative-gender|male", "x"],
        "general-practitioner": ["Practitioner/d1", "Practitioner/none"],
        "given": ["Ann", "Zoe", "zzz"],
        "identifier": ["http://example.org/mrn|77", "77", "http://example.org/mrn|", "x|1"],
        "language": ["en", "tlh"],
        "link": ["Patient/p1"],
        "name": ["A", "Family077", "zzz"],
        "organization": ["Organization/o1", "Organization/none"],
        "phone": ["555-77"],
        "phonetic": ["Family077"],
        "telecom": ["555-77", "p77@example.org"],
        "_id": ["p77", "p1,p2,p3,p99999", "none"],
        "_lastUpdated": ["2020", "2026-11"],
        "_tag": ["synthetic", "none"],
    },
    "Observation": {
        "category": ["vital-signs", "none"],
        "code": ["http://loinc.org|29463-7", "29463-7,8302-2", "none"],
        "combo-code": ["8480-6"],
        "date": ["2024", "2024-05-01", "1800"],
        "patient": ["Patient/p70", "Patient/none"],
        "performer": ["Practitioner/d1"],
        "status": ["final", "amended", "none"],
        "subject": ["Patient/p70", "Patient/p70,Patient/p80,Patient/p90"],
        "value-quantity": ["70", "70|http://unitsofmeasure.org|kg", "70||kg", "100000"],
        "code-value-quantity": ["29463-7$70", "29463-7$gt90"],
        "_id": ["v70"],
    },
}
ABSENT = {
    "token": "none", "string": "none", "uri": "http://none.example.org", "date": "1800",
    "number": "7", "quantity": "7", "reference": "Patient/none",
}  # fmt: skip
MODIFIERS = {"token": [":not"], "string": [":exact", ":contains"], "uri": [":below", ":above"]}
PREFIXES = ["ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
COMBINED = """
Patient?birthdate=ge1960&birthdate=lt1970&gender=male
Patient?birthdate=ge1960&birthdate=lt1970&gender=male&_sort=-birthdate,family
Patient?birthdate=ge1960&birthdate=lt1970&_sort=family
Patient?birthdate=ge1930&birthdate=le2026&gender:not=x&_total=accurate
Patient?gender=male&active=true&deceased=false&_sort=family,given
Patient?gender=male&active=false&address-city=City001&_total=accurate
Patient?gender=male&_total=accurate
Patient?gender=male&_summary=count
Patient?gender:not=male&_summary=count
Patient?gender:missing=true&_summary=count
Patient?family:contains=7&_summary=count
Patient?family:contains=077&gender=female&_sort=birthdate
Patient?family=F&given=A&_sort=-birthdate&_total=accurate
Patient?name:contains=zzz&_sort=-birthdate
Patient?name:contains=zzz&gender=male
Patient?address:contains=y00&gender=male&_sort=family
Patient?birthdate=2025-12-31&gender=male&active=true
Patient?death-date=ge2019&gender=male&_sort=death-date
Patient?deceased=true&gender=female&_sort=-death-date,_id
Patient?_lastUpdated=gt2020&gender=male
Patient?_lastUpdated=gt2020&_sort=-_lastUpdated
Patient?_sort=-_lastUpdated,family
Patient?_sort=family,given,birthdate,gender,_id
Patient?_sort=gender,-birthdate
Patient?_sort=active,family
Patient?_sort=-gender,family&active=true
Patient?_offset=50000
Patient?_offset=50000&_sort=family
Patient?gender=male&_offset=30000
Patient?gender=male&_sort=birthdate&_offset=30000
Patient?_summary=true
Patient?_elements=name,birthDate&gender=male
Patient?_summary=count
Patient?_total=accurate
Patient?organization.name=Organization%201
Patient?organization:Organization.name=Org&gender=male
Patient?general-practitioner:Practitioner.family=Doctor1
Patient?general-practitioner:Practitioner.gender=male
Patient?general-practitioner:Practitioner.gender=male&_sort=family
Patient?_has:Observation:patient:code=29463-7
Patient?_has:Observation:patient:code=29463-7&_sort=family
Patient?_has:Observation:patient:code=29463-7&gender=male&_sort=-birthdate
Patient?_has:Observation:patient:value-quantity=gt119
Patient?_has:Observation:patient:value-quantity=gt5&_sort=family
Patient?_has:Observation:patient:status=none
Patient?_has:Observation:patient:code=29463-7&_has:Observation:patient:status=amended
Patient?gender=male&_include=Patient:organization&_include=Patient:general-practitioner
Patient?gender=male&_revinclude=Observation:patient
Patient?_sort=family&_revinclude=Observation:subject&_include=Patient:organization
Patient?_include=*&gender=male
Patient?organization=Organization/o1&general-practitioner=Practitioner/d1
Patient?organization=Organization/o1&_sort=-birthdate
Patient?identifier=http://example.org/mrn|77,http://example.org/mrn|78,http://example.org/mrn|79
Patient?identifier:missing=true&gender=male
Patient?general-practitioner:missing=true&gender=male&_sort=family
Patient?death-date:missing=false&birthdate=ge2000
Patient?gender:not=male&active:not=true
Patient?gender:not=male,female&_sort=family
Patient?gender:not=x&family=none
Patient?language:not=en&gender=male
Patient?email:missing=false&phone:missing=true
Observation?patient=Patient/p70&code=29463-7&_sort=-date
Observation?code=29463-7&_sort=-date
Observation?code=29463-7&date=ge2024-05&date=lt2024-06
Observation?code=29463-7&date=ge2024-05&date=lt2024-06&_total=accurate
Observation?code=29463-7&value-quantity=gt119&_sort=-date
Observation?code=29463-7,8302-2&date=ge2020&status=final&_sort=-date&_total=accurate
Observation?category=vital-signs&date=gt2024&_sort=date
Observation?date=ge2024-05-01&date=le2024-05-31
Observation?date=ge2024&_sort=-date
Observation?date=lt1990&code=29463-7
Observation?patient.gender=male
Observation?patient.gender=male&_sort=-date
Observation?patient.family=Family077
Observation?patient.family:contains=077&code=29463-7
Observation?patient.birthdate=lt1950&code=29463-7&_sort=date
Observation?patient.birthdate=lt1800
Observation?patient.organization.name=Organization%201
Observation?patient.identifier=http://example.org/mrn|70
Observation?subject:Patient.name=Family077&status=final
Observation?performer:Practitioner.family=Doctor1&code=29463-7
Observation?code:not=29463-7&_sort=-date
Observation?code-value-quantity=29463-7$gt90&_sort=-date
Observation?value-quantity=ge60&value-quantity=le61
Observation?value-quantity=ge60&value-quantity=le61&_sort=-value-quantity
Observation?code=29463-7&_include=Observation:patient&_include:iterate=Patient:organization
Observation?_sort=-date&_include=Observation:subject
Observation?_sort=patient
Observation?_sort=-date,patient
""".split()


def resources(count: int) -> Iterator[dict[str, Any]]:
    """Synthetic patients, with who cares for them and an observation for every second one."""
    chance = random.Random(4)
    for number in range(100):
        name = [{"family": f"Doctor{number}"}]
        gender = chance.choice(["male", "female"])
        yield {"resourceType": "Practitioner", "id": f"d{number}", "name": name, "gender": gender}
        name_ = f"Organization {number}"
        yield {"resourceType": "Organization", "id": f"o{number}", "name": name_}
    for number in range(count):
        yield patient(number, chance)
        if number % 2 == 0:
            yield observation(number, chance)


def patient(number: int, chance: random.Random) -> dict[str, Any]:
    """One synthetic patient."""
    born = f"{chance.randint(1930, 2025)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    address = {
        "use": "home" if number % 3 else "work",
        "city": chance.choice(CITIES),
        "state": f"S{number % 50:02}",
        "postalCode": f"{10000 + number % 5000}",
        "country": "US",
    }
    found: dict[str, Any] = {
        "resourceType": "Patient",
        "id": f"p{number}",
        "meta": {"tag": [{"system": "http://example.org/tags", "code": "synthetic"}]},
        "identifier": [{"system": "http://example.org/mrn", "value": str(number)}],
        "active": number % 10 != 0,
        "name": [
            {
                "family": f"Family{chance.randint(0, 999):03}",
                "given": [chance.choice(["Ann", "Bob", "Cleo", "Dan", "Eve", "Zoe"])],
            }
        ],
        "telecom": [{"system": "phone", "value": f"555-{number}"}],
        "birthDate": born[: chance.choice([4, 7, 10, 10, 10, 10])],
        "address": [address],
        "managingOrganization": {"reference": f"Organization/o{chance.randint(0, 99)}"},
    }
    if number % 20:
        found["gender"] = chance.choice(["male", "female"])
    if number % 3:
        found["generalPractitioner"] = [{"reference": f"Practitioner/d{chance.randint(0, 99)}"}]
    if number % 7 == 0:
        found["telecom"].append({"system": "email", "value": f"p{number}@example.org"})
    if number % 30 == 0:
        found["deceasedDateTime"] = f"{chance.randint(2010, 2025)}-05-01"
    if number % 11 == 0:
        found["communication"] = [{"language": {"coding": [{"code": "en"}]}}]
    return found


def observation(number: int, chance: random.Random) -> dict[str, Any]:
    """One synthetic observation of a patient."""
    day = f"{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    return {
        "resourceType": "Observation",
        "id": f"v{number}",
        "status": "final" if number % 100 else "amended",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": chance.choice(CODES)}]},
        "subject": {"reference": f"Patient/p{number}"},
        "effectiveDateTime": f"{chance.randint(2015, 2025)}-{day}T08:00:00Z",
        "performer": [{"reference": f"Practitioner/d{chance.randint(0, 99)}"}],
        "valueQuantity": {
            "value": chance.randint(400, 1200) / 10,
            "unit": "kg",
            "system": "http://unitsofmeasure.org",
            "code": "kg",
        },
    }


def load(path: pathlib.Path, count: int) -> None:
    """Write the resources into a store file."""
    with open_endpoint(path).store as store:
        left = resources(count)
        while group := list(itertools.islice(left, GROUP)):
            with store.transaction():
                for resource in group:
                    store.write(resource, "PUT")


def searches(statement: dict[str, Any]) -> list[str]:
    """What is searched for: paths below the base, without a count."""
    types = {one["type"]: one["searchParam"] for one in statement["rest"][0]["resource"]}
    found = [one for kind in VALUES for one in _of_type(kind, types[kind])]
    return list(dict.fromkeys(found + COMBINED))


def _of_type(kind: str, parameters: list[dict[str, str]]) -> Iterator[str]:
    for parameter in parameters:
        code, of = parameter["name"], parameter["type"]
        values = VALUES[kind].get(code, [ABSENT[of]] if of in ABSENT else [])
        for value in values:
            text = urllib.parse.quote(value, safe="/:,|$")
            yield f"{kind}?{code}={text}"
            for modifier in MODIFIERS.get(of, []) if not code.startswith("_") else []:
                yield f"{kind}?{code}{modifier}={text}"
        if of in {"date", "number", "quantity"} and values:
            yield from (f"{kind}?{code}={prefix}{values[0]}" for prefix in PREFIXES)
            yield f"{kind}?{code}=gt{values[0]}&_sort=-{code}"
        if of == "composite":
            continue
        yield f"{kind}?_sort={code}"
        yield f"{kind}?_sort=-{code}"
        if not code.startswith("_"):
            yield from (f"{kind}?{code}:missing={is_so}" for is_so in ("true", "false"))


def measure(base: str) -> None:
    """Ask each search and a read by id in turn while others write; print what is found."""
    ended, written = multiprocessing.Event(), multiprocessing.Value("q")
    writers = [
        multiprocessing.Process(target=_write, args=(base, number, ended, written))
        for number in range(WRITERS)
    ]
    asked = searches(json.loads(ask(connection := _connect(base), base, "metadata")))
    for writer in writers:
        writer.start()
    try:
        time.sleep(2)
        start, before = time.perf_counter(), written.value
        found = [(one, *_beside(connection, base, one)) for one in asked]
        rate = (written.value - before) / (time.perf_counter() - start)
    finally:
        ended.set()
        for writer in writers:
            writer.join()
    print(f"{rate:.0f} PUT/s by {WRITERS} writers meanwhile")
    _tell(found)


def _beside(connection: http.client.HTTPConnection, base: str, search: str) -> tuple[float, float]:
    """Seconds of a search and of the reads in between, medians."""
    times: dict[str, list[float]] = {"read": [], "search": []}
    for number in range(TIMES):
        read = f"Patient/p{number * 37 % 1000}"
        for name, path in (("read", read), ("search", f"{search}&_count=20")):
            start = time.perf_counter()
            ask(connection, base, path)
            times[name].append(time.perf_counter() - start)
    return statistics.median(times["search"]), statistics.median(times["read"])


def _tell(found: list[tuple[str, float, float]]) -> None:
    reads = [read for _, _, read in found]
    read = statistics.median(reads)
    print(f"read by id: {read * 1000:.1f} ms (median of {len(reads)} medians)")
    rows = sorted(((seconds / read, seconds, search) for search, seconds, _ in found), reverse=True)
    middle, highest = statistics.median(ratio for ratio, _, _ in rows), rows[0][0]
    slow = [row for row in rows if row[0] > MOST]
    print(f"{len(rows)} searches: median {middle:.1f} x, highest {highest:.1f} x")
    print(f"{len(slow)} above {MOST:.0f} x; the slowest:")
    for ratio, seconds, search in rows[: max(len(slow), 10)]:
        print(f"{ratio:7.1f} x {seconds * 1000:8.1f} ms   {search}")


def _write(base: str, number: int, ended: Any, written: Any) -> None:
    """Change patients and observations until the end."""
    chance = random.Random(100 + number)
    with contextlib.closing(_connect(base)) as connection:
        while not ended.is_set():
            which = chance.randint(0, 999) * WRITERS + number
            make = patient if chance.random() < 0.7 else observation
            resource = make(which, chance)
            path = f"{resource['resourceType']}/{resource['id']}"
            ask(connection, base, path, json.dumps(resource))
            with written.get_lock():
                written.value += 1


def _connect(base: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urllib.parse.urlsplit(base).netloc, timeout=60)


def ask(
    connection: http.client.HTTPConnection, base: str, path: str, body: str | None = None
) -> bytes:
    """One exchange, a GET or with a body a PUT; it must succeed, or be refused as too costly."""
    headers = {"Content-Type": "application/fhir+json"} if body else {}
    where = f"{urllib.parse.urlsplit(base).path}/{path}"
    connection.request("PUT" if body else "GET", where, body, headers)
    answer = connection.getresponse()
    data = answer.read()
    assert answer.status in {200, 201, 422}, (path, answer.status, data[:300])
    return data
