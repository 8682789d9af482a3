"""Many inputs checked together: their definitions serve each other, their references resolve."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.corpus.inputs import inputs_of, left_out_of
from fhirpkg.corpus.loading import Loading, definitions_for
from fhirpkg.corpus.targets import DEFINITIONS, Targets, identify, targets_among
from fhirpkg.definitions.cores import definitions_of
from fhirpkg.errors import ConfigError
from fhirpkg.issues import Outcome, in_order
from fhirpkg.parsing_rules import PARSE_BYTE_ORDER_MARK, PARSE_NO_RESOURCE, XML_NAMESPACE
from fhirpkg.processes import few_collections, mapping
from fhirpkg.releases import R4, release_of
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from fhirpkg.corpus.inputs import Input
    from fhirpkg.corpus.targets import Identity
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.packages.package import Package
    from fhirpkg.validation.run import Settings
    from fhirpkg.validation.validator import Validator


@dataclass(frozen=True, slots=True)
class Checked:
    """What `validate_all` yields for one input.

    - `file`: the path of the input, or the package and the file in it
    - `outcome`: the issues found, an Outcome
    - `is_skipped`: a file of a folder or package that cannot hold FHIR and was not read
    - `is_no_resource`: a file of JSON or XML that is something other than FHIR
    - `left_out`: for a package, how many files lie in folders that are not for resources
    """

    file: str
    outcome: Outcome
    is_skipped: bool = False
    """Whether a file of a folder or package was left alone, as no FHIR could be in it."""
    is_no_resource: bool = False
    """Whether a file that could have held a resource does not mean to be FHIR."""
    left_out: int = 0
    """Of a package: how many JSON and XML files lie in folders that are not for resources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusOptions:
    """What inputs are checked with, and how it is found; `validate_all` says each in words."""

    profiles: tuple[str, ...] = ()
    packages: tuple[str | Package, ...] = ()
    settings: Settings | None = None
    fhir_version: str = R4.version
    tx: str = ""
    offline: bool = True
    installing: bool = False
    jobs: int = 1
    warn: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Corpus:
    """Inputs that serve each other, and what every process checks them with."""

    given: list[Input | None]
    targets: Targets
    validator: Validator
    profiles: tuple[str, ...]
    defining: frozenset[str]
    """The inputs that hold definitions."""
    jobs: int = 1


def validate_all(
    paths: Iterable[str | Path],
    *,
    profiles: Iterable[str] = (),
    packages: Iterable[str | Package] = (),
    settings: Settings | None = None,
    fhir_version: str = R4.version,
    tx: str = "",
    offline: bool = True,
    installing: bool = False,
    jobs: int = 1,
    changed: frozenset[Path] | None = None,
    started: Callable[[int], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Iterator[Checked]:
    """Check files, folders, NDJSON and packages, and yield a Checked for each, in a stable order.

    Inputs are checked together: profiles, value sets and questionnaires in one are used for the
    others, and references between them are followed.

    - `profiles`: canonicals to check against, besides those that the resources claim
    - `packages`: read packages, `name#version`, .tgz files or folders; they come from the
      registry unless `offline`, and with `installing` their dependencies, too
    - `fhir_version`: a version of FHIR or its name (`R5`)
    - `tx`: the url of a terminology server
    - `jobs`: the number of processes
    - `changed`: absolute paths; only the inputs in these files are checked, or all of them if a
      file is gone or defines something that the others are checked against
    - `started` is called with the number of inputs, `warn` with a sentence for each dependency
      that is not in the package cache

    Raises SourceError for a path that cannot be read, PackageError for a package that cannot be
    loaded (such as the core of another release), ConfigError for a profile that is not loaded.

        for checked in fhirpkg.validate_all(["resources"], profiles=[]):
            print(checked.file, [issue.rule for issue in checked.outcome.errors])
    """
    options = CorpusOptions(
        profiles=tuple(profiles),
        packages=tuple(packages),
        settings=settings,
        fhir_version=fhir_version,
        tx=tx,
        offline=offline,
        installing=installing,
        jobs=jobs,
        warn=warn,
    )
    return check_all(open_corpus(paths, options), changed, started)


def open_corpus(paths: Iterable[str | Path], options: CorpusOptions) -> Corpus:
    """The inputs with what they and packages define; raises what `validate_all` raises."""
    offline = options.offline
    release = release_of(options.fhir_version)
    core = definitions_of(release)
    given = list(inputs_of((str(path) for path in paths), offline=offline, release=release))
    targets = _targets(given, core, options.jobs)
    needing = [each.package for each in given if each and each.package]
    loading = Loading(offline=offline, installing=options.installing, warn=options.warn)
    definitions = definitions_for(options.packages, core, needing, targets, loading)
    targets.structures.clear()  # what is needed of them is among the definitions now
    _check_profiles(options.profiles, definitions)
    defining = frozenset(each.file for each in targets.definitions.values())
    validator = _validator(definitions, options.settings, targets, options.tx)
    return Corpus(given, targets, validator, options.profiles, defining, options.jobs)


def check_all(
    corpus: Corpus,
    changed: frozenset[Path] | None = None,
    started: Callable[[int], None] | None = None,
) -> Iterator[Checked]:
    """What is found in each input, or in those of changed files, as `validate_all` gives it."""
    due = corpus.given if changed is None else _due(corpus.given, changed, corpus.defining)
    if started:
        started(len(due))
    with few_collections(), mapping(check, corpus, corpus.jobs) as run:
        yield from run(_expanded(due))


def _due(
    given: list[Input | None], changed: frozenset[Path], defining: frozenset[str]
) -> list[Input | None]:
    """The inputs in changed files; all if one is gone, or has to do with the others."""
    files = {}
    for each in given:
        if each and each.path and each.path.absolute() in changed:
            files[each.path.absolute()] = each
    is_more = changed - files.keys() or any(each.file in defining for each in files.values())
    return given if is_more else list(files.values())


def _expanded(given: list[Input | None]) -> Iterator[Input | None]:
    for each in given:
        if each is not None and each.is_stream:
            yield from each.lines()
        else:
            yield each


def _targets(given: list[Input | None], core: Definitions, jobs: int) -> Targets:
    """What the inputs hold for each other; of a Bundle named alone only its definitions count."""
    files = [each for each in _expanded(given) if each and not (each.is_authored or each.package)]
    is_alone = len(files) == 1 and files[0].named
    if is_alone and b"Bundle" not in files[0].data():
        return Targets(core.types)
    # those of another process would have to be written and parsed again
    identifying = functools.partial(_identify, keeping=jobs == 1)
    with mapping(identifying, core.types, jobs) as run:
        targets = targets_among(zip(files, run(files), strict=True), core.types)
    return targets.as_definitions() if is_alone else targets


def _identify(types: TypesOfDefinitions, given: Input, *, keeping: bool) -> Identity:
    return identify(given, types, keeping=keeping)


def check(corpus: Corpus, given: Input | None) -> Checked:
    """What is found in one input."""
    if given is None:
        return Checked("", Outcome(), is_skipped=True)
    if given.is_authored:
        from fhirpkg.authoring.folder import check_file

        assert given.path is not None, "authored files lie in folders"
        found = check_file(given.path.name, given.data(), given.file)
        return Checked(given.file, Outcome(in_order(found)))
    if given.package:
        from fhirpkg.packages.checking import check_package

        release = corpus.validator.definitions.release
        inside = f"{given.file}/" if given.path else f"{given.file}:package/"
        issues = check_package(given.package, inside, release)
        left_out = left_out_of(given.package, release)
        return Checked(given.file, Outcome(in_order(issues)), left_out=left_out)
    outcome = corpus.validator.validate(given.data(), _profiles_of(corpus, given), file=given.file)
    if not given.named and _is_no_resource(corpus, outcome):
        return Checked(given.file, Outcome(), is_no_resource=True)
    if given.first_line > 1:
        shift = given.first_line - 1
        moved = (dataclasses.replace(i, line=i.line + shift) for i in outcome.issues)
        outcome = Outcome(tuple(moved))
    return Checked(given.file, outcome)


def _profiles_of(corpus: Corpus, given: Input) -> list[str]:
    """The profiles asked for; inputs that define something meet only profiles on definitions."""
    if given.file not in corpus.defining:
        return list(corpus.profiles)
    found = ((p, corpus.validator.definitions.find(p) or {}) for p in corpus.profiles)
    return [profile for profile, structure in found if text_of(structure, "type") in DEFINITIONS]


def _is_no_resource(corpus: Corpus, outcome: Outcome) -> bool:
    """Whether a file is not FHIR at all: JSON without resource type, XML of another namespace.

    What has the name of a type means to be FHIR, whatever its namespace.
    """
    issues = [issue for issue in outcome.issues if issue.rule != PARSE_BYTE_ORDER_MARK.id]
    if len(issues) != 1:
        return False
    [issue] = issues
    types = corpus.validator.definitions.types
    return issue.rule == PARSE_NO_RESOURCE.id or (
        issue.rule == XML_NAMESPACE.id
        and "." not in issue.expression
        and not types.is_resource(issue.expression)
    )


def _check_profiles(profiles: tuple[str, ...], definitions: Definitions) -> None:
    for profile in profiles:
        if definitions.find(profile, "StructureDefinition") is None:
            raise ConfigError(
                f"the profile {profile} is not loaded; name its package with --package, "
                "or give its file among the inputs"
            )


def _validator(
    definitions: Definitions, settings: Settings | None, targets: Targets, tx: str
) -> Validator:
    from fhirpkg.validation.validator import Validator

    return Validator(
        definitions=definitions,
        settings=settings,
        terminology=_terminology(definitions, tx),
        retrieve=targets.retrieve,
        bases=targets.bases,
        knows=targets.knows,
    )


def _terminology(definitions: Definitions, url: str) -> Terminology:
    """What the definitions say of codes, and behind them the terminology server, if any."""
    from fhirpkg.definitions.terminology.valuesets import Terminology

    if not url:
        return Terminology(definitions)
    from fhirpkg.client.client import FhirClient
    from fhirpkg.client.terminology import TerminologyServer

    return Terminology(definitions, TerminologyServer(FhirClient(url)))
