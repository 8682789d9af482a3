"""Words in common: whether an author's name and a display can mean the same."""

from __future__ import annotations

import functools
import re
from importlib import resources

import yaml

_SMALL = frozenset(
    "a an and as at by for from in is not of on or other the to unspecified with without due after "
    "before during type structure procedure disorder finding disease".split()
)
_TAG = re.compile(r"\s*\(([a-z][a-z /+,-]+)\)$")
_LENGTH, _LONGER = 6, 9


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
    words = re.findall(r"[^\W\d_]+", _american(untagged(text).lower().replace("x-ray", "xray")))
    kept = [word for word in words if word not in _SMALL and len(word) > 1]
    return frozenset(_one_form(_stem(word)) for word in kept or words)


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
    """As much of a word as tells it from others."""
    return word[: _LONGER if word.startswith(_long()) else _LENGTH]


@functools.lru_cache(maxsize=10_000)
def _one_form(stem: str) -> str:
    for beginning, form in _alike():
        if stem.startswith(beginning):
            return form
    return stem


@functools.cache
def _long() -> tuple[str, ...]:
    text = (resources.files(__package__) / "words.yaml").read_text("utf-8")
    return tuple(_american(yaml.safe_load(text)["long"]).split())


@functools.cache
def _alike() -> tuple[tuple[str, str], ...]:
    """Each beginning of a word with that of its like, the longest first."""
    text = (resources.files(__package__) / "words.yaml").read_text("utf-8")
    lines: list[str] = yaml.safe_load(text)["alike"]
    pairs = [(_cut(_american(word)), line.split()[0]) for line in lines for word in line.split()]
    return tuple(sorted(dict(reversed(pairs)).items(), key=lambda pair: -len(pair[0])))


def likeness(name: str, display: str) -> float:
    """How much of two texts is in common, from 0 to 1: shared words against all of both.

    >>> likeness("Rectal bleeding", "Hemorrhage of rectum (disorder)") > 0.9
    True
    """
    ours, theirs = stems(name), stems(display)
    shared = _shared(ours, theirs)
    return 2 * shared / (len(ours) + len(theirs)) if ours and theirs else 0.0


def _shared(ours: frozenset[str], theirs: frozenset[str]) -> int:
    """How many words are shared; those that only begin alike count as well."""
    return sum(
        any(one == two or (len(one) > 3 < len(two) and one[:4] == two[:4]) for two in theirs)
        for one in ours
    )
