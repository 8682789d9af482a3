"""Libraries: the CQL that they hold can be read.

Each definition is read by itself, so that one mistake does not hide others
(http://hl7.org/fhir/R4/library.html, https://cql.hl7.org).
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from fhirpkg.cql.reading.lexer import CqlError
from fhirpkg.cql.reading.library import read_library
from fhirpkg.errors import FhirpkgError
from fhirpkg.untrusted import numbered, text_of
from fhirpkg.validation.resources.library_rules import LIBRARY_CQL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_MOST_REPORTED = 20


def check_library(library: Resource, path: Path, run: Run) -> None:
    """Report what cannot be read in the CQL of a Library, with its line and column there."""
    for place, content in numbered(library, "content", path):
        if text_of(content, "contentType").partition(";")[0].strip() != "text/cql":
            continue
        try:
            text = base64.b64decode(text_of(content, "data")).decode("utf-8-sig")
        except (binascii.Error, ValueError):
            continue  # what is not base64 or not UTF-8 is reported of the attachment
        problems = list(dict.fromkeys(_problems(text, text_of(library, "name"))))
        for problem in problems[:_MOST_REPORTED] if text else ():
            run.report(LIBRARY_CQL, (*place, "data"), problem=problem)


def _problems(text: str, name: str) -> Iterator[str]:
    try:
        library = read_library(text, name)
    except FhirpkgError as error:
        yield str(error)
        return
    for statements in library.statements.values():
        for statement in statements:
            try:
                statement.load()
            except CqlError as error:
                yield str(error)
            except FhirpkgError:
                pass  # what we cannot evaluate may still be CQL
            except RecursionError:
                yield f"{statement.place} is nested too deeply to read"
