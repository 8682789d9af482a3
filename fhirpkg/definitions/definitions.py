"""Definitions: what the R4 core and added packages define, found by canonical, read when asked."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.canonical import Canonical, version_key, version_matches
from fhirpkg.definitions import crossversion
from fhirpkg.definitions.crossversion import tables_of
from fhirpkg.definitions.datafile import DataFile, Entry, entry_of
from fhirpkg.definitions.packaged import Unread, definitions_of
from fhirpkg.definitions.typemodel import TypesOfDefinitions, defines_type
from fhirpkg.errors import DefinitionError, PackageError
from fhirpkg.identity import Bounded, ByIdentity
from fhirpkg.packages.installed import installed_resource
from fhirpkg.releases import R4, RELEASES
from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Self

    from fhirpkg.definitions.crossversion import Table
    from fhirpkg.issues import Resource
    from fhirpkg.packages.package import Manifest, Package

    _Added = tuple[Entry, Resource | "Unread" | "Elsewhere"]

CORE_FILE = Path(__file__).parent / "data" / "hl7.fhir.r4.core.bin"
_MAX_CHAIN = 50
_MOST_KEPT = 20_000
"""Canonicals whose definition, or absence, is remembered."""
_OTHER_CORE = re.compile(r"hl7\.fhir\.(r\d+b?\.)?core")
_RELEASE = {f"{release.package}#{release.version}": release for release in RELEASES}
_OWN_URL = re.compile(r"/(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})$")
_STRUCTURES = "http://hl7.org/fhir/StructureDefinition/"
_MOST_HELD = 100
"""Definitions that are elsewhere and are held here once they were read."""
_PASSING = frozenset(
    "ActivityDefinition ImplementationGuide Library Measure PlanDefinition Questionnaire".split()
)
"""Types asked for a few times in a row, or once: what is read of them elsewhere is not held."""


class Elsewhere(NamedTuple):
    """A definition that somebody else keeps, or reads again when it is asked for."""

    read: Callable[[], Resource | None]

    @property
    def resource(self) -> Resource | None:
        """The definition; None when it is gone."""
        return self.read()


class _Index(NamedTuple):
    """What is known of the first `size` added definitions, so that a few more cost little."""

    by_url: Mapping[str, tuple[_Added, ...]]
    types: Mapping[str, Resource]
    has_versions: bool
    size: int


class Definitions:
    """The definitions of R4 and, on top of them, those of packages and single resources.

    Immutable: each `with_` method returns a new one. The resources that it returns are shared, so
    do not change them.

        definitions = fhirpkg.Definitions.core()
        patient = definitions.find("http://hl7.org/fhir/StructureDefinition/Patient")
    """

    def __init__(
        self,
        core: DataFile,
        added: tuple[_Added, ...] = (),
        manifests: Mapping[str, Manifest] | None = None,
        tables: Mapping[str, Table] | None = None,
        *,
        before: _Index | None = None,
    ) -> None:
        self._core = core
        self._tables = tables or {}
        self._added = added
        self._manifests = manifests or {}
        self._by_url: dict[str, tuple[_Added, ...]] = dict(before.by_url) if before else {}
        self._added_types: dict[str, Resource] = dict(before.types) if before else {}
        """The types outside the core by name; of two the one that was added last."""
        self._has_versions = bool(before and before.has_versions)
        for entry, content in added[before.size if before else 0 :]:
            if entry.url:
                same = self._by_url.get(entry.url, ())
                self._by_url[entry.url] = (*same, (entry, content))
                self._has_versions |= bool(same) and same[0][0].version != entry.version
            if isinstance(content, dict) and defines_type(entry):
                self._added_types[entry.type.rpartition("/")[2]] = content
        self._sought: Bounded[tuple[str | Canonical, str | None], Resource | Elsewhere | None] = (
            Bounded(_MOST_KEPT)
        )
        self._held: Bounded[Elsewhere, Resource] = Bounded(_MOST_HELD)
        self._pinned: ByIdentity[Resource] = ByIdentity()
        self._structures: dict[str, Resource] = {}
        self._parameters: dict[str, dict[str, Resource]] = {}
        self._installed: dict[str, Resource | None] = {}
        self.types = TypesOfDefinitions(core, self._added_structure)
        self.release = _RELEASE.get(core.package, R4)
        """The release of FHIR that the core defines."""

    @classmethod
    @functools.cache
    def core(cls) -> Self:
        """The definitions of R4 4.0.1 that come with this program; one object in a process."""
        return cls(DataFile(CORE_FILE))

    def with_resources(self, resources: Iterable[Resource]) -> Definitions:
        """These definitions and some resources, which replace published ones with the same url.

        A Bundle stands for its entries.
        """
        singles = (each for resource in resources for each in _singles(resource))
        added = [(entry_of(resource), resource) for resource in singles]
        return self._with(added)

    def with_elsewhere(self, definitions: Iterable[tuple[Entry, Elsewhere]]) -> Definitions:
        """These definitions and some that are read on demand instead of being kept in memory.

        Not for StructureDefinitions, which are kept in memory in any case once they are compiled.
        """
        return self._with(definitions)

    def with_package(self, package: Package) -> Definitions:
        """These definitions and those of a package; the core's own types stay the core's.

        Raises PackageError for the core of another FHIR version.
        """
        name = str(package.id)
        if name == self._core.package:
            return self
        if _OTHER_CORE.fullmatch(package.id.name):
            raise PackageError(
                name, f"it is a core package of FHIR; what is checked is {self.release}"
            )
        defined = definitions_of(package)
        kept = [(entry, content) for entry, content in defined if not self._is_core_type(entry)]
        return self._with(kept, {name: package.manifest}, tables_of(package))

    def _with(
        self,
        more: Iterable[_Added],
        manifests: Mapping[str, Manifest] | None = None,
        tables: Mapping[str, Table] | None = None,
    ) -> Definitions:
        """These definitions and some more, of which alone the index is made."""
        return Definitions(
            self._core,
            (*self._added, *more),
            {**self._manifests, **(manifests or {})},
            {**self._tables, **(tables or {})},
            before=_Index(self._by_url, self._added_types, self._has_versions, len(self._added)),
        )

    def find(self, canonical: str | Canonical, resource_type: str | None = None) -> Resource | None:
        """The definition with a canonical, of a given type if one is named, or None.

        With a version, exactly that one (``4.0`` finds 4.0.1). Without, a single resource is
        preferred to one of a package, then the newest, then the one added last. What no package
        has is looked up in the content that is installed with fhirpkg.
        """
        key = (canonical, resource_type)
        if key not in self._sought:
            wanted = Canonical.parse(canonical) if isinstance(canonical, str) else canonical
            self._sought[key] = self._find(wanted, resource_type)
        found = self._sought[key]
        return self._read(found) if isinstance(found, Elsewhere) else found

    def structure(self, name: str) -> Resource | None:
        """The StructureDefinition of a url or a type name, with its snapshot.

        Raises DefinitionError when a snapshot is missing and cannot be made.
        """
        return self._structure(name, ())

    def entries(self, resource_type: str) -> Iterator[Entry]:
        """An entry for each definition of a type, those added first, then the core's."""
        for entry, _ in reversed(self._added):
            if entry.resource_type == resource_type:
                yield entry
        yield from self._core.entries(resource_type)

    def search_parameters(self, resource_type: str) -> Mapping[str, Resource]:
        """The SearchParameters of a resource type by code, inherited ones (`_id`) included."""
        if resource_type not in self._parameters:
            found: dict[str, Resource] = {}
            for base in self.types.ancestors(resource_type):
                for entry in self._parameters_of.get(base, ()):
                    parameter = self.find(entry.url, "SearchParameter") or {}
                    found.setdefault(str(parameter.get("code")), parameter)
            self._parameters[resource_type] = found
        return self._parameters[resource_type]

    @functools.cached_property
    def _parameters_of(self) -> Mapping[str, list[Entry]]:
        """The entries of SearchParameters by the types they are for."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries("SearchParameter"):
            for base in entry.bases:
                found.setdefault(base, []).append(entry)
        return found

    def _read(self, elsewhere: Elsewhere) -> Resource | None:
        """A definition that is elsewhere, read again unless it is held."""
        if elsewhere in self._held:
            return self._held[elsewhere]
        found = elsewhere.resource
        if found is not None and found["resourceType"] not in _PASSING:
            self._held[elsewhere] = found
        return found

    def _is_core_type(self, entry: Entry) -> bool:
        return defines_type(entry) and self._core.find(entry.url, entry.resource_type) is not None

    def _find(self, wanted: Canonical, resource_type: str | None) -> Resource | Elsewhere | None:
        found = self._find_added(wanted, resource_type)
        if found is not None:
            return found
        types = [resource_type] if resource_type else self._core.resource_types
        for type_ in types:
            entry = self._core.find(wanted.url, type_)
            if entry and version_matches(wanted.version, entry.version):
                return self._core.load(entry)
        found = self._find_installed(wanted, resource_type)
        if found is None and resource_type in {None, "StructureDefinition"}:
            found = self._find_cross_version(wanted.url)
        return found

    def has_elements_of(self, version: str) -> bool:
        """Whether a loaded package lists the elements of a version of FHIR, such as ``5.0``."""
        return version in self._tables

    def _find_cross_version(self, url: str) -> Resource | None:
        """The extension for an element of another version, where a package lists its elements."""
        match = crossversion.URL.fullmatch(url)
        table = self._tables.get(match["version"]) if match else None
        return crossversion.definition(url, table, self.types.is_type) if table else None

    def _find_added(
        self, wanted: Canonical, resource_type: str | None
    ) -> Resource | Elsewhere | None:
        candidates = [
            (not entry.package, version_key(entry.version), number, entry, content)
            for number, (entry, content) in enumerate(self._by_url.get(wanted.url, ()))
            if resource_type in {None, entry.resource_type}
            and version_matches(wanted.version, entry.version or None)
        ]
        if not candidates:
            return None
        *_, entry, content = max(candidates, key=lambda candidate: candidate[:3])
        if isinstance(content, Elsewhere):
            return content
        found = content if isinstance(content, dict) else content.resource
        return self._pin(entry, found) if found else None

    def _find_installed(self, wanted: Canonical, resource_type: str | None) -> Resource | None:
        """A resource of our own content; its url ends in ``/Type/id``, as its file's name does."""
        match = _OWN_URL.search(wanted.url)
        if match is None or resource_type not in {None, match["type"]}:
            return None
        if wanted.url not in self._installed:
            found = installed_resource(match["type"], match["id"])
            fits = found is not None and found.get("url") == wanted.url
            self._installed[wanted.url] = found if fits else None
        found = self._installed[wanted.url]
        if found is None or not version_matches(wanted.version, found.get("version")):
            return None
        return found

    def _pin(self, entry: Entry, resource: Resource) -> Resource:
        """The resource with its canonicals bound as its package's dependencies demand."""
        manifest = self._manifests.get(entry.package)
        if manifest is None or not self._has_versions:
            return resource
        if not self._pinned.has(resource):
            from fhirpkg.definitions.pinning import pin  # noqa: PLC0415 - few packages need it

            near = functools.partial(self._version_near, manifest)
            self._pinned.keep(resource, pin(resource, near))
        return self._pinned.get(resource) or resource

    def _version_near(self, manifest: Manifest, url: str) -> str | None:
        """The version of a url in a package or, if not there, in what it depends on."""
        wanted = {manifest.id.name: manifest.id.version, **manifest.dependencies}
        for name, version in wanted.items():
            for entry, _ in self._by_url.get(url, ()):
                package, _, found = entry.package.partition("#")
                if package == name and version_matches(version, found):
                    return entry.version or None
        return None

    def _structure(self, name: str, underway: tuple[str, ...]) -> Resource | None:
        """As `structure`; `underway` are the structures whose snapshots wait for this one."""
        if name in self._structures:
            return self._structures[name]
        found = self.find(name if ":" in name else _STRUCTURES + name, "StructureDefinition")
        if found is None:
            found = self._added_types.get(name)
        if found is None:
            return None
        if not _has_snapshot(found):
            found = self._with_snapshot(name, found, underway)
        self._structures[name] = found
        return found

    def _with_snapshot(self, name: str, structure: Resource, underway: tuple[str, ...]) -> Resource:
        if name in underway:
            raise DefinitionError(name, "its definition is based on itself")
        if len(underway) > _MAX_CHAIN:
            raise DefinitionError(
                name, f"it is based on more than {_MAX_CHAIN} other profiles, one on the other"
            )
        from fhirpkg.definitions.snapshot import generate  # noqa: PLC0415 - the core has snapshots

        return generate(structure, lambda wanted: self._structure(wanted, (*underway, name)))

    def _added_structure(self, type_name: str) -> Resource | None:
        """An added type with snapshot; a broken one counts as none, and is reported when used."""
        try:
            return self.structure(type_name) if type_name in self._added_types else None
        except DefinitionError:
            return None


def _singles(resource: Resource) -> Iterator[Resource]:
    """A resource, or those in the entries of a Bundle."""
    if resource.get("resourceType") != "Bundle":
        yield resource
        return
    for entry in objects(resource, "entry"):
        if isinstance(entry.get("resource"), dict):
            yield from _singles(entry["resource"])


def _has_snapshot(structure: Resource) -> bool:
    snapshot = structure.get("snapshot")
    return isinstance(snapshot, dict) and bool(snapshot.get("element"))
