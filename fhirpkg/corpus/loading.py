"""The definitions that inputs are checked with: the core's, those of packages, those among them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.definitions.definitions import Elsewhere
from fhirpkg.errors import PackageError
from fhirpkg.validation.loading import with_package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fhirpkg.canonical import PackageId
    from fhirpkg.corpus.targets import Targets
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.packages.cache import PackageCache
    from fhirpkg.packages.package import Package

_TYPES = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Loading:
    """How packages are loaded, and who is informed of those that cannot be."""

    offline: bool = True
    installing: bool = False
    """Whether dependencies that are missing are fetched into the cache."""
    warn: Callable[[str], None] | None = None


def definitions_for(
    packages: Iterable[str | Package],
    core: Definitions,
    inputs: list[Package],
    targets: Targets,
    loading: Loading,
) -> Definitions:
    """The core's definitions, those of packages, and those among the inputs.

    Raises PackageError when one of `packages` cannot be had.
    """
    definitions = core
    for package in _packages(packages, inputs, loading):
        definitions = with_package(definitions, package)
    unknown = [each for each in targets.definitions if _is_new(each, definitions)]
    if not unknown:
        return definitions
    compiled = {e for e in unknown if targets.entries[e].resource_type == "StructureDefinition"}
    loaded = (targets.definition(each) for each in unknown if each in compiled)
    return definitions.with_resources(each for each in loaded if each).with_elsewhere(
        (targets.entries[each], Elsewhere(functools.partial(targets.definition, each)))
        for each in unknown
        if each not in compiled
    )


def _is_new(canonical: str, definitions: Definitions) -> bool:
    """Whether a definition among the inputs counts; types of FHIR and what is loaded stay."""
    url = canonical.partition("|")[0]
    if definitions.types.is_type(url.removeprefix(_TYPES)):
        return False
    return definitions.find(canonical) is None


def _packages(
    names: Iterable[str | Package], inputs: list[Package], loading: Loading
) -> list[Package]:
    """The packages asked for, and what they and those among the inputs need."""
    wanted = list(names)
    if not wanted and not inputs:
        return []
    from fhirpkg.packages.cache import PackageCache, resolve_package

    cache = PackageCache()
    asked = [
        resolve_package(each, cache, offline=loading.offline) if isinstance(each, str) else each
        for each in wanted
    ]
    found, missing = _with_dependencies([*asked, *inputs], cache, loading)
    packages = [each for each in found if not any(each is given for given in inputs)]
    others = {package.id.name: package.id for package in packages}
    for each in missing if loading.warn else ():
        advice = f"what it defines is not checked; fhirpkg install {each} fetches it"
        if each.name in others:
            advice = f"{others[each.name]} is used in its place"
        _warn(loading, f"{each} is not in the package cache; {advice}")
    return packages


def _with_dependencies(
    packages: list[Package], cache: PackageCache, loading: Loading
) -> tuple[list[Package], list[PackageId]]:
    """Packages with all they need, and what is missing; what was fetched may need more."""
    from fhirpkg.packages.cache import resolve_named, with_dependencies

    tried: set[PackageId] = set()
    while True:
        found, missing = with_dependencies(packages, cache)
        fetched = [each for each in missing if loading.installing and each not in tried]
        if not fetched:
            return found, missing
        tried.update(fetched)
        for each in fetched:
            try:
                resolve_named(str(each), cache)
            except PackageError as error:
                _warn(loading, str(error))


def _warn(loading: Loading, text: str) -> None:
    if loading.warn:
        loading.warn(text)
