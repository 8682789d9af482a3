"""Checks of what accompanies a procedure.yaml: drawing, languages, and what active use needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.authoring.checking.authored import check_translation
from fhirpkg.authoring.reviewing.verdicts import without_sign_off
from fhirpkg.authoring.rules import (
    SOURCE_DRAWING,
    SOURCE_NO_CATALOGUE,
    SOURCE_PDF,
    SOURCE_SIGN_OFF,
    SOURCE_TODO,
    SOURCE_TODO_ACTIVE,
)
from fhirpkg.authoring.translating import in_other
from fhirpkg.issues import Severity
from fhirpkg.languages.words import has_catalogue
from fhirpkg.packages.freshness import DRAWING
from fhirpkg.render.pdf import is_installed
from fhirpkg.rules import issue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path as File
    from typing import Any

    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.model.review import Review
    from fhirpkg.authoring.source import Source
    from fhirpkg.issues import Issue, Path
    from fhirpkg.rules import Rule


def translated(
    read: Source, data: Any, package: PackageSource | None
) -> tuple[dict[str, Procedure], list[Issue]]:
    """A procedure in each other language of its package, and what is wrong in these alone.

    `data` is the file with all its languages, of which the main one has no fault.
    """
    made: dict[str, Procedure] = {}
    issues: list[Issue] = []
    for language in package.languages if package else ():
        assert package, "it has languages"
        inside = replace(read, data=in_other(data, language, package.language), issues=[])
        procedure, found = check_translation(inside)
        issues += [each for each in found if each.severity.rank <= Severity.ERROR.rank]
        if procedure:
            made[language] = procedure
    return made, issues


def without_catalogue(package: PackageSource | None, package_file: Source) -> Iterator[Issue]:
    """Headings and fixed words are known in each language of a package."""
    if package is None:
        return
    places: list[Path] = [("language",), *(("languages", name) for name in package.languages)]
    for place, language in zip(places, (package.language, *package.languages), strict=True):
        if not has_catalogue(language):
            line, column = package_file.place(place)
            yield issue(
                SOURCE_NO_CATALOGUE,
                expression=str(place[0]),
                file=package_file.file,
                line=line,
                column=column,
                language=language,
            )


def left_to_do(
    package: PackageSource | None, issues: Iterable[Issue], file: File, package_file: Source
) -> Iterator[Issue]:
    """What is in use has nothing left to do."""
    count = sum(found.rule == SOURCE_TODO.id for found in issues)
    if package and package.status == "active" and count:
        name = file.parent.name
        yield _of_status(
            SOURCE_TODO_ACTIVE, package_file, status=package.status, count=count, name=name
        )


def unsigned(
    package: PackageSource | None, procedure: Procedure, review: Review | None, package_file: Source
) -> Iterator[Issue]:
    """What is in use was approved as it is, and each of its facts was read."""
    problem = without_sign_off(procedure, review)
    if package and package.status == "active" and problem:
        yield _of_status(SOURCE_SIGN_OFF, package_file, name=procedure.id, problem=problem)


def _of_status(rule: Rule, package_file: Source, **found: Any) -> Issue:
    """What is wrong with the status of the package, at its place."""
    line, column = package_file.place(("status",))
    return issue(
        rule,
        expression="status",
        file=package_file.file,
        line=line,
        column=column,
        **found,
    )


def drawing_of(folder: File, procedure: Procedure, read: Source) -> tuple[bytes, tuple[Issue, ...]]:
    """The drawing of a procedure, nothing where it has none, and what is wrong with it."""
    file = folder / DRAWING
    if not file.is_file() and not procedure.drawing:
        return b"", ()
    from fhirpkg.authoring import drawing  # noqa: PLC0415 - its XML costs start-up

    data = file.read_bytes() if file.is_file() else b""
    if not data:
        wrong = f"there is no {DRAWING} beside this file"
    elif not procedure.drawing:
        wrong = f"'drawing' does not say what {DRAWING} shows"
    else:
        wrong = drawing.problem(data)
    if not wrong:
        return data, ()
    line, column = read.place(("drawing",), key=True)
    found = issue(
        SOURCE_DRAWING,
        expression="drawing",
        file=read.file,
        line=line,
        column=column,
        problem=wrong,
    )
    return b"", (found,)


def without_printer(package: PackageSource | None, package_file: Source) -> Iterator[Issue]:
    """What a package asks to be printed can be printed."""
    if package and package.pdf and not is_installed():
        line, column = package_file.place(("pdf",))
        yield issue(SOURCE_PDF, expression="pdf", file=package_file.file, line=line, column=column)
