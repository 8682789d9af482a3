"""The textLink extension: parts of narrative, each with the data that it is made from.

http://hl7.org/fhir/extensions/StructureDefinition-textLink.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import numbered, text_of
from fhirpkg.validation.narrative.rules import (
    NARRATIVE_DATA,
    NARRATIVE_PART,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_TEXT_LINK = "http://hl7.org/fhir/StructureDefinition/textLink"
_ID = re.compile(r"""\sid\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def check_text_links(narrative: Resource, resource: Resource, path: Path, run: Run) -> None:
    """Report links from parts that the narrative has not, or to data that is not there.

    Data may be in another resource; that this is not available is an error under strict checking
    alone.
    """
    numbered_links = numbered(narrative, "extension", path)
    links = [(place, link) for place, link in numbered_links if link.get("url") == _TEXT_LINK]
    if not links:
        return
    parts = {double or single for double, single in _ID.findall(text_of(narrative, "div"))}
    ids = set(_ids(resource))
    for place, link in links:
        for _, inner in numbered(link, "extension"):
            name, data = text_of(inner, "valueString"), text_of(inner, "valueUri")
            if inner.get("url") == "htmlid" and name and name not in parts:
                run.report(NARRATIVE_PART, place, name=name)
            if inner.get("url") == "data" and data:
                _check_data(data, ids, place, run)


def _check_data(data: str, ids: set[str], path: Path, run: Run) -> None:
    target, _, name = data.partition("#")
    if target and run.resolve(target, path) is None:
        run.report(NARRATIVE_DATA, path, severity=Severity.WARNING, data=data)
    elif not target and name not in ids:
        run.report(NARRATIVE_DATA, path, data=data)


def _ids(value: Json) -> Iterator[str]:
    """The ids of a resource and of everything in it."""
    todo = [value]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, dict):
            if name := text_of(node, "id"):
                yield name
            todo += node.values()
