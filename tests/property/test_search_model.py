"""Searches of the embedded server beside a model that looks at every resource by itself.

FHIRPKG_SEARCHES says how many (400 without). The model knows nothing of indexes: it reads what
R4 search.html says of each kind of parameter and looks.
"""

import datetime as dt
import json
import os
import random
import re
import unicodedata
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from fhirpkg.server.endpoint import open_endpoint
from fhirpkg.server.exchange import Refused, Request
from fhirpkg.server.routes import handle

NUMBER = int(os.environ.get("FHIRPKG_SEARCHES", "400"))
BASE = "http://localhost/fhir"
FAMILIES = ["Müller", "MULLER", "Mul,ler", "O'Hara", "von der Aue", "a|b", "a\\b", "Ng", "ng", "É"]
DATES = ["1970", "1970-06", "1970-06-15", "1971", "2020-02-29", "2020-02", "1999-12-31"]
MOMENTS = [*DATES, "2020-02-29T23:30:00-02:00", "2020-03-01T00:00:00Z", "2020-02-29T12:00:00+02:00"]
CODES = [("http://loinc.org", "1-8"), ("http://snomed.info/sct", "1-8"), ("", "1-8"),
         ("http://loinc.org", "A|b"), ("http://loinc.org", "x,y")]  # fmt: skip
AMOUNTS = [("1", "g"), ("1000", "mg"), ("1.0", "g"), ("2.5", "g"), ("-3", "g"), ("100", "{score}")]
PREFIXES = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]
UCUM = "http://unitsofmeasure.org"


def population(chance):
    """Made-up patients with observations, and plans with canonicals."""
    pick = chance.choice
    found = []
    for number in range(30):
        patient = {"resourceType": "Patient", "id": f"p{number}", "active": pick([True, False])}
        patient["gender"] = pick(["male", "female"])
        if chance.random() < 0.8:
            given = [[pick(["Ann", "ann e", "Zoë"])] for _ in range(chance.randint(1, 2))]
            patient["name"] = [{"family": pick(FAMILIES), "given": each} for each in given]
        if chance.random() < 0.8:
            patient["birthDate"] = pick(DATES)
        if chance.random() < 0.5:
            system = pick(["urn:a", "urn:b"])
            patient["identifier"] = [{"system": system, "value": pick(["1", "2", "x"])}]
        found.append(patient)
    for number in range(60):
        system, code = pick(CODES)
        coding = {"code": code} | ({"system": system} if system else {})
        observation = {
            "resourceType": "Observation",
            "id": f"o{number}",
            "status": pick(["final", "amended"]),
            "code": {"coding": [coding]},
            "subject": {"reference": f"Patient/p{chance.randint(0, 34)}"},
        }
        if chance.random() < 0.7:
            value, unit = pick(AMOUNTS)
            quantity = {"value": Decimal(value), "system": UCUM, "code": unit, "unit": unit}
            observation["valueQuantity"] = quantity
        if chance.random() < 0.4:
            observation["effectiveDateTime"] = pick(MOMENTS)
        elif chance.random() < 0.6:
            start, end = sorted((pick(DATES[:4]), pick(DATES[4:])))
            ends = {"start": start} | ({"end": end} if chance.random() < 0.7 else {})
            observation["effectivePeriod"] = ends
        found.append(observation)
    for number in range(10):
        url = pick(["http://x.org/a", "http://x.org/a/b", "http://x.org/c", "urn:oid:1.2"])
        plan = {"resourceType": "PlanDefinition", "id": f"d{number}", "url": url}
        plan["status"] = "draft"
        found.append(plan)
    return found


def moment(text):
    """The first instant of a date and the first one after it."""
    if "T" in text:
        start = dt.datetime.fromisoformat(text)
        return start, start + dt.timedelta(seconds=1)
    parts = [int(part) for part in text.split("-")]
    start = dt.datetime(*[*parts, 1, 1][:3], tzinfo=dt.UTC)
    if len(parts) == 3:
        return start, start + dt.timedelta(days=1)
    year, month = (parts[0] + 1, 1) if len(parts) == 1 else (parts[0], parts[1] + 1)
    return start, dt.datetime(year + month // 13, (month - 1) % 12 + 1, 1, tzinfo=dt.UTC)


ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)


def folded(text):
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()


def split(text, mark):
    """The parts of a value between marks that no backslash escapes, still escaped."""
    parts = [""]
    for piece in re.findall(r"\\.|.", text, re.DOTALL):
        if piece == mark:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def bare(text):
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def escaped(text):
    return re.sub(r"([,$|\\])", r"\\\1", text)


def is_date(found, text, _modifier):
    prefix, text = re.fullmatch(r"([a-z]{2})?(.*)", text).groups()
    a, b = moment(text)
    return any(
        {
            "eq": a <= low and high <= b,
            "ne": not (a <= low and high <= b),
            "gt": high > b,
            "lt": low < a,
            "ge": high > a,
            "le": low < b,
            "sa": low >= b,
            "eb": high <= a,
        }[prefix or "eq"]
        for low, high in found
    )


def is_token(found, text, _modifier):
    parts = [bare(part) for part in split(text, "|")]
    if len(parts) == 1:
        return any(code.casefold() == parts[0].casefold() for _, code in found)
    system, code = parts
    return any(
        (s is None or s == system) and (code in {"", c} or code.casefold() == c.casefold())
        for s, c in found
        if s is not None or code
    )


def is_string(found, text, modifier):
    text = bare(text)
    if modifier == "exact":
        return text in found
    wanted = folded(text)
    return any(
        wanted in folded(each) if modifier == "contains" else folded(each).startswith(wanted)
        for each in found
    )


def is_uri(found, text, modifier):
    text = bare(text)
    return any(
        {"": each == text, "below": each.startswith(text), "above": text.startswith(each)}[modifier]
        for each in found
    )


def is_reference(found, text, modifier):
    text = bare(text).removeprefix(f"{BASE}/")
    if modifier:
        text = f"{modifier}/{text}"
    return any(each == text or ("/" not in text and each.endswith(f"/{text}")) for each in found)


GRAMS = {"g": Decimal(1), "mg": Decimal("0.001")}


def is_quantity(found, text, _modifier):
    number, *unit = split(text, "|")
    prefix, digits = re.fullmatch(r"([a-z]{2})?(.*)", number).groups()
    value = Decimal(digits)
    half = Decimal((0, (5,), value.as_tuple().exponent - 1))
    unit = unit[-1] if unit else ""
    for amount, code in found:
        if unit in GRAMS and code in GRAMS and "unitsofmeasure" in text:
            amount = amount * GRAMS[code] / GRAMS[unit]  # noqa: PLW2901 - in the wanted unit
        elif unit not in {"", code}:
            continue
        low, high = value - half, value + half
        if {
            "eq": low <= amount < high,
            "ne": not low <= amount < high,
            "gt": amount > value,
            "sa": amount > value,
            "lt": amount < value,
            "eb": amount < value,
            "ge": amount >= value,
            "le": amount <= value,
        }[prefix or "eq"]:
            return True
    return False


def names(patient, *keys):
    return [
        text
        for name in patient.get("name", [])
        for key in keys
        for text in ([name[key]] if isinstance(name.get(key), str) else name.get(key, []))
    ]


def effective(observation):
    if "effectiveDateTime" in observation:
        return [moment(observation["effectiveDateTime"])]
    if "effectivePeriod" not in observation:
        return []
    period = observation["effectivePeriod"]
    return [
        (moment(period["start"])[0], moment(period["end"])[1] if "end" in period else ALWAYS[1])
    ]


def codings(concept):
    return [(c.get("system", ""), c["code"]) for c in concept["coding"]]


def amounts(observation):
    quantity = observation.get("valueQuantity")
    return [(quantity["value"], quantity["code"])] if quantity else []


def identifiers(patient):
    return [(each["system"], each["value"]) for each in patient.get("identifier", [])]


def subjects(observation):
    return [observation["subject"]["reference"]]


TOKEN, STRING = (
    (is_token, ("", "not", "missing")),
    (is_string, ("", "exact", "contains", "missing")),
)
DATE, QUANTITY = (is_date, ("", "missing")), (is_quantity, ("", "missing"))
PARAMETERS = {
    "Patient": {
        "family": (*STRING, lambda r: names(r, "family")),
        "name": (*STRING, lambda r: names(r, "family", "given")),
        "birthdate": (*DATE, lambda r: [moment(r["birthDate"])] if "birthDate" in r else []),
        "gender": (*TOKEN, lambda r: [(None, r["gender"])]),
        "active": (*TOKEN, lambda r: [(None, str(r["active"]).lower())]),
        "identifier": (*TOKEN, identifiers),
        "_id": (*TOKEN[:1], ("", "not"), lambda r: [(None, r["id"])]),
    },
    "Observation": {
        "status": (*TOKEN, lambda r: [(None, r["status"])]),
        "code": (*TOKEN, lambda r: codings(r["code"])),
        "date": (*DATE, effective),
        "value-quantity": (*QUANTITY, amounts),
        "subject": (is_reference, ("", "Patient", "missing"), subjects),
        "patient": (is_reference, ("", "missing"), subjects),
    },
    "PlanDefinition": {"url": (is_uri, ("", "below", "above", "missing"), lambda r: [r["url"]])},
}  # fmt: skip


def a_value(chance, test):
    """Text that a parameter of a kind may be asked for."""
    pick = chance.choice
    if test is is_date:
        return pick(PREFIXES) + pick(MOMENTS)
    if test is is_quantity:
        value, unit = pick(AMOUNTS)
        return pick(PREFIXES) + value + pick(["", f"|{UCUM}|{unit}", f"||{unit}"])
    if test is is_string:
        text = pick([*FAMILIES, "Ann", "m", "e", "zoe", "U"])
        return escaped(text[: chance.randint(1, len(text))])
    if test is is_uri:
        return pick(["http://x.org/a", "http://x.org/", "http://x.org/a/b/c", "urn:oid:1.2"])
    if test is is_reference:
        number = chance.randint(0, 34)
        return pick([f"Patient/p{number}", f"p{number}", f"{BASE}/Patient/p{number}"])
    system, code = pick([*CODES, ("urn:a", "1"), ("", "2"), ("", "MALE"), ("", "true"), ("", "p3")])
    code = escaped(code)
    return pick(
        [code, code, f"{system}|{code}", f"{system}|"] if system else [code, code, f"|{code}"]
    )


class Model:
    """All resources, and a search that tests each."""

    def __init__(self, resources):
        self.resources = {f"{r['resourceType']}/{r['id']}": r for r in resources}

    def of_type(self, resource_type):
        return [r for r in self.resources.values() if r["resourceType"] == resource_type]

    def fits(self, resource, name, text):
        if name.startswith("_has:"):
            _, source, code, rest = name.split(":", 3)
            place = f"{resource['resourceType']}/{resource['id']}"
            _, _, values = PARAMETERS[source][code]
            return any(
                place in values(other) and self.fits(other, rest, text)
                for other in self.of_type(source)
            )
        first, dot, rest = name.partition(".")
        code, _, modifier = first.partition(":")
        test, _, values = PARAMETERS[resource["resourceType"]][code]
        found = values(resource)
        if dot:
            targets = [self.resources[each] for each in found if each in self.resources]
            return any(self.fits(target, rest, text) for target in targets)
        if modifier == "missing":
            return (not found) == (text == "true")
        fits = any(test(found, each, modifier) for each in split(text, ","))
        return not fits if modifier == "not" else fits

    def search(self, resource_type, query):
        return {
            resource["id"]
            for resource in self.of_type(resource_type)
            if all(self.fits(resource, name, text) for name, text in query)
        }


def a_condition(chance, resource_type, depth=0):
    """One condition by chance, perhaps a chain or reverse chain."""
    if depth < 2 and resource_type == "Observation" and chance.random() < 0.2:
        name, text = a_condition(chance, "Patient", depth + 1)
        return chance.choice(["patient", "subject:Patient"]) + f".{name}", text
    if depth < 2 and resource_type == "Patient" and chance.random() < 0.2:
        name, text = a_condition(chance, "Observation", depth + 1)
        return f"_has:Observation:{chance.choice(['patient', 'subject'])}:{name}", text
    code = chance.choice(list(PARAMETERS[resource_type]))
    test, modifiers, _ = PARAMETERS[resource_type][code]
    modifier = chance.choice(modifiers)
    if modifier == "missing":
        return f"{code}:missing", chance.choice(["true", "false"])
    many = 1 if chance.random() < 0.7 else 3
    texts = [a_value(chance, test) for _ in range(many)]
    if modifier == "Patient":
        texts = [text.rpartition("/")[2] for text in texts]
    return f"{code}:{modifier}" if modifier else code, ",".join(texts)


@pytest.fixture(scope="module")
def both():
    """The endpoint and the model with the same resources; some were other ones, or are gone."""
    chance = random.Random(20983)
    resources = population(chance)
    endpoint = open_endpoint()
    for resource in population(chance) + resources:
        put(endpoint, resource)
    for resource in chance.sample(resources, 8):
        place = (resource["resourceType"], resource["id"])
        handle(Request("DELETE", place, base=BASE), endpoint)
        resources.remove(resource)
    yield endpoint, Model(resources)
    endpoint.store.close()


def put(endpoint, resource):
    place = (resource["resourceType"], resource["id"])
    handle(Request("PUT", place, resource=resource, base=BASE), endpoint)


def pages(endpoint, resource_type, query, method="GET"):
    """All entries of a search, page by page, and its Bundles."""
    path = (resource_type,) if method == "GET" else (resource_type, "_search")
    bundles = [handle(Request(method, path, tuple(query), base=BASE), endpoint).whole()]
    while link := next((x["url"] for x in bundles[-1]["link"] if x["relation"] == "next"), ""):
        following = tuple(parse_qsl(urlsplit(link).query, keep_blank_values=True))
        bundles.append(
            handle(Request("GET", (resource_type,), following, base=BASE), endpoint).whole()
        )
        assert len(bundles) < 100
    return [entry for bundle in bundles for entry in bundle.get("entry", [])], bundles


def matches(entries):
    return [e["resource"]["id"] for e in entries if e["search"]["mode"] == "match"]


def test_every_search_finds_what_the_model_finds(both):
    endpoint, model = both
    chance = random.Random(4711)
    hits = 0
    for number in range(NUMBER):
        resource_type = chance.choice(list(PARAMETERS))
        query = [a_condition(chance, resource_type) for _ in range(chance.choice([1, 1, 2, 3]))]
        wanted = model.search(resource_type, query)
        sort = chance.choice([[], [("_sort", "_id")], [("_sort", "-_lastUpdated")]])
        count = [("_count", str(chance.choice([1, 7, 1000])))]
        method = chance.choice(["GET", "POST"])
        entries, bundles = pages(endpoint, resource_type, [*query, *sort, *count], method)
        found = matches(entries)
        assert sorted(found) == sorted(wanted), f"{number}: {resource_type}?{query}"
        assert bundles[0].get("total", len(wanted)) == len(wanted)
        hits += bool(wanted)
        counted = handle(
            Request("GET", (resource_type,), (*query, ("_summary", "count")), base=BASE), endpoint
        ).whole()
        assert (counted["total"], "entry" in counted) == (len(wanted), False)
    assert hits > NUMBER / 4


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("count", [1, 4, 50])
@pytest.mark.parametrize("key", ["family", "birthdate", "gender", "_id", "active"])
def test_an_order_is_that_of_the_values_and_who_has_none_comes_last(both, key, count, down):
    endpoint, model = both
    values = PARAMETERS["Patient"][key][2]

    def lowest(patient):
        found = [folded(v) if isinstance(v, str) else v for v in values(patient)]
        found = [v[-1] if key in {"gender", "_id", "active"} else v for v in found]
        found = [v[0] if key == "birthdate" else v for v in found]
        return (max(found) if down else min(found)) if found else None

    sort = ("_sort", f"-{key}" if down else key)
    entries, _ = pages(endpoint, "Patient", [sort, ("_count", str(count))])
    found = matches(entries)
    assert sorted(found) == sorted(r["id"] for r in model.of_type("Patient"))
    edges = [lowest(model.resources[f"Patient/{each}"]) for each in found]
    known = [edge for edge in edges if edge is not None]
    assert known == sorted(known, reverse=down)
    assert edges == known + [None] * (len(edges) - len(known))


def test_includes_add_what_matches_refer_to_and_what_refers_to_them(both):
    endpoint, model = both
    chance = random.Random(5)
    for _ in range(40):
        query = [a_condition(chance, "Observation")]
        wanted = model.search("Observation", query)
        entries, _ = pages(endpoint, "Observation", [*query, ("_include", "Observation:subject")])
        assert sorted(matches(entries)) == sorted(wanted)
        subjects = {
            model.resources[f"Observation/{each}"]["subject"]["reference"] for each in wanted
        }
        assert included(entries) == subjects & model.resources.keys()
        query = [a_condition(chance, "Patient")]
        patients = {f"Patient/{each}" for each in model.search("Patient", query)}
        entries, _ = pages(endpoint, "Patient", [*query, ("_revinclude", "Observation:patient")])
        assert included(entries) == {
            f"Observation/{o['id']}"
            for o in model.of_type("Observation")
            if o["subject"]["reference"] in patients
        }


def included(entries):
    return {
        f"{e['resource']['resourceType']}/{e['resource']['id']}"
        for e in entries
        if e["search"]["mode"] == "include"
    }


def test_a_condition_of_a_write_means_what_the_search_means(both):
    endpoint, model = both
    chance = random.Random(6)
    for _ in range(60):
        query = [a_condition(chance, "Patient")]
        wanted = model.search("Patient", query)
        text = "&".join(f"{name}={value}" for name, value in query)
        body = {"resourceType": "Patient", "active": True}
        request = Request("DELETE", ("Patient",), tuple(query), base=BASE)
        if len(wanted) > 1:
            with pytest.raises(Refused) as told:
                handle(request, endpoint)
            assert told.value.status == 412
        create = Request("POST", ("Patient",), (), body, {"if-none-exist": text}, BASE)
        if "&" in query[0][1] or "%" in text or "+" in text:
            continue
        if len(wanted) == 1:
            assert handle(create, endpoint).version.id in wanted
        elif wanted:
            with pytest.raises(Refused) as told:
                handle(create, endpoint)
            assert told.value.status == 412


@pytest.mark.parametrize("elements", ["name", "birthDate,gender", "id"])
def test_parts_of_resources_hold_what_was_asked_for_and_say_so(both, elements):
    endpoint, model = both
    entries, _ = pages(endpoint, "Patient", [("_elements", elements), ("_count", "1000")])
    asked = {"resourceType", "id", "meta", "active", *elements.split(",")}  # active: a modifier
    for entry in entries:
        part = entry["resource"]
        whole = json.loads(json.dumps(model.resources[f"Patient/{part['id']}"]))
        assert part.keys() == (asked & whole.keys()) | {"meta"}
        assert "SUBSETTED" in {tag["code"] for tag in part["meta"]["tag"]}
        assert all(part[key] == whole[key] for key in whole.keys() & part.keys() - {"meta"})
