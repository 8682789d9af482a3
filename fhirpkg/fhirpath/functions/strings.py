"""Strings (http://hl7.org/fhirpath/N1/#string-manipulation and those newer than N1)."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from fhirpkg.fhirpath import patterns
from fhirpkg.fhirpath.arithmetic import LONGEST_STRING
from fhirpkg.fhirpath.comparison import EvaluationError
from fhirpkg.fhirpath.functions.function import Function
from fhirpkg.fhirpath.values import system, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.fhirpath.environment import Scope
    from fhirpkg.fhirpath.values import Item
    from fhirpkg.issues import Json


def substring(text: str, start: int, length: int | None = None) -> str | None:
    """From a start that counts from 0; nothing when that is outside the text."""
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(length, 0)]


def replace(text: str, pattern: str, substitution: str) -> str:
    """Each occurrence of a text replaced; an empty one occurs around each character."""
    count = text.count(pattern)
    if len(text) + count * (len(substitution) - len(pattern)) > LONGEST_STRING:
        raise EvaluationError(f"replace() would give more than {LONGEST_STRING} characters")
    return text.replace(pattern, substitution)


def to_chars(scope: Scope, text: str) -> list[Item]:
    """Each character."""
    scope.spend(len(text))
    return list(text)


def split(scope: Scope, text: str, separator: str) -> list[Item]:
    """The parts between the separators; without one, each character."""
    scope.spend(len(text))
    return list(text.split(separator) if separator else text)


def join(items: list[Item], separator: str = "") -> str:
    """The strings as one."""
    texts = [text_of(system(item)) for item in items]
    return separator.join(text for text in texts if text is not None)


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "hex": binascii.hexlify,
    "base64": lambda data: binascii.b2a_base64(data, newline=False),
    "urlbase64": lambda data: binascii.b2a_base64(data, newline=False).translate(_TO_URL),
}
_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "hex": binascii.unhexlify,
    "base64": binascii.a2b_base64,
    "urlbase64": lambda data: binascii.a2b_base64(data.translate(_FROM_URL)),
}


def encode(text: str, scheme: str) -> str | None:
    """The text in hex, base64 or urlbase64; nothing for another scheme."""
    encoder = _ENCODERS.get(scheme)
    return encoder(text.encode("utf-8", "surrogatepass")).decode() if encoder else None


def decode(text: str, scheme: str) -> str | None:
    """The text that is encoded so; nothing when it is not."""
    decoder = _DECODERS.get(scheme)
    try:
        return decoder(text.encode()).decode() if decoder else None
    except ValueError:
        return None


def escape(text: str, target: str) -> str | None:
    """The text as it is written in html or json."""
    import html  # noqa: PLC0415 - few expressions need it
    import json  # noqa: PLC0415 - few expressions need it

    if target == "html":
        return html.escape(text, quote=True)
    return json.dumps(text, ensure_ascii=False)[1:-1] if target == "json" else None


def unescape(text: str, target: str) -> str | None:
    """The text that html or json writes so."""
    import html  # noqa: PLC0415 - few expressions need it
    import json  # noqa: PLC0415 - few expressions need it

    if target == "html":
        return html.unescape(text)
    if target != "json":
        return None
    try:
        found: Json = json.loads(f'"{text}"', strict=False)
    except ValueError:
        # an unescaped quote, which the text may have lost to FHIRPath's own escapes
        return text if "\\" not in text else None
    return str(found)


FUNCTIONS = {
    "indexOf": Function(str.find, "string", ("string",), "Integer"),
    "lastIndexOf": Function(str.rfind, "string", ("string",), "Integer"),
    "substring": Function(substring, "string", ("integer", "integer"), "String", optional=1),
    "startsWith": Function(str.startswith, "string", ("string",), "Boolean"),
    "endsWith": Function(str.endswith, "string", ("string",), "Boolean"),
    "contains": Function(str.__contains__, "string", ("string",), "Boolean"),
    "upper": Function(str.upper, "string", gives="String"),
    "lower": Function(str.lower, "string", gives="String"),
    "trim": Function(str.strip, "string", gives="String"),
    "replace": Function(replace, "string", ("string", "string"), "String"),
    "matches": Function(patterns.matches, "string", ("string",), "Boolean"),
    "matchesFull": Function(patterns.matches_full, "string", ("string",), "Boolean"),
    "replaceMatches": Function(patterns.replace_matches, "string", ("string", "string"), "String"),
    "length": Function(len, "string", gives="Integer"),
    "toChars": Function(to_chars, "string", scoped=True),
    "split": Function(split, "string", ("string",), scoped=True),
    "join": Function(join, "items", ("string",), "String", optional=1),
    "encode": Function(encode, "string", ("string",), "String"),
    "decode": Function(decode, "string", ("string",), "String"),
    "escape": Function(escape, "string", ("string",), "String"),
    "unescape": Function(unescape, "string", ("string",), "String"),
}
