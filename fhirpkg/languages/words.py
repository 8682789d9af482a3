"""Fixed words in other languages: the gettext catalogues beside this module, read by Babel.

The words in the code are English and are their own keys.
"""

from __future__ import annotations

import contextlib
import functools
import re
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

UNTRANSLATED = "\ue000"
"""Begins words that have no translation, until the text that holds them is finished."""
_ENGLISH = "en"
_CATALOGUES = Path(__file__).parent / "catalogues"
_SPOKEN = ContextVar("spoken", default=_ENGLISH)
_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")


def is_language(tag: object) -> bool:
    """Whether a text is a tag of a language: ``es``, ``pt-BR``, ``zh-Hant``."""
    return isinstance(tag, str) and bool(_TAG.fullmatch(tag))


def say(words: str, language: str) -> str:
    """English words in a language; marked as untranslated where its catalogue lacks them.

    >>> say("Sources", "es-MX")
    'Fuentes'
    """
    if language.partition("-")[0] == _ENGLISH:
        return words
    return catalogue(language).get(words) or UNTRANSLATED + words


def gettext(words: str, /, **named: object) -> str:
    """English words in the language of the `speaking` around the call, else English.

    `named` are the values of the places in it.

    >>> with speaking("es"):
    ...     gettext("and {count} more", count=2)
    'y 2 más'
    """
    text = gettext_in(words, language())
    return text.format(**named) if named else text


def recognized(words: Iterable[str]) -> dict[str, str]:
    """English words of ours by how they are said in every known language, in small letters.

    >>> recognized(["same"])["igual"]
    'same'
    """
    known = known_languages()
    return {gettext_in(each, tag).casefold(): each for each in words for tag in known}


def gettext_in(words: str, language: str) -> str:
    """English words in a language, or in English where its catalogue lacks them."""
    return say(words, language).removeprefix(UNTRANSLATED)


def language() -> str:
    """The language of the `speaking` around the call."""
    return _SPOKEN.get()


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Fixed words by `gettext` are in a language; for pages, whose words come from many rooms."""
    token = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def known_languages() -> list[str]:
    """The languages in which fixed words are known, English first."""
    return [_ENGLISH, *sorted(file.stem for file in _CATALOGUES.glob("*.po"))]


def has_catalogue(language: str) -> bool:
    """Whether fixed words are known in a language."""
    return language.partition("-")[0] == _ENGLISH or bool(catalogue(language))


@functools.cache
def catalogue(language: str) -> Mapping[str, str]:
    """The catalogue of a language, of its region or in general; empty where there is none."""
    files = (_CATALOGUES / f"{tag}.po" for tag in (language, language.partition("-")[0]))
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return {}
    from babel.messages.pofile import read_po  # noqa: PLC0415 - when there is another language

    with file.open("rb") as stream:
        return {str(m.id): str(m.string) for m in read_po(stream) if m.id and m.string}
