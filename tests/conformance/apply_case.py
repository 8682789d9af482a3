"""Apply the definition of one case folder and print the result, for the scorer of $apply cases.

A case folder holds case.json, parameters.json, data.json and content/ (with CQL beside it in
content/cql). Usage: python apply_case.py CASE_FOLDER

Cases of encender are applied as we do ourselves: it carries what the reference engine loses, and
refuses a patient that it cannot find.
"""

import base64
import datetime as dt
import json
import re
import sys
from decimal import Decimal
from pathlib import Path

from fhirpkg import fhirjson
from fhirpkg.applying.application import apply, parameter_values
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.repository import Layers, MemoryRepository, in_bundle

DATE_ROLLER = "http://fhir.org/guides/cdc/opioid-cds/StructureDefinition/dataDateRoller"
DATE = re.compile(r"\d{4}-\d\d-\d\d")


def main(folder: Path) -> int:
    """Print the result as JSON; an error goes to stderr and ends with 1."""
    case = json.loads((folder / "case.json").read_text())
    try:
        result = applied(folder, case)
    except FhirpkgError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(fhirjson.dump(result) + "\n")
    return 0


def applied(folder, case):
    given = read(folder / "parameters.json")
    values = parameter_values(given)
    data = rolled(in_bundle(read(folder / "data.json")))
    more = [resource for bundle in sent(given) for resource in in_bundle(bundle)]
    languages = values.get("userLanguage", {}).get("coding", [{}])
    result = apply(
        case["definition"],
        values.get("subject", ""),
        Layers(MemoryRepository(data), content(folder)),
        encounter=values.get("encounter", ""),
        practitioner=values.get("practitioner", ""),
        organization=values.get("organization", ""),
        language=languages[0].get("code", ""),
        parameters=parameter_values(values.get("parameters", {})),
        data=rolled(more),
        form="bundle" if case["mode"] == "bundle" else "careplan",
        dialect="complete" if case["dialect"] == "encender" else "reference",
    )
    return result.result


def sent(given):
    """The bundles that the call itself brings: `data`, and those of `prefetchData`."""
    for parameter in given.get("parameter", ()):
        for part in (parameter, *parameter.get("part", ())):
            if parameter["name"] in {"data", "prefetchData"} and "resource" in part:
                yield part["resource"]


def read(file):
    value = fhirjson.read(file.read_bytes())[0]
    return mended(value, value["resourceType"], Definitions.core().types)


NUMBERS = {"positiveInt": int, "unsignedInt": int, "integer": int, "decimal": Decimal}


def mended(value, type_name, types):
    """A value with text turned into the numbers meant: the parser of the reference reads so."""
    if isinstance(value, str) and type_name in NUMBERS:
        return NUMBERS[type_name](value)
    if not isinstance(value, dict):
        return value
    elements = types.elements(value.get("resourceType", type_name))
    for key, inner in value.items():
        if element := elements.get(key):
            items = inner if isinstance(inner, list) else [inner]
            found = [mended(item, element.types[0], types) for item in items]
            value[key] = found if isinstance(inner, list) else found[0]
        elif isinstance(inner, dict):
            mended(inner, next((t for t in ("Timing",) if key.endswith(t)), ""), types)
    return value


def content(folder):
    """The definitions of a case, libraries with the CQL text that lies beside them."""
    resources = [read(file) for file in sorted(folder.glob("content/*.json"))]
    cql = {file.name: file.read_bytes() for file in folder.glob("content/cql/*.cql")}
    for library in resources:
        for part in library.get("content", ()):
            name = part.get("url", "").rpartition("/")[2]
            if name in cql and "data" not in part:
                part["data"] = base64.b64encode(cql[name]).decode()
    known = {r.get("name") for r in resources if r["resourceType"] == "Library"}
    resources += [as_library(name, text) for name, text in cql.items() if name[:-4] not in known]
    return MemoryRepository(resources)


def as_library(file_name, text):
    data = base64.b64encode(text).decode()
    library = {"resourceType": "Library", "id": file_name[:-4], "name": file_name[:-4]}
    return library | {"content": [{"contentType": "text/cql", "data": data}]}


def rolled(resources):
    """Data that ask for it moved in time, so that the newest of their dates is today.

    Cases about recent events were written down once; this keeps them recent.
    """
    rolling = [r for r in resources if any(e["url"] == DATE_ROLLER for e in extensions(r))]
    newest = max((day for r in rolling for day in DATE.findall(moving(r))), default=None)
    if newest is None:
        return resources
    days = dt.datetime.now(dt.UTC).date() - dt.date.fromisoformat(newest)

    def move(match):
        return str(dt.date.fromisoformat(match[0]) + days)

    fixed = ("extension", "birthDate")
    return [
        json.loads(DATE.sub(move, moving(r))) | {k: r[k] for k in fixed if k in r}
        if any(r is other for other in rolling)
        else r
        for r in resources
    ]


def extensions(resource):
    return [e for e in resource.get("extension", ()) if "url" in e]


def moving(resource):
    """The part of a resource whose dates move."""
    return fhirjson.dump({k: v for k, v in resource.items() if k not in ("extension", "birthDate")})


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
