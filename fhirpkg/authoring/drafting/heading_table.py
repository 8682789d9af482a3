"""The table of headings: what comes with fhirpkg (headings.yaml), and what a user adds to it."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml

from fhirpkg.authoring.drafting.headings import Headings, normal
from fhirpkg.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


_KINDS = ("procedure", "named", "people", "act", "acted", "acting")
"""The lists of headings.yaml that stand for one word in its patterns: ``<act>``."""
_KIND = re.compile("<[a-z]+>")


@functools.cache
def table() -> Headings:
    """The table that comes with fhirpkg."""
    data, foreign = _data("headings.yaml"), _data("foreign.yaml")
    kinds = {f"<{kind}>": f"(?:{'|'.join(data[kind].split())})" for kind in _KINDS}
    few = "|".join([*data["filler"].split(), *data["procedure"].split(), "instructions"])

    def asks(more: str) -> dict[str, re.Pattern[str]]:
        words = kinds | {"<more>": more}
        return {
            section: _any(_KIND.sub(lambda found: words[found[0]], each) for each in patterns)
            for section, patterns in data["asks"].items()
        }

    rejects = (_KIND.sub(lambda found: kinds[found[0]], each) for each in data["rejects"])

    return Headings(
        against=_words(data["against"].split() + foreign["against"].split()),
        forbids=_any(data["forbids"] + foreign["forbids"]),
        rejects=_any(rejects),
        wary=_words(data["wary"].split()),
        foreign={section: _any(patterns) for section, patterns in foreign["sections"].items()},
        several=_any(data["several"]),
        elsewhere=_any(
            rf"(?:the |your |our )?(?:{each})(?: (?:and|or) (?:{'|'.join(data['elsewhere'])}))?"
            rf"(?: (?:of|for|from) .*)?"
            for each in [*data["elsewhere"], *foreign["elsewhere"]]
        ),
        asks=asks("(?: .*)?"),
        asks_strictly=asks(rf"(?: (?:{few}))*"),
        heads={section: _words(words.split(", ")) for section, words in data["heads"].items()},
        beside={section: _any(words.split(", ")) for section, words in data["beside"].items()},
        phases={section: _words(words.split(", ")) for section, words in data["phases"].items()},
        topics=_any(data["topics"].split()),
        loose=_any(data["loose"].split()),
        alone=_any(data["alone"].split()),
        labels=re.compile(rf"(?:(?:{'|'.join(data['labels'].split())})(?: and | or | |$))+"),
        lessons=re.compile(rf"(?:{'|'.join(data['lessons'].split())})\b", re.IGNORECASE),
        imprint=re.compile(rf"(?:{'|'.join(data['imprint'])})", re.IGNORECASE),
        letterhead=_any(data["letterhead"]),
        procedure=_any([*data["named"].split(), *data["procedure"].split()]),
        filler=_any([*data["filler"].split(), *data["procedure"].split()]),
    )


def _data(name: str) -> dict[str, Any]:
    text = (resources.files(__package__) / name).read_text("utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in patterns))


def _words(patterns: Iterable[str]) -> re.Pattern[str]:
    """Whole words, the longest first."""
    ordered = sorted(patterns, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(ordered)})\b")


def taught(file: Path, sections: Iterable[str]) -> Headings:
    """The table with what a user's headings.yaml adds: a section, and the headings that name it.

    Raises SourceError when the file cannot be read or names a section that does not exist.
    """
    try:
        data = yaml.safe_load(file.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SourceError(str(file), f"it cannot be read ({error})") from error
    known = list(sections)
    found: dict[str, str] = {}
    for section, words in data.items() if isinstance(data, dict) else [("", data)]:
        if section not in known:
            advice = f"write one of {', '.join(known)}, each with a list of headings"
            raise SourceError(str(file), f"'{section}' is not a section", advice)
        if not isinstance(words, (str, list, type(None))):
            raise SourceError(str(file), f"'{section}' has no list", f"write {section}: [Heading]")
        for heading in [words] if isinstance(words, str) else words or []:
            found[normal(str(heading))] = section
    return replace(table(), taught=found)
