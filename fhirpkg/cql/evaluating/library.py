"""Libraries of logic as data: names to definitions, each tree made when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.cql import models
from fhirpkg.cql.tree import nodes
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.tree import Node


@dataclass(slots=True, eq=False)
class Statement:
    """A definition, or a function when it has operands."""

    name: str
    operands: dict[str, Node] | None
    """Names of the operands of a function, with their types."""
    place: str
    """The place, for messages."""
    load: Callable[[], Node]
    context: str = ""
    """Whose value it is: Patient, Unfiltered, Population."""
    _tree: Node | None = None
    _error: FhirpkgError | None = None

    def read(self) -> None:
        """Make its tree, if that has not been done; raises what reading it raises."""
        self.tree  # noqa: B018 - it is kept

    @property
    def tree(self) -> Node:
        """Its expression; raises what reading it raises."""
        if self._error is not None:
            raise self._error
        if self._tree is None:
            try:
                self._tree = self.load()
            except FhirpkgError as error:
                self._error = error
                raise
        return self._tree


@dataclass(slots=True)
class Library:
    """A library: what it includes, its terminology by name, its statements by name."""

    name: str
    version: str = ""
    namespace: str = ""
    """A name as CQL writes it, or a url as ELM does; often none."""
    includes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Alias to name, maybe qualified, and version of the other library."""
    models: dict[str, str] = field(default_factory=dict)
    """The models that it uses, name to version."""
    parameters: dict[str, Node] = field(default_factory=dict)
    code_systems: dict[str, Node] = field(default_factory=dict)
    value_sets: dict[str, Node] = field(default_factory=dict)
    codes: dict[str, Node] = field(default_factory=dict)
    concepts: dict[str, Node] = field(default_factory=dict)
    statements: dict[str, list[Statement]] = field(default_factory=dict)

    def may_be(self, included: str) -> bool:
        """Whether an include means this one: of its namespace where both name one, and alike."""
        namespace = qualified(included)[0]
        if not namespace or not self.namespace or _is_url(namespace) != _is_url(self.namespace):
            return True
        return namespace == self.namespace

    def add(self, statement: Statement) -> None:
        """Take in a statement; functions may share a name."""
        self.statements.setdefault(statement.name, []).append(statement)

    def definition(self, name: str) -> Statement | None:
        """The definition (no function) of this name."""
        return next((s for s in self.statements.get(name, ()) if s.operands is None), None)

    def functions(self, name: str, count: int) -> list[Statement]:
        """The functions of this name that take that many operands."""
        return [
            s
            for s in self.statements.get(name, ())
            if s.operands is not None and len(s.operands) == count
        ]


def qualified(name: str) -> tuple[str, str]:
    """Namespace and name of a library: `org.a.Common` in text, `http://a.org/Common` in ELM."""
    namespace, _, local = name.rpartition("/" if "/" in name else ".")
    return namespace, local


def _is_url(namespace: str) -> bool:
    return ":" in namespace


_OF_PATIENT = ("", "Patient")
"""CQL's default is Unfiltered where the model names none (1.5, Author's Guide, Context). A text
without a context is read as of the patient: published ones retrieve so for $apply, which is of one.
"""


def check_context(tree: Node, context: str, library: Library) -> None:
    """Refuse data of other patients, which a context other than Patient means.

    Raises FhirpkgError for a retrieve, and for what is defined for each patient: there it is
    for the values of all of them.
    """
    if context in _OF_PATIENT:
        return
    for node in nodes(tree):
        if node.get("type") == "Retrieve":
            problem = f"retrieves in the context {context} are not supported, only of Patient"
            raise FhirpkgError(problem)
        if node.get("type") == "ExpressionRef" and _is_of_patient(node, library):
            problem = (
                f"'{node['name']}' is defined for one patient but used in the context {context}"
            )
            raise FhirpkgError(f"{problem}, which is not supported")


def _is_of_patient(node: Node, library: Library) -> bool:
    """Whether a name stands for a value of each patient; of another library it may."""
    named = None if node.get("libraryName") else library.definition(node["name"])
    return named is None or named.context in _OF_PATIENT


_TABLES = {
    "parameters": "parameters",
    "codeSystems": "code_systems",
    "valueSets": "value_sets",
    "codes": "codes",
    "concepts": "concepts",
}


def from_elm(document: Node) -> Library:
    """The library of an ELM document as JSON; raises FhirpkgError for anything else."""
    elm = document.get("library")
    if not isinstance(elm, dict) or "identifier" not in elm:
        raise FhirpkgError("this is not ELM: there is no library with an identifier")
    identifier = elm["identifier"]
    name = identifier.get("id", "")
    namespace = identifier.get("system") or qualified(name)[0]
    library = Library(name, identifier.get("version", ""), namespace)
    for using in _definitions(elm, "usings"):
        _check_model(using)
    for include in _definitions(elm, "includes"):
        library.includes[include["localIdentifier"]] = include["path"], include.get("version", "")
    for key, attribute in _TABLES.items():
        for definition in _definitions(elm, key):
            getattr(library, attribute)[definition["name"]] = definition
    for definition in _definitions(elm, "statements"):
        if _is_context(definition) or "expression" not in definition:
            continue
        library.add(_statement(definition, library))
    return library


_MODEL_URLS = ("http://hl7.org/fhir", "urn:hl7-org:elm-types:r1")


def _check_model(using: Node) -> None:
    """ELM names types by the model's url; profiles of FHIR have FHIR's."""
    name, url = using.get("localIdentifier", ""), using.get("uri", "")
    if url not in _MODEL_URLS:
        raise FhirpkgError(f"the model '{name}' ({url}) is not supported")
    if name == "FHIR":
        models.check(name, using.get("version", ""))


def _definitions(elm: Node, key: str) -> list[Node]:
    found: list[Node] = elm.get(key, {}).get("def", [])
    return found


def _statement(definition: Node, library: Library) -> Statement:
    operands = definition.get("operand")
    is_function = definition.get("type") == "FunctionDef" or operands is not None
    typed = {operand["name"]: _operand_type(operand) for operand in operands or ()}
    place = f"{library.name}.{definition['name']}"
    context = "" if is_function else definition.get("context", "")
    if locator := definition.get("locator"):
        place = f"{place} ({locator})"
    tree: Node = definition["expression"]

    def load() -> Node:
        check_context(tree, context, library)
        return tree

    return Statement(definition["name"], typed if is_function else None, place, load, context)


def _operand_type(operand: Node) -> Node:
    specifier: Node = operand.get("operandTypeSpecifier", {})
    return specifier or {"name": operand.get("operandType", "")}


def _is_context(definition: Node) -> bool:
    """ELM defines the patient himself as a retrieve; the evaluator knows him."""
    expression = definition.get("expression", {})
    return bool(definition["name"] == "Patient" and expression.get("type") == "SingletonFrom")
