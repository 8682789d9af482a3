"""The manual: its examples run and print what they show, and nothing of the project is missing."""

import importlib
import os
import pathlib
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tomllib

import click
import pytest

import fhirpkg
from fhirpkg.authoring.model.procedure import Procedure
from fhirpkg.cli import VERBS
from fhirpkg.cli.catalogue import catalogue
from fhirpkg.cli.reports.formats import FORMATS

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
EXITS = re.compile(r"   # exits (\d+)$")


def blocks(page):
    """The language, title and text of each fenced block of a page, in its order."""
    return BLOCK.findall(page.read_text())


def has_examples(page):
    return any(kind in {"console", "python"} for kind, _, _ in blocks(page))


@pytest.mark.parametrize("page", [*filter(has_examples, PAGES)], ids=lambda page: page.name)
def test_the_examples_run_and_print_what_they_show(page, tmp_path):
    if page.name != "tutorial.md":  # it begins in an empty folder
        for folder in ("resources", "profiles"):
            shutil.copytree(ROOT / folder, tmp_path / folder)
    reader = Reader(tmp_path)
    try:
        for kind, title, text in blocks(page):
            if title:
                (tmp_path / title).parent.mkdir(exist_ok=True, parents=True)
                (tmp_path / title).write_text(text)
            elif kind == "console":
                reader.types(text)
            elif kind == "python":
                reader.run(f"{sys.executable} -", text)
    finally:
        reader.leaves()


class Reader:
    """Somebody who types the commands of a page into a terminal, with ports of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.servers = []
        with socket.socket() as one, socket.socket() as two:
            self.ports = {}
            for free, written in ((one, "8080"), (two, "8081")):
                free.bind(("127.0.0.1", 0))
                self.ports[written] = str(free.getsockname()[1])
        self.environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",  # lines come in the order of a terminal
            "PATH": f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def types(self, text):
        """Each command of a block, and each line shown below it must be printed in that order."""
        for written, port in self.ports.items():
            text = text.replace(written, port)
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            if command.endswith(" &"):
                assert self.starts(command.removesuffix(" &")) == shown
                continue
            exits = EXITS.search(command)
            printed = self.run(EXITS.sub("", command), code=int(exits[1]) if exits else 0)
            rest = iter(printed.splitlines())
            for line in shown:
                wanted = line.removesuffix("…")  # alone it stands for any lines
                assert not wanted or any(other.startswith(wanted) for other in rest), (
                    f"{line!r} in {printed}"
                )

    def run(self, command, text="", code=0):
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=self.environment, input=text, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=100,
        )  # fmt: skip
        assert done.returncode == code, f"{command}\n{done.stdout}"
        return done.stdout

    def starts(self, command):
        """What a server prints first; it runs until the page is read."""
        server = subprocess.Popen(
            command.split(), cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.servers.append(server)
        return [server.stdout.readline().rstrip()]

    def leaves(self):
        for server in self.servers:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=30)


def test_the_manual_has_examples_to_run():
    assert sum(map(has_examples, PAGES)) >= 6


def test_the_reference_has_every_verb_rule_key_and_public_name():
    pages = runpy.run_path(str(ROOT / "scripts" / "docs"))["reference"]()
    assert not [verb for verb in VERBS if f"## fhirpkg {verb}\n" not in pages["verbs.md"]]
    assert not [rule for rule in catalogue() if f"| `{rule}` |" not in pages["rules.md"]]
    keys = [f"`{field.alias or name}`" for name, field in Procedure.model_fields.items()]
    assert not [key for key in keys if key not in pages["procedure-yaml.md"]]
    assert not [name for name in fhirpkg.__all__ if f"## {name}\n" not in pages["python.md"]]


def test_the_page_on_checks_names_every_output_format():
    row = re.search(
        r"^\| `--output-format` \|.*$", (ROOT / "docs" / "validating.md").read_text(), re.MULTILINE
    )
    assert set(re.findall(r"`([a-z]+)`", row[0])) == set(FORMATS)


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "docs" / "mkdocs.yml").read_text()
    assert not [page.name for page in PAGES[1:] if f" {page.name}" not in navigation]


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_and_each_of_its_options_says_what_it_is_for(verb):
    command = importlib.import_module(f"fhirpkg.cli.{VERBS[verb][0]}").command
    assert command.help
    assert "\\" not in command.help
    for parameter in command.params:
        assert isinstance(parameter, click.Argument) or parameter.help, parameter.name


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
