"""Extensions that stand for elements of other FHIR versions, made from the tables of a package.

``http://hl7.org/fhir/5.0/StructureDefinition/extension-Patient.contact.role`` and its like have no
published definitions; hl7.fhir.xver-extensions lists the elements of each version with their types
(http://hl7.org/fhir/R4/versions.html#extensions).
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from fhirpkg import fhirjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fhirpkg.issues import Json, Resource
    from fhirpkg.packages.package import Package

URL = re.compile(
    r"http://hl7\.org/fhir/(?P<version>\d+\.\d+)/StructureDefinition/extension-(?P<path>.+)"
)
_FILE = re.compile(r"other/xver-paths-(\d+\.\d+)\.json")
_TYPE = re.compile(r"!?(?P<code>\w+)(?:\((?P<targets>[^)]*)\))?")
_CORE = "http://hl7.org/fhir/StructureDefinition/"
_MAX_DEPTH = 8


class Table:
    """The elements of one version, read when the first of them is asked for."""

    def __init__(self, package: Package, name: str) -> None:
        self._package = package
        self._name = name

    @functools.cached_property
    def elements(self) -> Mapping[str, Json]:
        """What is reported of each element by its path; nothing where the file cannot be read."""
        value, _ = fhirjson.read(self._package.files[self._name])
        elements = value.get("elements", value) if isinstance(value, dict) else {}
        return elements if isinstance(elements, dict) else {}


def tables_of(package: Package) -> dict[str, Table]:
    """The tables that a package holds, by version."""
    found = ((match[1], name) for name in package.files if (match := _FILE.fullmatch(name)))
    return {version: Table(package, name) for version, name in found}


def definition(url: str, table: Table, is_type: Callable[[str], bool]) -> Resource | None:
    """The definition of an extension by its url; None when its version has no such element."""
    match = URL.fullmatch(url)
    told = _told(match["path"], table) if match else None
    if match is None or told is None:
        return None
    root: Resource = {"id": "Extension", "path": "Extension"}
    if told.get("modifier") is True:
        root |= {"isModifier": True, "isModifierReason": "it is one in its version"}
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "name": "CrossVersion",
        "status": "active",
        "kind": "complex-type",
        "abstract": False,
        "type": "Extension",
        "baseDefinition": f"{_CORE}Extension",
        "derivation": "constraint",
        "differential": {
            "element": [
                root,
                *_parts(match["path"], told, table, is_type, "Extension"),
                {"id": "Extension.url", "path": "Extension.url", "fixedUri": url},
            ]
        },
    }


def _told(path: str, table: Table) -> Mapping[str, Json] | None:
    told = table.elements.get(path) or table.elements.get(f"{path}[x]")
    return told if isinstance(told, dict) and told.keys() & {"types", "elements"} else None


def _parts(
    path: str, told: Mapping[str, Json], table: Table, is_type: Callable[[str], bool], id_: str
) -> Iterator[Resource]:
    """What an extension holds: an extension for each part of the element, or a value."""
    inside = ".".join(step.partition(":")[0] for step in id_.split("."))
    if "elements" not in told:
        types = list(_types(told["types"], is_type))
        if types:
            value: Resource = {"id": f"{id_}.value[x]", "path": f"{inside}.value[x]", "type": types}
            yield value
        return
    for name in told["elements"] if id_.count(".") < _MAX_DEPTH else ():
        inner = _told(f"{path}.{name}", table) or {"types": ["*"]}
        part = f"{id_}.extension:{name}"
        yield {"id": part, "path": f"{inside}.extension", "sliceName": name}
        yield from _parts(f"{path}.{name}", inner, table, is_type, part)
        place = f"{inside}.extension.url"
        yield {"id": f"{part}.url", "path": place, "fixedUri": name}
    yield {"id": f"{id_}.value[x]", "path": f"{inside}.value[x]", "max": "0"}


def _types(written: list[str], is_type: Callable[[str], bool]) -> Iterator[Resource]:
    """The types of a value; none where one is not of R4, whose parts take other forms."""
    matches = [_TYPE.fullmatch(each) for each in written]
    codes = [
        "Quantity" if m and m["code"] == "SimpleQuantity" else m and m["code"] for m in matches
    ]
    if not all(code and is_type(code) for code in codes) or "Resource" in codes:
        return
    for match, code in zip(matches, codes, strict=True):
        names = (match["targets"] or "").split("|") if match else []
        targets = [f"{_CORE}{name}" for name in names if name and name != "Any"]
        known = code in {"Reference", "canonical"} and all(map(is_type, names))
        yield {"code": code, **({"targetProfile": targets} if known and targets else {})}
