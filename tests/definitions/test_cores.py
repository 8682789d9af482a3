"""The cores of other releases: found in the cache, compiled once, told apart from R4's."""

import shutil

import pytest

from fhirpkg.definitions.cores import definitions_of
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import ConfigError, PackageError
from fhirpkg.releases import R4, R4B, R5, release_of
from tests.cores import make_core


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "packages"))
    definitions_of.cache_clear()
    yield tmp_path / "packages"
    definitions_of.cache_clear()


@pytest.mark.parametrize("text", ["5.0.0", "5.0", "R5", "r5"])
def test_a_release_goes_by_version_and_by_name(text):
    assert release_of(text) is R5


def test_a_release_that_is_not_known_names_those_that_are():
    with pytest.raises(ConfigError, match="R4B"):
        release_of("3.0.2")


def test_r4_needs_no_package(cache):
    assert definitions_of(R4) is Definitions.core()
    assert not cache.exists()


def test_a_core_that_is_not_installed_names_the_command(cache):
    with pytest.raises(PackageError, match=r"fhirpkg install hl7\.fhir\.r5\.core#5\.0\.0"):
        definitions_of(R5)


def test_a_core_is_compiled_once_and_then_read_from_the_cache(cache):
    folder = make_core(cache, R5)
    made = definitions_of(R5)
    assert (made.release, made.types.is_resource("Transport")) == (R5, True)
    [compiled] = (cache / ".fhirpkg").glob("*.bin")
    shutil.rmtree(folder / "package")  # what was compiled serves without it
    definitions_of.cache_clear()
    assert definitions_of(R5).types.is_resource("Transport")
    compiled.write_bytes(b"{}\n")
    definitions_of.cache_clear()
    with pytest.raises(PackageError):
        definitions_of(R5)


def test_a_core_serves_where_the_cache_cannot_be_written_to(cache):
    make_core(cache, R4B)
    (cache / ".fhirpkg").write_text("no folder")
    assert definitions_of(R4B).types.is_resource("Transport")


def test_the_core_of_another_release_is_no_package_beside_it(cache):
    from fhirpkg.packages.package import read_package

    package = read_package(make_core(cache, R4B))
    make_core(cache, R5)
    with pytest.raises(PackageError, match="R5"):
        definitions_of(R5).with_package(package)
