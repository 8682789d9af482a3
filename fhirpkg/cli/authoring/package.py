"""`fhirpkg package`: content as files to hand on: .tgz, Bundles, NDJSON, XML, a document."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import click

from fhirpkg import fhirjson
from fhirpkg.cli.shared.content import content_argument
from fhirpkg.cli.shared.progress import Progress
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.bundling.content import Content
    from fhirpkg.issues import Resource


@click.command("package")
@content_argument
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist"),
    show_default=True,
    help="The folder to write to.",
)
def command(content: str | None, output: Path) -> None:
    """Make the FHIR NPM package, Bundles, NDJSON and XML of CONTENT.

    CONTENT is a folder with a package.yaml that has been built, or a .tgz; without it the current
    folder if it is a package, else its ./resources. Profiles that it claims but does not contain
    become a package of their own, fhirpkg.profiles. Each member of a catalogue is written to a
    folder with its name.

    Example: fhirpkg package resources --output dist
    """
    from fhirpkg.bundling.reading import read_content, read_members

    for member in read_members(content):
        _package(member, output / Path(member.source).name)
    _package(read_content(content), output)


def _package(read: Content, output: Path) -> None:
    for note in read.notes:
        click.echo(f"note: {note}", err=True)
    files = _Files(output)
    with Progress(len(read.resources), "packaged") as progress:
        for done, _ in enumerate(_written(read, files), 1):
            progress.show(done)
    for line in files.lines():
        click.echo(line)
    click.echo(f"{output / 'xml'} ({len(read.resources)} resources)")


class _Files:
    """The files of an output folder, each written as a whole, with their digests."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._sums: list[str] = []
        self._told: list[str] = []
        (output / "xml").mkdir(parents=True, exist_ok=True)
        self._stale = set((output / "xml").glob("*.xml"))

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[_Stream]:
        """A stream to write a file by."""
        from fhirpkg.authoring.writing import replacing

        file = self._output / name
        with replacing(file) as opened:
            stream = _Stream(opened)
            yield stream
        self._stale.discard(file)
        self._sums.append(f"{stream.digest}  {name}\n")
        if "/" not in name:
            self._told.append(f"{file} ({stream.size} bytes)")

    def temporary(self) -> IO[bytes]:
        """A file for the meantime, without a name."""
        return tempfile.TemporaryFile(dir=self._output)

    def write(self, name: str, data: bytes) -> None:
        """Write a file at once."""
        with self.open(name) as stream:
            stream.write(data)

    def tell(self, line: str) -> None:
        """Say something of the file before."""
        self._told.append(f"  {line}")

    def lines(self) -> list[str]:
        """Write the sums, remove the XML of an earlier content, and say what was written."""
        from fhirpkg.authoring.writing import replace

        for file in self._stale:
            file.unlink()
        ordered = sorted(self._sums, key=lambda line: line[66:])
        replace(self._output / "SHA256SUMS", "".join(ordered).encode())
        sums = f"{self._output / 'SHA256SUMS'} (for sha256sum --check, and push --sha256)"
        return [*self._told, sums]


class _Stream(io.RawIOBase):
    """A stream that knows its length and SHA-256."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        """The SHA-256 of what was written so far."""
        return self._hash.hexdigest()

    def write(self, data: Any) -> int:
        """Write bytes."""
        self._hash.update(data)
        self.size += len(data)
        return self._stream.write(data)


def _written(read: Content, files: _Files) -> Iterator[None]:
    """Write everything; one step for each resource, which is read and put into words once."""
    from fhirpkg.bundling.content import identities
    from fhirpkg.bundling.profiles import profiles_content
    from fhirpkg.bundling.writing import (
        BundleText,
        examples,
        file_name,
        in_entry,
        manifest,
        write_archive,
    )
    from fhirpkg.packages.installed import PROFILES_PACKAGE

    name = f"{read.id.name}-{read.id.version}"
    with contextlib.ExitStack() as stack:
        kinds = ("transaction", "collection")
        bundles = [
            (BundleText(read, kind), stack.enter_context(files.open(f"{name}-{kind}.json")))
            for kind in kinds
        ]
        lines = stack.enter_context(files.open(f"{name}.ndjson"))
        texts = _Texts(stack.enter_context(files.temporary()))
        for text, stream in bundles:
            stream.write(text.start().encode())
        found = enumerate(identities(read.resources))
        urls = {each["url"]: place for place, each in found if "url" in each}
        for resource in read.resources:
            _write_resource(resource, files)
            if resource["resourceType"] == "PlanDefinition":
                named = (urls[url] for url in dict.fromkeys(_named_by(resource)) if url in urls)
                _write_document(resource, [read.resources[place] for place in named], files)
            whole = fhirjson.dump(resource, indent=2)
            texts.add(file_name(resource), f"{whole}\n".encode())
            inner = in_entry(whole)
            for text, stream in bundles:
                stream.write(text.entry(resource, inner).encode())
            lines.write(f"{fhirjson.dump(resource)}\n".encode())
            yield
        for text, stream in bundles:
            stream.write(text.end().encode())
        with files.open(f"{name}.tgz") as archive:
            tar = write_archive(archive, read, examples(Path(read.source)), texts)
        files.tell(f"sha256 of its tar: {tar}")
    if PROFILES_PACKAGE in manifest(read).get("dependencies", {}):
        profiles = profiles_content()
        with files.open(f"{profiles.id.name}-{profiles.id.version}.tgz") as stream:
            tar = write_archive(stream, profiles)
        files.tell(f"sha256 of its tar: {tar}")


class _Texts(Mapping[str, bytes]):
    """Texts by name in a file: they are read in another order than they are written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._places: dict[str, tuple[int, int]] = {}

    def add(self, name: str, text: bytes) -> None:
        """Keep a text; all are added before any is read."""
        self._places[name] = (self._stream.tell(), len(text))
        self._stream.write(text)

    def __getitem__(self, name: str) -> bytes:
        start, size = self._places[name]
        self._stream.seek(start)
        return self._stream.read(size)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _named_by(action: Resource) -> Iterator[str]:
    """The canonicals, without versions, of the definitions that a plan's actions name."""
    for inner in objects(action, "action"):
        yield text_of(inner, "definitionCanonical").partition("|")[0]
        yield from _named_by(inner)


def _write_resource(resource: Resource, files: _Files) -> None:
    from fhirpkg import fhirxml
    from fhirpkg.definitions.definitions import Definitions

    file = f"xml/{resource['resourceType']}-{resource['id']}.xml"
    files.write(file, fhirxml.dump(resource, Definitions.core().types))


def _write_document(plan: Resource, definitions: list[Resource], files: _Files) -> None:
    from fhirpkg.applying.shapes import misshapen
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.render.document import xhtml
    from fhirpkg.render.procedure import procedure_document

    problem = misshapen([plan, *definitions], Definitions.core().types)
    if problem:
        files.tell(f"no page of {plan['id']}, which is not FHIR: {problem}")
        return
    files.write(f"{plan['id']}.xhtml", xhtml(procedure_document(plan, definitions)).encode())
