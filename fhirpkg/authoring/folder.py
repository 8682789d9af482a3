"""A folder of authored files: package.yaml, and procedure.yaml beside it or below.

A package has a procedure.yaml in each folder below; a single one may stand beside package.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg.authoring import drawing, source
from fhirpkg.authoring.checks import check_package, check_procedure
from fhirpkg.authoring.model.beside import Beside
from fhirpkg.authoring.review import current, read_review, unreviewed, without_sign_off
from fhirpkg.authoring.rules import (
    SOURCE_DRAWING,
    SOURCE_PDF,
    SOURCE_SAME_PROCEDURE,
    SOURCE_SIGN_OFF,
    SOURCE_STALE,
    SOURCE_TODO,
    SOURCE_TODO_ACTIVE,
)
from fhirpkg.authoring.terms import lock
from fhirpkg.authoring.terms.checks import check_terms, listed, sources_for
from fhirpkg.errors import SourceError
from fhirpkg.issues import Severity
from fhirpkg.packages.freshness import (
    DRAWING,
    PACKAGE,
    PROCEDURE,
    procedure_folders,
    stale_procedure,
)
from fhirpkg.render.pdf import is_installed
from fhirpkg.rules import issue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.model.review import Review
    from fhirpkg.authoring.source import Source
    from fhirpkg.authoring.terms.sources import Terms
    from fhirpkg.issues import Issue


@dataclass(slots=True)
class Authored:
    """What an author wrote; `package` is None and procedures are missing where issues say why."""

    package: PackageSource | None = None
    procedures: dict[str, Procedure] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    listed: frozenset[tuple[str, str]] = frozenset()
    """Codes, by system, that SNOMED's Global Patient Set or R4 are known to list."""
    reviews: dict[str, Review | None] = field(default_factory=dict)
    """The readers' verdicts on each procedure, by its folder."""

    beside: dict[str, Beside] = field(default_factory=dict)
    """The sign-offs of each procedure as it is now and its drawing, by its folder."""

    @property
    def is_usable(self) -> bool:
        """Whether nothing is wrong, so that all of it can be built."""
        worst = min((issue.severity.rank for issue in self.issues), default=9)
        return self.package is not None and worst > Severity.ERROR.rank


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder of which package.yaml was read, and no procedure yet."""

    folder: Path
    package: PackageSource | None
    issues: tuple[Issue, ...]
    """What is wrong with package.yaml."""
    files: tuple[Path, ...]
    """The procedures, in a stable order."""
    _package_file: Source
    _locked: Terms | None

    @property
    def is_usable(self) -> bool:
        """Whether nothing is wrong with package.yaml."""
        return self.package is not None and not any(map(_is_wrong, self.issues))

    def read(self, file: Path) -> Read:
        """One of the procedures, by its file."""
        source_file = read_source(file)
        procedure, found = check_procedure(source_file)
        name = str(file.parent.relative_to(self.folder))
        if procedure is None:
            return Read(name, issues=(*found, *self._left_to_do(found, file)))
        before = len(source_file.issues)
        known = check_terms(source_file, sources_for(source_file.data, self._locked))
        found = (*found, *source_file.issues[before:])
        review, wrong = read_review(file.parent, procedure)
        drawn, amiss = _drawing(file.parent, procedure, source_file)
        unsigned = _unsigned(self.package, procedure, review, self._package_file)
        issues = (*found, *self._left_to_do(found, file), *wrong, *amiss, *unsigned)
        beside = Beside(current(procedure, review), drawn)
        return Read(name, procedure, issues, review, beside, listed(known, self._locked))

    def _left_to_do(self, found: Iterable[Issue], file: Path) -> Iterator[Issue]:
        return _left_to_do(self.package, found, file, self._package_file)


@dataclass(frozen=True, slots=True)
class Read:
    """One procedure, by the name of its folder; None where the issues say why."""

    name: str
    procedure: Procedure | None = None
    issues: tuple[Issue, ...] = ()
    review: Review | None = None
    beside: Beside = field(default_factory=Beside)
    listed: frozenset[tuple[str, str]] = frozenset()
    """Codes of it, by system, that SNOMED's Global Patient Set or R4 are known to list."""

    @property
    def is_usable(self) -> bool:
        """Whether nothing is wrong, so that it can be built."""
        return self.procedure is not None and not any(map(_is_wrong, self.issues))


def _is_wrong(found: Issue) -> bool:
    return found.severity.rank <= Severity.ERROR.rank


def open_folder(folder: Path) -> Opened:
    """The package of a folder, its procedures not read yet.

    Raises SourceError when the folder, or a package.yaml in it, is not there or cannot be read.
    """
    if not folder.is_dir():
        raise SourceError(str(folder), "there is no such folder", "name one with a package.yaml")
    if not (folder / PACKAGE).is_file():
        raise SourceError(str(folder), f"it holds no {PACKAGE}", "name a folder with one")
    package_file = read_source(folder / PACKAGE)
    package, found = check_package(package_file)
    issues = (*found, *_without_printer(package, package_file))
    files = tuple(sorted([*folder.glob(PROCEDURE), *folder.glob(f"*/{PROCEDURE}")]))
    if not files:
        raise SourceError(str(folder), f"no folder in it holds a {PROCEDURE}", "write one")
    return Opened(folder, package, issues, files, package_file, lock.read(folder))


def read_folder(folder: Path) -> Authored:
    """The package and the procedures of a folder, with every problem of their files.

    Raises SourceError when the folder, or a package.yaml in it, is not there or cannot be read.
    """
    opened = open_folder(folder)
    authored = Authored(opened.package, issues=[*opened.issues])
    for read in map(opened.read, opened.files):
        authored.issues += read.issues
        authored.listed |= read.listed
        if read.procedure:
            authored.procedures[read.name] = read.procedure
            authored.reviews[read.name] = read.review
            authored.beside[read.name] = read.beside
    ids = ((name, procedure.id) for name, procedure in authored.procedures.items())
    authored.issues += same_ids(folder, ids)
    return authored


def _left_to_do(
    package: PackageSource | None, issues: Iterable[Issue], file: Path, package_file: Source
) -> Iterator[Issue]:
    """What is in use has nothing left to do."""
    count = sum(found.rule == SOURCE_TODO.id for found in issues)
    if package and package.status == "active" and count:
        line, column = package_file.place(("status",))
        yield issue(
            SOURCE_TODO_ACTIVE,
            expression="status",
            file=package_file.file,
            line=line,
            column=column,
            status=package.status,
            count=count,
            name=file.parent.name,
        )


def _unsigned(
    package: PackageSource | None, procedure: Procedure, review: Review | None, package_file: Source
) -> Iterator[Issue]:
    """What is in use was approved as it is, and each of its facts was read."""
    problem = without_sign_off(procedure, review)
    if package and package.status == "active" and problem:
        line, column = package_file.place(("status",))
        yield issue(
            SOURCE_SIGN_OFF,
            expression="status",
            file=package_file.file,
            line=line,
            column=column,
            name=procedure.id,
            problem=problem,
        )


def _drawing(folder: Path, procedure: Procedure, read: Source) -> tuple[bytes, tuple[Issue, ...]]:
    """The drawing of a procedure, nothing where it has none, and what is wrong with it."""
    file = folder / DRAWING
    if not file.is_file() and not procedure.drawing:
        return b"", ()
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


def _without_printer(package: PackageSource | None, package_file: Source) -> Iterator[Issue]:
    """What a package asks to be printed can be printed."""
    if package and package.pdf and not is_installed():
        line, column = package_file.place(("pdf",))
        yield issue(SOURCE_PDF, expression="pdf", file=package_file.file, line=line, column=column)


def _unsigned_below(
    package: PackageSource | None, folder: Path, package_file: Source
) -> Iterator[Issue]:
    """The same for all procedures of a package that is in use."""
    if package is None or package.status != "active":
        return
    for place in procedure_folders(folder):
        file = place / PROCEDURE
        procedure = check_procedure(read_source(file))[0] if file.is_file() else None
        if procedure:
            review = read_review(place, procedure)[0]
            yield from _unsigned(package, procedure, review, package_file)


def same_ids(folder: Path, procedures: Iterable[tuple[str, str]]) -> Iterator[Issue]:
    """Two procedures of one id would be built into the same resources; by name and id."""
    first: dict[str, str] = {}
    for name, each in procedures:
        other = first.setdefault(each, name)
        if other != name:
            file = folder / name / PROCEDURE
            line, column = read_source(file).place(("id",))
            yield issue(
                SOURCE_SAME_PROCEDURE,
                expression="id",
                file=str(file),
                line=line,
                column=column,
                id=each,
                other=other,
            )


def read_source(file: Path) -> source.Source:
    """One YAML file; SourceError when it cannot be opened."""
    try:
        return source.read(file.read_bytes(), str(file))
    except OSError as error:
        raise SourceError(str(file), error.strerror or str(error)) from error


def check_file(name: str, text: bytes, file: str) -> tuple[Issue, ...]:
    """What is wrong with one authored file, by its name; what `validate` asks for.

    Built resources that are not those of the file count too: they would be published.
    """
    read = source.read(text, file)
    place = Path(file)
    if name == PACKAGE:
        package, found = check_package(read)
        unsigned = _unsigned_below(package, place.parent, read)
        return (*found, *unsigned, *_stale(place, place.parent, name))
    procedure, found = check_procedure(read)
    if procedure:
        found = (*found, *_drawing(place.parent, procedure, read)[1], *unreviewed(place, procedure))
    return (*found, *_stale(place, place.parent, name))


def _stale(file: Path, folder: Path, name: str) -> Iterator[Issue]:
    """A warning for each thing that is not as a build would make it now."""
    if name == PROCEDURE:
        beside = (folder / PACKAGE).is_file()
        package = folder if beside else folder.parent
        built = (folder / "fhir").is_dir() and (package / PACKAGE).is_file()
        problems = stale_procedure(package, folder) if built else iter(())
    else:  # procedures that are still there tell it themselves
        gone = [f for f in procedure_folders(folder) if not (f / PROCEDURE).is_file()]
        problems = (problem for f in gone for problem in stale_procedure(folder, f))
    for problem in problems:
        yield issue(SOURCE_STALE, file=str(file), line=1, column=1, problem=problem)
