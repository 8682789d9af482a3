"""Generated source to code objects, which are kept as Python keeps those of its modules.

Of FHIR's own types, which every process checks by the same source, the code is written beside that
of this module (``__pycache__``, or where PYTHONPYCACHEPREFIX says): 6 kB for each type that was
met, 2 MB for all of R4. A file holds the source that it was made of and serves for no other one.
Whoever may write there may change the program itself. Nothing is written where Python writes no
bytecode.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
import zlib
from pathlib import Path
from types import CodeType

_MADE_BY = sys.version.encode()
"""What wrote a file: no other Python reads it."""


def compiled(source: str, *, keep: bool) -> CodeType:
    """The code of some source, which debuggers know by a name of its own; `keep` for a file."""
    name = f"<check {zlib.crc32(source.encode()):08x}-{len(source)}>"
    path = _place(name) if keep else None
    if path is None:
        return compile(source, name, "exec")
    code = _read(path, source)
    if code is None:
        code = compile(source, name, "exec")
        if not sys.dont_write_bytecode:
            _write(path, source, code)
    return code


def _place(name: str) -> Path | None:
    """The file for the code of a name; None where Python keeps none of this module."""
    if __spec__ is None or not __spec__.cached:
        return None
    own = Path(__spec__.cached)
    return own.with_name(own.name.replace("bytecode", name[1:-1].replace(" ", "-"), 1))


def _read(path: Path, source: str) -> CodeType | None:
    """The code that was made of the same source, if any was kept."""
    try:
        kept = path.read_bytes()
        if not kept.startswith(_MADE_BY):
            return None
        made_of, code = marshal.loads(kept[len(_MADE_BY) :])  # noqa: S302 - as Python does
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return code if made_of == source and isinstance(code, CodeType) else None


def _write(path: Path, source: str, code: CodeType) -> None:
    """Keep code; where that cannot be, it is made again."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True, parents=True)
        draft.write_bytes(_MADE_BY + marshal.dumps((source, code)))
        draft.replace(path)
