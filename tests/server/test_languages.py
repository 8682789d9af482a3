"""`$apply` and cards in the language of the caller; what patients read in theirs."""

import json
import pathlib
import uuid

import pytest
import requests
from click.testing import CliRunner

from fhirpkg.applying.hooks.cards import _Writer
from fhirpkg.applying.hooks.responses import respond
from fhirpkg.applying.hooks.services import services
from fhirpkg.cli.apply import command as apply
from fhirpkg.languages.words import speaking
from fhirpkg.repository import MemoryRepository
from tests.applying.made_records import record
from tests.server.client import Client
from tests.servers.embedded import running

CONTENT = pathlib.Path(__file__).parents[2] / "resources" / "cpt-20983" / "fhir"
PLAN = "PlanDefinition/BoneTumorCryoablationPlan"
FASTING = ("Fasting", "Fast for as long as your care team tells you.")
AYUNO = ("Ayuno", "Ayune durante el tiempo que le diga su equipo médico.")


def patient(name, *languages):
    spoken = [
        {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": code}]}}
        for code in languages
    ]
    return {"resourceType": "Patient", "id": name, "gender": "female", "communication": spoken}


PATIENTS = [patient("none"), patient("es", "es-MX"), patient("en", "en"), patient("fr", "fr")]


@pytest.fixture(scope="module")
def server():
    with running() as base:
        client = Client(base)
        contents = [json.loads(file.read_text()) for file in sorted(CONTENT.glob("*.json"))]
        for resource in (*contents, *(p for p in PATIENTS)):
            assert client.put({k: v for k, v in resource.items() if v != []}).status_code == 201
        yield client


def actions(value):
    if isinstance(value, dict):
        if "title" in value and "resource" in value:
            yield value
        for inner in value.values():
            yield from actions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from actions(inner)


def fasting(resource):
    """Title of the action that is about fasting, and the words of its message to the patient."""
    action = next(a for a in actions(resource) if a["title"] in (FASTING[0], AYUNO[0]))
    held = {r["id"]: r for r in resource["contained"]}
    message = held[action["resource"]["reference"].removeprefix("#")]
    return action["title"], message["payload"][0]["contentString"].split(". ")[0] + "."


@pytest.mark.parametrize(
    "who, header, wanted",
    [
        ("none", None, FASTING),
        ("none", "es-MX,es;q=0.9,en;q=0.8", AYUNO),
        ("none", "en-US,es;q=0.5", FASTING),
        ("none", "fr", FASTING),
        ("en", "es", AYUNO),
        ("es", None, (FASTING[0], AYUNO[1])),
        ("es", "en-US", FASTING),
        ("fr", None, FASTING),
        ("none", "en;q=0.1, es;q=0.8", AYUNO),
        ("none", "tlh, x-none;q=0.9", FASTING),
        ("none", "es;q=0, *", FASTING),
        ("es", "*", (FASTING[0], AYUNO[1])),
    ],
)
def test_apply_follows_the_header_and_the_patient_for_what_patients_read(
    server, who, header, wanted
):
    headers = {"Accept_Language": header} if header else {"Accept_Language": ""}
    answered = server.get(f"{PLAN}/$apply?subject=Patient/{who}", **headers)
    assert answered.status_code == 200
    assert fasting(answered.json()) == wanted
    said = answered.json()["contained"]
    if wanted == AYUNO:
        assert next(r for r in said if r["resourceType"] == "RequestGroup")["language"] == "es"


def test_apply_of_the_command_line_takes_a_language(tmp_path):
    (tmp_path / "patient.json").write_text(json.dumps(record({"name": "x"})[0]))
    data = tmp_path / "patient.json"
    name = json.loads(data.read_text())["id"]
    options = ["--subject", f"Patient/{name}", "--data", str(data), "--content", str(CONTENT)]
    arguments = [PLAN, *options, "--output-format", "fhir"]
    for more, wanted in (([], FASTING), (["--language", "es"], AYUNO)):
        result = CliRunner().invoke(apply, [*arguments, *more], standalone_mode=False)
        assert fasting(json.loads(result.stdout)) == wanted


def cards(base, header, *languages, changes=None):
    order = {
        "resourceType": "ServiceRequest",
        "id": "o",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "20983"}]},
    }
    found = [
        r
        for r in record({"name": "x", **(changes or {"images": []})})
        if r["resourceType"] != "Patient"
    ]
    found.append(patient("p1", *languages))
    found[-1] = {k: v for k, v in found[-1].items() if v != []}
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": r} for r in found],
    }
    orders = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    body = {
        "hook": "order-sign",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/d", "patientId": "p1", "draftOrders": orders},
    }
    service = f"{base.removesuffix('/fhir')}/cds-services"
    (offered,) = [s for s in requests.get(service, timeout=30).json()["services"]
                  if s["hook"] == "order-sign"]  # fmt: skip
    body["prefetch"] = dict.fromkeys(offered["prefetch"]) | {"patient": bundle}
    headers = {"Accept-Language": header}
    answered = requests.post(f"{service}/order-sign", json=body, headers=headers, timeout=60)
    assert answered.status_code == 200, answered.text
    return answered.json()["cards"]


@pytest.mark.parametrize(
    "header, language, title",
    [
        ("", "", "Percutaneous cryoablation"),
        ("", "es", "Percutaneous cryoablation"),
        ("es-AR", "", "Crioablación percutánea"),
        ("en", "es", "Percutaneous cryoablation"),
        ("en;q=0.2, es;q=0.9", "", "Crioablación percutánea"),
        ("tlh, fr;q=0.8", "", "Percutaneous cryoablation"),
        ("*", "es", "Percutaneous cryoablation"),
        ("es;q=0, *", "es", "Percutaneous cryoablation"),
    ],
)
def test_cards_are_for_staff_and_follow_the_header_alone(server, header, language, title):
    (card,) = cards(server.base, header, *filter(None, [language]))
    assert title in card["detail"]


BEYOND = {"inr": [{"loinc": "6301-6", "value": 2.4, "at": "2026-11-20"}]}
TEXT = {"inr": [{"loinc": "6301-6", "text": "high", "at": "2026-11-20"}]}
FEW = {"platelets": [{"loinc": "777-3", "value": 40, "unit": "10*9/L", "at": "2026-11-20"}]}
SPANISH = {
    "no images": ({"images": []}, "No consta ninguna imagen por TC o RM."),
    "beyond": (BEYOND, "INR 2.4 el 20 nov 2026: por encima de 1.8 (SIR 2019)"),
    "a text": (TEXT, 'INR "high" el 20 nov 2026: es un texto y no un número; el límite: por enc'),
    "few": (FEW, "Plaquetas 40 10*9/L el 20 nov 2026: por debajo de 50 10*9/L (SIR 2019)"),
}


@pytest.mark.parametrize("changes, says", SPANISH.values(), ids=SPANISH)
def test_what_a_card_says_of_the_record_is_in_the_language_too(server, changes, says):
    (card,) = cards(server.base, "es", changes=changes)
    assert card["summary"].startswith(says)
    (english,) = cards(server.base, "de, fr;q=0.5", changes=changes)
    assert not english["summary"].startswith(says[:12].rstrip("0123456789 ") + " el")
    assert " on " in english["summary"]


def test_a_card_that_leads_to_the_plan_has_its_own_words_in_the_language():
    content = [json.loads(file.read_text()) for file in sorted(CONTENT.glob("*.json"))]
    plan = next(r for r in content if r["resourceType"] == "PlanDefinition")
    for language, words in {"es": "no deja nada pendiente", "en": "nothing is open"}.items():
        with speaking(language):
            assert words in _Writer(plan, "x", {}, [], str).nothing_open()["summary"]


def document(name, language, **more):
    return {"resourceType": "DocumentReference", "id": name, "language": language, **more}


TRANSLATED = {"relatesTo": [{"code": "transforms", "target": {"reference": "DocumentReference/d"}}]}
READABLE = MemoryRepository(
    [
        document("d", "en"),
        document("d-es", "es", **TRANSLATED),
        document("d-de", "de", **TRANSLATED),
    ]
)
READING = {
    "resourceType": "PlanDefinition",
    "id": "reading",
    "title": "Reading",
    "relatedArtifact": [
        {"type": "documentation", "display": name, "url": f"https://example.org/{kind}/{name}"}
        for kind, name in (("DocumentReference", n) for n in ("d", "d-es", "d-de"))
    ],
    "action": [{"title": "Read", "trigger": [{"type": "named-event", "name": "patient-view"}]}],
}


@pytest.mark.parametrize(
    "asked, language, wanted",
    [
        ((), "", ["d"]),
        ((), "es-MX", ["d", "d-es"]),
        (("de",), "es", ["d", "d-es", "d-de"]),
        (("fr",), "fr", ["d"]),
    ],
)
def test_links_lead_to_documents_that_somebody_reads(asked, language, wanted):
    subject = patient("x", *filter(None, [language]))
    request = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/d", "patientId": "x"},
        "prefetch": {"patient": subject},
    }
    offered = services([READING], READABLE)
    base = "https://example.org/fhir"
    answer = respond("patient-view", request, offered, READABLE, None, base, asked)
    assert [link["label"] for link in answer["cards"][0]["links"]] == wanted


PAGES = ["", "search?q=cryoablation", "type/PlanDefinition", "procedure/BoneTumorCryoablationPlan",
         "show/PlanDefinition/BoneTumorCryoablationPlan", "try/BoneTumorCryoablationPlan",
         "feedback", "procedure/none"]  # fmt: skip
ASKED = [(None, "en"), ("es", "es"), ("es-MX, en;q=0.5", "es"), ("en;q=0.4, es;q=0.5", "es"),
         ("en, es;q=0.9", "en"), ("fr", "en"), ("fr, es;q=0.1", "es"), ("*", "en"),
         ("es;q=0, *", "en"), ("Es-419", "es"), ("nonsense;;;q=,,", "en")]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("header, language", ASKED)
def test_pages_follow_the_header(server, path, header, language):
    answered = server.get(f"../{path}", Accept_Language=header or "")
    assert f'<html lang="{language}">' in answered.text
    assert answered.headers["Content-Language"] == language
    assert answered.headers["Vary"] == "Accept-Language"
    assert ("Buscar" in answered.text) is (language == "es")


def test_a_page_has_the_texts_of_the_plan_in_its_language(server):
    page = server.get("../procedure/BoneTumorCryoablationPlan", Accept_Language="es").text
    assert f">{AYUNO[0]}" in page or AYUNO[0] in page
    assert "El curso en palabras" in page
    assert "exactamente uno de estos" in page.lower()
    english = server.get("../procedure/BoneTumorCryoablationPlan", Accept_Language="en").text
    assert FASTING[0] in english
    assert AYUNO[0] not in english.partition('id="documents"')[0]


@pytest.mark.parametrize(
    "query, header, finds",
    [
        ("crioablacion", "es", True),
        ("Crioablación huesos", "es", False),
        ("TUMORES ÓSEOS", "es", True),
        ("cryoablation", "es", True),
        ("CPT 20983", "es", True),
        ("crioablacion", "en", False),
    ],
)
def test_the_search_finds_a_procedure_in_the_language_and_without_accents(
    server, query, header, finds
):
    address = server.base.removesuffix("/fhir") + "/search"
    answer = requests.get(
        address, params={"q": query}, headers={"Accept-Language": header}, timeout=60
    )
    assert ("procedure/BoneTumorCryoablationPlan" in answer.text) is finds
