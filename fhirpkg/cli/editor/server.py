"""The language server: documents in, diagnostics, explanations and places out.

One thread checks, with one validator; a document that changes again before its turn has come is
checked once, as it is then, and findings in an older text are dropped.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

import fhirpkg
from fhirpkg.cli.editor.definitions import authored_place, name_at, place_of
from fhirpkg.cli.editor.diagnostics import diagnostic_of, hovered
from fhirpkg.cli.editor.workspace import Workspace
from fhirpkg.corpus.inputs import AUTHORED
from fhirpkg.errors import FhirpkgError
from fhirpkg.releases import R4

if TYPE_CHECKING:
    from pygls.workspace import TextDocument

    from fhirpkg.issues import Issue

_QUIET = 0.3
"""Seconds without a change after which a document is checked."""
_SUFFIXES = (".json", ".xml", ".ndjson")


@dataclass(slots=True)
class _Document:
    """What is known of an open document."""

    task: asyncio.Task[None] | None = None
    found: list[tuple[lsp.Diagnostic, Issue]] = field(default_factory=list)


class _Server(LanguageServer):
    """The server with its workspace, which is opened again when a definition in it is saved."""

    def __init__(self) -> None:
        super().__init__("fhirpkg", fhirpkg.__version__)
        self.documents: dict[str, _Document] = {}
        self._workspace: Workspace | None = None
        self._checker = ThreadPoolExecutor(1)

    def check_soon(self, uri: str, delay: float = _QUIET) -> None:
        """Check a document when it has been quiet for a while; what waits for that is dropped."""
        known = self.documents.setdefault(uri, _Document())
        if known.task is not None:
            known.task.cancel()
        known.task = asyncio.get_running_loop().create_task(self._check(uri, delay))

    async def _check(self, uri: str, delay: float) -> None:
        await asyncio.sleep(delay)
        document = self.workspace.get_text_document(uri)
        version, text, file = document.version, document.source, _file(document)
        if not _is_checked(file):
            return
        loop = asyncio.get_running_loop()
        issues = await loop.run_in_executor(self._checker, self._issues, file, text)
        known = self.documents.get(uri)
        if known is None or self.workspace.get_text_document(uri).version != version:
            return
        known.found = [(diagnostic_of(each, document), each) for each in issues]
        self.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri, [told for told, _ in known.found], version)
        )

    def _issues(self, file: str, text: str) -> list[Issue]:
        """In the thread that checks: what is found in a text."""
        try:
            return self.opened().issues(file, text)
        except FhirpkgError as error:
            self._tell(str(error))
        except Exception as error:  # noqa: BLE001 - the last line of defence, reported as a bug
            self._tell(f"a bug in fhirpkg, please report it: {error!r}")
        return []

    def opened(self) -> Workspace:
        """The workspace, opened when it is first needed; FhirpkgError where that cannot be."""
        if self._workspace is None:
            self._workspace = Workspace(self._tell)
        return self._workspace

    @property
    def fhir_version(self) -> str:
        """The version of FHIR that documents are checked by."""
        if self._workspace is None:
            return R4.version
        return self._workspace.corpus.validator.definitions.release.version

    def saved(self, uri: str) -> None:
        """Read the workspace again if what was saved is a definition or holds the settings."""
        document = self.workspace.get_text_document(uri)
        file = _file(document)
        is_setting = Path(file).name in {"fhirpkg.toml", "pyproject.toml"}
        is_new = is_setting or self._workspace is None or self._workspace.defines(file)
        if is_new or '"url"' in document.source or "<url " in document.source:
            self._workspace = None
            for each in list(self.documents):
                self.check_soon(each)

    async def place(self, params: lsp.DefinitionParams) -> lsp.Location | None:
        """The place of the definition that is named at a position."""
        document = self.workspace.get_text_document(params.text_document.uri)
        line, column = _position(document, params.position)
        path, text = Path(_file(document)), document.source
        loop = asyncio.get_running_loop()
        try:
            if path.name in AUTHORED:
                found = authored_place(line, column, path, text)
            else:
                workspace = await loop.run_in_executor(self._checker, self.opened)
                found = place_of(name_at(line, column), path, text, workspace.corpus)
        except (FhirpkgError, OSError, ValueError):
            return None
        if found is None:
            return None
        start = lsp.Position(found.line, 0)
        uri = from_fs_path(str(found.path.absolute())) or ""
        return lsp.Location(uri, lsp.Range(start, start))

    def _tell(self, text: str) -> None:
        self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, f"fhirpkg: {text}"))


def _file(document: TextDocument) -> str:
    """The path of a document below the current folder, or in full."""
    path = Path(to_fs_path(document.uri) or document.uri)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _is_checked(file: str) -> bool:
    name = Path(file).name
    return name in AUTHORED or (name.endswith(_SUFFIXES) and name != "package.json")


def _position(document: TextDocument, position: lsp.Position) -> tuple[str, int]:
    """The line at a position and the column in its characters."""
    lines = document.lines
    if position.line >= len(lines):
        return "", 0
    inner = document.position_codec.position_from_client_units(lines, position)
    return lines[position.line], inner.character


def make_server() -> LanguageServer:
    """The server with its features, not started yet."""
    server = _Server()

    @server.feature(lsp.INITIALIZED)
    def initialized(_: lsp.InitializedParams) -> None:
        root = server.workspace.root_path
        if root and Path(root).is_dir():
            os.chdir(root)  # settings and paths in them are those of the folder

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        server.check_soon(params.text_document.uri, 0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        server.check_soon(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        server.saved(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        known = server.documents.pop(params.text_document.uri, None)
        if known and known.task:
            known.task.cancel()
        empty = lsp.PublishDiagnosticsParams(params.text_document.uri, [])
        server.text_document_publish_diagnostics(empty)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(params: lsp.HoverParams) -> lsp.Hover | None:
        known = server.documents.get(params.text_document.uri)
        return hovered(known.found if known else [], params.position, server.fhir_version)

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: lsp.DefinitionParams) -> lsp.Location | None:
        return await server.place(params)

    return server


def serve() -> None:
    """Serve one editor over standard input and output, until it says that it is done."""
    make_server().start_io()
