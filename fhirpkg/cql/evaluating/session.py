"""The evaluation of ELM for one patient: what it shares, and the names that hold at a place.

The operators are handed in (`evaluator` has them), because most of them evaluate their operands
themselves. An operator that is in no table is an error with its place, never a value. Raises
FhirpkgError.
"""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.cql.evaluating.elements import resource
from fhirpkg.cql.evaluating.values import AssumedZone, Element, KindError, as_list
from fhirpkg.errors import FhirpkgError, ResolutionError
from fhirpkg.fhirpath import temporal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fhirpkg.cql.evaluating.library import Library, Statement
    from fhirpkg.cql.evaluating.values import Code
    from fhirpkg.cql.tree import Node, Value
    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.repository import Repository

_DEEPEST = 40


class Operators(NamedTuple):
    """What each type of node does."""

    plain: Mapping[str, Callable[..., Value]]
    """Functions of the values of their operands."""
    timed: Mapping[str, Callable[..., Value]]
    """The same, with the precision of the node, or None, behind them."""
    special: Mapping[str, Callable[[Evaluation, Node], Value]]
    """What has to look at its operands itself."""


class Session:
    """What the evaluation of one patient's logic shares: data, clock, libraries, parameters."""

    def __init__(
        self,
        operators: Operators,
        repository: Repository,
        subject: str,
        parameters: Mapping[str, Value],
        libraries: Callable[[str, str], Library],
        types_of_fhir: TypesOfDefinitions,
        now: dt.datetime | None = None,
    ) -> None:
        self.operators = operators
        self.repository = repository
        self.subject = subject
        self.parameters = parameters
        self.libraries = libraries
        self.types = types_of_fhir
        self.now = now or dt.datetime.now().astimezone()
        self.unknown: list[str] = []
        """Why a membership could not be decided: one reason a value set and code."""
        self.seen: dict[int, list[Value]] = {}
        """The lists of resources retrieved, each by its identity: one is retrieved many times."""
        self._results: dict[Statement, tuple[Value, list[str], dict[int, list[Value]]]] = {}
        self._open: set[Statement] = set()
        self._retrieved: dict[str, list[Element]] = {}
        self.zone = AssumedZone(temporal.moment(self.now).zone or "Z")
        """The offset that a moment has which is written without one."""

    @functools.cached_property
    def patient(self) -> Element:
        """The patient; raises ResolutionError when the data has none."""
        found = self.repository.read(*self.subject.split("/", 1))
        if found is None:
            raise ResolutionError(self.subject, "the subject is not in the data")
        return resource(found, self.types)

    def resources(self, type_name: str) -> list[Element]:
        """The patient's resources of a type; fetched once."""
        if type_name not in self._retrieved:
            if type_name == "Patient":
                self._retrieved[type_name] = [self.patient]
            else:
                found = self.repository.search(type_name, {"patient": self.subject})
                self._retrieved[type_name] = [resource(each, self.types) for each in found]
        return self._retrieved[type_name]

    @functools.cached_property
    def _terminology(self) -> Terminology:
        from fhirpkg.definitions.definitions import Definitions  # noqa: PLC0415 - costs start-up
        from fhirpkg.definitions.terminology.contents import Resolved  # noqa: PLC0415 - as above
        from fhirpkg.definitions.terminology.valuesets import Terminology  # noqa: PLC0415

        return Terminology(Resolved(self.repository.resolve, Definitions.core()))

    def is_member(self, value_set: str, codes: Iterable[Code]) -> bool | None:
        """Whether one of some codes is in a value set; None, and the reason noted, if unknown."""
        from fhirpkg.definitions.terminology.verdicts import Verdict  # noqa: PLC0415 - start-up

        found = self._terminology.any_in(value_set, ((code.system, code.code) for code in codes))
        if found.verdict is Verdict.UNKNOWN:
            self.unknown.append(found.reason)
            return None
        return found.verdict is Verdict.YES

    def evaluate(self, node: Node, library: Library) -> Value:
        """The value of a tree that is in a library."""
        return Evaluation(self, library).of(node)

    def value_of(self, library: Library, name: str) -> Value:
        """The value of a definition, computed once."""
        statement = library.definition(name)
        if statement is None:
            from fhirpkg.rules import nearest  # noqa: PLC0415 - only when something is wrong

            hint = nearest(name, list(library.statements))
            raise FhirpkgError(f"{library.name} has no definition '{name}'{hint}")
        if statement not in self._results:
            if statement in self._open:
                raise FhirpkgError(f"{statement.place} depends on itself")
            self._open.add(statement)
            around, self.unknown = self.unknown, []
            seen, self.seen = self.seen, {}
            try:
                value = Evaluation(self, library).of_statement(statement)
                self._results[statement] = value, self.unknown, self.seen
            finally:
                self._open.discard(statement)
                self.unknown, self.seen = around, seen
        value, unknown, retrieved = self._results[statement]
        self.unknown += unknown
        self.seen |= retrieved
        return value


class Evaluation:
    """The evaluation of one tree: its library and the names that hold where it is."""

    def __init__(
        self,
        session: Session,
        library: Library,
        names: Mapping[str, Value] | None = None,
        depth: int = 0,
    ) -> None:
        self.session = session
        self.library = library
        self.names = names or {}
        """Aliases, lets, operands and `$this`, by name."""
        self.depth = depth

    def with_names(self, **names: Value) -> Evaluation:
        """The same with more names."""
        return Evaluation(self.session, self.library, {**self.names, **names}, self.depth)

    def within(self, library: Library) -> Evaluation:
        """An evaluation in another library, without the names of this one."""
        return Evaluation(self.session, library, depth=self.depth)

    def of_statement(self, statement: Statement, arguments: tuple[Value, ...] = ()) -> Value:
        """The value of a statement in its library; errors say where."""
        if self.depth > _DEEPEST:
            raise FhirpkgError(f"{statement.place}: definitions call each other endlessly")
        names = dict(zip(statement.operands or {}, arguments, strict=True))
        inside = Evaluation(self.session, self.library, names, self.depth + 1)
        try:
            return inside.of(statement.tree)
        except _PlacedError:
            raise
        except FhirpkgError as error:
            raise _PlacedError(f"{error} (in {statement.place})") from error

    def of(self, node: Node) -> Value:
        """The value of a node."""
        kind = node["type"]
        operators = self.session.operators
        plain = operators.plain.get(kind)
        if plain is not None:
            return self._applied(node, plain, self._operands(node))
        timed = operators.timed.get(kind)
        if timed is not None:
            return self._applied(node, timed, [*self._operands(node), node.get("precision")])
        special = operators.special.get(kind)
        if special is not None:
            try:
                return special(self, node)
            except _UNFIT as error:
                raise KindError(f"{kind} cannot handle its operands ({error})") from error
        raise FhirpkgError(f"{kind} is not supported, so this is not evaluated")

    def choices(self, operand: Node) -> tuple[str, ...]:
        """The types of FHIR among which an element that is read is a choice; else none."""
        if operand["type"] != "Property":
            return ()
        source = (
            self.of(operand["source"])
            if "source" in operand
            else self.names.get(operand.get("scope", "$this"))
        )
        if not isinstance(source, Element):
            return ()
        member = source.types.elements(source.type_name).get(operand["path"])
        return tuple(member.types) if member is not None and member.is_choice else ()

    def _applied(self, node: Node, operator: Callable[..., Value], operands: list[Value]) -> Value:
        """The value of an operator; unknown for a choice that holds what it does not take."""
        try:
            return _called(node["type"], operator, operands)
        except KindError:
            if any(self.choices(each) for each in as_list(node.get("operand"))):
                return None
            raise

    def _operands(self, node: Node) -> list[Value]:
        if "operand" in node:
            operands = [self.of(operand) for operand in as_list(node["operand"])]
            if isinstance(node.get("precision"), dict):  # Round
                operands.append(self.of(node["precision"]))
            return operands
        return [self.of(node[key]) for key in _OPERAND_NAMES if key in node]


_UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What Python raises for operands of a kind that an operator does not take."""


def _called(kind: str, operator: Callable[..., Value], operands: list[Value]) -> Value:
    """The value of an operator; operands of a kind it does not take are an error of the logic."""
    try:
        return operator(*operands)
    except _UNFIT as error:
        kinds = ", ".join(type(operand).__name__ for operand in operands)
        raise KindError(f"{kind} does not support operands of these types ({kinds})") from error


class _PlacedError(FhirpkgError):
    """An error whose text already names its definition."""


_OPERAND_NAMES = (
    "source", "stringToSub", "stringToSplit", "substring", "pattern", "string", "separator",
    "separatorPattern", "startIndex", "length", "endIndex", "element", "precision", "child",
    "start", "end",
)  # fmt: skip
"""Where ELM keeps operands that are not called so, in the order of the operator's signature."""
