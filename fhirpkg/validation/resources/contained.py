"""Contained resources: each is referred to, or refers to what contains it (dom-3); their ids.

The published expression misses references in narrative and looks at every pair of resources; this
collects what is referred to once (http://hl7.org/fhir/R4/references.html#contained).
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import text_of
from fhirpkg.validation.elements.constraints import invariant_rule
from fhirpkg.validation.elements.primitives import cut
from fhirpkg.validation.elements.reference_rules import (
    CONTAINED_ID,
)

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_HUMAN = (
    "If the resource is contained in another resource, it SHALL be referred to from elsewhere in"
    " the resource or SHALL refer to the containing resource"
)
_DOM_3 = invariant_rule("dom-3", Severity.ERROR, _HUMAN)
_IN_NARRATIVE = re.compile(r"""(?:href|src)\s*=\s*["']#([^"'/]+)""")


def check_contained(resource: Resource, path: Path, run: Run) -> None:
    """Report each contained resource that nothing refers to, or that has the id of another."""
    contained = resource.get("contained")
    if not isinstance(contained, list) or not run.settings.inner:
        return
    elsewhere = {key: value for key, value in resource.items() if key != "contained"}
    _check_ids(contained, path, run)
    named = [_fragments(item) for item in contained]
    around = _fragments(elsewhere)
    times = Counter(chain.from_iterable(named))
    for index, item in enumerate(contained):
        if not isinstance(item, dict) or "" in named[index]:
            continue
        identifier = item.get("id")
        is_named = isinstance(identifier, str) and (
            identifier in around or times[identifier] > (identifier in named[index])
        )
        if not is_named:
            place = (*path, "contained", index)
            run.report(_DOM_3, place, human=_HUMAN)


def _check_ids(contained: list[Json], path: Path, run: Run) -> None:
    """Two contained resources with one id cannot be distinguished."""
    seen: set[str] = set()
    for number, item in enumerate(contained):
        identifier = text_of(item, "id") if isinstance(item, dict) else ""
        if identifier in seen:
            run.report(CONTAINED_ID, (*path, "contained", number), id=cut(identifier, 80))
        seen |= {identifier} - {""}


def _fragments(value: Json) -> set[str]:
    """The ids that are referred to by ``#id`` anywhere in a value; nothing for ``#`` alone."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            if node.startswith("#"):
                found.add(node[1:])
            elif node.startswith("<"):
                found.update(_IN_NARRATIVE.findall(node))
        elif isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return found
