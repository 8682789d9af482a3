"""A package cache with the core of another release, made from a few of R4's own types."""

import copy
import json

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.packages.packing import index

_TYPES = (
    "Element BackboneElement Resource DomainResource Extension Meta Narrative Reference Period "
    "Identifier CodeableConcept Coding Attachment Basic Library Bundle id string code uri url "
    "canonical dateTime instant date boolean integer decimal markdown xhtml base64Binary "
    "unsignedInt"
).split()
_BASE = "http://hl7.org/fhir/StructureDefinition/"


def make_core(cache, release):
    """Put a small core of a release into a cache: its Attachment.size is an integer64."""
    core = Definitions.core()
    structures = {name: copy.deepcopy(core.structure(name)) for name in _TYPES}
    structures["integer64"] = renamed(structures["integer"], "integer64")
    structures["Transport"] = renamed(structures["Basic"], "Transport")
    structures["CodeableReference"] = codeable_reference(structures["Period"])
    for element in structures["Attachment"]["snapshot"]["element"]:
        if element["path"] == "Attachment.size":
            element["type"] = [{"code": "integer64"}]
    for element in structures["Transport"]["snapshot"]["element"]:
        if element["path"] == "Transport.subject":
            element["type"] = [{"code": "CodeableReference", "targetProfile": [f"{_BASE}Library"]}]
    return write_core(cache, release, structures.values())


def codeable_reference(period):
    """R5's type, from one that has two elements as well."""
    made = renamed(period, "CodeableReference")
    for element in made["snapshot"]["element"]:
        for old, new, kind in (
            ("start", "concept", "CodeableConcept"),
            ("end", "reference", "Reference"),
        ):
            if element["path"] == f"CodeableReference.{old}":
                path = f"CodeableReference.{new}"
                element |= {"id": path, "path": path, "type": [{"code": kind}]}
    [*others, _] = made["snapshot"]["element"][0]["constraint"]  # the last is per-1
    made["snapshot"]["element"][0]["constraint"] = others
    return made


def renamed(structure, name):
    text = json.dumps(structure, default=float)
    return json.loads(text.replace(structure["type"], name))


def write_core(cache, release, structures):
    folder = cache / f"{release.package}#{release.version}" / "package"
    folder.mkdir(parents=True)
    manifest = {
        "name": release.package,
        "version": release.version,
        "fhirVersions": [release.version],
        "type": "Core",
    }
    files = {
        f"StructureDefinition-{each['type']}.json": json.dumps(each, default=float).encode()
        for each in structures
    }
    files["package.json"] = json.dumps(manifest).encode()
    files[".index.json"] = index_bytes(files)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder.parent


def index_bytes(files):
    return json.dumps(index(files)).encode()
