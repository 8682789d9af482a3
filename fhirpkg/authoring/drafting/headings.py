"""The table of headings: which section of procedure.yaml a heading of a monograph names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FIGURES = "one two three four five six seven eight nine ten eleven twelve".split()
"""The numbers that texts write as words, from 1."""
_PREFIX = re.compile(
    r"\b(pre|post|intra|peri)(?=(?:procedur|operat|surg|treat|test|assess|exam|an(?:a|e)?esth|medicat"
    r"|admission|discharge|interven|care\b|op\b))"
)
_NUMBERING = re.compile(
    r"^(?:(?:section|part|chapter|step)\s+)?(?:\d{1,2}(?:\.\d{1,2})*|[ivx]{1,5}|[a-z]"
    rf"|{'|'.join(FIGURES)})[.):]+\s+"
    r"|^\d{1,2}(?:\.\d{1,2})*\s+|^§\s*\d*\s*",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(r"\b(?:of|for|from|with|in|to|after|before|during|by|on|at|following)\b")

_ADVERB = re.compile(r"\b(?:actually|exactly|really|normally|usually|typically)\b ?")
_ARTICLE = "(?:an?|the|your|my|this)"
_QUESTION = re.compile(r"(?:what|who|whom|when|where|why|how|which|is|are|will|does|do i)\b")
_TWICE = re.compile(r"\s*[|/]\s+|\s+[|/]\s*")
"""What stands between the same heading in two languages: ``Risks / Riesgos``."""
_WHAT_IT_IS = re.compile(r"(?:what (?:is|are)|about) (?:an? |the |your )?(.+)")


@dataclass(frozen=True, slots=True)
class Named:
    """What a heading names: one section, none (`why` says so), or several.

    `is_known` says whether the table knows it, `is_phase` that only a word of time names it.
    """

    sections: tuple[str, ...] = ()
    why: str = ""
    is_known: bool = False
    is_phase: bool = False

    @property
    def section(self) -> str:
        """The section, when it is certain."""
        return self.sections[0] if len(self.sections) == 1 and not self.why else ""


_UNKNOWN = Named()


@dataclass(frozen=True, slots=True)
class Headings:
    """The compiled table, with the headings that a user taught and the procedure's own name."""

    against: re.Pattern[str]
    forbids: re.Pattern[str]
    rejects: re.Pattern[str]
    wary: re.Pattern[str]
    elsewhere: re.Pattern[str]
    several: re.Pattern[str]
    foreign: Mapping[str, re.Pattern[str]]
    asks: Mapping[str, re.Pattern[str]]
    asks_strictly: Mapping[str, re.Pattern[str]]
    heads: Mapping[str, re.Pattern[str]]
    beside: Mapping[str, re.Pattern[str]]
    phases: Mapping[str, re.Pattern[str]]
    topics: re.Pattern[str]
    filler: re.Pattern[str]
    loose: re.Pattern[str]
    alone: re.Pattern[str]
    labels: re.Pattern[str]
    lessons: re.Pattern[str]
    imprint: re.Pattern[str]
    letterhead: re.Pattern[str]
    procedure: re.Pattern[str]
    taught: Mapping[str, str] = field(default_factory=dict)
    name: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()

    def naming(self, words: Iterable[str], titles: Iterable[str] = ()) -> Headings:
        """The same table for a procedure whose name has these words; titles name no section."""
        words = list(words)
        called = {each for text in words for each in _called(text)}
        # what comes after "post-" in a name, such as "post-traumatic", says nothing of its own
        texts = (
            re.sub(r"\b(?:pre|post) \w+", " ", text) for text in (*map(normal, words), *called)
        )
        name = frozenset(word for text in texts for word in text.split() if len(word) > 2)
        titles = frozenset(map(normal, titles))
        return replace(self, name=name, called=frozenset(called), titles=titles)

    def named(self, heading: str, *, strictly: bool = False) -> Named:
        """What a heading names; `strictly` also for lines that only look like one.

        >>> table().named("Reasons against").section
        'contraindications'
        >>> table().named("Risks and benefits").sections
        ('risks', 'benefits')
        """
        if len(parts := _TWICE.split(heading.strip())) == 2:
            first, second = (self.named(part, strictly=strictly) for part in parts)
            if first.is_known and second.is_known and first.sections == second.sections:
                return first
        words = _ADVERB.sub("", normal(heading))
        if words in self.taught:
            return Named((self.taught[words],), is_known=True)
        if not words or words in self.titles or (strictly and self._is_loose(words)):
            return _UNKNOWN
        found = self._named(words, strictly=strictly)
        if found.is_known:
            return found
        named = self._named(self._with_it(words), strictly=strictly)
        if named.section or strictly:
            return named if named.section else found
        named = self._named(self._with_it(words, parts=True), strictly=False)
        # a part of the name may be the disease: who has the hernia is nobody that needs its repair
        return named if named.section == "contraindications" else found

    def _with_it(self, words: str, *, parts: bool = False) -> str:
        """A heading with "it" for the procedure's name, and for parts of it such as "the drain"."""
        for each in sorted(self.called, key=len, reverse=True):
            words = re.sub(rf"\b(?:{_ARTICLE} )?{re.escape(each)}s?\b", "it", words)
        for article, word in re.findall(rf"\b({_ARTICLE}) (\w+)", words) if parts else ():
            if word in self.name:
                words = re.sub(rf"\b{article} (?:(?:{'|'.join(self.name)})\b ?)+", "it ", words)
        return words.strip()

    def _named(self, words: str, *, strictly: bool) -> Named:
        if self.elsewhere.fullmatch(words):
            return Named(why="it belongs to no section", is_known=True)
        if self.several.fullmatch(words):
            return Named(why="it may be one of several sections", is_known=True)
        asked = self._asked(words, strictly=strictly)
        if foreign := next((s for s, p in self.foreign.items() if p.fullmatch(words)), ""):
            return asked if asked.section else Named((foreign,), is_known=True)
        joined = self._joined(words)
        if asked.section in self.phases and len(at := self._times(words)) > 1:
            return Named(at, f"it names {' and '.join(at)}", is_known=True)
        if self.against.search(words) and len(joined) < 2:
            return asked if asked.section == "contraindications" else self._turned_round(words)
        if len(joined) > 1 and asked.section != "experience":
            return Named(joined, f"it names {' and '.join(joined)}", is_known=True)
        if asked.section:
            return asked
        found = self._headed(words, strictly=strictly)
        is_one = len(joined) == 1 and all(map(self._part, _parts(words)))
        return found if found.is_known or not is_one else Named(joined, is_known=True)

    def _is_loose(self, words: str) -> bool:
        is_asked = _QUESTION.match(words) or words in self.taught
        is_alone = bool(self.alone.fullmatch(words)) and words not in self.taught
        return is_alone or (not is_asked and any(map(self.loose.fullmatch, words.split())))

    def _asked(self, words: str, *, strictly: bool = False) -> Named:
        asks = self.asks_strictly if strictly and not _QUESTION.match(words) else self.asks
        for section, pattern in asks.items():
            if pattern.fullmatch(words):
                return Named((section,), is_known=True)
        named = _WHAT_IT_IS.fullmatch(words)
        if named and named[1] in self.called:
            return Named(("summary",), is_known=True)
        return _UNKNOWN

    def _turned_round(self, words: str) -> Named:
        found = self._phased(words)
        return found if found.section else Named(why="it is a negation that may mean anything")

    def _joined(self, words: str) -> tuple[str, ...]:
        """The sections that the parts of a heading name, when it joins several."""
        parts = _parts(words)
        found = dict.fromkeys(map(self._part, parts))
        return tuple(section for section in found if section) if len(parts) > 1 else ()

    def _times(self, words: str) -> tuple[str, ...]:
        """The sections that a heading joins by words of time: "before, during and after"."""
        if not re.search(r"\b(?:and|or|to)\b", words):
            return ()
        return tuple(s for s, pattern in self.phases.items() if pattern.search(words))

    def _part(self, words: str) -> str:
        found = self._headed(words, strictly=False)
        return found.section if found.section and not found.is_phase else self._asked(words).section

    def _headed(self, words: str, *, strictly: bool) -> Named:
        """By the words that name a section, if there are no others beside them."""
        found, rest = [], words
        for section, pattern in self.heads.items():
            if pattern.search(rest):
                found.append(section)
                rest = pattern.sub(" ", rest)
        if not found:
            return self._phased(words)
        whole = self._is_filled(rest, found)
        if not whole and not strictly and len(found) == 1:
            last = max(m.end() for m in self.heads[found[0]].finditer(words))
            tail = _PREPOSITION.search(words, last)
            before = self.heads[found[0]].sub(" ", words[: tail.start()]) if tail else ""
            is_ours = tail is not None and self._is_of_the_procedure(words[tail.end() :])
            whole = is_ours and self._is_filled(before, found)
        if not whole:
            return _UNKNOWN
        if len(found) > 1:
            return Named(tuple(found), f"it names {' and '.join(found)}", is_known=True)
        return Named((found[0],), is_known=True)

    def _is_of_the_procedure(self, words: str) -> bool:
        """Whether words speak of the procedure, by its name or as procedures are called."""
        return any(word in self.name or self.procedure.fullmatch(word) for word in words.split())

    def _is_filled(self, rest: str, found: list[str]) -> bool:
        return all(
            self.filler.fullmatch(word)
            or self.labels.fullmatch(word)
            or word in self.name
            or any(self.beside[s].fullmatch(word) for s in found if s in self.beside)
            or any(p.fullmatch(word) for p in self.phases.values())
            for word in rest.split()
        )

    def _phased(self, words: str) -> Named:
        """By the words that say when, beside topics such as food or medicines."""
        found, rest = [], words
        for section, pattern in self.phases.items():
            if pattern.search(rest):
                found.append(section)
                rest = pattern.sub(" ", rest)
        is_free = all(
            self.filler.fullmatch(word)
            or self.topics.fullmatch(word)
            or self.against.fullmatch(word)
            or word in self.name
            for word in rest.split()
        )
        if not found or not is_free:
            return _UNKNOWN
        if len(found) > 1:
            why = f"it names {' and '.join(found)}"
            return Named(tuple(found), why, is_known=True, is_phase=True)
        return Named((found[0],), is_known=True, is_phase=True)

    def says_not(self, text: str) -> bool:
        """Whether words reverse the meaning of what is below them."""
        return bool(self.against.search(normal(text)))

    def says_not_to(self, text: str) -> bool:
        """Whether words say that something is not to be done, not that something did not help."""
        return bool(self.forbids.search(normal(text)))

    def is_wary(self, heading: str) -> bool:
        """Whether an unknown heading may hold what speaks against the procedure."""
        return bool(self.wary.search(normal(heading)))

    def rejects_it(self, sentence: str) -> bool:
        """Whether a sentence says of the procedure itself when it is not to be done.

        >>> table().rejects_it("It is not recommended in pregnancy.")
        True
        >>> table().rejects_it("People for whom surgery is not an option.")
        False
        """
        return bool(self.rejects.match(self._with_it(normal(sentence))))

    def without_labels(self, heading: str) -> str:
        """A heading without the words that only divide its section: "Rare risks" is "risks"."""
        words = heading.split()
        return " ".join(w for w in words if not self.labels.fullmatch(normal(w))) or heading

    def nearest(self, heading: str) -> str:
        """The section that a word of an uncertain heading suggests, or nothing."""
        words = normal(heading)
        if self.against.search(words):
            return "contraindications"
        tables = (self.heads, self.phases)
        return next((s for t in tables for s, p in t.items() if p.search(words)), "")


def _parts(words: str) -> list[str]:
    """What a heading joins: "risks and benefits" joins two."""
    return [part.strip() for part in re.split(r"\b(?:and|or|vs|versus)\b", words)]


def normal(heading: str) -> str:
    """A heading in plain words.

    >>> normal("3.2  Who shouldn't have a pre-procedural scan?")
    'who should not have a pre procedural scan'
    """
    text = re.sub(r"[‘’´`]", "'", heading.strip().lower())
    text = _NUMBERING.sub("", text)
    text = re.sub(r"\[(?:edit|\d+|top|back)\]", " ", text)
    outside = re.sub(r"\([^)]*\)", " ", text)
    text = outside if re.search(r"[a-z]", outside) else text
    text = re.sub(r"\bcan't\b", "cannot", text)
    text = re.sub(r"\bwon't\b", "will not", text)
    text = re.sub(r"n't\b", " not", text)
    text = re.sub(r"'(?:s|re|ll|ve|d|m)?\b", _expanded, text)
    text = re.sub(r"&|\+", " and ", text)
    text = re.sub(r"/|:\s|\s[-–—]\s", " and ", text)
    text = re.sub(r"[^\w\s]|_", " ", text)
    text = re.sub(r"\b(?:but )?(?:(?:are|is) )?not (?:limited|restricted) to\b", " ", text)
    text = re.sub(r"\bcontra(?=indicat)", "contra ", text)
    return " ".join(_PREFIX.sub(r"\1 ", text).split())


def _called(title: str) -> set[str]:
    """What a title calls its procedure: before a preposition, in parentheses, by first letters.

    >>> sorted(_called("Percutaneous nephrolithotomy of a kidney (keyhole surgery)"))
    ['keyhole surgery', 'nephrolithotomy', 'percutaneous nephrolithotomy', 'pnk']
    >>> sorted(_called("EMDR session"))
    ['emdr', 'emdr session', 'session']
    """
    inside = re.findall(r"\(([^()]+)\)", title)
    outside = re.sub(r"\([^()]*\)", " ", title)
    letters = "".join(word[0] for word in re.findall(r"\w+", outside) if len(word) > 3)
    before = _PREPOSITION.split(normal(outside))[0].strip()
    last = before.partition(" and ")[0].split()[-1:]  # the repair, of a hernia repair
    told = [each for each in inside if " " in each or each.strip("‘’'\"").isupper()]
    told += [] if title.isupper() else re.findall(r"\b[A-Z][A-Z0-9]{2,}\b", outside)
    found = (before, *last, *map(normal, told), letters.lower())
    return {each for each in found if len(each) > 2}


def _expanded(found: re.Match[str]) -> str:
    return {"'s": " is", "'re": " are", "'ll": " will", "'ve": " have"}.get(found[0], " ")
