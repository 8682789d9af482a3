"""Office files whose bytes depend on their content alone, not on the hour they were made."""

from __future__ import annotations

import io
import re
import zipfile

_FIRST = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can hold."""
_TIMES = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:\2>)")


def fixed(data: bytes, date: str) -> bytes:
    """The same Office file, with the day of its content (or the first of 1980) as its times."""
    moment = f"{date or '1980-01-01'}T00:00:00Z".encode()
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _TIMES.sub(rb"\g<1>" + moment + rb"\g<3>", content)
            entry = zipfile.ZipInfo(name, _FIRST)
            entry.external_attr = 0o600 << 16
            new.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return made.getvalue()
