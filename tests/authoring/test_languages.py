"""Authored texts in several languages: read, told where they lack, and carried by the resources."""

import base64
import json
import shutil
from pathlib import Path

import pytest

from fhirpkg import Validator
from fhirpkg.authoring.build import build
from fhirpkg.authoring.folder import check_file, read_folder
from fhirpkg.authoring.model.procedure import Procedure
from fhirpkg.authoring.reviewing.verdicts import digest_of_all, reviewed
from fhirpkg.authoring.schema import schema_of
from fhirpkg.authoring.source import read
from fhirpkg.authoring.translating import KEYS, said_in
from fhirpkg.issues import Severity
from fhirpkg.languages.choosing import languages_of, localized
from fhirpkg.languages.words import UNTRANSLATED
from fhirpkg.packages.installed import read_profiles

SECOND = Path(__file__).parent / "second"
WIDE = Path(__file__).parent / "wide"
RESOURCES = Path(__file__).parent.parent.parent / "resources"
PROFILES = read_profiles(RESOURCES)


@pytest.fixture
def package(tmp_path):
    shutil.copytree(SECOND, tmp_path / "p")
    return tmp_path / "p"


def with_spanish(package):
    file = package / "package.yaml"
    file.write_text(f"{file.read_text()}languages: {{es: Traducido para una prueba}}\n")


def edit(package, old, new):
    file = package / "tea-pouring" / "procedure.yaml"
    text = file.read_text()
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new))
    return file


def made(package):
    authored = read_folder(package)
    assert [str(i) for i in authored.issues if i.severity.rank < 2] == []
    return build(authored.package, authored.procedures, PROFILES, beside=authored.beside)[
        "tea-pouring"
    ]


def issues(package, rule):
    return [issue for issue in read_folder(package).issues if issue.rule == rule]


def spanish(value, key=None):
    """Authored data with each text in Spanish too: the English with ES: before it."""
    if key == "only-if" and isinstance(value, list):
        return [spanish(each, key) for each in value]
    if key == "how-often" or (key == "only-if" and isinstance(value, str) and " " not in value):
        return value  # of a form, or the id of a step
    if key in KEYS and isinstance(value, str):
        return {"en": value, "es": f"ES: {value}"}
    if key in KEYS and isinstance(value, list):
        return {"en": value, "es": [f"ES: {text}" for text in value]}
    if isinstance(value, dict):
        skipped = ("source", "codes", "evidence")
        return {k: v if k in skipped else spanish(v, k) for k, v in value.items()}
    return [spanish(item) for item in value] if isinstance(value, list) else value


def translate_all(package):
    """Every text that may stand in several languages in Spanish: the English with ES: before it."""
    file = package / "tea-pouring" / "procedure.yaml"
    data = spanish(read(file.read_bytes(), "").data)
    file.write_text(json.dumps(data, default=float))


def documents(resources):
    return {r["id"]: r for r in resources if r["resourceType"] == "DocumentReference"}


def page(document):
    return base64.b64decode(document["content"][0]["attachment"]["data"]).decode()


def test_one_translated_text_is_carried_and_the_rest_counted(package):
    before = made(package)
    with_spanish(package)
    edit(package, "text: Boil the water.", "text: {en: Boil the water., es: Hierva el agua.}")
    resources = made(package)
    plan = next(r for r in resources if r["resourceType"] == "PlanDefinition")
    assert plan["language"] == "en"
    spanish_plan = localized(plan, "es")
    assert "Hierva el agua." in json.dumps(spanish_plan)
    assert "Boil the water." not in json.dumps({**spanish_plan, "text": ""})
    assert documents(resources).keys() == documents(before).keys()  # none is whole in Spanish
    (told,) = issues(package, "source-untranslated")
    assert "'es': name.text" in told.text
    assert "steps[0].text" not in told.text


def test_a_procedure_without_any_translation_lists_no_texts(package):
    with_spanish(package)
    made(package)
    (told,) = issues(package, "source-untranslated")
    assert "[0]" not in told.text
    assert "name.text" not in told.text


def test_a_package_of_one_language_says_nothing_of_languages(package):
    for resource in made(package):
        assert "language" not in resource
        assert languages_of(resource) == set()


def test_documents_of_which_every_text_is_translated_are_made(package):
    with_spanish(package)
    translate_all(package)
    resources = made(package)
    found = documents(resources)
    others = {name: d for name, d in found.items() if name.endswith("Es")}
    assert {name.removesuffix("Es") for name in others} == found.keys() - others.keys()
    for name, document in others.items():
        text = page(document)
        assert document["language"] == document["content"][0]["attachment"]["language"] == "es"
        assert '<html xmlns="http://www.w3.org/1999/xhtml" lang="es" xml:lang="es">' in text
        assert "Traducido para una prueba" in text
        assert UNTRANSLATED not in json.dumps(document) + text
        target = {"reference": f"DocumentReference/{name.removesuffix('Es')}"}
        assert document["relatesTo"] == [{"code": "transforms", "target": target}]
    assert "ES: Boil the water." in page(found["TeaPouringEducationEs"])
    manifest = next(r for r in resources if r["id"] == "TeaPouringManifest")
    assert "DocumentReference/TeaPouringEducationEs" in json.dumps(manifest)
    for resource in resources:
        assert UNTRANSLATED not in json.dumps(resource)
        assert Validator().validate(resource).errors == (), resource["id"]


def test_no_resource_shows_the_mark_of_what_is_untranslated(tmp_path):
    shutil.copytree(WIDE, tmp_path / "wide")
    with_spanish(tmp_path / "wide")
    for file in (tmp_path / "wide").glob("*/procedure.yaml"):
        data = spanish(read(file.read_bytes(), "").data)
        data["name"]["text"].pop("es")  # one text of many is missing
        file.write_text(json.dumps(data, default=float))
    authored = read_folder(tmp_path / "wide")
    assert [str(i) for i in authored.issues if i.severity.rank < 2] == []
    resources = build(authored.package, authored.procedures, PROFILES, beside=authored.beside)
    for made_of_one in resources.values():
        assert any(languages_of(resource) == {"es"} for resource in made_of_one)
        assert UNTRANSLATED not in json.dumps(made_of_one, default=float)


def test_a_document_that_lacks_one_text_is_not_made(package):
    with_spanish(package)
    translate_all(package)
    file = package / "tea-pouring" / "procedure.yaml"
    data = read(file.read_bytes(), "").data
    data["risks"][0]["text"].pop("es")
    file.write_text(json.dumps(data, default=float))
    assert "TeaPouringEducationEs" not in documents(made(package))
    (told,) = issues(package, "source-untranslated")
    assert told.text == "1 texts have no translation into 'es': risks[0].text"


def test_a_translation_makes_no_verdict_stale(package):
    def digests():
        procedure = read_folder(package).procedures["tea-pouring"]
        return {fact: state.digest for fact, state in reviewed(procedure, None).items()}

    before = digests()
    with_spanish(package)
    translate_all(package)
    assert digests() == before


@pytest.mark.parametrize(
    "text, says",
    [
        ("{en: Boil it., fr: Bouillir.}", "no language 'fr'"),
        ("{es: Hierva el agua.}", "lacks the language 'en'"),
    ],
)
def test_a_language_that_does_not_belong_there_is_told_at_its_line(package, text, says):
    with_spanish(package)
    file = edit(package, "text: Boil the water.", f"text: {text}")
    found = issues(package, "source-language")
    assert says in found[0].text
    line = next(n for n, t in enumerate(file.read_text().splitlines(), 1) if text in t)
    assert found[0].line == line
    assert found[0] in check_file(file.name, file.read_bytes(), str(file))
    assert not read_folder(package).is_usable


def test_a_number_of_a_translation_comes_from_the_source_too(package):
    with_spanish(package)
    edit(package, "text: It takes 30 minutes.", "text: {en: It takes 30 minutes., es: Son 40 min}")
    (found,) = issues(package, "source-number")
    assert "40" in found.text
    edit(package, "Son 40 min", "Dura 30 minutos.")
    assert issues(package, "source-number") == []


@pytest.mark.parametrize(
    "old, new, rule",
    [
        ("who: host}", "who: host, only-if: {en: pour, es: stir}}", "source-unknown-reference"),
        (
            "codes:\n",
            """checklist:
  - id: milk
    text: Milk?
    from: steps-2
    answer: choice
    choices: {en: [with, without], es: []}
codes:
""",
            "source-missing",
        ),
    ],
)
def test_what_another_language_names_and_chooses_from_is_there(package, old, new, rule):
    with_spanish(package)
    edit(package, old, new)
    (found,) = issues(package, rule)
    assert found.severity is Severity.ERROR


def test_a_language_without_a_catalogue_is_told(package):
    file = package / "package.yaml"
    file.write_text(f"{file.read_text()}languages: {{fi: Testiksi}}\n")
    translate_all(package)
    text = (package / "tea-pouring" / "procedure.yaml").read_text().replace('"es": ', '"fi": ')
    (package / "tea-pouring" / "procedure.yaml").write_text(text)
    (found,) = issues(package, "source-no-catalogue")
    assert (found.file, "'fi'" in found.text) == (str(file), True)
    assert found in check_file(file.name, file.read_bytes(), str(file))
    assert not any(name.endswith("Fi") for name in documents(made(package)))


def test_a_package_in_another_language_has_its_headings(package):
    file = package / "package.yaml"
    file.write_text(f"{file.read_text()}language: es\n")
    education = page(documents(made(package))["TeaPouringEducation"])
    assert "<h2>Qué es</h2>" in education
    assert 'lang="es"' in education


def test_the_schema_takes_texts_in_several_languages():
    jsonschema = pytest.importorskip("jsonschema", reason="checks schemas, needed by nothing else")
    validator = jsonschema.Draft202012Validator(schema_of(Procedure))
    data = read((SECOND / "tea-pouring" / "procedure.yaml").read_bytes(), "").data
    data = json.loads(json.dumps(spanish(data), default=float))
    assert list(validator.iter_errors(data)) == []
    data["summary"]["text"] = {"en": "x", "Spanish": "y"}
    assert list(validator.iter_errors(data))


def test_our_leaflets_stand_in_spanish_too():
    folder = RESOURCES / "cpt-20983" / "fhir"
    for kind in ("Education", "Preparation", "Aftercare"):
        file = folder / f"DocumentReference-BoneTumorCryoablation{kind}Es.json"
        text = page(json.loads(file.read_text()))
        assert "Traducción de los autores de este paquete" in text
        assert "Ningún profesional clínico ha revisado" in text


NAMES = "\nnames:\n  {name}: {{{language}: {words}}}\n"


def with_name(package, name, language="es", words="Té servido"):
    file = package / "tea-pouring" / "procedure.yaml"
    file.write_text(file.read_text() + NAMES.format(name=name, language=language, words=words))
    return file


def concepts_named(value, name):
    """The concepts of a resource with this text."""
    if isinstance(value, dict):
        if value.get("text") == name:
            yield value
        value = [*value.values()]
    for inner in value if isinstance(value, list) else ():
        yield from concepts_named(inner, name)


def test_the_name_of_a_concept_is_translated_wherever_it_stands(package):
    with_spanish(package)
    name = next(iter(read_folder(package).procedures["tea-pouring"].codes))
    before = made(package)
    with_name(package, name)
    after = made(package)
    assert any(list(concepts_named(before, name)))
    for old, new in zip(before, after, strict=True):
        if new.get("language") != "es":
            assert len([*concepts_named(old, name)]) == len([*concepts_named(new, name)])
        assert [*concepts_named(localized(new, "es"), name)] == []
    count = len(read_folder(package).procedures["tea-pouring"].codes) - 1
    told = issues(package, "source-unnamed")
    assert [f"{count} names" in each.text and name not in each.text for each in told] == [True]


@pytest.mark.parametrize(
    "name, language, rule",
    [("No such concept", "es", "source-unknown-code"), ("", "fr", "source-language")],
)
def test_a_name_of_nothing_or_in_no_language_of_the_package_is_told(package, name, language, rule):
    with_spanish(package)
    name = name or next(iter(read_folder(package).procedures["tea-pouring"].codes))
    file = with_name(package, name, language)
    lines = file.read_text().splitlines()
    (told,) = issues(package, rule)
    assert lines[told.line - 1].strip().startswith(name)


def test_translated_names_are_not_signed(package):
    with_spanish(package)
    name = next(iter(read_folder(package).procedures["tea-pouring"].codes))
    before = digest_of_all(read_folder(package).procedures["tea-pouring"])
    with_name(package, name)
    assert digest_of_all(read_folder(package).procedures["tea-pouring"]) == before


@pytest.mark.parametrize(
    "text, said",
    [
        ("Tea: plan of care", "Té: plan de atención"),
        ("Codes by which this is found in a record: Tea, INR.",
         "Códigos por los que se encuentra en la historia clínica: Té, INR."),
        ("Codes by which this is found in a record: Tea, coffee.", ""),
        ("Tea", "Té"),
        ("Coffee", ""),
        ("Coffee: plan of care", ""),
    ],
)  # fmt: skip
def test_a_text_made_of_known_parts_is_said_in_full_or_not_at_all(text, said):
    assert said_in(text, "es", {"Tea": "Té", "INR": "INR"}) == said


def test_our_spanish_pages_name_every_concept_in_spanish():
    folder = RESOURCES / "cpt-20983"
    procedure = read_folder(RESOURCES).procedures["cpt-20983"]
    english = {name for name in procedure.codes if name != "INR"}
    for file in sorted((folder / "fhir").glob("*.json")):
        spanish = localized({**json.loads(file.read_text()), "text": ""}, "es")
        left = {name for name in english if [*concepts_named(spanish, name)]}
        assert left == set(), file.name
        if spanish["resourceType"] == "ValueSet":
            assert spanish["description"].startswith(("Códigos", "Afecciones"))
