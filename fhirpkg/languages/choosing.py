"""Which language somebody gets, and a resource in it.

R4 carries translations of a text as extensions of it
(http://hl7.org/fhir/R4/languages.html#ext): `localized` puts them in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from fhirpkg.issues import Json, Resource

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
TEXTS = "Language of texts"
"""The parameter that says which language the logic of a procedure says its words in: ``es``."""


def translation(language: str, text: str) -> Resource:
    """The extension that says a text in another language."""
    return {
        "url": TRANSLATION,
        "extension": [
            {"url": "lang", "valueCode": language},
            {"url": "content", "valueString": text},
        ],
    }


def primary(language: str) -> str:
    """The language of a tag without region and script: ``de`` of ``de-AT`` (RFC 5646, 2.2.1)."""
    return language.partition("-")[0].lower()


def wanted(accept: str) -> list[str]:
    """The languages of an Accept-Language header (RFC 9110), the most wanted first.

    >>> wanted("en;q=0.5, es-MX, fr;q=0")
    ['es-MX', 'en']
    """
    found = []
    for part in accept.split(","):
        tag, _, quality = (piece.strip() for piece in part.partition(";"))
        try:
            weight = float(quality.lower().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        if tag and tag != "*" and weight > 0:
            found.append((weight, tag))
    return [tag for _, tag in sorted(found, key=lambda pair: -pair[0])]


def spoken(patient: Resource) -> list[str]:
    """The languages that a patient speaks, the preferred ones first."""
    parts = sorted(objects(patient, "communication"), key=lambda p: p.get("preferred") is not True)
    codings = (objects(part.get("language"), "coding") for part in parts)
    return [code for each in codings for coding in each if (code := text_of(coding, "code"))]


def languages_of(resource: Json) -> set[str]:
    """The languages in which a resource has translations of its texts."""
    found: set[str] = set()
    todo = [resource]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo += value
        elif isinstance(value, dict):
            todo += value.values()
            if value.get("url") == TRANSLATION:
                found |= {text_of(part, "valueCode") for part in objects(value, "extension")}
    return found - {""}


def best(asked: Iterable[str], offered: Iterable[str]) -> str:
    """The first language asked for that is offered, in its region or in general; or nothing.

    >>> best(["fr", "es-MX"], ["de", "es"])
    'es'
    """
    known = sorted(offered)
    for tag in asked:
        general = primary(tag)
        for each in known:
            if tag.lower() == each.lower():
                return each
        for each in known:
            if general == primary(each):
                return each
    return ""


def localized(value: Json, language: str, keys: Collection[str] | None = None) -> Json:
    """A resource, or a part of one, with each text in a language where it has a translation.

    With `keys`, only texts in elements of these names.
    """
    if isinstance(value, list):
        return [localized(item, language, keys) for item in value]
    if not isinstance(value, dict):
        return value
    made: Resource = {}
    for key, inner in value.items():
        made[key] = localized(inner, language, keys)
    for key in [k for k in value if k[0] == "_" and (keys is None or k[1:] in keys)]:
        text = _translation(value[key], language)
        if text and isinstance(value.get(key[1:]), str):
            made[key[1:]] = text
            del made[key]
    return made


def _translation(element: Json, language: str) -> str:
    """The content that an element has in a language."""
    for extension in objects(element, "extension"):
        parts = {text_of(part, "url"): part for part in objects(extension, "extension")}
        if extension.get("url") == TRANSLATION and "content" in parts:
            content = parts["content"]
            text = text_of(content, "valueString") or text_of(content, "valueMarkdown")
            if text_of(parts.get("lang"), "valueCode") == language:
                return text
    return ""
