"""source.lock: what a monograph was when it was drafted from, in hashes and lines without words."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fhirpkg.authoring.drafting.monograph import Monograph

LOCK = "source.lock"
LONGEST_RUN = 8
"""From so many equal words on a text counts as copied."""
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Locked:
    """One fact of the source: label (none when it was not placed), line, hash and runs of words."""

    fact: str
    line: int
    hash: str
    runs: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """The facts of one edition of a source; `rights` says whether its words may be copied."""

    file: str
    sha256: str
    rights: str
    facts: tuple[Locked, ...]

    @property
    def placed(self) -> list[Locked]:
        """The facts that are below a section."""
        return [fact for fact in self.facts if fact.fact]

    @property
    def counts(self) -> dict[str, int]:
        """How many facts each section has."""
        return dict(Counter(_section(fact) for fact in self.placed))


def lock(monograph: Monograph, *, file: str, content: bytes, rights: str) -> Lock:
    """The lock of a monograph; runs of words only where they may not be copied."""
    pairs = zip(monograph.facts, monograph.labels(), strict=True)
    facts = [
        Locked(label, fact.line, _hash(fact.text), _runs(fact.text) if rights == "none" else ())
        for fact, label in pairs
    ]
    told = [
        Locked("", t.line, _hash(t.text), (), _without_words(t.why))
        for t in monograph.told
        if t.text
    ]
    return Lock(file, hashlib.sha256(content).hexdigest(), rights, (*facts, *told))


def _without_words(why: str) -> str:
    """The reason without the heading that it quotes, whose words are the source's."""
    return re.sub(r"'.*'", "a heading of no section", why)


def _hash(text: str) -> str:
    return hashlib.sha256(" ".join(_words(text)).encode()).hexdigest()[:_DIGITS]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _runs(text: str) -> tuple[str, ...]:
    words = _words(text)
    return tuple(
        _hash(" ".join(words[at : at + LONGEST_RUN])) for at in range(len(words) - LONGEST_RUN + 1)
    )


def copied(locked: Lock, text: str) -> bool:
    """Whether a text has a run of eight words that the source has, and must not be copied."""
    known = {run for fact in locked.facts for run in fact.runs}
    return bool(known) and any(run in known for run in _runs(text))


def write(locked: Lock) -> str:
    """The text of source.lock."""
    facts = [
        {key: value for key, value in _as_json(fact).items() if value} for fact in locked.facts
    ]
    head = {"file": locked.file, "sha256": locked.sha256, "rights": locked.rights}
    lines = ",\n".join("    " + json.dumps(fact) for fact in facts)
    return json.dumps(head, indent=2).removesuffix("\n}") + f',\n  "facts": [\n{lines}\n  ]\n}}\n'


def _as_json(fact: Locked) -> dict[str, object]:
    return {
        "fact": fact.fact, "line": fact.line, "hash": fact.hash, "runs": list(fact.runs),
        "why": fact.why,
    }  # fmt: skip


def read(file: Path) -> Lock:
    """Read a source.lock. Raises SourceError when it is not one."""
    try:
        data = json.loads(file.read_text("utf-8"))
        facts = tuple(
            Locked(
                f.get("fact", ""),
                f.get("line", 0),
                f["hash"],
                tuple(f.get("runs", ())),
                f.get("why", ""),
            )
            for f in data["facts"]
        )
        return Lock(data["file"], data["sha256"], data["rights"], facts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(str(file), f"it is not a source.lock ({error})") from error


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a fact in a new edition.

    It is `changed`, `new`, `gone`, `renamed`, or `placed` and `unplaced` as headings came and went.
    """

    kind: str
    before: str
    after: str
    line: int


def changes(old: Lock, new: Lock) -> Iterator[Change]:
    """How a new edition differs from the one that was drafted from, section by section.

    A fact that another section has now has a new name, and has not changed.
    """
    moved = dict(_moves(old, new))
    for before, after in moved.items():
        kind = "renamed" if before.fact and after.fact else "placed" if after.fact else "unplaced"
        yield Change(kind, before.fact, after.fact, after.line)
    sections = dict.fromkeys(_section(fact) for fact in (*old.facts, *new.facts))
    there, here = set(moved), set(moved.values())
    for section in sections:
        was = [f for f in old.facts if _section(f) == section and f not in there]
        now = [f for f in new.facts if _section(f) == section and f not in here]
        yield from _section_changes(was, now)


def _moves(old: Lock, new: Lock) -> Iterator[tuple[Locked, Locked]]:
    """The facts that occur once in each edition, but in different sections."""
    editions = [Counter(fact.hash for fact in each.facts) for each in (old, new)]
    now = {fact.hash: fact for fact in new.facts}
    for before in old.facts:
        after = now.get(before.hash)
        is_single = all(edition[before.hash] == 1 for edition in editions)
        if after and is_single and _section(after) != _section(before):
            yield before, after


def _section(fact: Locked) -> str:
    return fact.fact.partition("-")[0]


def _section_changes(before: list[Locked], after: list[Locked]) -> Iterator[Change]:
    hashes = [fact.hash for fact in before], [fact.hash for fact in after]
    matcher = difflib.SequenceMatcher(None, *hashes, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        pairs = min(b - a, d - c)
        for old, new in zip(before[a : a + pairs], after[c : c + pairs], strict=True):
            if tag == "equal" and old.fact != new.fact:
                yield Change("renamed", old.fact, new.fact, new.line)
            elif tag != "equal":
                yield Change("changed", old.fact, new.fact, new.line)
        for old in before[a + pairs : b]:
            yield Change("gone", old.fact, "", old.line)
        for new in after[c + pairs : d]:
            yield Change("new", "", new.fact, new.line)
