"""FHIR JSON: bytes to and from a Resource, with decimals as they are written.

Nothing here knows FHIR's types; see http://hl7.org/fhir/R4/json.html for the format.
"""

from __future__ import annotations

import gc
import json
import re
from decimal import Decimal
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Self

from fhirpkg import rules
from fhirpkg.parsing_rules import (
    PARSE_BYTE_ORDER_MARK,
    PARSE_DEPTH,
    PARSE_DUPLICATE_KEY,
    PARSE_JSON,
    PARSE_NUMBER,
    PARSE_SURROGATE,
)
from fhirpkg.positions import position, positions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Issue

_DIGITS_LIMIT = 1000
_SURROGATE = re.compile("[\ud800-\udfff]")


class WrittenDecimal(Decimal):
    """A Decimal written with an exponent, which comes back as it was written (1e2, not 1E+2)."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, text: str) -> Self:
        """Keep the text beside the number."""
        number = super().__new__(cls, text)
        number.written = text
        return number

    def __str__(self) -> str:
        return self.written


def read(data: bytes | str) -> tuple[Any, list[Issue]]:
    """The JSON value in `data` and what is wrong with the text; None when it is not JSON.

    Numbers with a point or exponent become Decimals, with their digits as written. Of a key that
    appears twice, the last value is kept and an issue reports it.
    """
    text, issues = _decode(data)
    if text is None:
        return None, issues
    duplicates: list[str] = []
    decoder = json.JSONDecoder(
        parse_float=_decimal,
        parse_int=_integer,
        parse_constant=_refuse_constant,
        object_pairs_hook=_object_hook(duplicates),
    )
    enabled = gc.isenabled()
    gc.disable()  # twice as fast on large bundles: nothing here makes cycles
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        problem = _plain(error.msg)
        line, column = error.lineno, error.colno
        return None, [
            *issues,
            rules.issue(PARSE_JSON, problem=problem, line=line, column=column),
        ]
    except _NumberError as error:
        line, column = position(text, max(text.find(error.number), 0))
        number = _shorten(error.number)
        return None, [
            *issues,
            rules.issue(PARSE_NUMBER, number=number, line=line, column=column),
        ]
    except RecursionError:
        return None, [*issues, rules.issue(PARSE_DEPTH, line=1, column=1)]
    finally:
        if enabled:
            gc.enable()
    if duplicates:
        issues += _duplicate_issues(text)
    if "\\u" in text:
        issues += _surrogate_issues(text)
    return value, issues


def reread(data: bytes) -> Any:
    """The value of which :func:`dump` made the text: nothing can be wrong with it."""
    return _own.decode(data.decode())


def dump(value: Any, *, indent: int | None = None) -> str:
    """JSON text of a value, keys in their order, decimals as they were read."""
    if indent is None:
        try:
            return _compact(value)  # five times as fast, but it knows no Decimal
        except TypeError:
            pass
    return _written(value, "\n" if indent is not None else "", " " * (indent or 0))


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class _NumberError(ValueError):
    """A number that is not read: NaN, Infinity, or one with absurdly many digits."""

    def __init__(self, number: str) -> None:
        self.number = number


def _decode(data: bytes | str) -> tuple[str | None, list[Issue]]:
    if isinstance(data, str):
        return data, []
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line, column = position(data[: error.start].decode(), error.start)
        problem = _kind(data) or f"byte 0x{data[error.start]:02x} is not UTF-8"
        return None, [rules.issue(PARSE_JSON, problem=problem, line=line, column=column)]
    if "\0" in text or not text.strip("\ufeff \t\r\n"):
        problem = _kind(data) or "it is empty"
        return None, [rules.issue(PARSE_JSON, problem=problem, line=1, column=1)]
    if text.startswith("\ufeff"):
        return text[1:], [rules.issue(PARSE_BYTE_ORDER_MARK, line=1, column=1)]
    return text, []


_BEGINNINGS = {
    b"\xff\xfe": "it is UTF-16, but FHIR is written in UTF-8",
    b"\xfe\xff": "it is UTF-16, but FHIR is written in UTF-8",
    b"\x1f\x8b": "it is a gzip archive",
    b"PK\x03\x04": "it is a zip archive",
    b"%PDF": "it is a PDF document",
    b"\x89PNG": "it is a picture",
    b"\xff\xd8\xff": "it is a picture",
}


def _kind(data: bytes) -> str:
    """What bytes are that are not text in UTF-8, in words; nothing when that is not known."""
    found = next((words for start, words in _BEGINNINGS.items() if data.startswith(start)), "")
    if found or b"\0" not in data:
        return found
    is_wide = data[1:2] == b"\0" or data[:1] == b"\0"
    return _BEGINNINGS[b"\xff\xfe"] if is_wide and len(data) > 3 else "it is binary data, not text"


def _decimal(text: str) -> Decimal:
    if len(text) > _DIGITS_LIMIT:
        raise _NumberError(text)
    if "e" in text or "E" in text:
        number = WrittenDecimal(text)
        if abs(number.adjusted()) > _DIGITS_LIMIT:
            raise _NumberError(text)
        return number
    return Decimal(text)


_own = json.JSONDecoder(parse_float=_decimal)


def _integer(text: str) -> int:
    if len(text) > _DIGITS_LIMIT:
        raise _NumberError(text)
    return int(text)


def _refuse_constant(text: str) -> Any:
    raise _NumberError(text)


def _object_hook(duplicates: list[str]) -> Any:
    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) != len(pairs):
            duplicates.append(pairs[0][0])
        return built

    return build


def _duplicate_issues(text: str) -> list[Issue]:
    repeated = list(_repeated_keys(text))
    places = positions(text, (offset for _, offset in repeated))
    found = []
    for key, offset in repeated:
        line, column = places[offset]
        found.append(rules.issue(PARSE_DUPLICATE_KEY, key=key, line=line, column=column))
    return found


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]')


def _repeated_keys(text: str) -> Iterator[tuple[str, int]]:
    """Each key that appears twice in its object, with the offset of the later one."""
    open_objects: list[set[str] | None] = []
    key_expected = False
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in "{[":
            open_objects.append(set() if mark == "{" else None)
            key_expected = mark == "{"
        elif mark in "}]":
            open_objects.pop()
            key_expected = False
        elif mark == ",":
            key_expected = open_objects[-1] is not None
        elif mark != ":" and key_expected:
            seen, key = open_objects[-1], json.loads(mark)
            assert seen is not None, "a key is expected in objects only"
            if key in seen:
                yield key, token.start()
            seen.add(key)
            key_expected = False


_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _surrogate_issues(text: str) -> list[Issue]:
    if not _ESCAPED_SURROGATE.search(text):
        return []
    halves = [
        token.start()
        for token in _STRING.finditer(text)
        if _ESCAPED_SURROGATE.search(token[0]) and _SURROGATE.search(json.loads(token[0]))
    ]
    places = positions(text, halves).values()
    return [rules.issue(PARSE_SURROGATE, line=line, column=column) for line, column in places]


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]


def _shorten(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:20]}… ({len(text)} digits)"


def _written(value: Any, line: str, step: str) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        return _written_object(value, line, step)
    if isinstance(value, (list, tuple)):
        return _written_list(value, line, step)
    if value is True or value is False or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, Decimal)):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _written_object(value: dict[str, Any], line: str, step: str) -> str:
    inner = line + step
    colon = ": " if line else ":"
    members: list[str] = []
    for key, item in value.items():  # comprehensions would be frames of deep recursion
        if isinstance(item, str):
            text = encode_basestring(item)
        elif isinstance(item, dict):
            text = _written_object(item, inner, step)
        elif isinstance(item, list):
            text = _written_list(item, inner, step)
        else:
            text = _written(item, inner, step)
        members.append(f"{encode_basestring(key)}{colon}{text}")
    return f"{{{inner}{(',' + inner).join(members)}{line}}}" if members else "{}"


def _written_list(value: list[Any] | tuple[Any, ...], line: str, step: str) -> str:
    inner = line + step
    items: list[str] = []
    for item in value:
        is_object = isinstance(item, dict)
        items.append((_written_object if is_object else _written)(item, inner, step))
    return f"[{inner}{(',' + inner).join(items)}{line}]" if items else "[]"
