"""Fixed words in other languages: the gettext catalogues beside this module, read by Babel.

The words in the code are English and are their own keys.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

UNTRANSLATED = "\ue000"
"""Begins words that have no translation, until the text that holds them is finished."""
_ENGLISH = "en"
_CATALOGUES = Path(__file__).parent / "catalogues"
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
