"""ActorDefinitions: the actors that they are derived from.

See http://hl7.org/fhir/R5/actordefinition-definitions.html#ActorDefinition.derivedFrom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.untrusted import text_of, texts
from fhirpkg.validation.conformance.rules import ACTOR_DERIVED

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run


def check_actor(actor: Resource, path: Path, run: Run) -> None:
    """Report actors that are derived from themselves, or from one that is of another kind."""
    kind = text_of(actor, "type")
    for number, canonical in enumerate(texts(actor, "derivedFrom")):
        place = (*path, "derivedFrom", number)
        base = _actor(canonical, path, run)
        if base is None:
            continue
        of_base = text_of(base, "type")
        if of_base != kind and of_base and kind:
            problem = f"'{canonical}' is a {of_base}, but this is a {kind}"
            run.report(ACTOR_DERIVED, place, problem=problem)
        elif text_of(actor, "url") in _ancestors(base, path, run):
            problem = f"'{canonical}' is itself derived from this one"
            run.report(ACTOR_DERIVED, place, problem=problem)


def _ancestors(actor: Resource, path: Path, run: Run) -> set[str]:
    """The urls of all that an actor is derived from, as far as those between are loaded."""
    found: set[str] = set()
    todo = texts(actor, "derivedFrom")
    while todo:
        canonical = todo.pop()
        url = canonical.partition("|")[0]
        if url not in found:
            found.add(url)
            todo += texts(_actor(canonical, path, run) or {}, "derivedFrom")
    return found


def _actor(canonical: str, path: Path, run: Run) -> Resource | None:
    found = run.definitions.find(canonical, "ActorDefinition") or run.resolve(canonical, path)
    return found if found and found.get("resourceType") == "ActorDefinition" else None
