"""Libraries: the CQL that they hold can be read.

Each definition is read by itself, so that one mistake does not hide others
(http://hl7.org/fhir/R4/library.html, https://cql.hl7.org).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.reading.lexer import CqlError
from fhirpkg.cql.reading.library import outline, read_statements
from fhirpkg.cql.reading.uses import keys_of
from fhirpkg.errors import FhirpkgError
from fhirpkg.untrusted import numbered, text_in, text_of
from fhirpkg.validation.resources.library_rules import LIBRARY_CQL

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_MOST_REPORTED = 20


def check_library(library: Resource, path: Path, run: Run) -> None:
    """Report what cannot be read in the CQL of a Library, with its line and column there."""
    for place, content in numbered(library, "content", path):
        if text_of(content, "contentType").partition(";")[0].strip() != "text/cql":
            continue
        text = text_in(content)
        if not text:
            continue  # what is not base64 or not UTF-8 is reported of the attachment
        problems = list(dict.fromkeys(_problems(text, text_of(library, "name"))))
        for problem in problems[:_MOST_REPORTED]:
            run.report(LIBRARY_CQL, (*place, "data"), problem=problem)


_right: set[Hashable] = set()
"""What is known to be right: most procedures share most of their logic."""
_MOST_KNOWN = 5000


def _problems(text: str, name: str) -> Iterator[str]:
    try:
        source, library, stretches = outline(text, name)
        keys = keys_of(library, stretches)
        is_known = _right.issuperset(keys)
        statements = [] if is_known else read_statements(source, library, stretches)
    except FhirpkgError as error:
        yield str(error)
        return
    if len(_right) > _MOST_KNOWN:
        _right.clear()
    for key, statement in zip(keys, statements, strict=bool(statements)):
        if key in _right:
            continue
        try:
            statement.read()
        except CqlError as error:
            yield str(error)
            continue
        except FhirpkgError:
            pass  # what we cannot evaluate may still be CQL
        except RecursionError:
            yield f"{statement.place} is nested too deeply to read"
            continue
        _right.add(key)
