"""A reader's verdicts: whether what is said for a fact is still what the source says.

`from` names the fact that an item expresses; only a reader of the source can say whether it says
the same. `review.yaml` beside procedure.yaml holds one verdict a fact and the digest of the words
that were read, so that a verdict on words that were changed since is known to be of an older text.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from fhirpkg.authoring import source
from fhirpkg.authoring.checks import check_part
from fhirpkg.authoring.coverage import words_for
from fhirpkg.authoring.model.parts import Part
from fhirpkg.authoring.model.values import Fact, Text
from fhirpkg.authoring.rules import SOURCE_REVIEW, SOURCE_UNKNOWN_FACT
from fhirpkg.rules import issue, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.issues import Issue

REVIEW = "review.yaml"
_DIGITS = 12


class Verdict(Part):
    """What a reader found for one fact."""

    verdict: Literal["same", "weaker", "stronger", "added words"] = Field(
        description="Whether the content says the same as the source, less, more, or more besides"
    )
    digest: Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{_DIGITS}}}$")] = Field(
        description="The digest of the words that were read; `coverage` prints it"
    )
    by: Text | None = Field(None, description="Who read it, where it is somebody else")
    note: str = Field("", description="In which way it differs")


class Review(Part):
    """The verdicts of one procedure."""

    by: Text = Field(description="Who read it")
    facts: dict[Fact, Verdict] = Field(description="The verdict on each fact")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The state of one fact: the digest of its words now, and the verdict on them, if any."""

    digest: str
    verdict: Verdict | None = None
    by: str = ""

    @property
    def is_stale(self) -> bool:
        """Whether the words were changed after they were read."""
        return self.verdict is not None and self.verdict.digest != self.digest


def reviewed(procedure: Procedure, review: Review | None) -> dict[str, Reviewed]:
    """Each fact of the source that something is said for, with its verdict."""
    labels = procedure.source.labels() if procedure.source else []
    verdicts: Mapping[str, Verdict] = review.facts if review else {}
    states = {}
    for label in labels:
        words = words_for(procedure, label)
        if words:
            found = verdicts.get(label)
            by = (found.by or (review.by if review else "")) if found else ""
            states[label] = Reviewed(_digest(words), found, by)
    return states


def _digest(words: list[str]) -> str:
    """The first digits of the SHA-256 of the words, line by line."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:_DIGITS]


def read_review(folder: Path, procedure: Procedure) -> tuple[Review | None, tuple[Issue, ...]]:
    """The review of a folder, or None when there is none that can be used, and what is wrong."""
    file = folder / REVIEW
    if not file.is_file():
        return None, ()
    read = source.read(file.read_bytes(), str(file))
    labels = procedure.source.labels() if procedure.source else []
    facts = read.data.get("facts") if isinstance(read.data, dict) else None
    for fact in facts if isinstance(facts, dict) else ():
        if labels and str(fact) not in labels:
            close = nearest(str(fact), labels)
            place = ("facts", fact)
            read.report(
                SOURCE_UNKNOWN_FACT, place, key=True, fact=fact, nearest=close, example=labels[0]
            )
    return check_part(read, Review)


def unreviewed(file: Path, procedure: Procedure) -> Iterator[Issue]:
    """What is wrong with the review beside a procedure.yaml, and how many facts it leaves open."""
    review, issues = read_review(file.parent, procedure)
    yield from issues
    states = reviewed(procedure, review)
    without = [fact for fact, state in states.items() if state.verdict is None]
    stale = [fact for fact, state in states.items() if state.is_stale]
    if without or stale:
        yield issue(
            SOURCE_REVIEW,
            file=str(file),
            line=1,
            column=1,
            without=len(without),
            total=len(states),
            stale=len(stale),
        )
