"""What `Validator.validate` takes: bytes, text, a dictionary, a path, a model; as JSON or bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg.errors import SourceError

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

_TAKES = (
    "bytes, text (JSON or XML), a dictionary, a path, or a model such as those of fhir.resources "
    "(anything with model_dump_json)"
)


def read_given(data: object) -> tuple[bytes | Resource, str]:
    """A dictionary or the bytes to check, and the name of the file they come from, if any.

    Text that begins like neither JSON nor XML is taken as a path. Raises SourceError when a file
    cannot be read and TypeError for anything else than the above.
    """
    if isinstance(data, str) and data.strip() and data.lstrip("\ufeff \t\r\n")[:1] not in "{[<":
        data = Path(data)
    if isinstance(data, Path):
        return _bytes_of(data), str(data)
    if isinstance(data, dict):
        return data, ""
    if isinstance(data, str):
        return data.encode("utf-8", "surrogatepass"), ""
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data), ""
    # models of pydantic 2; fhir.resources before 8 was made with pydantic 1, whose method is json()
    dump = getattr(data, "model_dump_json", None) or getattr(data, "json", None)
    text = dump() if callable(dump) else None
    if not isinstance(text, str | bytes):
        raise TypeError(f"validate() takes {_TAKES}; this is {type(data).__name__}")
    return text.encode() if isinstance(text, str) else text, ""


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(str(path), error.strerror or str(error)) from error
