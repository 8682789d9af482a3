"""The two ways of applying, in one table: drop nothing, or agree with the reference engine.

`complete` carries all that the target has a place for. `reference` gives what the engine inside
HAPI gives, so that results can be compared. Everything in which they differ stands here or in
the column of :data:`fhirpkg.applying.requests.kinds.KINDS`.
"""

from __future__ import annotations

from typing import NamedTuple

from fhirpkg.errors import ConfigError
from fhirpkg.rules import nearest

_BOTH = ("title", "description", "textEquivalent", "priority", "documentation", "type")
_BEHAVIORS = (
    "groupingBehavior",
    "selectionBehavior",
    "requiredBehavior",
    "precheckBehavior",
    "cardinalityBehavior",
)


class Dialect(NamedTuple):
    """How results are made; one row of the table."""

    name: str
    action_elements: tuple[str, ...]
    """Elements that a RequestGroup.action takes over from the PlanDefinition.action as they are."""
    condition_elements: tuple[str, ...]
    """Elements of a condition that are taken over; none stands for all."""
    all_action_codes: bool
    """All codes of an action, else the first only."""
    carries: bool
    """Participants, goals and reasons of actions; all that an activity has a place for."""
    explains: bool
    """Whether the outcome also reports actions that were left out, not only those that failed."""
    prunes_relations: bool
    """Relations to actions that are left out go with them."""
    one_of_both: bool
    """An action has a resource or actions, as R4's rqg-1 demands, never both or none."""
    lenient_fhirpath: bool
    """Whether text labelled FHIRPath that does not parse is read as CQL."""
    needs_subject: bool
    """A subject that cannot be read is an error, not an empty patient."""


DIALECTS = {
    "complete": Dialect(
        "complete",
        action_elements=("prefix", *_BOTH, *_BEHAVIORS),
        condition_elements=(),
        all_action_codes=True,
        carries=True,
        explains=True,
        prunes_relations=True,
        one_of_both=True,
        lenient_fhirpath=False,
        needs_subject=True,
    ),
    "reference": Dialect(
        "reference",
        action_elements=(*_BOTH, "selectionBehavior"),
        condition_elements=("kind", "expression"),
        all_action_codes=False,
        carries=False,
        explains=False,
        prunes_relations=False,
        one_of_both=False,
        lenient_fhirpath=True,
        needs_subject=False,
    ),
}


def dialect(name: str) -> Dialect:
    """The dialect of a name; raises ConfigError for another one."""
    if name not in DIALECTS:
        raise ConfigError(f"there is no dialect '{name}'{nearest(name, list(DIALECTS))}")
    return DIALECTS[name]
