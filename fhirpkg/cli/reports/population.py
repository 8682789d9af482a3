"""What applying a plan to the patients of an export gave: lines for each, counts at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.bulk.population import ForPatient


@dataclass(slots=True)
class Tally:
    """How many patients there were of each kind."""

    patients: int = 0
    without_open: int = 0
    failed: int = 0
    """Patients that the plan was not applied to, or not as a whole."""
    unread: bool = False
    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each criterion was in a state other than met."""

    def take(self, found: ForPatient) -> None:
        """Count one patient."""
        if not found.subject:
            self.unread = True
            return
        self.patients += 1
        self.failed += not found.applied
        self.without_open += found.applied is not None and bool(found.applied) and not found.open
        self.states.update((str(each["id"]), str(each["state"])) for each in found.open)

    @property
    def is_whole(self) -> bool:
        """Whether every line was read and every patient's conditions were evaluated."""
        return not (self.failed or self.unread)

    def lines(self) -> Iterator[str]:
        """The counts in words."""
        failed = f", {self.failed} not evaluated as a whole" if self.failed else ""
        yield f"{self.patients} patients: {self.without_open} with nothing open{failed}"
        for (name, state), count in sorted(self.states.items()):
            yield f"  {name} {state}: {count}"


def told(found: ForPatient) -> Iterator[str]:
    """The lines of one patient: the state of each criterion, and what could not be evaluated."""
    yield found.subject or "the export"
    if found.problem:
        yield f"  NOT APPLIED: {found.problem}" if found.subject else f"  {found.problem}"
    for criterion in found.applied.criteria if found.applied else ():
        state, why = str(criterion["state"]), criterion["why"] or criterion["id"]
        yield f"  {state if state == 'met' else state.upper()}: {why}"
    for why in found.applied.why if found.applied else ():
        if why.verdict == "not evaluated":
            yield f"  NOT EVALUATED: {why.title or why.action_id}: {why.reason}"
