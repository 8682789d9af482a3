"""A profile as it is published: with a version, its snapshot and a narrative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.snapshot import snapshot
from fhirpkg.render.narrative import narrative
from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Resource


def published_profile(profile: Resource, guide: Resource, definitions: Definitions) -> Resource:
    """A profile with the package's version and tag, its snapshot and a narrative."""
    header: Resource = {key: guide[key] for key in ("version", "date") if key in guide}
    tags = objects(guide.get("meta"), "tag")
    complete = profile | header
    if profile["resourceType"] == "StructureDefinition" and "snapshot" not in profile:
        complete = _with_snapshot(complete, definitions)
    first: Resource = {key: complete[key] for key in ("resourceType", "id")}
    meta: Resource = {"meta": {"tag": tags}} if tags else {}
    return first | meta | {"text": narrative(complete)} | complete


def _with_snapshot(profile: Resource, definitions: Definitions) -> Resource:
    """The profile with its snapshot before its differential, each element defined (sdf-3).

    The definitions shipped here leave out the prose of the specification; its summary replaces it.
    """
    elements = [
        {**element, "definition": element.get("definition", element.get("short", element["path"]))}
        for element in snapshot(profile, definitions)["snapshot"]["element"]
    ]
    rest = {key: value for key, value in profile.items() if key != "differential"}
    return {**rest, "snapshot": {"element": elements}, "differential": profile["differential"]}
