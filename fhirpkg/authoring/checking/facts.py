"""Checks that the facts and numbers of a procedure come from its source or from evidence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.authoring.checking.walking import Data, closest, mapping, named, texts
from fhirpkg.authoring.model.procedure import SECTIONS
from fhirpkg.authoring.model.values import MOST_FACTS
from fhirpkg.authoring.rules import (
    SOURCE_LOST_FACT,
    SOURCE_MISSING,
    SOURCE_NO_ORIGIN,
    SOURCE_NUMBER,
    SOURCE_UNKNOWN_FACT,
    SOURCE_UNKNOWN_KEY,
)
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.authoring.checking.walking import Parts
    from fhirpkg.authoring.source import Source
    from fhirpkg.issues import Path

_SAID_KEYS = (
    "title", "text", "patient", "goal", "change", "call", "choices", "limit", "missing",
    "exceeded", "notice", "noticed",
    "say", "ask", "asked", "only-if", "if-needed", "in", "dose", "max",
)  # fmt: skip
_TIME_KEYS = ("within", "takes", "when", "for", "every", "how-often")
"""Here the number 1 stands for a word of the source: the day before is 1 d before."""
_NUMBERED_KEYS = (*_SAID_KEYS, *_TIME_KEYS)
_INNER_KEYS = (("only-if", "asked"), ("found-by", "limit"), ("found-by", "age"),
               ("found-by", "within"))  # fmt: skip
_CLAIMING = ("text", "use", "change")
"""A part with one of these says something that has to come from somewhere."""
_COUNT_KEYS = ("age", "times", "amount")
_FACT = re.compile(r"[a-z]+(-[1-9][0-9]*)?")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_NAME_WITH_NUMBER = re.compile(
    r"\b(?:CA[- ]\d+(?:-\d+)?|[Tt]ype \d\b|[A-Z][A-Za-z]*\d[A-Za-z0-9]*(?:[.-]\d+)*"
    r"|[A-Z][A-Za-z]*[A-Z]-\d+(?:[.,]\d+)*)"
    r"|\b10[*^]\d+|\b[cdm]?m[23]\b|\{[^{}]*\}"
)
"""Names that have a number in them: B12, HbA1c, CA 19-9, COVID-19, type 2 diabetes.

Units as well: 10*9/L, mg/m2, mL/min/{1.73_m2}.
"""


def check_facts(read: Source, found: Parts) -> None:
    """Each fact that is named is one of the source, and each of the source is named."""
    source = mapping(read.data.get("source"))
    counts = mapping(source.get("facts"))
    _mend_sections(read, counts)
    _check_number_sections(read, mapping(source.get("numbers")), counts)
    labels = {
        section if count == 1 else f"{section}-{number}": section
        for section, count in counts.items()
        if _is_count(count)
        for number in range(1, count + 1)
    }
    if not labels:
        return
    expressed = set()
    for path, part in found:
        for place, fact in named(part, path, "from"):
            expressed.add(closest(fact, labels))
            is_counted = _is_count(counts.get(fact.partition("-")[0], 1))
            if fact not in labels and is_counted and _FACT.fullmatch(fact):
                _report_fact(read, place, fact, labels)
    left_out = mapping(source.get("left-out"))
    for fact in left_out:
        if fact not in labels:
            _report_fact(read, ("source", "left-out", fact), fact, labels)
    for label, section in labels.items():
        if label in expressed or label in left_out:
            continue
        if isinstance(read.data.get(section), (list, dict)):
            read.report(SOURCE_LOST_FACT, ("source", "facts", section), fact=label)
    _check_sections(read, labels, expressed | left_out.keys())


def _report_fact(read: Source, place: Path, fact: str, labels: dict[str, str]) -> None:
    close, example = nearest(fact, list(labels)), next(iter(labels))
    read.report(SOURCE_UNKNOWN_FACT, place, fact=fact, nearest=close, example=example)


def _check_sections(read: Source, labels: dict[str, str], expressed: set[str]) -> None:
    """A section that has facts is there, unless other sections express all of them."""
    told = {issue.expression for issue in read.issues if issue.rule == SOURCE_MISSING.id}
    lost = {section for label, section in labels.items() if label not in expressed}
    for section in sorted(lost - read.data.keys() - told):
        read.report(SOURCE_MISSING, (section,), missing=section)


def _check_number_sections(read: Source, numbers: Data, counts: Data) -> None:
    """Numbers are given for sections that the source has."""
    for section in numbers:
        if section not in counts:
            read.report(
                SOURCE_UNKNOWN_KEY,
                ("source", "numbers", section),
                key=True,
                key_=section,
                nearest=nearest(section.partition("-")[0], list(counts)),
                allowed=", ".join(counts),
            )


def _mend_sections(read: Source, counts: Data) -> None:
    """Report the sections that a procedure does not have and read them as those that were meant."""
    for section in [name for name in counts if name not in SECTIONS]:
        path = ("source", "facts", section)
        free = [name for name in SECTIONS if name not in counts]
        close = nearest(section, free)
        allowed = ", ".join(SECTIONS)
        read.report(
            SOURCE_UNKNOWN_KEY, path, key=True, key_=section, nearest=close, allowed=allowed
        )
        meant = closest(section, free)
        counts[meant] = counts.pop(section)
        read.rename(path, (*path[:-1], meant))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and 1 <= value <= MOST_FACTS


def check_origins(read: Source, found: Parts) -> None:
    """Each item says where it comes from, and each number in it comes from there."""
    names = [name for name in mapping(read.data.get("codes")) if _NUMBER.search(name)]
    for path, part in found:
        if part.keys().isdisjoint(_CLAIMING):
            continue
        is_member = len(path) > 1 and path[0] == "code"  # it comes from where the code comes from
        if not (part.get("from") or part.get("cite") or part.get("added") or is_member):
            read.report(SOURCE_NO_ORIGIN, path)
        allowed = _numbers_of(read, part)
        if allowed is None or (path == ("name",) and part.get("added")):
            continue  # a name of the author's claims nothing by its numbers
        for place, number in _numbers_in(part, path, names):
            if number not in allowed:
                read.report_in_text(SOURCE_NUMBER, place, number, number=number)
        for key in _COUNT_KEYS:
            count = part.get(key)
            if isinstance(count, int) and str(count) not in allowed | {"1"}:
                read.report(SOURCE_NUMBER, (*path, key), number=count)


def _numbers_in(part: Data, path: Path, names: list[str]) -> Iterator[tuple[Path, str]]:
    """The numbers in the texts of a part, each with its place; `names` are those with numbers."""
    for key in [key for key in _NUMBERED_KEYS if key in part]:
        for place, text in named(part, path, key):
            for number in _numbers(text, names):
                if not (key in _TIME_KEYS and number == "1"):
                    yield place, number
    for outer, key in _INNER_KEYS:
        if outer not in part:
            continue
        value, place = part.get(outer), (*path, outer)
        listed = enumerate(value) if isinstance(value, list) else ()
        for where, inner in ((place, value), *(((*place, at), each) for at, each in listed)):
            yield from ((p, n) for p, t in named(mapping(inner), where, key)
                        for n in _numbers(t, names))  # fmt: skip


def _numbers(text: str, names: list[str]) -> list[str]:
    """The numbers of a text; those inside names of things are no numbers."""
    if not _NUMBER.search(text):
        return []
    for name in names:
        text = text.replace(name, " ")
    text = _NAME_WITH_NUMBER.sub(" ", text)
    return [plain(number) for number in _NUMBER.findall(text)]


def plain(number: str) -> str:
    """A number without the commas of its thousands.

    >>> plain("1,000"), plain("1.8")
    ('1000', '1.8')
    """
    return number.replace(",", "") if _THOUSANDS.fullmatch(number) else number


def _numbers_of(read: Source, part: Data) -> set[str] | None:
    """The numbers that the facts and the evidence of an item give; None where these are broken."""
    source, evidence = read.data.get("source", {}), read.data.get("evidence", {})
    if not isinstance(source, dict) or not isinstance(evidence, dict):
        return None
    given = mapping(source.get("numbers"))
    sections = [fact.partition("-")[0] for fact in texts(part.get("from"))]
    from_source = {
        plain(str(number))
        for section in sections
        if isinstance(given.get(section), list)
        for number in given[section]
    }
    findings = [mapping(evidence.get(name)).get("findings") for name in texts(part.get("cite"))]
    cited = {plain(number) for text in findings for number in _NUMBER.findall(str(text or ""))}
    return from_source | cited
