"""A catalogue: a package over packages, which depends on each and lists their procedures by code.

Its folder has a package.yaml with `members`, the folders below it that are packages themselves.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.authoring.build import guide_of_members
from fhirpkg.authoring.building.manifests import index
from fhirpkg.authoring.folder import open_folder
from fhirpkg.authoring.writing import discard, stage, take_place, text
from fhirpkg.definitions.terminology.systems import NAMES
from fhirpkg.errors import SourceError
from fhirpkg.packages.freshness import PACKAGE, RECORD, Record, digest
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.issues import Resource


class Listed(NamedTuple):
    """A procedure as a catalogue lists it: its plan, its codes, and the file the plan was in."""

    plan: Resource
    codes: tuple[str, ...]
    file: Path


def write_catalogue(folder: Path, package: PackageSource) -> int:
    """Write the guide and the index of a catalogue whose members are built; how many changed.

    Raises SourceError for members that are one package.
    """
    members = {name: _package_of(folder / name) for name in package.members}
    by_id: dict[str, str] = {}
    for name, member in members.items():
        other = by_id.setdefault(member.id, name)
        if other != name or member.id == package.id:
            problem = (
                f"its id '{member.id}' is that of {other if other != name else 'the catalogue'}"
            )
            raise SourceError(str(folder / name / PACKAGE), problem, "give each a different id")
    listed = [each for name in members for each in listed_in(folder / name)]
    library = index(package, [(each.plan, each.codes) for each in listed])
    guide, library = guide_of_members(package, members.values(), library)
    texts = {f"{r['resourceType']}-{r['id']}.json": text(r) for r in (guide, library)}
    read = [folder / PACKAGE, *(folder / name / PACKAGE for name in members)]
    read += [each.file for each in listed]
    sources = {file.relative_to(folder).as_posix(): digest(file.read_bytes()) for file in read}
    files = {name: digest(content) for name, content in texts.items()}
    home = folder / "fhir"
    try:
        stage(home, {**texts, RECORD: Record(sources, files).text})
        return take_place(home, texts.keys(), package.id)
    finally:
        discard(home)


def _package_of(folder: Path) -> PackageSource:
    found = open_folder(folder).package
    assert found, "it was built just now"
    return found


def listed_in(member: Path) -> Iterator[Listed]:
    """The procedures of a package that is built, in the order of its folders."""
    plans = [
        *member.glob("fhir/PlanDefinition-*.json"),
        *member.glob("*/fhir/PlanDefinition-*.json"),
    ]
    for file in sorted(plans):
        plan: Resource = json.loads(file.read_bytes())
        yield Listed(plan, tuple(_codes(plan)), file)


def _codes(plan: Resource) -> Iterator[str]:
    """The codes that a plan is found by, as procedure.yaml writes them."""
    for context in objects(plan, "useContext"):
        if text_of(context.get("code"), "code") == "focus":
            for coding in objects(context.get("valueCodeableConcept"), "coding"):
                system = text_of(coding, "system")
                name, between = (NAMES[system], " ") if system in NAMES else (system, "|")
                yield f"{name}{between}{text_of(coding, 'code')}"


def member_folders(folder: Path, package: PackageSource) -> Sequence[Path]:
    """The folders of a catalogue's members; SourceError for one that is not a package."""
    for name in package.members:
        if not (folder / name / PACKAGE).is_file():
            problem = f"its member '{name}' holds no {PACKAGE}"
            raise SourceError(str(folder / PACKAGE), problem, "list only folders beside it that do")
    return [folder / name for name in package.members]
