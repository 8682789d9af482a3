"""Codes and the names that stand for them: each code can be one, each name has its codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building.medicines import ROUTES
from fhirpkg.authoring.checking.walking import closest, mapping, named, texts
from fhirpkg.authoring.codes import Coding, codings, is_url_and_code, known_codes, problem, words_of
from fhirpkg.authoring.rules import (
    SOURCE_CODE,
    SOURCE_CODE_SYSTEM,
    SOURCE_NO_CODE,
    SOURCE_PROCEDURE_CODE,
    SOURCE_UNKNOWN_CODE,
    SOURCE_UNUSED_CODE,
)
from fhirpkg.definitions.terminology.systems import SYSTEMS
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.authoring.checking.walking import Data, Parts
    from fhirpkg.authoring.source import Source
    from fhirpkg.issues import Path

_CODE_KEYS = (
    "code", "use", "condition", "observation", "procedure", "imaging", "allergy",
)  # fmt: skip
_WORDS_KEYS = (
    "sites", "diagnoses", "places", "specialty", "medicine", "stop", "route", "one-of", "of",
    "measure",
)  # fmt: skip
"""Where a name may stand for words alone: what is not coded is still said."""
_NAMING_KEYS = (*_CODE_KEYS, *_WORDS_KEYS)
_LOOK_UP = "found-by"
"""Below it everything is looked up by its codes."""
_ALIKE = 0.8
"""From here on a name that has no code is taken for a misspelt one that has."""


def check_codes(read: Source) -> None:
    """Each code has a system that is known, and a form and check digit that it allows."""
    for name, lines in mapping(read.data.get("codes")).items():
        for at, line in enumerate(texts(lines)):
            path = ("codes", name, at) if isinstance(lines, list) else ("codes", name)
            system, *codes = words_of(line) or [""]
            if system in SYSTEMS and not codes:
                read.report(SOURCE_CODE, path, problem=f"no code follows '{system}'", nearest="")
            elif _is_line(line):
                for coding in codings(line):
                    _check_code(read, path, coding)
            else:
                read.report(
                    SOURCE_CODE_SYSTEM,
                    path,
                    text=line,
                    nearest=nearest(system, list(SYSTEMS)),
                    allowed=", ".join(SYSTEMS),
                )


def _check_code(read: Source, path: Path, coding: Coding) -> None:
    wrong = problem(coding)
    if wrong:
        close = nearest(coding.code, sorted(known_codes(coding.system)))
        read.report(SOURCE_CODE, path, problem=wrong, nearest=close)


def check_key(read: Source) -> None:
    """What the procedure is ordered by is one concept: one code of each system."""
    code = mapping(read.data.get("code"))
    for path, part in [(("code",), code), *_members(code)]:
        for place, name in named(part, path, "use"):
            lines = texts(mapping(read.data.get("codes")).get(name))
            found = [coding for line in lines if _is_line(line) for coding in codings(line)]
            systems = [coding.system for coding in found]
            twice = next((coding for coding in found if systems.count(coding.system) > 1), None)
            if twice:
                same = [c.code for c in found if c.system == twice.system]
                read.report(SOURCE_PROCEDURE_CODE, place, name=name, codes=", ".join(same))


def _is_line(line: str) -> bool:
    """Whether a line has the right form; the errors of others are reported at their place."""
    system, *found = words_of(line) or [""]
    return (system in SYSTEMS and bool(found)) or is_url_and_code(line)


def _members(code: Data) -> Iterator[tuple[Path, Data]]:
    for key in ("also", "add-on"):
        value = code.get(key)
        for at, item in enumerate(value if isinstance(value, list) else ()):
            yield ("code", key, at), mapping(item)


def check_names(read: Source, found: Parts) -> None:
    """Each concept that is used is defined under `codes`, and each defined one is used."""
    codes = read.data.get("codes", {})
    if not isinstance(codes, dict):
        return
    used: set[str] = set()
    uncoded: dict[str, Path] = {}
    for place, name, may_be_words in _names(found):
        used.add(closest(name, codes))
        if name in codes:
            continue
        if may_be_words and closest(name, codes, _ALIKE) == name:
            # a medicine without a code is reported as left to do, and many scores have none
            if place[-1] not in ("medicine", "stop", "measure"):
                uncoded.setdefault(name, place)
            continue
        close = nearest(name, list(codes))
        read.report(SOURCE_UNKNOWN_CODE, place, name=name, nearest=close)
    unused = codes.keys() - used if not read.issues else ()  # else it may only seem so
    for name, place in uncoded.items():
        read.report(SOURCE_NO_CODE, place, name=name)
    for name in unused:
        read.report(SOURCE_UNUSED_CODE, ("codes", name), key=True, name=name)
    known = codes.keys() | {name for _, name, _ in _names(found)}
    for name in mapping(read.data.get("names")).keys() - known:
        close = nearest(name, sorted(known))
        read.report(SOURCE_UNKNOWN_CODE, ("names", name), key=True, name=name, nearest=close)


def _names(found: Parts) -> Iterator[tuple[Path, str, bool]]:
    """The names of concepts, each with its place and whether it may be words alone."""
    for path, part in found:
        looked_up = path[-1] == _LOOK_UP
        for key in [key for key in _NAMING_KEYS if key in part]:
            if key == "one-of" and path[-1] == "who":
                continue  # ids of people
            for place, name in named(part, path, key):
                if not (key == "route" and name in ROUTES):
                    is_open = key == "use" and bool(part.get("todo"))
                    yield place, name, is_open or (key in _WORDS_KEYS and not looked_up)
