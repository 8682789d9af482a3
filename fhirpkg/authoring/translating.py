"""Texts in several languages: `text: {en: …, es: …}`.

The model knows plain texts only: what is read in a language is the same file with one text in the
place of each mapping of languages. In resources the other languages are extensions of the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.authoring.rules import SOURCE_LANGUAGE, SOURCE_UNNAMED, SOURCE_UNTRANSLATED
from fhirpkg.authoring.source import written
from fhirpkg.languages.choosing import localized, translation
from fhirpkg.languages.words import UNTRANSLATED, catalogue, is_language
from fhirpkg.render.told import literal, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fhirpkg.authoring.source import Source
    from fhirpkg.issues import Json, Path, Resource

KEYS = frozenset(
    "text patient title goal call ask say change missing exceeded noticed asked only-if choices "
    "shows labels how-often".split()
)
"""The keys whose texts may be in several languages."""
_UNMARKED = frozenset(("how-often",))
"""Keys whose form leaves no room for a mark."""
_ELSEWHERE = ("source", "codes", "evidence", "names")
_NAMED = 5
_OF_NAMES = ("codes", "names")

_ELEMENTS = frozenset(
    "title description purpose usage textEquivalent text display valueString expression".split()
)
"""The elements of resources that are words of the author's or of ours."""

_MACHINES = "subjectCodeableConcept"
"""An element that nobody reads: the type of resource that a definition is applied to."""


def is_in_languages(key: object, value: object) -> bool:
    """Whether a value is a text in several languages."""
    return key in KEYS and isinstance(value, dict) and bool(value) and all(map(is_language, value))


def in_main(value: Any, main: str, key: object = None) -> Any:
    """Authored data in the main language alone."""
    if is_in_languages(key, value):
        return value.get(main)
    if isinstance(value, dict):
        return {name: in_main(inner, main, name) for name, inner in value.items()}
    return [in_main(item, main, key) for item in value] if isinstance(value, list) else value


def in_other(value: Any, language: str, main: str, key: object = None) -> Any:
    """Authored data in another language; each text that lacks it begins with the mark of that."""
    if is_in_languages(key, value):
        found = value.get(language)
        return _marked(value.get(main), key) if found is None else found
    if key in KEYS and isinstance(value, str):
        return _marked(value, key)
    if isinstance(value, dict):
        return {name: in_other(inner, language, main, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [in_other(item, language, main, key) for item in value]
    return value


def _marked(value: Any, key: object) -> Any:
    if isinstance(value, list):
        return [_marked(item, key) for item in value]
    is_text = isinstance(value, str) and key not in _UNMARKED and not _is_step(key, value)
    return UNTRANSLATED + value if is_text else value


def _is_step(key: object, value: object) -> bool:
    """Whether a condition is the id of a step and not words."""
    return key == "only-if" and isinstance(value, str) and " " not in value


def check_languages(read: Source, others: Iterable[str], main: str) -> None:
    """Each text has the main language, and none that the package does not have.

    How many texts a language lacks is reported once.
    """
    lacking: dict[str, list[Path]] = {language: [] for language in others}
    known = {main, *lacking}
    said = list(_texts(read.data, ()))
    for path, value in said:
        given = set(value) if isinstance(value, dict) else {main}
        wrong = [f"the package has no language '{each}'" for each in sorted(given - known)]
        wrong += [] if main in given else [f"the text lacks the language '{main}'"]
        for problem in wrong:
            allowed = ", ".join(sorted(known))
            read.report(SOURCE_LANGUAGE, path, problem=problem, allowed=allowed)
        for language, places in lacking.items():
            if language not in given:
                places.append(path)
    for language, places in lacking.items():
        if places:
            named = ", ".join(written(path) for path in places[:_NAMED])
            more = ", …" if len(places) > _NAMED else ""
            where = "all of them" if len(places) == len(said) else named + more
            found = {"language": language, "count": len(places), "places": where}
            read.report(SOURCE_UNTRANSLATED, ("name",), key=True, **found)
    _check_names(read, [*lacking], known)


def _check_names(read: Source, others: Iterable[str], known: set[str]) -> None:
    """Concepts are called something in each language of the package, and in no other."""
    data = read.data if isinstance(read.data, dict) else {}
    codes, names = (value if isinstance(value, dict) else {} for value in map(data.get, _OF_NAMES))
    for name, said in names.items():
        for wrong in sorted(map(str, (said if isinstance(said, dict) else {}).keys() - known)):
            problem = f"the package has no language '{wrong}'"
            allowed = ", ".join(sorted(known))
            read.report(SOURCE_LANGUAGE, ("names", name), problem=problem, allowed=allowed)
    for language in others:
        without = [name for name in codes if language not in (names.get(name) or ())]
        if without:
            first = ", ".join(map(str, without[:_NAMED])) + (", …" if without[_NAMED:] else "")
            found = {"language": language, "count": len(without), "first": first}
            read.report(SOURCE_UNNAMED, ("codes",), key=True, **found)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every text that may be in several languages, with its place."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from _texts_of(key, inner, (*path, key))
    for at, item in enumerate(value if isinstance(value, list) else ()):
        yield from _texts(item, (*path, at))


def _texts_of(key: str, value: Any, place: Path) -> Iterator[tuple[Path, Any]]:
    if key == "only-if" and isinstance(value, list):  # each condition is a text of its own
        for at, item in enumerate(value):
            yield from _texts_of(key, item, (*place, at))
    elif is_in_languages(key, value) or (key in KEYS and isinstance(value, (str, list))):
        if not _is_step(key, value):
            yield place, value
    elif place[0] not in _ELSEWHERE:
        yield from _texts(value, place)


def translations(data: Any, main: str) -> dict[str, dict[str, str]]:
    """By language each text that an author has translated, and each name of a concept."""
    found: dict[str, dict[str, str]] = {}
    for _, value in _texts(data, ()):
        for language, other in value.items() if isinstance(value, dict) else ():
            if language != main:
                found.setdefault(language, {}).update(_pairs(value.get(main), other))
    for name, said in data.get("names", {}).items():
        for language, other in said.items():
            found.setdefault(language, {})[name] = other
    return found


def _pairs(text: Any, other: Any) -> Iterator[tuple[str, str]]:
    if isinstance(text, str) and isinstance(other, str):
        yield text.strip(), other.strip()
    elif isinstance(text, list) and isinstance(other, list):
        yield from zip(text, other, strict=False)


def with_translations(
    resource: Resource, texts: Mapping[str, Mapping[str, str]], main: str
) -> Resource:
    """A resource whose texts carry what they are in other languages, and that names its own."""
    made: Resource = _extended(resource, texts)
    return {**made, "language": main}


def said_throughout(resource: Resource, language: str, own: Mapping[str, str]) -> Resource:
    """A resource in another language, such as a document, with all its texts in it."""
    made = with_translations(resource, {language: own}, language)
    found: Resource = localized(made, language)
    return found


def _extended(value: Json, texts: Mapping[str, Mapping[str, str]]) -> Json:
    if isinstance(value, list):
        return [_extended(item, texts) for item in value]
    if not isinstance(value, dict):
        return value
    made: Resource = {}
    for key, inner in value.items():
        if isinstance(inner, str):
            made[key] = inner
            if key in _ELEMENTS and not (key == "valueString" and "url" in value):
                found = [(language, _in(inner, language, own)) for language, own in texts.items()]
                extensions = [translation(language, other) for language, other in found if other]
                if extensions:
                    made[f"_{key}"] = {"extension": extensions}
        else:
            made[key] = inner if key == _MACHINES else _extended(inner, texts)
    return made


def _in(text: str, language: str, own: Mapping[str, str]) -> str:
    """A text, or a literal of FHIRPath that says one, in a language; nothing where it has none."""
    words = words_of(text)
    if words is None:
        return said_in(text, language, own)
    found = said_in(words, language, own)
    return literal(found) if found else ""


def said_in(text: str, language: str, own: Mapping[str, str]) -> str:
    """A text in a language: the author's, ours, or some of each.

    As in ``NAME: plan of care`` and ``Codes by which it is found: NAME, NAME.``
    """
    first, colon, second = text.rpartition(": ")
    if (known := _known(text, language, own)) or not colon:
        return known
    listed = second.removesuffix(".").split(", ")
    names = [_known(name, language, own) for name in listed]
    end = "." if second.endswith(".") else ""
    said = _known(second, language, own) or (", ".join(names) + end if all(names) else "")
    begin = _known(first, language, own)
    return f"{begin}: {said}" if begin and said else ""


def _known(text: str, language: str, own: Mapping[str, str]) -> str:
    """A text as the author, else as we say it in a language; nothing where neither does."""
    return own.get(text) or catalogue(language).get(text) or ""
