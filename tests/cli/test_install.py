import pytest
from click.testing import CliRunner

from fhirpkg.cli.publishing.install import command
from fhirpkg.errors import PackageError
from tests.packages.loopback import archive, running


@pytest.fixture
def registry(monkeypatch, tmp_path):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "cache"))
    with running() as server:
        monkeypatch.setenv("FPL_REGISTRY", server.base)
        server.publish(archive(dependencies={"test.two": "1.0.x", "hl7.fhir.r4.core": "4.0.1"}))
        yield server


def install(*arguments):
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def test_a_package_comes_with_all_it_depends_on(registry, tmp_path):
    registry.publish(archive("test.two", dependencies={"test.one": "1.0.0"}), "test.two")
    result = install("test.one#1.0.0")
    assert result.return_value == 0, result.output
    assert result.stdout.splitlines() == [
        f"test.one#1.0.0 put in {tmp_path / 'cache'}",
        f"test.two#1.0.0 put in {tmp_path / 'cache'}",
    ]
    asked = len(registry.seen)
    again = install("test.one#1.0.0", "--offline")
    assert again.return_value == 0
    assert "is already in" in again.stdout
    assert len(registry.seen) == asked


def test_a_missing_dependency_leaves_the_work_incomplete(registry):
    result = install("test.one#1.0.0")
    assert result.return_value == 1
    assert "test.two#1.0.x" in result.stderr
    assert "needed by test.one#1.0.0" in result.stderr


def test_a_package_that_is_nowhere_is_an_error_and_the_others_are_installed(registry):
    registry.publish(archive("test.two"), "test.two")
    result = install("test.none#1.0.0", "test.two")
    assert result.return_value == 2
    assert "test.none#1.0.0" in result.stderr
    assert "test.two#1.0.0 put in" in result.stdout


def test_offline_nothing_is_asked_for(registry):
    result = install("test.one#1.0.0", "--offline")
    assert result.return_value == 2
    assert "package cache" in result.stderr
    assert registry.seen == []


def test_a_name_that_is_none_is_wrong_use():
    with pytest.raises(Exception, match="write name#version"):
        CliRunner().invoke(command, ["a b"], standalone_mode=False, catch_exceptions=False)


def test_a_file_is_put_into_the_cache_with_what_it_depends_on(registry, tmp_path):
    file = tmp_path / "three.tgz"
    file.write_bytes(archive("test.three", dependencies={"test.two": "1.0.0"}))
    registry.publish(archive("test.two"), "test.two")
    result = install(str(file))
    assert result.return_value == 0, result.output
    assert result.stdout.splitlines() == [
        f"test.three#1.0.0 put in {tmp_path / 'cache'}",
        f"test.two#1.0.0 put in {tmp_path / 'cache'}",
    ]
    assert "is already in" in install("test.three", "--offline").stdout


def test_a_file_that_is_no_package_is_an_error(registry, tmp_path):
    (tmp_path / "x.tgz").write_text("no archive")
    with pytest.raises(PackageError, match="not a readable"):
        CliRunner().invoke(
            command, [str(tmp_path / "x.tgz")], standalone_mode=False, catch_exceptions=False
        )
