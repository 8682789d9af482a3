"""Words in other languages, which language somebody gets, and resources in it."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from fhirpkg.authoring.model.review import Judged, Signed
from fhirpkg.authoring.reviewing import form
from fhirpkg.authoring.reviewing.sheet import WHOLE
from fhirpkg.course import wording
from fhirpkg.languages.choosing import best, languages_of, localized, spoken, wanted
from fhirpkg.languages.words import (
    UNTRANSLATED,
    catalogue,
    gettext,
    has_catalogue,
    is_language,
    known_languages,
    say,
    speaking,
)
from fhirpkg.pages import changes, procedure, trying
from fhirpkg.pages.listing import entry
from fhirpkg.render import times, words
from fhirpkg.server.capabilities import ABOUT
from fhirpkg.server.web import pages
from fhirpkg.server.web import trying as served
from fhirpkg.sheets import making, order_set
from fhirpkg.sheets import wording as wording_of_orders

ROOT = Path(__file__).parent.parent.parent / "fhirpkg"
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def translation(language, text, kind="valueString"):
    parts = [{"url": "lang", "valueCode": language}, {"url": "content", kind: text}]
    return {"url": TRANSLATION, "extension": parts}


PLAN = {
    "resourceType": "PlanDefinition",
    "title": "Tea",
    "_title": {"extension": [translation("es", "Té"), translation("de", "Tee", "valueMarkdown")]},
    "action": [
        {
            "title": "Pour",
            "_title": {"id": "a", "extension": [translation("es", "Servir")]},
            "textEquivalent": "Pour it",
        }
    ],
}


@pytest.mark.parametrize(
    "header, found",
    [
        ("", []),
        ("es", ["es"]),
        ("en;q=0.5, es-MX, fr;q=0", ["es-MX", "en"]),
        ("*, de;q=0.9", ["de"]),
        ("de;q=x, fr", ["fr"]),
        ("de ; q=0.2,es; q=0.8", ["es", "de"]),
        ("de;Q=0.2,es;Q=0.8", ["es", "de"]),
    ],
)
def test_a_header_is_read_by_its_weights(header, found):
    assert wanted(header) == found


@pytest.mark.parametrize(
    "asked, offered, found",
    [
        (["es-MX"], ["es"], "es"),
        (["pt"], ["pt-BR"], "pt-BR"),
        (["es-MX", "de"], ["es", "es-MX"], "es-MX"),
        (["fr", "de"], ["de", "es"], "de"),
        (["fr"], ["es"], ""),
        ([], ["es"], ""),
        (["est"], ["es"], ""),
    ],
)
def test_the_first_language_that_is_offered_is_taken(asked, offered, found):
    assert best(asked, offered) == found


def test_a_patient_speaks_the_preferred_language_first():
    def communication(code, **more):
        return {"language": {"coding": [{"code": code}]}, **more}

    patient = {"communication": [communication("en"), communication("es", preferred=True)]}
    assert spoken(patient) == ["es", "en"]
    assert spoken({}) == []
    assert spoken({"communication": [{"language": {"text": "Spanish"}}, 5]}) == []


def test_texts_are_replaced_where_they_have_a_translation():
    assert languages_of(PLAN) == {"es", "de"}
    spanish = localized(PLAN, "es")
    assert (spanish["title"], spanish["action"][0]["title"]) == ("Té", "Servir")
    assert spanish["action"][0]["textEquivalent"] == "Pour it"
    german = localized(PLAN, "de")
    assert (german["title"], german["action"][0]["title"]) == ("Tee", "Pour")
    assert localized(PLAN, "fr") == PLAN
    assert PLAN["title"] == "Tea"


@pytest.mark.parametrize("wrong", [{"_title": 5}, {"_title": {"extension": [5]}}, {"_title": {}}])
def test_what_is_no_translation_changes_nothing(wrong):
    resource = {"title": "Tea", **wrong}
    assert localized(resource, "es")["title"] == "Tea"


def test_words_without_a_translation_are_marked():
    assert say("Sources", "en") == say("Sources", "en-GB") == "Sources"
    assert say("Sources", "es") == say("Sources", "es-MX") == "Fuentes"
    assert say("Not in it", "es") == UNTRANSLATED + "Not in it"
    assert say("Sources", "fi") == UNTRANSLATED + "Sources"
    assert has_catalogue("es-AR")
    assert not has_catalogue("fi")


def test_fixed_words_are_in_the_language_that_is_spoken_and_afterwards_in_english_again():
    assert gettext("Search") == "Search"
    with speaking("es-MX"):
        assert (gettext("Search"), gettext("Not in it")) == ("Buscar", "Not in it")
        assert gettext("and {count} more", count=3) == "y 3 más"
        with speaking("fi"):
            assert gettext("Search") == "Search"
    assert gettext("Search") == "Search"
    assert known_languages() == ["en", *sorted(file.stem for file in CATALOGUES)]


TAGS = {"es": True, "pt-BR": True, "zh-Hant-TW": True, "ES": False, "text": False, "": False}


@pytest.mark.parametrize("tag, is_one", [*TAGS.items(), (5, False)])
def test_a_tag_has_a_form(tag, is_one):
    assert is_language(tag) is is_one


def test_a_schedule_is_in_the_language_that_is_spoken():
    daily = {
        "repeat": {
            "frequency": 2,
            "period": 1,
            "periodUnit": "d",
            "when": ["ACM"],
            "boundsRange": {"low": {"value": 2}, "high": {"value": 5, "unit": "d"}},
        }
    }
    with speaking("es"):
        assert times.schedule(daily) == "dos veces al día antes del desayuno durante 2 a 5 d"
        assert words.target({"due": {}, "dueDuration": {"value": 24, "code": "wk"}}) == (
            "en un plazo de 24 semanas"
        )


def said_in_code():
    """Every literal that is given to `say` or heads a column, in Python and in templates."""
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            called = getattr(node, "func", None)
            name = getattr(called, "attr", getattr(called, "id", ""))
            for place in {"say": (0,), "gettext": (0,), "Column": (0, 2)}.get(name, ()):
                if isinstance(node.args[place], ast.Constant):
                    yield node.args[place].value
    for file in (ROOT / "render" / "templates").iterdir():
        yield from re.findall(r'\b(?:say|_)\("([^"]+)"', file.read_text())
    for file in (ROOT / "pages" / "templates").iterdir():
        yield from re.findall(r'\b_\("([^"]+)"', file.read_text())
    yield from (name for _, name, _ in procedure._CONTENTS)
    yield from (*words._WORDS.values(), *wording._KINDS.values(), *trying._MARKS.values())
    yield from (*times.EACH.values(), *times.DAYS.values(), *times.EVENTS.values())
    yield from (*words.MANY.values(), *wording._EVENTS.values())
    yield from (*pages._FEEDBACK_HEADS, served._NOT_A_FORM, served._TOO_LARGE, ABOUT)
    yield from (*changes._NEW.values(), *changes._GONE.values())
    yield from (*making.GUIDE, *making.SIGNATURES, "Name", "Signature", "Role")
    yield from (*wording_of_orders.KINDS.values(), *wording_of_orders.OF_TYPE.values(), "Order")
    yield from (*order_set._ALERT.values(), "Codes without a system", "Codes")
    yield from (*form.GUIDE, *form.COLUMNS, form.MARK, WHOLE, *get_args(Signed))
    yield from (
        "attention",
        "correct-first",
        "input",
        "output",
        "met",
        "exceeded",
        "unusable",
        "missing",
        *get_args(Judged),
    )


CATALOGUES = sorted((ROOT / "languages" / "catalogues").glob("*.po"))


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_a_catalogue_has_all_fixed_words_and_keeps_their_places(file):
    words = set(said_in_code())
    assert len(words) > 20
    known = catalogue(file.stem)
    assert words - known.keys() == set()
    for english, other in known.items():
        assert re.findall(r"\{\w*\}", english) == re.findall(r"\{\w*\}", other), english


def test_a_document_in_another_language_than_the_page_says_so():
    """Its title may be translated, so that two documents would look the same."""
    document = {"resourceType": "DocumentReference", "id": "d", "status": "current",
                "description": "How to prepare", "language": "en"}  # fmt: skip
    assert entry(document).standing == "current"
    with speaking("es"):
        assert entry(document).standing.endswith(", en")
        assert entry({**document, "language": "es"}).standing == "actual"
