"""Expressions: compiled once, evaluated often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.code import as_items
from fhirpkg.fhirpath.comparison import EvaluationError, MissingDefinitionError
from fhirpkg.fhirpath.compiler import Compiler
from fhirpkg.fhirpath.environment import Environment, Scope
from fhirpkg.fhirpath.model import kept_by_model
from fhirpkg.fhirpath.reading.parser import parse
from fhirpkg.fhirpath.values import plain
from fhirpkg.fhirpath.walking import Shapes, shapes_of

if TYPE_CHECKING:
    from fhirpkg.fhirpath.code import Code
    from fhirpkg.fhirpath.model import TypeModel
    from fhirpkg.fhirpath.values import Item
    from fhirpkg.issues import Json

_NO_ENVIRONMENT = Environment()


class Expression:
    """A compiled expression; made by `compile_expression`."""

    __slots__ = ("_focus_type", "_items", "_run_single", "_shapes", "_uses_scope", "text")

    def __init__(
        self, text: str, code: Code, shapes: Shapes, focus_type: str | None, *, uses_scope: bool
    ) -> None:
        self.text = text
        self._shapes = shapes
        self._focus_type = focus_type
        self._uses_scope = uses_scope
        self._items = as_items(code.run) if code.is_single else code.run
        self._run_single = code.run if code.is_single else None

    def evaluate(
        self, focus: Json, environment: Environment | None = None, sibling: Json = None
    ) -> list[Json]:
        """The results on one element: JSON, with numbers as Decimal and moments as text.

        `focus` is its JSON, `sibling` the object under its name with an underscore. A primitive
        without a value is given as that object, a quantity as FHIR's. Raises FhirPathError.
        """
        return [plain(item) for item in self._run(self._items, focus, environment, sibling)]

    def items(self, focus: Json, environment: Environment | None = None) -> list[Item]:
        """The results as a variable of another expression holds them, with their types."""
        return list(self._run(self._items, focus, environment, None))

    def is_true(
        self, focus: Json, environment: Environment | None = None, sibling: Json = None
    ) -> bool:
        """Whether the result is exactly true; nothing is not. Raises FhirPathError."""
        if self._run_single is not None:
            return self._run(self._run_single, focus, environment, sibling) is True
        return [plain(i) for i in self._run(self._items, focus, environment, sibling)] == [True]

    def _run(self, run: Json, focus: Json, environment: Environment | None, sibling: Json) -> Json:
        item: Item = (focus, self._focus_type or _type_of(focus), sibling)
        scope = None
        if self._uses_scope:
            scope = Scope(environment or _NO_ENVIRONMENT, item, self._shapes)
        try:
            return run(item, scope)
        except EvaluationError as error:
            needs_missing_definition = isinstance(error, MissingDefinitionError)
            raise FhirPathError(
                self.text, str(error), needs_missing_definition=needs_missing_definition
            ) from None
        except RecursionError:
            raise FhirPathError(self.text, "nested too deeply to evaluate") from None


def _type_of(focus: Json) -> str:
    found = focus.get("resourceType", "") if isinstance(focus, dict) else ""
    return found if isinstance(found, str) else ""


def compile_expression(text: str, model: TypeModel, focus_type: str | None = None) -> Expression:
    """The expression in `text`, ready to be evaluated; kept for the next time.

    `focus_type` is the type of what it will be evaluated on (`Quantity`, `PlanDefinition.action`);
    None when that is a resource. Raises FhirPathError, with the column, when it is not FHIRPath.

    >>> from fhirpkg.definitions.definitions import Definitions
    >>> names = compile_expression("name.given", Definitions.core().types)
    >>> names.evaluate({"resourceType": "Patient", "name": [{"given": ["Ann", "Eve"]}]})
    ['Ann', 'Eve']
    """
    return _expression(model, text, focus_type)


@kept_by_model(4096)
def _expression(model: TypeModel, text: str, focus_type: str | None) -> Expression:
    code, uses_scope = _compiled(model, text)
    return Expression(text, code, shapes_of(model), focus_type, uses_scope=uses_scope)


@kept_by_model(1024)
def _compiled(model: TypeModel, text: str) -> tuple[Code, bool]:
    """What does not depend on the type of the focus: many types share R4's expressions."""
    compiler = Compiler(text, shapes_of(model))
    try:
        return compiler.compile(parse(text)), compiler.uses_scope
    except RecursionError:
        raise FhirPathError(text, "nested too deeply") from None
