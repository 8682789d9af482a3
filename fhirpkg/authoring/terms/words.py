"""Words in common: whether an author's name and a display can mean the same."""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import Any

import yaml

_SMALL = frozenset(
    "a an and as at by for from in is not of on or other the to unspecified with without due after "
    "before during type structure procedure disorder finding disease".split()
)
_TAG = re.compile(r"\s*\(([a-z][a-z /+,-]+)\)$")
_LENGTH, _LONGER, _WHOLE = 6, 9, 3


def tag(display: str) -> str:
    """The semantic tag of a fully specified name of SNOMED CT, or nothing.

    >>> tag("Pneumonia (disorder)")
    'disorder'
    """
    found = _TAG.search(display)
    return found[1] if found else ""


def untagged(display: str) -> str:
    """A display without its semantic tag."""
    return _TAG.sub("", display)


@functools.lru_cache(maxsize=10_000)
def stems(text: str) -> frozenset[str]:
    """The beginnings of a text's words, in one form for what means the same.

    >>> stems("Haemorrhage of the stomach") == stems("gastric bleeding")
    True
    """
    return frozenset(form for word in _words(text) for form in word)


@functools.lru_cache(maxsize=10_000)
def _words(text: str) -> frozenset[frozenset[str]]:
    """Each word of a text by the forms that it may stand for."""
    plain = _american(untagged(text).lower().replace("x-ray", "xray"))
    for word, phrase in _table()["phrases"].items():
        plain = plain.replace(phrase, word)
    words = re.findall(r"[^\W\d_]+", plain)
    kept = [word for word in words if word not in _SMALL and len(word) > 1]
    return frozenset(_forms(_stem(word)) for word in kept or words)


def _american(text: str) -> str:
    """A text in lower case without the diphthongs of British spelling: "hemodialysis"."""
    return re.sub("ae|oe|æ|œ", "e", text)


def _stem(word: str) -> str:
    for ending in ("ies", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > 2:
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    return _cut(word)


def _cut(word: str) -> str:
    """The part of a word that distinguishes it from others."""
    return word[: _LONGER if word.startswith(_long()) else _LENGTH]


@functools.lru_cache(maxsize=10_000)
def _forms(stem: str) -> frozenset[str]:
    """The first words of the lines that have the longest beginning of a stem, or the stem."""
    for length in range(len(stem), 0, -1):
        forms = _alike().get(stem[:length])
        if forms and (length > _WHOLE or length == len(stem)):
            return forms
    return frozenset((stem,))


@functools.cache
def _table() -> dict[str, Any]:
    table = yaml.safe_load((resources.files(__package__) / "words.yaml").read_text("utf-8"))
    assert isinstance(table, dict)
    return table


@functools.cache
def _long() -> tuple[str, ...]:
    return tuple(_american(_table()["long"]).split())


@functools.cache
def _alike() -> dict[str, frozenset[str]]:
    """The beginnings of words, each with the first words of the lines that have it."""
    found: dict[str, frozenset[str]] = {}
    for line in map(str.split, _table()["alike"]):
        for word in line:
            beginning = _cut(_american(word))
            found[beginning] = found.get(beginning, frozenset()) | {line[0]}
    return found


@functools.lru_cache(maxsize=10_000)
def likeness(name: str, display: str) -> float:
    """How much of two texts is in common, from 0 to 1: shared words against all of both.

    >>> likeness("Rectal bleeding", "Hemorrhage of rectum (disorder)") > 0.9
    True
    """
    ours, theirs = _words(name), _words(display)
    shared = sum(any(_is_like(one, two) for two in theirs) for one in ours)
    return 2 * shared / (len(ours) + len(theirs)) if ours and theirs else 0.0


def _is_like(ones: frozenset[str], others: frozenset[str]) -> bool:
    """Whether two words have a form in common, or forms that begin alike."""
    return any(_begin_alike(one, other) for one in ones for other in others)


def _begin_alike(one: str, other: str) -> bool:
    """Whether two stems are of one word: "spine" and "spinal", but "infection" not "infertility".

    >>> _begin_alike("aorta", "aortic"), _begin_alike("hyperkale", "hypertens")
    (True, False)
    """
    if one == other:
        return True
    shortest = min(len(one), len(other))
    least = 5 if shortest >= _LENGTH else 4
    least = max((len(each) + 3 for each in _long() if one.startswith(each)), default=least)
    return shortest >= least and one[:least] == other[:least]
