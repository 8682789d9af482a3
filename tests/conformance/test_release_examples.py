"""The official examples of R4B and R5: what is refused is argued, file by file and rule by rule."""

import fnmatch
import multiprocessing
import pathlib
import tomllib

import pytest

from fhirpkg.definitions.cores import definitions_of
from fhirpkg.releases import R4B, R5
from fhirpkg.validation.elements.errata import MEANT_LATER
from fhirpkg.validation.validator import Validator

HERE = pathlib.Path(__file__).parent
CACHE = HERE.parents[1] / ".examples"
ARGUED = tomllib.loads((HERE / "invalid_release_examples.toml").read_text())
RELEASES = pytest.mark.parametrize("release", [R4B, R5], ids=lambda release: release.name)


def examples(release):
    """The files of a release's examples; skips without them or the core that they need."""
    name = release.package.replace("core", "examples")
    for needed in (name, release.package):
        if not (CACHE / f"{needed}#{release.version}").is_dir():
            pytest.skip(f"no {needed} in {CACHE}: scripts/examples")
    folder = CACHE / f"{name}#{release.version}" / "package"
    return sorted(p for p in folder.glob("*.json") if not p.name.startswith(("package", ".")))


@pytest.fixture(autouse=True)
def cache(monkeypatch):
    monkeypatch.setenv("FHIRPKG_CACHE", str(CACHE))
    definitions_of.cache_clear()
    yield
    definitions_of.cache_clear()


def check(path):
    """The name of an example and the rules that its errors are of."""
    return path.name, {issue.rule for issue in check.validator.validate(path).errors}


def argued(release, name):
    """The rules that a file may break."""
    known = (each for each in ARGUED[release.name] if fnmatch.fnmatchcase(name, each["files"]))
    return {rule for each in known for rule in each["rules"]}


@pytest.mark.examples
@pytest.mark.timeout(600)
@pytest.mark.servers  # a minute; below is one of each type at each run
@RELEASES
def test_no_example_is_refused_but_those_that_are_argued(release):
    files = examples(release)
    assert len(files) > 2800
    found = checked(release, files)
    assert refused_without_reason(release, found) == {}
    assert [counted(each, found) for each in ARGUED[release.name]] == ARGUED[release.name]


@pytest.mark.examples
@pytest.mark.timeout(600)
@RELEASES
def test_of_each_type_an_example_is_not_refused_without_reason(release):
    by_type = {file.name.partition("-")[0]: file for file in examples(release)}
    assert len(by_type) > 140
    assert refused_without_reason(release, checked(release, by_type.values())) == {}


def checked(release, files):
    """The rules that each file breaks, by its name."""
    check.validator = Validator(fhir_version=release.version)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return dict(pool.imap_unordered(check, files, chunksize=16))


def refused_without_reason(release, found):
    wrong = {name: rules - argued(release, name) for name, rules in found.items()}
    return {name: rules for name, rules in wrong.items() if rules}


def counted(entry, found):
    """An entry of the list with the number of files that break its rules."""
    wanted = set(entry["rules"])
    names = fnmatch.filter(found, entry["files"])
    return {**entry, "count": sum(wanted <= found[name] for name in names)}


@RELEASES
def test_each_argument_has_its_reason(release):
    assert all(each["reason"] and each["rules"] for each in ARGUED[release.name])


@pytest.mark.examples
def test_what_is_corrected_of_later_releases_stands_in_their_definitions():
    stated = set()
    for release in (R4B, R5):
        examples(release)
        definitions = definitions_of(release)
        for name in ("StructureDefinition", "ElementDefinition"):
            for element in definitions.structure(name)["snapshot"]["element"]:
                stated |= {c.get("expression") for c in element.get("constraint", ())}
    assert MEANT_LATER.keys() <= stated
