"""A reader's verdicts: whether what is said for a fact is still what the source says.

`from` names the fact that an item expresses; only a reader of the source can say whether it says
the same. `review.yaml` beside procedure.yaml holds one verdict a fact and the digest of the words
that were read, so that a verdict on words that were changed since is known to be of an older text.
A sign-off is on the whole of a procedure; the FHIR names reviewers, endorsers and days of approval
and review only from sign-offs that are of the text as it is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.authoring import source
from fhirpkg.authoring.checking.authored import check_part
from fhirpkg.authoring.coverage import words_by_fact
from fhirpkg.authoring.model.review import DIGITS, Review
from fhirpkg.authoring.rules import SOURCE_REVIEW, SOURCE_UNKNOWN_FACT
from fhirpkg.packages.freshness import REVIEW
from fhirpkg.rules import issue, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.model.review import SignOff, Verdict
    from fhirpkg.issues import Issue


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The state of one fact: the digest of its words now, and the verdict on them, if any."""

    digest: str
    verdict: Verdict | None = None
    by: str = ""
    on: str = ""

    @property
    def is_stale(self) -> bool:
        """Whether the words were changed after they were read."""
        return self.verdict is not None and self.verdict.digest != self.digest


def reviewed(procedure: Procedure, review: Review | None) -> dict[str, Reviewed]:
    """Each fact of the source that something is said for, with its verdict."""
    labels = procedure.source.labels() if procedure.source else []
    verdicts: Mapping[str, Verdict] = review.facts if review else {}
    states = {}
    said = words_by_fact(procedure)
    for label in labels:
        words = said.get(label)
        if words:
            found = verdicts.get(label)
            states[label] = state(words, found, review)
    return states


def state(words: Sequence[str], found: Verdict | None, review: Review | None) -> Reviewed:
    """The state of what is said in some words, with the reader that the review names for all."""
    if found is None or review is None:
        return Reviewed(digest_of(words))
    by, on = found.by or review.by, found.on or ("" if found.by else review.on) or ""
    return Reviewed(digest_of(words), found, by, on)


def digest_of(words: Iterable[str]) -> str:
    """The first digits of the SHA-256 of the words, line by line."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:DIGITS]


def digest_of_all(procedure: Procedure) -> str:
    """The digest that a sign-off is on: of everything an author has written, codes too."""
    written = procedure.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return digest_of([json.dumps(written, sort_keys=True)])


def current(procedure: Procedure, review: Review | None) -> tuple[SignOff, ...]:
    """The sign-offs that are on the procedure as it is now."""
    if review is None or not review.sign_off:
        return ()
    now = digest_of_all(procedure)
    return tuple(each for each in review.sign_off if each.digest == now)


def without_sign_off(procedure: Procedure, review: Review | None) -> str:
    """What content in use still needs: an approval of the text as it is, with all its facts read.

    Nothing when it has both.
    """
    approvals = [each for each in (review.sign_off if review else ()) if each.verdict == "approved"]
    if not approvals:
        return "nobody has approved it"
    now = digest_of_all(procedure)
    if all(each.digest != now for each in approvals):
        return f"the text has changed since {approvals[-1].by} approved it on {approvals[-1].on}"
    states = reviewed(procedure, review)
    open_ = [fact for fact, each in states.items() if each.verdict is None or each.is_stale]
    return f"no reader has checked {', '.join(open_)}" if open_ else ""


def read_review(folder: Path, procedure: Procedure) -> tuple[Review | None, tuple[Issue, ...]]:
    """The review of a folder, or None when there is no usable one, and its issues."""
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
