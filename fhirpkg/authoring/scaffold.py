"""What a new procedure begins with: package.yaml and a procedure.yaml that teaches and builds."""

from __future__ import annotations

import json
import re
import unicodedata
from importlib import resources
from typing import TYPE_CHECKING

import yaml

from fhirpkg.authoring.writing import replace
from fhirpkg.errors import ConfigError
from fhirpkg.packages.freshness import PACKAGE, PROCEDURE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_LONGEST = 60
"""The letters of a folder's name."""


def slug(words: str) -> str:
    """Words as the name of a folder.

    >>> slug("Upper endoscopy (EGD)")
    'upper-endoscopy-egd'
    """
    parts = re.findall(r"[a-z0-9]+", plain_letters(words).lower())
    while len(parts) > 1 and len("-".join(parts)) > _LONGEST:
        parts.pop()
    return "-".join(parts)[:_LONGEST] or "procedure"


def plain_letters(words: str) -> str:
    """Words in the letters of ASCII, as far as theirs are these with accents.

    >>> plain_letters("Ösophagus-Spiegelung, Élagage")
    'Osophagus-Spiegelung, Elagage'
    """
    return unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()


def yaml_text(text: str) -> str:
    """A text as YAML may hold it, in quotation marks where it would be something else.

    >>> yaml_text("Upper endoscopy (EGD)"), yaml_text("null")
    ('Upper endoscopy (EGD)', '"null"')
    """
    is_plain = re.fullmatch(r"[A-Za-z][\w ()-]*", text) and yaml.safe_load(text) == text
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def package_folder(folder: Path) -> Path:
    """The folder of the package that a procedure's folder belongs to: the one above, or itself."""
    above = folder.absolute().parent
    return above if (above / PACKAGE).is_file() else folder


def template(name: str, values: Mapping[str, str]) -> str:
    """The text of one of the templates, with its `{{…}}` filled."""
    text = (resources.files("fhirpkg.authoring") / "templates" / name).read_text("utf-8")
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", value)
    return text


def begin(folder: Path, procedure: str, others: Mapping[str, str], today: str) -> list[Path]:
    """Write a procedure's files into a folder, with package.yaml where none is above.

    `others` are texts by the names of files beside it. Gives the files written. Raises ConfigError
    when there is a procedure already.
    """
    if (folder / PROCEDURE).exists():
        raise ConfigError(f"{folder / PROCEDURE} exists already; name another folder")
    texts = {PROCEDURE: procedure, **others}
    if package_folder(folder) == folder and not (folder / PACKAGE).exists():
        values = {"name": slug(folder.absolute().name), "date": today}
        texts[PACKAGE] = template(PACKAGE, values)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        replace(folder / name, text.encode())
    return [folder / name for name in texts]
