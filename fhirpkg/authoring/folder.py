"""A folder of authored files: package.yaml, and procedure.yaml beside it or below.

A package has a procedure.yaml in each folder below; a single one may be beside package.yaml.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg.authoring import source
from fhirpkg.authoring.around import (
    drawing_of,
    left_to_do,
    translated,
    unsigned,
    without_catalogue,
    without_printer,
)
from fhirpkg.authoring.checking.authored import check_package, check_procedure
from fhirpkg.authoring.checking.edition import check_edition, read_lock
from fhirpkg.authoring.model.beside import Beside
from fhirpkg.authoring.reviewing.verdicts import current, read_review, unreviewed
from fhirpkg.authoring.rules import SOURCE_SAME_PROCEDURE, SOURCE_STALE
from fhirpkg.authoring.terms import lock
from fhirpkg.authoring.terms.checks import check_terms, listed, sources_for
from fhirpkg.authoring.translating import check_languages, translations
from fhirpkg.errors import SourceError
from fhirpkg.issues import Severity
from fhirpkg.packages.freshness import (
    PACKAGE,
    PROCEDURE,
    procedure_folders,
    stale_catalogue,
    stale_procedure,
)
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
    """The files that accompany each procedure, by its folder."""

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
        source_file, package = read_source(file), self.package
        data, main = source_file.data, package.language if package else "en"
        if package:
            check_languages(source_file, package.languages, main)
        procedure, found = check_procedure(source_file, main)
        todo = left_to_do(package, found, file, self._package_file)
        name = str(file.parent.relative_to(self.folder))
        if procedure is None:
            return Read(name, issues=(*found, *todo))
        before = len(source_file.issues)
        known = check_terms(source_file, sources_for(source_file.data, self._locked), main)
        edition = read_lock(file.parent)
        if edition:
            check_edition(source_file, edition)
        found = (*found, *source_file.issues[before:])
        review, wrong = read_review(file.parent, procedure)
        drawn, amiss = drawing_of(file.parent, procedure, source_file)
        others, odd = translated(source_file, data, package)
        without = unsigned(package, procedure, review, self._package_file)
        issues = (*found, *todo, *wrong, *amiss, *odd, *without)
        texts: dict[str, dict[str, str]] = {language: {} for language in others}
        texts |= translations(data, main)
        beside = Beside(current(procedure, review), drawn, others, texts, edition)
        return Read(name, procedure, issues, review, beside, listed(known, self._locked))


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
        above = (folder.parent / PACKAGE).is_file()
        hint = f"name {folder.parent}, which does" if above else "name a folder with one"
        raise SourceError(str(folder), f"it holds no {PACKAGE}", hint)
    package_file = read_source(folder / PACKAGE)
    package, found = check_package(package_file)
    around = (*without_printer(package, package_file), *without_catalogue(package, package_file))
    issues = (*found, *around)
    members = package.members if package else ()
    found_files = [*folder.glob(PROCEDURE), *folder.glob(f"*/{PROCEDURE}")]
    files = tuple(sorted(file for file in found_files if file.parent.name not in members))
    if members and files:
        problem = f"it is a catalogue, and {files[0]} is outside its members"
        raise SourceError(str(folder / PACKAGE), problem, "move the procedure into a member")
    if not (files or members):
        raise SourceError(str(folder), f"no folder in it holds a {PROCEDURE}", "write one")
    return Opened(folder, package, issues, files, package_file, lock.read(folder))


def _of_procedure(folder: Path) -> Opened:
    home = package_folder(folder)
    if home == folder:
        return open_folder(folder)
    opened = open_folder(home)
    files = tuple(file for file in opened.files if file.parent.samefile(folder))
    return replace(opened, files=files) if files else open_folder(folder)


def read_folder(folder: Path) -> Authored:
    """The package and the procedures of a folder, with every problem of their files.

    Raises SourceError when the folder, or a package.yaml in it, is not there or cannot be read, and
    for a catalogue, whose procedures are in its members.
    """
    return _read_all(open_folder(folder))


def read_procedure(folder: Path) -> Authored:
    """As :func:`read_folder`; of one procedure's folder, its package with that procedure alone."""
    return _read_all(_of_procedure(folder))


def _read_all(opened: Opened) -> Authored:
    folder = opened.folder
    if opened.package and opened.package.members:
        members = ", ".join(opened.package.members)
        raise SourceError(str(folder), "it is a catalogue of packages", f"name one: {members}")
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
    return source.read(_text_of(file), str(file))


def _text_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
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
        around = (*_unsigned_below(package, place.parent, read), *without_catalogue(package, read))
        return (*found, *around, *_stale(place, place.parent, name))
    package, data = package_of(place.parent), read.data
    if package:
        check_languages(read, package.languages, package.language)
    procedure, found = check_procedure(read, package.language if package else "en")
    if procedure:
        before = len(read.issues)
        locked = lock.read(package_folder(place.parent))
        check_terms(read, sources_for(data, locked), package.language if package else "en")
        edition = read_lock(place.parent)
        if edition:
            check_edition(read, edition)
        found = (
            *found,
            *read.issues[before:],
            *translated(read, data, package)[1],
            *drawing_of(place.parent, procedure, read)[1],
            *unreviewed(place, procedure),
        )
    return (*found, *_stale(place, place.parent, name))


def package_folder(folder: Path) -> Path:
    """The folder of the package that a procedure belongs to; its own where there is no package."""
    above = folder.resolve().parent if folder.name in ("", "..") else folder.parent
    is_own = (folder / PACKAGE).is_file() or not (above / PACKAGE).is_file()
    return folder if is_own else above


def package_of(folder: Path) -> PackageSource | None:
    """The package that a procedure's folder belongs to, where there is a usable one."""
    file = package_folder(folder) / PACKAGE
    return _package(_text_of(file), str(file)) if file.is_file() else None


@functools.lru_cache(maxsize=2)  # it is that of all procedures of a package
def _package(text: bytes, file: str) -> PackageSource | None:
    return check_package(source.read(text, file))[0]


def _unsigned_below(
    package: PackageSource | None, folder: Path, package_file: Source
) -> Iterator[Issue]:
    """What the procedures of a package that is in use lack for it."""
    if package is None or package.status != "active":
        return
    for place in procedure_folders(folder):
        file = place / PROCEDURE
        if not file.is_file():
            continue
        procedure, found = check_procedure(read_source(file), package.language)
        yield from left_to_do(package, found, file, package_file)
        if procedure:
            review = read_review(place, procedure)[0]
            yield from unsigned(package, procedure, review, package_file)


def _stale(file: Path, folder: Path, name: str) -> Iterator[Issue]:
    """A warning for each thing that is not as a build would make it now."""
    if name == PROCEDURE:
        package = package_folder(folder)
        built = (folder / "fhir").is_dir() and (package / PACKAGE).is_file()
        problems = stale_procedure(package, folder) if built else iter(())
    else:  # procedures that still exist report it themselves
        gone = [f for f in procedure_folders(folder) if not (f / PROCEDURE).is_file()]
        of_gone = (problem for f in gone for problem in stale_procedure(folder, f))
        problems = itertools.chain(stale_catalogue(folder), of_gone)
    for problem in problems:
        yield issue(SOURCE_STALE, file=str(file), line=1, column=1, problem=problem)
