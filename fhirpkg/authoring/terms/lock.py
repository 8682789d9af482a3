"""codes.lock: what was found of the codes of a package's procedures, so that builds ask nobody."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

from fhirpkg.authoring.terms.sources import Known, Terms
from fhirpkg.definitions.terminology.grammars import CPT
from fhirpkg.errors import SourceError
from fhirpkg.packages.freshness import LOCK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read(folder: Path) -> Terms | None:
    """The codes.lock of a package's folder. Raises SourceError when the file is something else."""
    file = folder / LOCK
    if not file.is_file():
        return None
    try:
        return _terms(file.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(str(file), f"it is not a codes.lock ({error})") from error


@functools.lru_cache(maxsize=2)  # all procedures of a package are checked by the same
def _terms(text: bytes) -> Terms:
    terms = Terms(LOCK)
    for each in json.loads(text.decode("utf-8"))["codes"]:
        display, active = each.get("display", ""), each.get("active")
        source, version = each["source"], each.get("version", "")
        others = tuple((language, text) for language, text in each.get("designations", ()))
        known = Known(each["system"], each["code"], display, active, source, version, others)
        terms.codes[known.system, known.code] = known
    return terms


def write(known: Iterable[Known], language: str = "en") -> str:
    """The text of a codes.lock, with the displays in a language; a display of CPT is never kept."""
    ordered = sorted(set(known), key=lambda each: (each.system, each.code))
    lines = [json.dumps(_as_json(each, language), ensure_ascii=False) for each in ordered]
    return '{"codes": [\n' + ",\n".join(f"  {line}" for line in lines) + "\n]}\n"


def _as_json(known: Known, language: str) -> dict[str, object]:
    is_kept = known.system != CPT
    display = known.display if is_kept else ""
    names = known.names(language) if is_kept and language != "en" else []
    found: dict[str, object] = {
        "system": known.system,
        "code": known.code,
        "display": display,
        "source": known.source,
        "version": known.version,
        "active": known.is_active,
        "designations": [[language, name] for name in names],
    }
    return {key: value for key, value in found.items() if value not in ("", None, [])}
