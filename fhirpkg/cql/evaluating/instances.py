"""Values written down: literals, lists, tuples, codes, instances of FHIR's types."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg.cql.evaluating.values import Code, Concept, Interval, to_json
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import Quantity

if TYPE_CHECKING:
    from fhirpkg.cql.evaluating.evaluator import Evaluation
    from fhirpkg.fhirpath.model import ElementType

Node = dict[str, Any]


def _literal(_: Evaluation, node: Node) -> Any:
    kind, text = node["valueType"].rpartition("}")[2], node.get("value", "")
    if kind == "Boolean":
        return text == "true"
    if kind in {"Integer", "Long"}:
        return int(text)
    if kind == "Decimal":
        return Decimal(text)
    if kind in {"Date", "DateTime", "Time"}:
        found = Temporal.parse({"Date": "date", "Time": "time"}.get(kind, "dateTime"), text)
        if found is None:
            raise FhirpkgError(f"{text} is no {kind}")
        return found
    return text


def _null(_: Evaluation, _node: Node) -> None:
    return None


def _quantity(_: Evaluation, node: Node) -> Quantity:
    return Quantity(Decimal(str(node["value"])), node.get("unit") or "1")


def _list(evaluation: Evaluation, node: Node) -> list[Any]:
    return [evaluation.of(element) for element in node.get("element", ())]


def _tuple(evaluation: Evaluation, node: Node) -> dict[str, Any]:
    return {e["name"]: evaluation.of(e["value"]) for e in node.get("element", ())}


def _interval(evaluation: Evaluation, node: Node) -> Interval | None:
    low, high = (evaluation.of(node[key]) if key in node else None for key in ("low", "high"))
    if low is None and high is None:
        return None
    closed = [_closed(evaluation, node, key) for key in ("lowClosed", "highClosed")]
    return Interval(low, high, *closed)


def _closed(evaluation: Evaluation, node: Node, key: str) -> bool:
    if f"{key}Expression" in node:
        return evaluation.of(node[f"{key}Expression"]) is True
    return node.get(key, True) is True


def _code(evaluation: Evaluation, node: Node) -> Code:
    reference = {"type": "CodeSystemRef"} | node["system"]
    if "." in reference["name"]:  # CQL writes Library."System"
        alias, _, name = reference["name"].partition(".")
        reference |= {"libraryName": alias, "name": name}
    system = evaluation.of(reference)
    return Code(node["code"], system.url, node.get("display", ""))


def _concept(evaluation: Evaluation, node: Node) -> Concept:
    codes = tuple(_code(evaluation, code) for code in node["code"])
    return Concept(codes, node.get("display", ""))


_TIMES = ("year", "month", "day", "hour", "minute", "second")
_KINDS = {"Date": "date", "Time": "time"}


def _moment(evaluation: Evaluation, node: Node) -> Temporal | None:
    """A date or time of its parts, as far as they are given; nothing of no part."""
    kind = _KINDS.get(node["type"], "dateTime")
    names = _TIMES[3:] if kind == "time" else _TIMES
    parts: list[int | Decimal] = []
    for name in names:
        value = evaluation.of(node[name]) if name in node else None
        if value is None:
            break
        parts.append(value)
    if not parts:
        return None
    if "millisecond" in node and len(parts) == len(names):
        parts[-1] += Decimal(evaluation.of(node["millisecond"]) or 0) / 1000
    offset = evaluation.of(node["timezoneOffset"]) if "timezoneOffset" in node else None
    return Temporal(kind, tuple(parts), None if offset is None else _zone(Decimal(offset)))


def _zone(hours: Decimal) -> str:
    """An offset of so many hours as FHIR writes it."""
    minutes = int(abs(hours) * 60)
    return f"{'-' if hours < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


_SYSTEM = "{urn:hl7-org:elm-types:r1}"


def _instance(evaluation: Evaluation, node: Node) -> Any:
    """An element or resource of FHIR as JSON; of a primitive its value."""
    name = node["classType"].rpartition("}")[2]
    values = {e["name"]: e["value"] for e in node.get("element", ())}
    types = evaluation.session.types
    if node["classType"].startswith(_SYSTEM):
        return _system_instance(evaluation, name, values)
    if not types.is_type(name) or types.is_primitive(name):
        # FHIR's enumerations (ObservationStatus) are types of their own in CQL.
        if "value" not in values:
            raise FhirpkgError(f"an instance of {name} is not supported")
        return evaluation.of(values["value"])
    made: dict[str, Any] = {"resourceType": name} if types.is_resource(name) else {}
    elements = types.elements(name)
    for key, value_node in values.items():
        value = to_json(evaluation.of(value_node))
        if value is not None:
            made[_key(key, value_node, elements.get(key))] = value
    return made


def _system_instance(evaluation: Evaluation, name: str, values: dict[str, Node]) -> Any:
    found = {key: evaluation.of(value) for key, value in values.items()}
    if name == "Quantity":
        number = found.get("value")
        return None if number is None else Quantity(Decimal(number), found.get("unit") or "1")
    if name == "Code":
        return Code(str(found.get("code")), found.get("system") or "", found.get("display") or "")
    if name == "Concept":
        return Concept(tuple(found.get("codes") or ()), found.get("display") or "")
    raise FhirpkgError(f"an instance of {name} is not supported")


def _key(name: str, value_node: Node, element: ElementType | None) -> str:
    """The JSON key: a choice element carries the type of its value."""
    return element.key(value_node.get("classType", "").rpartition("}")[2]) if element else name


SPECIAL = {
    "Code": _code,
    "Concept": _concept,
    "Date": _moment,
    "DateTime": _moment,
    "Instance": _instance,
    "Interval": _interval,
    "List": _list,
    "Literal": _literal,
    "Null": _null,
    "Quantity": _quantity,
    "Time": _moment,
    "Tuple": _tuple,
}
