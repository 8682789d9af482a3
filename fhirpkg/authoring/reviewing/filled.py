"""A sheet that came back: its entries, checked against the procedures, as verdicts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirpkg.authoring.model.review import Review, SignOff, Verdict
from fhirpkg.authoring.reviewing.rules import (
    REVIEW_FACT,
    REVIEW_NO_VERDICT,
    REVIEW_PROCEDURE,
    REVIEW_TWICE,
    REVIEW_VERDICT,
    REVIEW_WORDS,
)
from fhirpkg.authoring.reviewing.sheet import ADDED, JUDGED, SIGN_OFF, SIGNED, WHOLE
from fhirpkg.authoring.reviewing.verdicts import digest_of
from fhirpkg.languages.words import recognized
from fhirpkg.rules import issue, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fhirpkg.authoring.reviewing.sheet import Line, Sheet
    from fhirpkg.issues import Issue
    from fhirpkg.rules import Rule


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a sheet that came back; `words` is None where the form does not repeat them."""

    file: str
    sheet: str
    row: int
    procedure: str
    label: str
    digest: str
    verdict: str
    note: str = ""
    words: str | None = None

    @property
    def is_filled(self) -> bool:
        """Whether a reader wrote anything into it."""
        return bool(self.verdict or self.note)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who filled a sheet in, and the day."""

    by: str
    on: str


def plain_verdict(text: str) -> str:
    """A verdict in English, without what its writing has of case, white space and marks.

    >>> plain_verdict(' "Added-words". ')
    'added words'
    >>> plain_verdict("Igual")
    'same'
    """
    plain = " ".join(_MARKS.sub(" ", text.casefold()).split())
    return recognized((*JUDGED, *SIGNED)).get(plain, plain)


_MARKS = re.compile(r"[\s_.,;!\"'\u2018-\u201f\u2010-\u2015-]+")


def report(entry: Entry, rule: Rule, **found: Any) -> Issue:
    """An issue at the row of a sheet."""
    where = f"sheet '{entry.sheet}', row {entry.row}"
    return issue(rule, file=entry.file, line=entry.row, where=where, **found)


def check(entries: Iterable[Entry], sheets: Mapping[str, Sheet]) -> Iterator[Issue]:
    """Everything that keeps a sheet from being taken; `sheets` are those of now, by procedure."""
    seen: dict[tuple[str, str], int] = {}
    for entry in entries:
        sheet = sheets.get(entry.procedure)
        if sheet is None:
            near, allowed = nearest(entry.procedure, list(sheets)), ", ".join(sheets)
            yield report(entry, REVIEW_PROCEDURE, id=entry.procedure, nearest=near, allowed=allowed)
            continue
        line = sheet.line(entry.label)
        key = (entry.procedure, entry.label)
        if line is None:
            near = nearest(entry.label, [each.label for each in sheet.lines])
            yield report(entry, REVIEW_FACT, fact=entry.label, nearest=near)
        elif key in seen:
            yield report(entry, REVIEW_TWICE, fact=entry.label, first=seen[key])
        else:
            yield from _check_entry(entry, line)
        seen.setdefault(key, entry.row)


def _check_entry(entry: Entry, line: Line) -> Iterator[Issue]:
    if entry.verdict and entry.verdict not in line.verdicts:
        near, allowed = nearest(entry.verdict, list(line.verdicts)), ", ".join(line.verdicts)
        yield report(entry, REVIEW_VERDICT, found=entry.verdict, nearest=near, allowed=allowed)
    if entry.note and not entry.verdict:
        yield report(entry, REVIEW_NO_VERDICT, fact=entry.label)
    if _is_edited(entry, line):
        yield report(entry, REVIEW_WORDS, fact=entry.label)


def _is_edited(entry: Entry, line: Line) -> bool:
    """Whether the words are not those that the digest beside them was made of."""
    if entry.words is None:
        return False
    if entry.label == SIGN_OFF:
        return _plain(entry.words).casefold() not in recognized([WHOLE])
    if entry.digest == line.digest:
        return _plain(entry.words) != _plain(line.words)
    return digest_of([entry.words]) != entry.digest


def _plain(words: str) -> str:
    """Words without what programs change of the white space of a cell."""
    return " ".join(words.split())


def is_of_now(entry: Entry, sheet: Sheet) -> bool:
    """Whether the words that were read are those of the procedure as it is."""
    line = sheet.line(entry.label)
    return line is not None and line.digest == entry.digest


def merged(review: Review | None, entries: Iterable[Entry], reader: Reader) -> Review:
    """The review with the entries of a reader in it; lines left empty stay as they were.

    A verdict keeps the digest of the sheet: on words that were changed since it is stale. A new
    sign-off replaces an earlier one of the same person and kind.
    """
    review = review or Review.model_validate({"by": reader.by, "on": reader.on, "facts": {}})
    of_all = (review.by, review.on) == (reader.by, reader.on)
    who = {} if of_all else {"by": reader.by, "on": reader.on}
    facts, additions, signed = dict(review.facts), dict(review.additions), [*review.sign_off]
    for entry in entries:
        found = {"verdict": entry.verdict, "digest": entry.digest, "note": entry.note}
        if not entry.is_filled:
            continue
        if entry.label == SIGN_OFF:
            new = SignOff.model_validate({**found, "by": reader.by, "on": reader.on})
            signed = [s for s in signed if (s.by, s.verdict) != (new.by, new.verdict)] + [new]
        elif entry.label.startswith(ADDED):
            additions[entry.label.removeprefix(ADDED)] = Verdict.model_validate({**found, **who})
        else:
            facts[entry.label] = Verdict.model_validate({**found, **who})
    changed = {"facts": facts, "additions": additions, "sign_off": tuple(signed)}
    return review.model_copy(update=changed)


def overruled(review: Review | None, entries: Iterable[Entry], reader: Reader) -> Iterator[str]:
    """The verdicts of other readers on the same words that entries replace by another one."""
    if review is None:
        return
    known = {**review.facts, **{ADDED + name: each for name, each in review.additions.items()}}
    for entry in entries:
        old = known.get(entry.label)
        by = (old.by or review.by) if old else ""
        if old is None or by == reader.by or old.digest != entry.digest:
            continue
        if entry.verdict not in ("", old.verdict):
            yield f"{entry.procedure} {entry.label}, '{old.verdict}' by {by}"
