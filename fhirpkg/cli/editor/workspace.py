"""A folder as an editor sees it: its settings, its files and what they are checked with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli.shared.options import corpus_options
from fhirpkg.corpus.checking import Corpus, check, open_corpus
from fhirpkg.corpus.ignoring import Ignoring, read_ignore_file
from fhirpkg.corpus.inputs import AUTHORED, Input
from fhirpkg.issues import Outcome, Severity, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.issues import Issue


class Workspace:
    """The corpus of a folder by its settings; `told` is called with what could not be loaded.

    Paths are those of the folder, which is the current one of the process.
    """

    def __init__(self, told: Callable[[str], None]) -> None:
        options = _options()
        ignored = options["ignore_file"]
        self._ignoring = read_ignore_file(Path(ignored)) if ignored else Ignoring()
        self._level = Severity(options["level"] or "information")
        self.corpus: Corpus = open_corpus(options["paths"], corpus_options(options, told))

    def issues(self, file: str, text: str) -> list[Issue]:
        """What is found in the text of a file, which need not be saved."""
        outcome = self._ignoring.apply(Outcome(in_order(self._found(file, text))))
        return [each for each in outcome.issues if each.severity.rank <= self._level.rank]

    def defines(self, file: str) -> bool:
        """Whether other files are checked by what is in this one."""
        return file in self.corpus.defining

    def _found(self, file: str, text: str) -> Iterator[Issue]:
        name = Path(file).name
        if name in AUTHORED:
            from fhirpkg.authoring.folder import check_file

            yield from check_file(name, text.encode(), file)
            return
        for given in _inputs(file, text):
            yield from check(self.corpus, given).outcome.issues


def _inputs(file: str, text: str) -> Iterator[Input]:
    if not file.endswith(".ndjson"):
        yield Input(file, None, text.encode(), named=False)
        return
    for number, line in enumerate(text.encode().split(b"\n"), 1):
        if line.strip():
            yield Input(file, None, line, number)


def _options() -> dict[str, Any]:
    """The options of `validate`, as the settings of the current folder have them."""
    from fhirpkg.cli import WITH_SETTINGS, cli
    from fhirpkg.cli.shared.settings import settings_in
    from fhirpkg.cli.validate import command

    group = click.Context(cli)
    settings = settings_in(Path(), group, WITH_SETTINGS).get("validate", {})
    settings = {"paths": ["."], **settings}
    return command.make_context("validate", [], group, default_map=settings).params
