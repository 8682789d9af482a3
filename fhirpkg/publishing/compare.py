"""When two resources are the same for a publisher, and where they differ when they are not.

What a server may set by itself does not count: its bookkeeping in `meta`, tags that we did not
set, the order of keys, quotes and entities in the narrative, line breaks in base64.
"""

from __future__ import annotations

import difflib
import hashlib
import html
import itertools
import json
import operator
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg.client.client import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource

_SERVERS_OWN = (
    "versionId", "lastUpdated", "source",
    "author", "project", "account", "accounts", "compartment",
)  # fmt: skip
"""Members of `meta` that servers set: FHIR's own, and Medplum's."""
_SERVERS_EXTENSIONS = (
    "http://healthlake.amazonaws.com/aws-cm/",
    "http://healthlake.amazonaws.com/system-generated-resources/",
    "https://aidbox.app/ex/",
    "ex:createdAt",
    "http://hapifhir.io/fhir/StructureDefinition/",
    "https://hapifhir.io/fhir/StructureDefinition/",
)
"""AWS HealthLake puts what its language service finds into each DocumentReference
(https://docs.aws.amazon.com/healthlake/latest/devguide/integrating-nlp.html), Aidbox the time of
creation, HAPI the source and marks of placeholders."""
_LABELS = {"tag", "security"}
_SHOWN = 80
"""Characters of a value that are shown."""
_BEFORE = 15
"""So many of them before the first that differs."""
_NUMBER = "\ue000"
"""Marks a number among strings; a character for private use, so no text begins with it."""
_BLANKS = re.compile(r"\s+")
_XMLNS = ' xmlns="http://www.w3.org/1999/xhtml"'
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_TAG_WITH_APOSTROPHE = re.compile(r"<[^<>]*'[^<>]*>")
_IN_APOSTROPHES = re.compile(r"=\s*'([^'\"]*)'")
_BLANK_BEFORE_END = re.compile(r"\s+/>")
_ATTRIBUTE = re.compile(r'[\w:.-]+="[^"]*"')
_ATTRIBUTES = re.compile(rf"<([A-Za-z][\w:.-]*)((?:\s+{_ATTRIBUTE.pattern}){{2,}})")
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
        theirs, ours = _shown(self.theirs, self.ours), _shown(self.ours, self.theirs)
        return f"{place}: server has {theirs}, content has {ours}"


def digest(resource: Resource) -> str:
    """SHA-256 of the canonical form, by which an inventory recognises what was written.

    Tags and security labels are left out: servers add their own, and some keep old ones forever.
    """
    form = canonical(resource)
    meta = {k: v for k, v in form.pop("meta", {}).items() if k not in _LABELS}
    text = json.dumps([form, meta], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def same(ours: Resource, theirs: Resource) -> bool:
    """Whether the server holds what we would send; labels it has beyond ours do not count."""
    if _rest(ours) == _rest(theirs):  # as most servers give it back: only meta is looked at
        ours, theirs = {"meta": ours.get("meta", {})}, {"meta": theirs.get("meta", {})}
    mine, other = _aligned(ours), _aligned(theirs, ours)
    return mine == other or next(differing((), mine, other), None) is None


def _rest(resource: Resource) -> bytes:
    """All but `meta` as bytes, digits of decimals included."""
    return encoded({key: value for key, value in resource.items() if key != "meta"})


def differences(ours: Resource, theirs: Resource) -> list[Difference]:
    """Where the two differ, in the order of our resource."""
    return list(differing((), _aligned(ours), _aligned(theirs, ours)))


def canonical(resource: Resource) -> Resource:
    """The resource without a server's bookkeeping, its values in one way of writing."""
    form: Resource = _plain(bare(resource))
    meta = form.get("meta", {})
    for labels in _LABELS & meta.keys():
        meta[labels] = sorted(meta[labels], key=_label)
    if "profile" in meta:  # a set, which servers may order
        meta["profile"] = sorted(meta["profile"], key=str)
    return form


def bare(resource: Resource) -> Resource:
    """The resource without a server's bookkeeping in `meta` and in extensions of its own."""
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in _SERVERS_OWN}
    bare = {k: v for k, v in resource.items() if k != "meta"}
    if meta:
        bare["meta"] = meta
    stripped: Resource = _without_servers_extensions(bare)
    return stripped


def _without_servers_extensions(value: Any) -> Any:
    """The same object where no extension is a server's own."""
    if isinstance(value, list):
        kept = [_without_servers_extensions(i) for i in value if not _is_servers(i)]
        return value if all(map(operator.is_, kept, value)) and len(kept) == len(value) else kept
    if not isinstance(value, dict):
        return value
    stripped = {k: _without_servers_extensions(v) for k, v in value.items()}
    if all(stripped[k] is v for k, v in value.items()):
        return value
    return {k: v for k, v in stripped.items() if v not in ([], {}) or value[k] == v}


def _is_servers(extension: Any) -> bool:
    url = extension.get("url") if isinstance(extension, dict) else None
    return isinstance(url, str) and url.startswith(_SERVERS_EXTENSIONS)


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
        return {k: _plain(v, k) for k, v in value.items() if not _is_filling(v)}
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


def _is_filling(value: Any) -> bool:
    """Whether this is the array of nulls beside extensions of primitives, which may be left out."""
    return isinstance(value, list) and bool(value) and all(item is None for item in value)


def _number(value: Decimal) -> str:
    """1E2 and 100 are the same, 1.0 and 1.00 are not (R4 datatypes.html#decimal)."""
    return f"{_NUMBER}{value:f}"


def _narrative(div: str) -> str:
    """XHTML in one way of writing: quotes, attributes, empty elements, entities, comments, xmlns.

    By patterns rather than by a parser: ten thousand narratives are compared in a push.
    """
    text = _COMMENT.sub("", div).replace(_XMLNS, "")
    if "'" in text:
        text = _TAG_WITH_APOSTROPHE.sub(lambda tag: _IN_APOSTROPHES.sub(r'="\1"', tag[0]), text)
    text = _ATTRIBUTES.sub(
        lambda found: " ".join([f"<{found[1]}", *sorted(_ATTRIBUTE.findall(found[2]))]), text
    )
    text = _EMPTY_ELEMENT.sub(r"<\1\2/>", _BLANK_BEFORE_END.sub("/>", text))
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    return text


def differing(path: Path, ours: Any, theirs: Any) -> Iterator[Difference]:
    """Where two canonical forms differ; a conditional reference and what it led to do not."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*ours, *(k for k in theirs if k not in ours)]:
            pair = ours.get(key), theirs.get(key)
            if key != "reference" or not _is_resolved(*pair):
                yield from differing((*path, key), *pair)
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield from _differing_lists(path, ours, theirs)
    elif ours != theirs:
        yield Difference(path, ours, theirs)


def _is_resolved(ours: Any, theirs: Any) -> bool:
    """Whether the server put the id that a conditional reference found in its place (R4 http)."""
    if not isinstance(ours, str) or not isinstance(theirs, str) or "?" not in ours:
        return False
    wanted = ours.partition("?")[0]
    return bool(wanted) and theirs.rpartition("/")[0].rpartition("/")[2] == wanted


def _differing_lists(path: Path, ours: list[Any], theirs: list[Any]) -> Iterator[Difference]:
    """Lists item by item; in lists of different length, the items in both are aligned first."""
    if len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differing((*path, index), *pair)
        return
    keys = [[json.dumps(item, sort_keys=True) for item in side] for side in (ours, theirs)]
    matcher = difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        mine, other = ours[start:end], theirs[other_start:other_end]
        for offset, pair in enumerate(itertools.zip_longest(mine, other)):
            index = (start if offset < len(mine) else other_start) + offset
            yield from differing((*path, index), *pair)


def _shown(value: Any, other: Any) -> str:
    """A value in words, cut to the part in which it differs from the other."""
    if value is None:
        return "nothing"
    text, beside = _text(value), _text(other)
    if len(text) <= _SHOWN:
        return repr(text)
    pairs = enumerate(zip(text, beside, strict=False))
    start = next((n for n, (one, two) in pairs if one != two), min(len(text), len(beside)))
    start = max(0, min(start - _BEFORE, len(text) - _SHOWN)) if start > _BEFORE else 0
    shown = text[start : start + _SHOWN]
    before = "…" if start else ""
    return repr(f"{before}{shown}{'…' if start + _SHOWN < len(text) else ''}")


def _text(value: Any) -> str:
    if isinstance(value, str):
        value = value.removeprefix(_NUMBER)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _BLANKS.sub(" ", text.replace(_NUMBER, ""))
