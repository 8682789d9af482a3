"""What an order set needs beside it: lists of codes, forms, documents and goals, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.course.wording import said
from fhirpkg.cql.reading.lexer import CqlError
from fhirpkg.cql.reading.library import outline
from fhirpkg.languages.words import gettext
from fhirpkg.render import times, words
from fhirpkg.sheets import wording
from fhirpkg.sheets.order_set import SIGN_OFF
from fhirpkg.sheets.tables import Column, Row, Table
from fhirpkg.untrusted import objects, text_in, text_of, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.issues import Resource

_SHORT_SIGN_OFF = tuple(column for column in SIGN_OFF if column.head != "Comment")


def supporting(resources: Iterable[Resource]) -> list[Table]:
    """The tables that hold something."""
    by_type: dict[str, list[Resource]] = {}
    for resource in resources:
        by_type.setdefault(text_of(resource, "resourceType"), []).append(resource)
    tables = (
        Table(
            gettext("Lists of codes"),
            _LISTS,
            _rows(by_type.get("ValueSet", ()), _codes),
            together=("List", "System", "Url"),
        ),
        Table(gettext("Forms"), _FORMS, _rows(by_type.get("Questionnaire", ()), _questions)),
        Table(
            gettext("Documents"),
            _DOCUMENTS,
            _rows(by_type.get("DocumentReference", ()), _documents),
        ),
        Table(gettext("Goals"), _GOALS, _rows(by_type.get("PlanDefinition", ()), _goals)),
        Table(gettext("Logic"), _LOGIC, _rows(_named(by_type), _definitions)),
    )
    return [table for table in tables if table.rows]


def name_of(resource: Resource) -> str:
    """What a person calls a resource."""
    keys = ("title", "description", "name", "id")
    return next(filter(None, (text_of(resource, key) for key in keys)), "")


def _rows(
    resources: Iterable[Resource], rows_of: Callable[[Resource], Iterator[Row]]
) -> tuple[Row, ...]:
    return tuple(row for resource in resources for row in rows_of(resource))


_LISTS = (
    Column("List", 40, "List"),
    Column("Url", 50, "List"),
    Column("System", 18, "System"),
    Column("Code", 20, "Code"),
    Column("Display", 40, "Code"),
    *_SHORT_SIGN_OFF,
)


def _codes(value_set: Resource) -> Iterator[Row]:
    """The codes of a value set; where they are not listed, what they are."""
    head = {"List": name_of(value_set), "Url": text_of(value_set, "url")}
    compose = value_set.get("compose")
    for key, label in (("include", ""), ("exclude", f"{gettext('not')}: ")):
        for part in objects(compose, key):
            listed = [{**c, "system": part.get("system")} for c in objects(part, "concept")]
            for concept in listed:
                yield {**head, **_code(concept, label)}
            if not listed:
                yield {**head, **_code(part, ""), "Display": label + _intension(part)}
    if not compose:
        for coding in objects(value_set.get("expansion"), "contains"):
            yield {**head, **_code(coding, "")}


def _code(coding: Resource, label: str) -> Row:
    return {
        "System": words.coding({"system": text_of(coding, "system")}),
        "Code": text_of(coding, "code"),
        "Display": label + text_of(coding, "display"),
    }


def _intension(part: Resource) -> str:
    """Codes that are described and not listed."""
    filters = (
        " ".join((text_of(f, "property"), text_of(f, "op"), text_of(f, "value")))
        for f in objects(part, "filter")
    )
    found = [*filters, *(gettext("those of {url}", url=url) for url in texts(part, "valueSet"))]
    return "; ".join(found) or gettext("all codes of the system")


_FORMS = (
    Column("Form", 34, "Form"),
    Column("No.", 8, "No."),
    Column("Question", 50, "Question"),
    Column("Shown if", 30, "Question"),
    Column("Type", 14, "Answer"),
    Column("Answers", 36, "Answer"),
    Column("Required", 12, "Answer"),
    Column("Codes", 26, "Answer"),
    *_SHORT_SIGN_OFF,
)


def _questions(questionnaire: Resource) -> Iterator[Row]:
    head = {"Form": name_of(questionnaire)}
    texts_by_id = {
        text_of(item, "linkId"): text_of(item, "text") for _, item in _items(questionnaire, "")
    }
    for number, item in _items(questionnaire, ""):
        needs = (
            f"'{texts_by_id.get(text_of(w, 'question'), text_of(w, 'question'))}'"
            f" {text_of(w, 'operator')} {_answer(w)}".strip()
            for w in objects(item, "enableWhen")
        )
        yield {
            **head,
            "No.": number,
            "Question": text_of(item, "text") or text_of(item, "linkId"),
            "Shown if": "\n".join(needs),
            "Type": text_of(item, "type"),
            "Answers": wording.answer(item),
            "Required": gettext("required") if item.get("required") is True else "",
            "Codes": said(wording.coded, {"coding": objects(item, "code")}),
        }


def _items(parent: Resource, above: str) -> Iterator[tuple[str, Resource]]:
    for place, item in enumerate(objects(parent, "item"), 1):
        number = f"{above}.{place}".lstrip(".")
        yield number, item
        yield from _items(item, number)


def _answer(when: Resource) -> str:
    value = next((v for k, v in when.items() if k.startswith("answer")), "")
    if isinstance(value, dict):
        return said(times.quantity if "value" in value else words.coding, value)
    return str(value)


_DOCUMENTS = (
    Column("Document", 44, "Document"),
    Column("Type", 26, "Type"),
    Column("Format", 22, "Format"),
    Column("Language", 12, "Format"),
    Column("Size", 12, "Format"),
    Column("Address", 40, "Address"),
    *_SHORT_SIGN_OFF,
)


def _documents(document: Resource) -> Iterator[Row]:
    """A row for each form that a document has; inline ones are named by their resource."""
    for content in objects(document, "content"):
        attachment = content.get("attachment")
        size = attachment.get("size") if isinstance(attachment, dict) else None
        yield {
            "Document": text_of(attachment, "title") or name_of(document),
            "Type": said(wording.coded, document.get("type") or {}),
            "Format": text_of(attachment, "contentType"),
            "Language": text_of(attachment, "language") or text_of(document, "language"),
            "Size": gettext("{count} bytes", count=size) if isinstance(size, int) else "",
            "Address": text_of(attachment, "url") or f"DocumentReference/{document.get('id')}",
        }


_GOALS = (
    Column("Plan", 40, "Plan"),
    Column("Goal", 44, "Goal"),
    Column("Category", 18, "Goal"),
    Column("For", 44, "Goal"),
    Column("Target", 50, "Target"),
    *_SHORT_SIGN_OFF,
)


def _goals(plan: Resource) -> Iterator[Row]:
    for goal in objects(plan, "goal"):
        targets = (said(words.target, target) for target in objects(goal, "target"))
        concerns = (said(wording.coded, concept) for concept in objects(goal, "addresses"))
        yield {
            "Plan": name_of(plan),
            "Goal": said(wording.coded, goal.get("description") or {}),
            "Category": said(words.concept, goal.get("category") or {}),
            "For": "; ".join(filter(None, concerns)),
            "Target": "\n".join(filter(None, targets)),
        }


_LOGIC = (
    Column("Library", 34, "Library"),
    Column("Name", 34, "Name"),
    Column("CQL", 90, "CQL"),
)


def _named(by_type: dict[str, list[Resource]]) -> Iterator[Resource]:
    """The libraries that plans name: their conditions are the names of definitions in these."""
    known = {text_of(library, "url"): library for library in by_type.get("Library", ())}
    urls = (
        u.partition("|")[0] for p in by_type.get("PlanDefinition", ()) for u in texts(p, "library")
    )
    yield from (known[url] for url in dict.fromkeys(urls) if url in known)


def _definitions(library: Resource) -> Iterator[Row]:
    """The definitions of a library in CQL, each by its name; else all of it as it stands."""
    for content in objects(library, "content"):
        if text_of(content, "contentType") != "text/cql":
            continue
        text = text_in(content)  # the validator says what is wrong when there is none
        try:
            found = [(each.name, each.text) for each in outline(text)[2]]
        except CqlError as error:
            found = [(f"{gettext('not read')}: {error}", text)]
        for name, cql in found:
            yield {"Library": name_of(library), "Name": name, "CQL": cql.strip()}
