"""When two resources are the same for a publisher, and where they differ when they are not.

What a server may set by itself does not count: its bookkeeping in `meta`, tags that we did not
set, the order of keys, quotes and entities in the narrative, line breaks in base64.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource

_SERVERS_OWN = ("versionId", "lastUpdated", "source")
_SERVERS_EXTENSIONS = (
    "http://healthlake.amazonaws.com/aws-cm/",
    "http://healthlake.amazonaws.com/system-generated-resources/",
)
"""AWS HealthLake puts what its language service finds into each DocumentReference
(https://docs.aws.amazon.com/healthlake/latest/devguide/integrating-nlp.html)."""
_LABELS = {"tag", "security"}
_SHOWN = 60
_NUMBER = "\ue000"
"""Marks a number among strings; a character for private use, so no text begins with it."""
_BLANKS = re.compile(r"\s+")
_XMLNS = ' xmlns="http://www.w3.org/1999/xhtml"'
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_TAG_WITH_APOSTROPHE = re.compile(r"<[^<>]*'[^<>]*>")
_IN_APOSTROPHES = re.compile(r"=\s*'([^'\"]*)'")
_BLANK_BEFORE_END = re.compile(r"\s+/>")
_EMPTY_ELEMENT = re.compile(r"<([A-Za-z][\w.-]*)([^<>]*)></\1>")
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;|#0*(?:38|60|62);|#x0*(?:26|3[cCeE]);)[#\w]+;")
"""Entities but those that keep text apart from markup."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the server holds something else; None stands for nothing."""

    path: Path
    ours: Any
    theirs: Any

    def __str__(self) -> str:
        place = ""
        for step in self.path:
            place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else step
        return f"{place}: server has {_shown(self.theirs)}, content has {_shown(self.ours)}"


def digest(resource: Resource) -> str:
    """SHA-256 of the canonical form, by which an inventory recognises what was written.

    Tags and security labels are left out: servers add their own, and some keep old ones for ever.
    """
    form = canonical(resource)
    meta = {k: v for k, v in form.pop("meta", {}).items() if k not in _LABELS}
    text = json.dumps([form, meta], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def same(ours: Resource, theirs: Resource) -> bool:
    """Whether the server holds what we would send; labels it has beyond ours do not count."""
    return _aligned(ours) == _aligned(theirs, ours)


def differences(ours: Resource, theirs: Resource) -> list[Difference]:
    """Where the two differ, in the order of our resource."""
    return list(_differences((), _aligned(ours), _aligned(theirs, ours)))


def canonical(resource: Resource) -> Resource:
    """The resource without a server's bookkeeping, its values in one way of writing."""
    form: Resource = _plain(bare(resource))
    meta = form.get("meta", {})
    for labels in _LABELS & meta.keys():
        meta[labels] = sorted(meta[labels], key=_label)
    return form


def bare(resource: Resource) -> Resource:
    """The resource without a server's bookkeeping in `meta` and in extensions of its own."""
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in _SERVERS_OWN}
    bare = {k: v for k, v in resource.items() if k != "meta"}
    if meta:
        bare["meta"] = meta
    given = bare.get("extension", [])
    kept = [each for each in given if not _is_servers(each)]
    if len(kept) < len(given):
        bare |= {"extension": kept}
    return bare if kept or not given else {k: v for k, v in bare.items() if k != "extension"}


def _is_servers(extension: Any) -> bool:
    url = extension.get("url") if isinstance(extension, dict) else None
    return str(url).startswith(_SERVERS_EXTENSIONS)


def _aligned(resource: Resource, model: Resource | None = None) -> Resource:
    """The canonical form with only those labels of `meta` that the model has too."""
    form = canonical(resource)
    if model is None:
        return form
    meta, wanted = form.get("meta", {}), model.get("meta", {})
    for labels in sorted(_LABELS):
        ours = {_label(label) for label in wanted.get(labels, [])}
        kept = [label for label in meta.pop(labels, []) if _label(label) in ours]
        if kept:
            meta[labels] = kept
    if not meta:
        form.pop("meta", None)
    return form


def _label(coding: Resource) -> str:
    return f"{coding.get('system', '')}|{coding.get('code', '')}"


def _plain(value: Any, key: str = "") -> Any:
    """A value in one way of writing, whatever a server's way is."""
    if isinstance(value, dict):
        return {k: _plain(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(item, key) for item in value]
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _number(Decimal(value))
    if isinstance(value, str) and key == "div":
        return _narrative(value)
    if isinstance(value, str) and key == "data":
        return _BLANKS.sub("", value)
    return value


def _number(value: Decimal) -> str:
    """1E2 and 100 are the same, 1.0 and 1.00 are not (R4 datatypes.html#decimal)."""
    return f"{_NUMBER}{value:f}"


def _narrative(div: str) -> str:
    """XHTML in one way of writing: quotes, empty elements, entities, no comments, no xmlns.

    By patterns rather than by a parser: ten thousand narratives are compared in a push.
    """
    text = _COMMENT.sub("", div).replace(_XMLNS, "")
    if "'" in text:
        text = _TAG_WITH_APOSTROPHE.sub(lambda tag: _IN_APOSTROPHES.sub(r'="\1"', tag[0]), text)
    text = _EMPTY_ELEMENT.sub(r"<\1\2/>", _BLANK_BEFORE_END.sub("/>", text))
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    return text


def _differences(path: Path, ours: Any, theirs: Any) -> Iterator[Difference]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*ours, *(k for k in theirs if k not in ours)]:
            yield from _differences((*path, key), ours.get(key), theirs.get(key))
    elif isinstance(ours, list) and isinstance(theirs, list):
        for index in range(max(len(ours), len(theirs))):
            pair = (side[index] if index < len(side) else None for side in (ours, theirs))
            yield from _differences((*path, index), *pair)
    elif ours != theirs:
        yield Difference(path, ours, theirs)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        value = value.removeprefix(_NUMBER)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = _BLANKS.sub(" ", text)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
