"""The language server over standard input and output, as an editor drives it."""

import asyncio
import json
import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("pygls", reason="pygls is not installed: pip install 'fhirpkg[lsp]'")

from lsprotocol import types as lsp
from pygls.lsp.client import BaseLanguageClient

from fhirpkg.cli.editor import diagnostics
from fhirpkg.cli.editor.definitions import name_at
from fhirpkg.issues import Issue, Severity

PATIENT = {"resourceType": "Patient", "id": "a", "gender": "femal"}
PROFILE = {
    "resourceType": "StructureDefinition",
    "id": "named",
    "url": "http://example.org/StructureDefinition/named",
    "name": "Named",
    "status": "draft",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
    "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]},
}


class Editor:
    """A client with what it was told of each document, by the name of its file."""

    def __init__(self, root):
        self.root = root
        self.client = BaseLanguageClient("editor", "1")
        self.messages = []
        self.published = asyncio.Queue()
        self.versions = {}

    async def __aenter__(self):
        await self.client.start_io(sys.executable, "-m", "fhirpkg", "lsp")

        @self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params):
            self.published.put_nowait(params)

        @self.client.feature(lsp.WINDOW_SHOW_MESSAGE)
        def shown(params):
            self.messages.append(params.message)

        capabilities = lsp.ClientCapabilities()
        given = lsp.InitializeParams(capabilities, root_uri=self.root.as_uri())
        self.offered = (await self.client.initialize_async(given)).capabilities
        self.client.initialized(lsp.InitializedParams())
        return self

    async def __aexit__(self, *_):
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()

    def uri(self, name):
        return (self.root / name).as_uri()

    def open(self, name, text):
        self.versions[name] = 1
        item = lsp.TextDocumentItem(self.uri(name), pathlib.Path(name).suffix[1:], 1, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def change(self, name, text):
        self.versions[name] += 1
        document = lsp.VersionedTextDocumentIdentifier(self.versions[name], self.uri(name))
        whole = [lsp.TextDocumentContentChangeWholeDocument(text)]
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, whole))

    def save(self, name):
        document = lsp.TextDocumentIdentifier(self.uri(name))
        self.client.text_document_did_save(lsp.DidSaveTextDocumentParams(document))

    async def told(self, name):
        """The next diagnostics of a document."""
        while True:
            params = await asyncio.wait_for(self.published.get(), 60)
            if params.uri == self.uri(name):
                return params

    async def rules(self, name):
        return [each.code for each in (await self.told(name)).diagnostics]

    async def place(self, name, text, wanted):
        """The file and line that the first place of some text leads to."""
        before = text[: text.index(wanted)]
        at = lsp.Position(before.count("\n"), len(before.rpartition("\n")[2]) + 1)
        params = lsp.DefinitionParams(lsp.TextDocumentIdentifier(self.uri(name)), at)
        found = await self.client.text_document_definition_async(params)
        return found and (found.uri.rpartition("/")[2], found.range.start.line)


def session(root):
    """Run an async test with an editor on a folder."""

    def run(test):
        async def inside():
            async with Editor(root) as editor:
                await test(editor)

        asyncio.run(inside())

    return run


def dump(value):
    return json.dumps(value, indent=1)


def test_findings_stand_where_they_are_and_go_when_they_are_mended(tmp_path):
    @session(tmp_path)
    async def _(editor):
        text = dump(PATIENT)
        editor.open("a.json", text)
        told = await editor.told("a.json")
        [found] = told.diagnostics
        assert (found.code, found.severity, found.source) == ("binding-required", 1, "fhirpkg")
        start, end = found.range.start, found.range.end
        assert text.splitlines()[start.line][start.character : end.character] == '"gender"'
        assert found.code_description.href.startswith("http://hl7.org/fhir")
        hover = await editor.client.text_document_hover_async(
            lsp.HoverParams(lsp.TextDocumentIdentifier(editor.uri("a.json")), start)
        )
        assert "Codes are in the required value set" in hover.contents.value
        elsewhere = lsp.HoverParams(
            lsp.TextDocumentIdentifier(editor.uri("a.json")), lsp.Position(0, 0)
        )
        assert await editor.client.text_document_hover_async(elsewhere) is None
        editor.change("a.json", text.replace("femal", "female"))
        assert await editor.rules("a.json") == []


def test_the_server_ends_well_when_its_editor_does():
    said = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None,
                                                      "capabilities": {}}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    ]  # fmt: skip
    texts = [json.dumps({"jsonrpc": "2.0", **message}) for message in said]
    given = "".join(f"Content-Length: {len(text)}\r\n\r\n{text}" for text in texts)
    command = [sys.executable, "-m", "fhirpkg", "lsp"]
    ended = subprocess.run(command, input=given.encode(), capture_output=True, check=False)
    assert b"Traceback" not in ended.stderr
    assert ended.returncode == 0


def test_only_the_last_of_many_changes_is_checked(tmp_path):
    @session(tmp_path)
    async def _(editor):
        editor.open("a.json", dump(PATIENT))
        await editor.told("a.json")
        for number in range(20):
            editor.change("a.json", dump(PATIENT | {"id": f"a_{number}"}))
        editor.change("a.json", dump(PATIENT | {"gender": "female"}))
        told = await editor.told("a.json")
        assert (told.version, len(told.diagnostics)) == (22, 0)
        assert editor.published.empty()


def test_xml_ndjson_and_authored_files_are_checked_by_their_names(tmp_path):
    xml = '<Patient xmlns="http://hl7.org/fhir">\n <gender value="x"/>\n</Patient>'
    lines = '{"resourceType": "Patient"}\n{"resourceType": "Patient", "gender": "x"}\n'

    @session(tmp_path)
    async def _(editor):
        editor.open("a.xml", xml)
        [found] = (await editor.told("a.xml")).diagnostics
        assert (found.code, found.range.start.line) == ("binding-required", 1)
        editor.open("a.ndjson", lines)
        [found] = (await editor.told("a.ndjson")).diagnostics
        assert (found.code, found.range.start.line) == ("binding-required", 1)
        editor.open("procedure.yaml", "id: x\nnam: y\n")
        found = (await editor.told("procedure.yaml")).diagnostics
        assert any(each.range.start.line == 1 for each in found)
        editor.open("tsconfig.json", '{"compilerOptions": {}}')
        assert await editor.rules("tsconfig.json") == []


def test_columns_count_as_the_editor_counts_them(tmp_path):
    text = '{"resourceType": "Patient", "language": "\U0001f600", "gender": "x"}'

    @session(tmp_path)
    async def _(editor):
        editor.open("a.json", text)
        found = (await editor.told("a.json")).diagnostics
        [gender] = [each for each in found if each.code == "binding-required"]
        units = text.encode("utf-16-le")  # LSP counts in UTF-16 unless told otherwise
        start, end = gender.range.start.character, gender.range.end.character
        assert units[2 * start : 2 * end].decode("utf-16-le") == '"gender"'


def test_a_profile_in_the_workspace_counts_also_when_it_changes(tmp_path):
    (tmp_path / "profile.json").write_text(dump(PROFILE))
    patient = {"resourceType": "Patient", "meta": {"profile": [PROFILE["url"]]}}

    @session(tmp_path)
    async def _(editor):
        editor.open("a.json", dump(patient))
        assert await editor.rules("a.json") == ["cardinality-min"]
        free = dump(PROFILE).replace('"min": 1', '"min": 0')
        (tmp_path / "profile.json").write_text(free)
        editor.open("profile.json", free)
        editor.save("profile.json")
        assert await editor.rules("a.json") == []


def test_settings_of_the_workspace_hold_and_what_they_lack_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "none"))
    (tmp_path / "ignore.toml").write_text('[[ignore]]\nrule = "binding-required"\nreason = "x"\n')
    settings = '[validate]\nignore-file = "ignore.toml"\nlevel = "error"\n'
    (tmp_path / "fhirpkg.toml").write_text(settings)

    @session(tmp_path)
    async def _(editor):
        editor.open("a.json", dump(PATIENT))
        assert await editor.rules("a.json") == []
        lacking = settings + 'package = ["no.such#1.0.0"]\noffline = true\n'
        (tmp_path / "fhirpkg.toml").write_text(lacking)
        editor.open("fhirpkg.toml", lacking)
        editor.save("fhirpkg.toml")
        assert await editor.rules("a.json") == []
        assert any("no.such#1.0.0" in message for message in editor.messages)


def test_names_lead_to_what_they_name(tmp_path, monkeypatch):
    package = tmp_path / "packages" / "test.one#1.0.0" / "package"
    package.mkdir(parents=True)
    value_set = {"resourceType": "ValueSet", "id": "v", "url": "http://example.org/v"}
    (package / "ValueSet-v.json").write_text(dump(value_set | {"status": "draft"}))
    (package / "package.json").write_text('{"name": "test.one", "version": "1.0.0"}')
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "packages"))
    root = tmp_path / "root"
    root.mkdir()
    (root / "fhirpkg.toml").write_text('[validate]\npackage = ["test.one#1.0.0"]\noffline = true\n')
    (root / "profile.json").write_text(dump(PROFILE))
    (root / "patient.json").write_text(dump(PATIENT))
    many = f"{json.dumps({'resourceType': 'Basic'})}\n{json.dumps(PATIENT | {'id': 'b'})}\n"
    (root / "many.ndjson").write_text(many)
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": PATIENT}
        ],
    }
    refers = {
        "resourceType": "List",
        "meta": {"profile": [f"{PROFILE['url']}|1", PROFILE["url"]]},
        "contained": [{"resourceType": "Patient", "id": "inner"}],
        "subject": {"reference": "Patient/a"},
        "source": {"reference": "#inner"},
        "encounter": {"reference": "Patient/b"},
        "note": [{"text": "http://example.org/v"}],
        "code": {"text": "http://hl7.org/fhir/StructureDefinition/Patient"},
    }

    @session(root)
    async def _(editor):
        text = dump(refers)
        editor.open("list.json", text)
        expected = {
            '"Patient/a"': ("patient.json", 2),
            '"Patient/b"': ("many.ndjson", 1),
            f'"{PROFILE["url"]}"': ("profile.json", 3),
            '"#inner"': ("list.json", text.count("\n", 0, text.index('"inner"'))),
            '"http://example.org/v"': ("ValueSet-v.json", 0),
            '"http://hl7.org/fhir/StructureDefinition/Patient"': (
                "StructureDefinition-Patient.json",
                0,
            ),
            '"source"': None,
        }
        found = {each: await editor.place("list.json", text, each) for each in expected}
        assert found == expected
        inner = dump(bundle | {"link": [{"relation": "self", "url": "urn:uuid:x"}]})
        inner = inner.replace("urn:uuid:x", bundle["entry"][0]["fullUrl"])
        editor.open("bundle.json", inner)
        assert await editor.place("bundle.json", inner, bundle["entry"][0]["fullUrl"])


AUTHORED = """\
goals:
  - id: tumor-control # the first aim
indications:
  - id: tumor
    code: [Metastasis in bone, Other]
    cite: [cirse-2022, "icomskr-2019"]
    goals:
      - tumor-control
    from: preparation-4
evidence:
  cirse-2022:
    label: CIRSE
  icomskr-2019: {label: x}
codes:
  Metastasis in bone: [SNOMED 94222008] # one
"""


def test_words_of_authored_files_lead_to_what_they_name(tmp_path):
    (tmp_path / "review.yaml").write_text("facts:\n  preparation-4: {verdict: same}\n")

    @session(tmp_path)
    async def _(editor):
        editor.open("procedure.yaml", AUTHORED)
        found = {
            wanted: await editor.place("procedure.yaml", AUTHORED, wanted)
            for wanted in ("Metastasis", "cirse-2022", "icomskr", "tumor-control\n",
                           "preparation-4", "Other", "label")
        }  # fmt: skip
        assert found == {
            "Metastasis": ("procedure.yaml", 14),
            "cirse-2022": ("procedure.yaml", 10),
            "icomskr": ("procedure.yaml", 12),
            "tumor-control\n": ("procedure.yaml", 1),
            "preparation-4": ("review.yaml", 1),
            "Other": None,
            "label": None,
        }


@pytest.mark.parametrize(
    "column, name", [(0, ""), (1, 'a\\"b'), (6, 'a\\"b'), (8, ""), (9, "c"), (13, "")]
)
def test_the_text_in_quotes_around_a_column(column, name):
    assert name_at(' "a\\"b"  \'c\' ', column) == name


def test_without_pygls_the_verb_says_what_to_install(monkeypatch):
    from click.testing import CliRunner

    from fhirpkg.cli.lsp import command
    from fhirpkg.errors import ConfigError

    monkeypatch.setitem(sys.modules, "fhirpkg.cli.editor.server", None)
    with pytest.raises(ConfigError, match=r"fhirpkg\[lsp\]"):
        CliRunner().invoke(command, [], catch_exceptions=False, standalone_mode=False)


def test_rules_are_explained_for_the_version_that_was_checked(monkeypatch):
    monkeypatch.setattr(diagnostics, "told", lambda rule, version: f"{rule} of {version}")
    here = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 5))
    issue = Issue(Severity.ERROR, "invariant", "cnl-1", "words")
    hover = diagnostics.hovered([(lsp.Diagnostic(here, "words"), issue)], here.start, "5.0.0")
    assert "cnl-1 of 5.0.0" in hover.contents.value
