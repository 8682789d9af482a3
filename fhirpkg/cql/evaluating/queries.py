"""Retrieves and queries (CQL reference, section 9.14; ELM Query)."""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING

from fhirpkg.cql import models
from fhirpkg.cql.evaluating import lists
from fhirpkg.cql.evaluating.comparison import compare, equal, equivalent
from fhirpkg.cql.evaluating.elements import codes, codes_to_look_up, element, resource
from fhirpkg.cql.evaluating.intervals.relations import contains
from fhirpkg.cql.evaluating.moments import fields
from fhirpkg.cql.evaluating.values import Element, ValueSet, as_list
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.cql.evaluating.session import Evaluation
    from fhirpkg.cql.tree import Node, Value


def _retrieve(evaluation: Evaluation, node: Node) -> list[Value]:
    """The patient's resources that are asked for; the session keeps that they were looked at."""
    found = _found(evaluation, node)
    _looked_at(evaluation, found)
    return found


def _looked_at(evaluation: Evaluation, found: list[Value]) -> None:
    evaluation.session.seen[id(found)] = found


def _found(evaluation: Evaluation, node: Node) -> list[Value]:
    """The patient's resources of a type whose code is in the terminology asked for."""
    type_name = node["dataType"].rpartition("}")[2]
    if not evaluation.session.types.is_resource(type_name):
        raise FhirpkgError(f"'{type_name}' is not a resource type, so it cannot be retrieved")
    found: list[Value] = (
        _related(evaluation, node["context"], type_name)
        if "context" in node
        else evaluation.session.resources(type_name)
    )
    if profile := node.get("templateId"):
        found = [r for r in found if models.conforms(profile, r)]
    if "dateRange" in node:
        period, path = evaluation.of(node["dateRange"]), node.get("dateProperty", "")
        found = [r for r in found if contains(period, element(r, path)) is True]
    if "codes" not in node:
        return found
    path = node.get("codeProperty") or models.PRIMARY_CODES.get(type_name, "code")
    wanted = evaluation.of(node["codes"])
    if wanted is None:
        return []
    drug = node.get("referenced", "")
    return [r for r in found if _matches(evaluation, _coded(evaluation, r, path, drug), wanted)]


def _related(evaluation: Evaluation, context: Node, type_name: str) -> list[Value]:
    """`[context -> Type]`: the resource that a reference names, or what a patient has of a type.

    https://cql.hl7.org/03-developersguide.html#related-context-retrieves; raises FhirpkgError for a
    context that does not say whose record it is.
    """
    value = evaluation.of(context)
    if value is None:
        return []
    session = evaluation.session
    named = value.get("resourceType", "") if isinstance(value, Element) else ""
    if named:
        named += f"/{value.get('id', '')}"
    elif isinstance(value, Element) and value.type_name == "Reference":
        named = "/".join(str(value.get("reference", "")).split("/")[-2:])
    found_type, _, found_id = named.partition("/")
    if found_type == type_name and found_id:
        found = session.repository.read(found_type, found_id)
        if found is None:
            raise FhirpkgError(f"{named}, the context of [{type_name}], was not found")
        return [resource(found, session.types)]
    if found_type == "Patient" and found_id:
        theirs = session.repository.search(type_name, {"patient": named})
        return [resource(each, session.types) for each in theirs]
    shown = found_type or (value.type_name if isinstance(value, Element) else "a list or value")
    raise FhirpkgError(f"[{type_name}] in the context of {shown} is not supported")


def _coded(evaluation: Evaluation, found: Value, path: str, referenced: str) -> Value:
    """The element to filter by; of a reference to a Medication the code that is there."""
    value = element(found, path)
    if not referenced or not isinstance(value, Element) or value.type_name != "Reference":
        return value
    name = str(value.get("reference", "")).rpartition("/")[2]
    known = (
        as_list(element(found, "contained"))
        if name.startswith("#")
        else evaluation.session.resources(referenced)
    )
    return next((element(r, "code") for r in known if r.get("id") == name.lstrip("#")), None)


def _matches(evaluation: Evaluation, value: Value, wanted: Value) -> bool:
    if value is None:
        return False
    if isinstance(wanted, ValueSet):
        found = codes_to_look_up(value)
        if not codes(value):
            return models.not_done_value_set(value) == wanted.canonical.partition("|")[0]
        return bool(found) and evaluation.session.is_member(wanted.canonical, found) is True
    if isinstance(wanted, list):
        return any(equivalent(value, item) or _shares(value, item) for item in wanted)
    return _shares(value, wanted)


def _shares(value: Value, wanted: Value) -> bool:
    return any(equivalent(item, wanted) for item in as_list(value))


def _query(evaluation: Evaluation, node: Node) -> Value:
    retrieves = [s["alias"] for s in node["source"] if s["expression"]["type"] == "Retrieve"]
    sources = [(s["alias"], _source(evaluation, s["expression"])) for s in node["source"]]
    if any(value is None for _, value in sources):
        return None
    is_list = any(isinstance(value, list) for _, value in sources)
    rows = [kept for row in _rows(evaluation, sources) if (kept := _kept(row, node)) is not None]
    for alias in retrieves:  # what `where` takes out decided nothing
        _looked_at(evaluation, [row.names[alias] for row in rows])
    if "aggregate" in node:
        names = [alias for alias, _ in sources]
        return _aggregated(
            evaluation, node["aggregate"], _each_once(node["aggregate"], rows, names)
        )
    results = [_returned(row, node, [alias for alias, _ in sources]) for row in rows]
    if "return" in node and node["return"].get("distinct", True):
        results = lists.distinct(results) or []
    if "sort" in node:
        results = _sorted(evaluation, node["sort"]["by"], results)
    if is_list:
        return results
    return results[0] if results else None


def _source(evaluation: Evaluation, node: Node) -> Value:
    """What a query begins with; of what it retrieves, only `where` shows what was looked at."""
    return _found(evaluation, node) if node["type"] == "Retrieve" else evaluation.of(node)


def _rows(evaluation: Evaluation, sources: list[tuple[str, Value]]) -> Iterator[Evaluation]:
    """Every combination of the items of the sources, as names."""
    if not sources:
        yield evaluation
        return
    (alias, value), *others = sources
    for item in as_list(value):
        yield from _rows(evaluation.with_names(**{alias: item}), others)


def _kept(row: Evaluation, node: Node) -> Evaluation | None:
    """The row with its lets, unless a relation or condition takes it out."""
    for let in node.get("let", ()):
        row = row.with_names(**{let["identifier"]: row.of(let["expression"])})
    for relation in node.get("relationship", ()):
        related = any(
            row.with_names(**{relation["alias"]: item}).of(relation["suchThat"]) is True
            for item in as_list(row.of(relation["expression"]))
        )
        if related != (relation["type"] == "With"):
            return None
    if "where" in node and row.of(node["where"]) is not True:
        return None
    return row


def _returned(row: Evaluation, node: Node, aliases: list[str]) -> Value:
    if "return" in node:
        return row.of(node["return"]["expression"])
    if len(aliases) == 1:
        return row.names[aliases[0]]
    return {alias: row.names[alias] for alias in aliases}


def _each_once(aggregate: Node, rows: list[Evaluation], aliases: list[str]) -> list[Evaluation]:
    """The rows; of `aggregate distinct` only the first of those with the same items."""
    if not aggregate.get("distinct"):
        return rows
    kept: list[Evaluation] = []
    for row in rows:
        items = [row.names[alias] for alias in aliases]
        if not any(equal(items, [k.names[a] for a in aliases]) is True for k in kept):
            kept.append(row)
    return kept


def _aggregated(evaluation: Evaluation, aggregate: Node, rows: list[Evaluation]) -> Value:
    total = evaluation.of(aggregate["starting"]) if "starting" in aggregate else None
    for row in rows:
        total = row.with_names(**{aggregate["identifier"]: total}).of(aggregate["expression"])
    return total


def _sorted(evaluation: Evaluation, keys: list[Node], items: list[Value]) -> list[Value]:
    """Stable, by each key; nulls come first."""
    for key in reversed(keys):
        pairs: list[tuple[Value, Value]] = [
            (_sort_value(evaluation, key, item), item) for item in items
        ]
        pairs.sort(
            key=cmp_to_key(_by_value),
            reverse=key["direction"].startswith("desc"),
        )
        items = [item for _, item in pairs]
    return items


def _sort_value(evaluation: Evaluation, key: Node, item: Value) -> Value:
    if key["type"] == "ByDirection":
        return item
    if key["type"] == "ByColumn":
        return element(item, key["path"])
    return evaluation.with_names(**{"$this": item}).of(key["expression"])


def _by_value(one: tuple[Value, Value], two: tuple[Value, Value]) -> int:
    return _order(one[0], two[0])


def _order(one: Value, two: Value) -> int:
    """Nulls come first, and of dates that may be the same the one known less of."""
    if one is None or two is None:
        return (one is not None) - (two is not None)
    found = compare(one, two)
    if found is None and isinstance(one, Temporal) and isinstance(two, Temporal):
        return len(fields(one)) - len(fields(two))
    return found or 0


SPECIAL = {"Query": _query, "Retrieve": _retrieve}
