"""What names in ELM refer to: definitions, functions, terminology, parameters, aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating import types
from fhirpkg.cql.evaluating.conversions import HELPERS
from fhirpkg.cql.evaluating.elements import codes_to_look_up, element, resource
from fhirpkg.cql.evaluating.library import qualified
from fhirpkg.cql.evaluating.parameters import given
from fhirpkg.cql.evaluating.values import Code, CodeSystem, Concept, Element, ValueSet, as_list
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.cql.evaluating.library import Library
    from fhirpkg.cql.evaluating.session import Evaluation, Session
    from fhirpkg.cql.tree import Node, Value

_HELPERS = "FHIRHelpers"


def _library_of(evaluation: Evaluation, node: Node) -> Library | None:
    """The library a reference points into; None for FHIRHelpers, which is built in."""
    alias = node.get("libraryName")
    if not alias:
        return evaluation.library
    name, version = evaluation.library.includes.get(alias, (alias, ""))
    return None if qualified(name)[1] == _HELPERS else evaluation.session.libraries(name, version)


def _expression_ref(evaluation: Evaluation, node: Node) -> Value:
    """A definition, or terminology that a qualified name of CQL may mean as well."""
    name = node["name"]
    if name == "Patient" and "libraryName" not in node:
        return evaluation.session.patient
    library = _library_of(evaluation, node)
    if library is None:
        raise FhirpkgError(f"{_HELPERS} has no definition '{name}'")
    for table, reference in (
        (library.value_sets, _value_set_ref),
        (library.codes, _code_ref),
        (library.concepts, _concept_ref),
        (library.code_systems, _code_system_ref),
        (library.parameters, _parameter_ref),
    ):
        if name in table and name not in library.statements:
            return reference(evaluation, node)
    return evaluation.session.value_of(library, name)


def _function_ref(evaluation: Evaluation, node: Node) -> Value:
    name = node["name"]
    arguments = [evaluation.of(operand) for operand in as_list(node.get("operand"))]
    library = _library_of(evaluation, node)
    if library is None:
        return _helped(evaluation, name, arguments)
    places = list(_included(evaluation)) if node.get("fluent") else [library]
    for test in (types.fits, types.accepts):
        for place in places:
            for function in place.functions(name, len(arguments)):
                operands = (function.operands or {}).values()
                if all(a is None or test(s, a) if test is types.accepts else a is None or test(a, s)
                       for s, a in zip(operands, arguments, strict=True)):  # fmt: skip
                    return evaluation.within(place).of_statement(function, tuple(arguments))
    for place in places:
        for function in place.functions(name, len(arguments)):
            cast = _cast(evaluation, node, list((function.operands or {}).values()), arguments)
            if cast is not None:
                return evaluation.within(place).of_statement(function, tuple(cast))
    if node.get("fluent") and name in _OF_FHIR:
        return _helped(evaluation, name, arguments)
    raise FhirpkgError(f"{library.name} has no function {name} for {_kinds(arguments)}")


def _helped(evaluation: Evaluation, name: str, arguments: list[Value]) -> Value:
    """A function of FHIRHelpers, which is built in; nothing of nothing."""
    helper = HELPERS.get(name) or _OF_FHIR.get(name)
    if helper is None:
        raise FhirpkgError(f"{_HELPERS}.{name} is not supported")
    if arguments[:1] == [None]:
        return None
    return helper(*arguments) if name in HELPERS else helper(evaluation.session, *arguments)


def _extensions(key: str) -> Callable[..., list[Value]]:
    def extensions(_: Session, holder: Value, url: Value) -> list[Value]:
        return [e for e in as_list(element(holder, key)) if e.get("url") == url]

    return extensions


def _resolved(session: Session, reference: Value) -> Value:
    """The resource that a reference names; raises FhirpkgError for one that is not known."""
    written = reference.get("reference", "") if isinstance(reference, Element) else reference
    type_name, _, found_id = str(written).rpartition("/")
    found = session.repository.read(type_name.rpartition("/")[2], found_id)
    if found is None:
        raise FhirpkgError(f"{written} is not known, so it cannot be resolved")
    return resource(found, session.types)


def _reference_to(session: Session, target: Value) -> Element:
    named = {"reference": f"{target['resourceType']}/{target.get('id', '')}"}
    return Element(named, "Reference", session.types)


def _is_member_of(session: Session, coded: Value, value_set: Value) -> bool | None:
    return session.is_member(str(value_set), codes_to_look_up(coded))


_OF_FHIR: dict[str, Callable[..., Value]] = {
    "extension": _extensions("extension"),
    "memberOf": _is_member_of,
    "modifierExtension": _extensions("modifierExtension"),
    "reference": _reference_to,
    "resolve": _resolved,
}
"""Functions that FHIR adds to FHIRPath; FHIRHelpers declares them as external."""


def _cast(
    evaluation: Evaluation, node: Node, operands: list[Node], arguments: list[Value]
) -> list[Value] | None:
    """The arguments as the operands' types: null for one of another type of the same choice.

    None when an argument is of no type that a function takes.
    """
    made: list[Value] = []
    for operand, specifier, value in zip(
        as_list(node.get("operand")), operands, arguments, strict=True
    ):
        if value is None or types.accepts(specifier, value):
            made.append(value)
        elif _may_be(evaluation, operand, specifier):
            made.append(None)
        else:
            return None
    return made


def _may_be(evaluation: Evaluation, operand: Node, specifier: Node) -> bool:
    """Whether an element that is read is a choice that could have been of a type."""
    wanted = specifier.get("name", "").rpartition("}")[2].removeprefix("Simple")
    return wanted in evaluation.choices(operand)


def _kinds(arguments: list[Value]) -> str:
    """The types of operands, for a message."""
    names = [a.type_name if isinstance(a, Element) else type(a).__name__ for a in arguments]
    return f"({', '.join(names)})"


def _included(evaluation: Evaluation) -> Iterator[Library]:
    """A library and those it includes: where a fluent function of CQL text may be."""
    yield evaluation.library
    for alias in evaluation.library.includes:
        library = _library_of(evaluation, {"libraryName": alias})
        if library is not None:
            yield library


def _named(evaluation: Evaluation, node: Node) -> Value:
    """An alias, a let or an operand."""
    name = node["name"]
    if name not in evaluation.names:
        raise FhirpkgError(f"'{name}' is not known here")
    return evaluation.names[name]


def _identifier_ref(evaluation: Evaluation, node: Node) -> Value:
    """A bare name inside `sort by`: an element of the item, else what the library says it is."""
    try:
        return element(evaluation.names.get("$this"), node["name"])
    except FhirpkgError:
        if "otherwise" not in node:
            raise
        return evaluation.of(node["otherwise"])


def _parameter_ref(evaluation: Evaluation, node: Node) -> Value:
    """Its value as given, else its default; raises FhirpkgError when there is neither."""
    name = node["name"]
    session = evaluation.session
    library = _library_of(evaluation, node)
    definition = library.parameters.get(name) if library else None
    if name in session.parameters:
        specifier = types.specifier_of(definition or {}, "parameter")
        return given(name, session.parameters[name], specifier, session.types)
    if library is None or definition is None or "default" not in definition:
        where = f" of {library.name}" if library and definition else ""
        raise FhirpkgError(f"the parameter '{name}'{where} was not given and has no default")
    return evaluation.within(library).of(definition["default"])


def _defined(evaluation: Evaluation, node: Node, table: str) -> tuple[Library, Node]:
    library = _library_of(evaluation, node)
    definition = getattr(library, table).get(node["name"]) if library else None
    if library is None or definition is None:
        raise FhirpkgError(f"'{node['name']}' is not defined")
    return library, definition


def _value_set_ref(evaluation: Evaluation, node: Node) -> ValueSet:
    _, definition = _defined(evaluation, node, "value_sets")
    version = f"|{definition['version']}" if definition.get("version") else ""
    return ValueSet(definition["id"] + version)


def _code_system_ref(evaluation: Evaluation, node: Node) -> CodeSystem:
    return CodeSystem(_defined(evaluation, node, "code_systems")[1]["id"])


def _code_ref(evaluation: Evaluation, node: Node) -> Value:
    library, definition = _defined(evaluation, node, "codes")
    inside = evaluation.within(library)
    system = _code_system_ref(inside, definition["codeSystem"])
    return Code(definition["id"], system.url, definition.get("display", ""))


def _concept_ref(evaluation: Evaluation, node: Node) -> Value:
    library, definition = _defined(evaluation, node, "concepts")
    inside = evaluation.within(library)
    codes = tuple(_code_ref(inside, code) for code in definition["code"])
    return Concept(codes, definition.get("display", ""))


SPECIAL = {
    "AliasRef": _named,
    "CodeRef": _code_ref,
    "CodeSystemRef": _code_system_ref,
    "ConceptRef": _concept_ref,
    "ExpressionRef": _expression_ref,
    "FunctionRef": _function_ref,
    "IdentifierRef": _identifier_ref,
    "OperandRef": _named,
    "ParameterRef": _parameter_ref,
    "QueryLetRef": _named,
    "ValueSetRef": _value_set_ref,
}
