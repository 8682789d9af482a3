"""The README is the manual: what it must name, and the commands in it that must run."""

import importlib
import pathlib
import re
import shlex
import subprocess
import sys
import tomllib

import pytest

import fhirpkg
from fhirpkg.cli import VERBS

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMAND = re.compile(
    r"^    (fhirpkg (?:validate|explain|apply)[^\n\\]*(?:\\\n[^\n]*)*)", re.MULTILINE
)
OFFLINE = [line.strip().partition("  #")[0] for line in COMMAND.findall(README)]


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_and_each_of_its_options_is_in_the_manual(verb):
    assert re.search(rf"^\| `{verb}[` ]", README, re.MULTILINE)
    command = importlib.import_module(f"fhirpkg.cli.{VERBS[verb][0]}").command
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("--"):
                assert f"`{option}" in README, f"{option} of {verb}"


@pytest.mark.parametrize("name", fhirpkg.__all__)
def test_each_public_name_loads_and_says_what_it_is(name):
    assert getattr(fhirpkg, name).__doc__


def test_each_dependency_has_a_line_that_says_what_it_is_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    for requirement in wanted:
        name = re.split(r"[\[<>=]", requirement)[0]
        known = name == "fhirpkg" or name.startswith(("types-", "lxml-stubs")) or name in README
        assert known, f"{name} is not in the README"


@pytest.mark.parametrize("line", [line for line in OFFLINE if "example.org" not in line])
def test_the_commands_of_the_manual_run(line):
    words = shlex.split(line.replace("\\\n", " "))[1:]
    result = subprocess.run(
        [sys.executable, "-m", "fhirpkg", *words], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_manual_has_commands_to_run():
    assert len(OFFLINE) >= 4
