"""A package built procedure by procedure, in as many processes as are asked for: all or nothing.

A process reads, checks and builds one procedure at a time and leaves what changes beside the files
that it will replace. Only when nothing is wrong anywhere does it take their places. A procedure
whose sources and files have the digests of the last build, made by the same program, is left alone.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg.authoring.build import Part, guide_of, part_of, resources_of
from fhirpkg.authoring.building.build_context import BuildContext
from fhirpkg.authoring.carrying import carried, claimed_profiles
from fhirpkg.authoring.catalogue import member_folders, write_catalogue
from fhirpkg.authoring.folder import open_folder, same_ids
from fhirpkg.authoring.writing import (
    discard,
    rebased,
    remove_orphans,
    replace,
    stage,
    staged,
    take_place,
    text,
)
from fhirpkg.errors import ConfigError
from fhirpkg.issues import Issue, Severity
from fhirpkg.packages.freshness import RECORD, Record, digest, digest_of, read_record, sources_of
from fhirpkg.packages.installed import content_root
from fhirpkg.processes import few_collections, mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fhirpkg.authoring.folder import Opened
    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.issues import Resource

_HOME = "fhir"


@dataclass(frozen=True, slots=True)
class Made:
    """What is known of one procedure once it was built, by the name of its folder."""

    name: str
    id: str = ""
    issues: tuple[Issue, ...] = ()
    is_usable: bool = True
    is_kept: bool = False
    """Whether nothing had changed, so that nothing was done."""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """How a build ended; nothing was written when something is wrong."""

    is_usable: bool
    resources: int = 0
    changed: int = 0
    kept: int = 0
    """Procedures that had not changed."""
    removed: tuple[Path, ...] = ()
    """What earlier builds made of procedures that are gone."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What every process builds with."""

    opened: Opened
    package: PackageSource
    profiles: Sequence[Resource]
    output: Path
    first: str
    """The procedure whose folder holds the guide."""
    known: Mapping[str, Part]
    """What the last build made, by reference, if it may stay."""
    is_in_place: bool

    def home(self, name: str) -> Path:
        """The folder that holds the resources of a procedure."""
        return self.output / name / _HOME

    @property
    def guide(self) -> str:
        """The name of the file of the package's ImplementationGuide."""
        return f"ImplementationGuide-{self.package.id}.json"

    @property
    def of_the_package(self) -> frozenset[str]:
        """The files that belong to no procedure: the guide, and profiles that are carried."""
        carries = self.package.profiles == "carry"
        return frozenset((self.guide, *(map(_file, self.profiles) if carries else ())))


def build_folder(
    folder: Path,
    *,
    output: Path | None = None,
    canonical: str | None = None,
    jobs: int = 1,
    tell: Callable[[Issue], None] = lambda _: None,
    started: Callable[[int], None] = lambda _: None,
    done: Callable[[int], None] = lambda _: None,
) -> Done:
    """Build the procedures of a folder with a package.yaml, beside them or below `output`.

    `canonical` replaces the base of all urls; `tell` is called with each finding at once, `started`
    the number of procedures and `done` how many are through.

    Raises SourceError for what cannot be read or written, ConfigError for a wrong `canonical`.
    """
    opened = open_folder(folder)
    for issue in opened.issues:
        tell(issue)
    if opened.package is None:
        for read in map(opened.read, opened.files):
            list(map(tell, read.issues))
        return Done(is_usable=False)
    if opened.package.members:
        if output or canonical:
            raise ConfigError(
                f"{folder} is a catalogue, which is only built in place; build its members instead"
            )
        return _catalogue(opened, opened.package, jobs, tell, (started, done))
    package = rebased(opened.package, canonical) if canonical else opened.package
    names = [str(file.parent.relative_to(folder)) for file in opened.files]
    work = _Work(
        opened,
        package,
        claimed_profiles(folder, package),
        output or folder,
        min(names),
        {},
        is_in_place=output is None,
    )
    if not (output or canonical):
        work = dataclasses.replace(work, known=_known(work))
    started(len(names))
    try:
        made = _all_made(work, jobs, tell, done)
        usable = opened.is_usable and all(each.is_usable for each in made)
        changed = _take_places(work, made) if usable else 0
    finally:
        for name in names:
            discard(work.home(name))
    removed: tuple[Path, ...] = ()
    if usable and output is None:
        _note_program(folder, is_ours=not canonical)
        removed = tuple(remove_orphans(folder, package.id))
    count = sum(len(each.parts) for each in made) + 1
    return Done(usable, count, changed, sum(each.is_kept for each in made), removed)


def _catalogue(
    opened: Opened,
    package: PackageSource,
    jobs: int,
    tell: Callable[[Issue], None],
    progress: tuple[Callable[[int], None], Callable[[int], None]],
) -> Done:
    """Build the members of a catalogue, and its guide and index when nothing is wrong in one."""
    started, shown = progress
    folders = member_folders(opened.folder, package)
    made = [
        build_folder(each, jobs=jobs, tell=tell, started=started, done=shown) for each in folders
    ]
    if not (opened.is_usable and all(each.is_usable for each in made)):
        return Done(is_usable=False)
    changed = write_catalogue(opened.folder, package)
    return Done(
        is_usable=True,
        resources=sum(each.resources for each in made) + 2,
        changed=sum(each.changed for each in made) + changed,
        kept=sum(each.kept for each in made),
        removed=tuple(file for each in made for file in each.removed),
    )


def _all_made(
    work: _Work, jobs: int, tell: Callable[[Issue], None], done: Callable[[int], None]
) -> list[Made]:
    made = []
    with few_collections(), mapping(_make, work, jobs) as run:
        for each in run(work.opened.files):
            list(map(tell, each.issues))
            made.append(dataclasses.replace(each, issues=()))
            done(len(made))
    same = list(same_ids(work.opened.folder, ((each.name, each.id) for each in made if each.id)))
    list(map(tell, same))
    if same:
        made.append(Made("", is_usable=False))
    return made


def _make(work: _Work, file: Path) -> Made:
    """One procedure; what it changes waits beside the files that are to be replaced."""
    name = str(file.parent.relative_to(work.opened.folder))
    kept = _kept(work, name)
    if kept:
        return kept
    read = work.opened.read(file)
    if not read.procedure or not read.is_usable:
        named = read.procedure.id if read.procedure else ""
        return Made(name, named, read.issues, is_usable=False)
    context = BuildContext(work.package, read.procedure, read.listed, read.beside)
    resources = resources_of(context, work.profiles)
    texts = {_file(r): text(r) for r in resources}
    stage(work.home(name), texts)
    if work.is_in_place:
        record = Record(
            sources_of(work.opened.folder, file.parent),
            {name: digest(content) for name, content in texts.items()},
            tuple(_noted(issue, work.opened.folder) for issue in read.issues if _is_told(issue)),
        )
        stage(work.home(name), {RECORD: record.text}, anew=False)
    parts = tuple(map(part_of, resources))
    return Made(name, read.procedure.id, read.issues, parts=parts)


def _kept(work: _Work, name: str) -> Made | None:
    """A procedure that is as the last build left it; None when it has to be built."""
    if not work.known:
        return None
    home = work.home(name)
    record = read_record(home)
    if record is None or record.sources != sources_of(work.opened.folder, home.parent):
        return None
    if {file.name for file in home.glob("*-*.json")} != record.files.keys():
        return None
    if any(digest_of(f"{home}/{file}") != then for file, then in record.files.items()):
        return None
    ours = record.files.keys() - work.of_the_package
    references = {file[:-5].replace("-", "/", 1) for file in ours}
    if (work.guide in record.files) != (name == work.first) or references - work.known.keys():
        return None
    parts = tuple(part for reference, part in work.known.items() if reference in references)
    plan = next((p for p in references if p.startswith("PlanDefinition/")), "")
    told = tuple(_read_noted(each, work.opened.folder) for each in record.told)
    return Made(name, plan[15:].removesuffix("Plan"), told, is_kept=True, parts=parts)


def _is_told(issue: Issue) -> bool:
    return issue.severity is Severity.WARNING


def _noted(issue: Issue, folder: Path) -> dict[str, object]:
    """An issue as the record holds it, its file relative to the package."""
    found = {key: value for key, value in dataclasses.asdict(issue).items() if value}
    return found | {"file": Path(issue.file).relative_to(folder).as_posix()}


def _read_noted(noted: Mapping[str, object], folder: Path) -> Issue:
    known = {field.name for field in dataclasses.fields(Issue)}
    found = {key: value for key, value in noted.items() if key in known}
    severity = Severity(str(noted["severity"]))
    file = str(folder / str(noted["file"]))
    return Issue(**{**found, "severity": severity, "file": file})  # type: ignore[arg-type]


def _take_places(work: _Work, made: Iterable[Made]) -> int:
    """Put what waits in its place, the guide with it; how many files were changed."""
    _stage_guide(work, made)
    changed = 0
    for each in made:
        home = work.home(each.name)
        names = {f"{part.reference.replace('/', '-')}.json" for part in each.parts}
        names |= work.of_the_package if each.name == work.first else set()
        if not each.is_kept or each.name == work.first:
            changed += take_place(home, names, work.package.id)
    return changed


def _stage_guide(work: _Work, made: Iterable[Made]) -> None:
    """The resource that lists all of them, and the record of the procedure that it is beside.

    Where all procedures are those of the last build, it is that of the last build too.
    """
    made = list(made)
    parts = [part for each in sorted(made, key=lambda m: m.name) for part in each.parts]
    if all(each.is_kept for each in made) and len(parts) == len(work.known):
        return
    carries = (work.opened.folder.absolute().parent / "profiles").is_dir()
    guide = guide_of(work.package, parts, work.profiles, carries_profiles=carries)
    texts = {_file(r): text(r) for r in (guide, *carried(work.profiles, work.package, guide))}
    home = work.home(work.first)
    stage(home, texts, anew=False)
    if work.is_in_place:
        waiting = staged(home, RECORD)
        record = read_record(home, waiting.name) if waiting.is_file() else read_record(home)
        assert record, "it was written just now, or read before"
        files = {**record.files, **{name: digest(content) for name, content in texts.items()}}
        stage(home, {RECORD: dataclasses.replace(record, files=files).text}, anew=False)


# -- what the last build left ---------------------------------------------------------------


def _known(work: _Work) -> dict[str, Part]:
    """What the guide of the last build lists; nothing if another program made it."""
    home = work.home(work.first)
    file = home / work.guide
    record = read_record(home)
    if record is None or not file.is_file() or not _is_by_this_program(work.output):
        return {}
    content = file.read_bytes()
    if record.files.get(file.name) != digest(content):
        return {}
    listed = json.loads(content)["definition"]["resource"]
    parts = (Part(each["reference"]["reference"], each["name"]) for each in listed)
    profiles = {f"{p['resourceType']}/{p.get('id')}" for p in work.profiles}
    return {p.reference: p for p in parts if p.reference not in profiles}


def _file(resource: Resource) -> str:
    return f"{resource['resourceType']}-{resource['id']}.json"


def _is_by_this_program(folder: Path) -> bool:
    file = folder / RECORD
    return file.is_file() and file.read_text("utf-8").strip() == program()


def _note_program(folder: Path, *, is_ours: bool) -> None:
    """Note what built the package; nothing when its urls are not those of package.yaml."""
    if not is_ours:
        (folder / RECORD).unlink(missing_ok=True)
    elif not _is_by_this_program(folder):
        replace(folder / RECORD, f"{program()}\n".encode())


@functools.cache
def program() -> str:
    """The digest of this program: another one may build other resources of the same sources."""
    package = Path(__file__).parent.parent
    files = [file for file in package.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    files += (content_root() / "profiles").glob("*.json")
    return digest(b"".join(bytes.fromhex(digest(file.read_bytes())) for file in sorted(files)))
