"""Settings in fhirpkg.toml and pyproject.toml: a repository is checked by `fhirpkg validate`."""

import json

import click
import pytest
from click.testing import CliRunner

from fhirpkg.cli import cli
from fhirpkg.errors import ConfigError
from tests.cli.test_validate import BAD, write

HEADS = {"fhirpkg.toml": "[validate]", "pyproject.toml": "[tool.fhirpkg.validate]"}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input").mkdir()
    write(tmp_path / "input" / "b.json", BAD)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(
        cli, ["validate", *arguments], catch_exceptions=False, standalone_mode=False
    )


@pytest.mark.parametrize("name", HEADS)
def test_without_arguments_the_settings_say_what_is_checked_and_how(repository, name):
    write(repository / name, f'{HEADS[name]}\npaths = ["input"]\noutput-format = "json"\n')
    result = run()
    assert result.return_value == 1
    [file] = json.loads(result.stdout)["files"]
    assert file["file"] == "input/b.json"


def test_the_command_line_and_the_environment_go_before_the_settings(repository, monkeypatch):
    write(repository / "fhirpkg.toml", '[validate]\npaths = ["none"]\nfail-on = "never"\n')
    assert run("input").return_value == 0
    assert run("input", "--fail-on", "error").return_value == 1
    monkeypatch.setenv("FHIRPKG_VALIDATE_FAIL_ON", "error")
    assert CliRunner().invoke(
        cli, ["validate", "input"], standalone_mode=False, auto_envvar_prefix="FHIRPKG"
    ).return_value == 1  # fmt: skip


def test_lists_flags_and_numbers_are_taken(repository):
    text = '[validate]\npaths = ["input"]\nquiet = true\njobs = 2\nprofile = []\n'
    write(repository / "fhirpkg.toml", text)
    result = run()
    assert (result.return_value, result.stderr) == (1, "")


def test_fhirpkg_toml_stands_before_pyproject(repository):
    write(repository / "pyproject.toml", '[tool.fhirpkg.validate]\npaths = ["none"]\n')
    write(repository / "fhirpkg.toml", '[validate]\npaths = ["input"]\n')
    assert run().return_value == 1


def test_a_pyproject_of_something_else_is_left_alone(repository):
    write(repository / "pyproject.toml", '[project]\nname = "x"\n')
    assert run("input").return_value == 1
    with pytest.raises(click.MissingParameter, match="name files or folders to check"):
        run()


@pytest.mark.parametrize(
    "text, words",
    [
        ("[validate]\nfail_on = 'error'", "did you mean 'fail-on'"),
        ("[validate]\nfail-on = 'sometimes'", "fail-on: 'sometimes' is not one of"),
        ("[validate]\npackage = 'a#1'", "package: this must be a list"),
        ("[validate]\nstrict = 'yes'", "strict: 'yes' is not true or false"),
        ("[validate]\njobs = 0", "jobs: 0 is not in the range"),
        ("[validate]\njobs = true", "jobs: True is not a number"),
        ("[validate]\ntx = ['x']", "tx: this must be one value"),
        ("[push]\nserver = 'http://a.example'", r"\[push\]: not a table of settings"),
        ("validate = 1", "not a table of settings"),
        ("[validate", "this is not TOML"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_the_file(repository, text, words):
    write(repository / "fhirpkg.toml", text)
    with pytest.raises(ConfigError, match=rf"fhirpkg\.toml.*{words}"):
        run("input")


def test_other_verbs_do_not_read_them(repository):
    write(repository / "fhirpkg.toml", "[validate")
    result = CliRunner().invoke(cli, ["explain", "dom-6"], standalone_mode=False)
    assert result.exception is None
