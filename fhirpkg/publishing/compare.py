"""When two resources are the same for a publisher, and where they differ when they are not.

What a server may set by itself does not count: its bookkeeping in `meta`, tags that we did not
set, how it names a tag's code, the order of keys and of sets, blanks, quotes and entities in the
narrative, line breaks in base64, its own base in references, how it writes UTC and fractions of a
second.
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
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_UTC = {"Z": "Z", "+00:00": "Z"}
_BLOCK = re.compile(
    r"\s*(</?(?:div|p|h[1-6]|ul|ol|li|dl|dt|dd|table|caption|thead|tbody|tfoot|tr|th|td|colgroup"
    r"|col|blockquote|hr|br)\b[^<>]*>)\s*"
)
"""Tags around which blanks are not shown (R4 narrative.html allows these of XHTML)."""
_SHOWN_BLANKS = re.compile(r"[ \t\r\n]+")
"""Runs of them are shown as one; a no-break space is not one of them."""
_AS_WRITTEN = re.compile(r"<pre\b|white-space", re.IGNORECASE)
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


def same(ours: Resource, theirs: Resource, base: str = "") -> bool:
    """Whether the server at `base` holds what we would send; labels beyond ours do not count."""
    if _rest(ours) == _rest(theirs):  # as most servers give it back: only meta is looked at
        ours, theirs = {"meta": ours.get("meta", {})}, {"meta": theirs.get("meta", {})}
    mine, other = _aligned(ours), _aligned(theirs, ours)
    return mine == other or next(differing((), mine, other, base), None) is None


def _rest(resource: Resource) -> bytes:
    """All but `meta` as bytes, digits of decimals included."""
    return encoded({key: value for key, value in resource.items() if key != "meta"})


def differences(ours: Resource, theirs: Resource, base: str = "") -> list[Difference]:
    """Where the two differ, in the order of our resource; `base` is the server's."""
    return list(differing((), _aligned(ours), _aligned(theirs, ours), base))


def canonical(resource: Resource) -> Resource:
    """The resource without a server's bookkeeping, its values in one way of writing."""
    form: Resource = _plain(bare(resource))
    meta = form.get("meta", {})
    for labels in _LABELS & meta.keys():
        meta[labels] = sorted(meta[labels], key=_label)
    if "profile" in meta:  # a set, which servers may order
        meta["profile"] = sorted(set(map(str, meta["profile"])))
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
    """The canonical form with only those labels of `meta` that the model has too.

    A label is its system and code: HAPI gives all resources the display that it met first.
    """
    form = canonical(resource)
    meta, wanted = form.get("meta", {}), (model or resource).get("meta", {})
    for labels in sorted(_LABELS):
        ours = {_label(label) for label in wanted.get(labels, [])}
        kept = {_label(label): label for label in meta.pop(labels, []) if _label(label) in ours}
        if kept:
            meta[labels] = [{k: x[k] for k in ("system", "code") if k in x} for x in kept.values()]
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
    if isinstance(value, str) and (time := _TIME.fullmatch(value)):
        return _moment(*time.groups())
    return value


def _moment(until_second: str, fraction: str | None, zone: str) -> str:
    """A time in one way of writing; the zone stays, as it tells the date that was meant."""
    return f"{until_second}{(fraction or '').rstrip('0').rstrip('.')}{_UTC.get(zone, zone)}"


def _is_filling(value: Any) -> bool:
    """Whether this is the array of nulls beside extensions of primitives, which may be left out."""
    return isinstance(value, list) and bool(value) and all(item is None for item in value)


def _number(value: Decimal) -> str:
    """1E2 and 100 are the same, 1.0 and 1.00 are not (R4 datatypes.html#decimal)."""
    return f"{_NUMBER}{value:f}"


def _narrative(div: str) -> str:
    """XHTML in one way of writing: quotes, attributes, empty elements, entities, comments, blanks.

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
    return text if _AS_WRITTEN.search(text) else _BLOCK.sub(r"\1", _SHOWN_BLANKS.sub(" ", text))


def differing(path: Path, ours: Any, theirs: Any, base: str = "") -> Iterator[Difference]:
    """Where two canonical forms differ; a reference and what a server made of it do not."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*ours, *(k for k in theirs if k not in ours)]:
            pair = ours.get(key), theirs.get(key)
            if key != "reference" or not _is_one_target(*pair, base):
                yield from differing((*path, key), *pair, base)
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield from _differing_lists(path, ours, theirs, base)
    elif ours != theirs:
        yield Difference(path, ours, theirs)


def _is_one_target(ours: Any, theirs: Any, base: str) -> bool:
    """Whether a reference is the same but for the server's base, or what a condition led to.

    A server puts the id that it found in the place of a conditional reference (http.html#trules).
    """
    if not isinstance(ours, str) or not isinstance(theirs, str):
        return False
    if base and ours.removeprefix(f"{base}/") == theirs.removeprefix(f"{base}/"):
        return True
    wanted, is_conditional, _ = ours.partition("?")
    found = theirs.rpartition("/")[0].rpartition("/")[2]
    return bool(is_conditional and wanted) and found == wanted


def _differing_lists(
    path: Path, ours: list[Any], theirs: list[Any], base: str
) -> Iterator[Difference]:
    """Lists item by item; in lists of different length, the items in both are aligned first."""
    if len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differing((*path, index), *pair, base)
        return
    keys = [[json.dumps(item, sort_keys=True) for item in side] for side in (ours, theirs)]
    matcher = difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        mine, other = ours[start:end], theirs[other_start:other_end]
        for offset, pair in enumerate(itertools.zip_longest(mine, other)):
            index = (start if offset < len(mine) else other_start) + offset
            yield from differing((*path, index), *pair, base)


def _shown(value: Any, other: Any) -> str:
    """A value in words, cut to the part in which it differs from the other: both at one place."""
    if value is None:
        return "nothing"
    text, beside = _text(value), _text(other)
    if other is not None and _BLANKS.sub(" ", text) != _BLANKS.sub(" ", beside):
        text, beside = _BLANKS.sub(" ", text), _BLANKS.sub(" ", beside)
    if max(len(text), len(beside)) <= _SHOWN or other is None:
        start = 0
    else:
        pairs = enumerate(zip(text, beside, strict=False))
        start = next((n for n, (one, two) in pairs if one != two), min(len(text), len(beside)))
        start = start - _BEFORE if start > _BEFORE else 0
    before, after = "…" if start else "", "…" if start + _SHOWN < len(text) else ""
    return repr(f"{before}{text[start : start + _SHOWN]}{after}")


def _text(value: Any) -> str:
    if isinstance(value, str):
        value = value.removeprefix(_NUMBER)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace(_NUMBER, "")
