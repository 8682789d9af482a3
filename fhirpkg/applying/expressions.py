"""Expressions of definitions: which language means what, and the variables they can use."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError, FhirpkgError
from fhirpkg.languages.choosing import TEXTS
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from fhirpkg.applying.logic import Logic
    from fhirpkg.applying.requests.cells import Parties
    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.issues import Json, Resource
    from fhirpkg.repository import Repository

_IDENTIFIERS = (
    "text/cql-identifier",
    "text/cql.identifier",
    "text/cql.name",
    "text/cql-name",
    "text/cql",
)
_PARTIES = ("subject", "encounter", "practitioner", "organization")
_INLINE = ("text/cql-expression", "text/cql.expression")


def in_cql(expression: Resource, context: Resource) -> bool | None:
    """Whether an expression is CQL to evaluate; False for a name, None for another language.

    A dot in text/cql marks an expression: encender and the reference engine hold it so. Without a
    library it cannot be a name: `3`, `'routine'`.
    """
    language, text = expression.get("language", ""), expression.get("expression", "")
    is_open = language == "text/cql" and "reference" not in expression
    if language in _INLINE or (is_open and ("." in text or not context.get("library"))):
        return True
    return False if language in _IDENTIFIERS else None


_VARIABLES = re.compile(r"\w[\w-]*")
"""What could be the name of a parameter: `%setting`, or `Limit` in inline CQL."""
CONTEXT = ("userType", "userLanguage", "userTaskContext", "setting", "settingContext")
"""Parameters of $apply about user and setting: variables of expressions, if they ask."""
_SUPPLIED = frozenset({TEXTS, "draftOrders", *CONTEXT})


class NotEvaluatedError(FhirpkgError):
    """An expression that could not be evaluated, and why; it is neither true nor false."""


class Evaluator:
    """Evaluates the expressions of definitions for one patient.

    `now` fixes the clock; otherwise it is that of the first expression that asks. With `lenient`,
    text labelled FHIRPath that does not parse is read as CQL, as the reference engine reads all.
    """

    def __init__(
        self,
        repository: Repository,
        parties: Parties,
        parameters: Mapping[str, Json] | None = None,
        now: datetime | None = None,
        *,
        lenient: bool = False,
    ) -> None:
        self._repository = repository
        self._parties = parties
        self._parameters = parameters or {}
        self._now = now
        self._lenient = lenient
        self._texts: set[str] = set()
        """The expressions, whose words may name parameters."""
        self.seen: dict[int, Resource] = {}
        """Data of the patient that expressions looked at, each once, by its identity; whoever asks
        for it empties it first."""

    def evaluate(
        self,
        expression: Resource,
        context: Resource,
        resource: Resource | None,
        inputs: Sequence[Resource] = (),
    ) -> list[Json]:
        """The values of an Expression: a list, empty for none.

        `context` is the definition it is in, `resource` what it is about, `inputs` are data
        requirements, which it can name by their ids. An alternative
        that it carries is asked when it has no value or is in a language that we do not know.
        Raises NotEvaluatedError or another FhirpkgError when it has no result.
        """
        alternative = _alternative(expression)
        if alternative is None:
            return self._values(expression, context, resource, inputs)
        known = ("text/fhirpath", *_INLINE, *_IDENTIFIERS)
        if expression.get("language") in known:
            found = self._values(expression, context, resource, inputs)
            if found:
                return found
        return self._values(alternative, context, resource, inputs)

    def _values(
        self,
        expression: Resource,
        context: Resource,
        resource: Resource | None,
        inputs: Sequence[Resource],
    ) -> list[Json]:
        language = expression.get("language", "")
        text = expression.get("expression", "")
        self._texts.add(text)
        if language == "text/fhirpath":
            try:
                return self._fhirpath(text, context, resource, inputs)
            except FhirPathError as error:
                if not self._lenient:
                    raise
                return self._as_cql(error, text, context, resource)
        is_inline = in_cql(expression, context)
        if is_inline:
            return self._by_logic(
                lambda logic: logic.inline(text, context, resource, self._asked_for(text, inputs))
            )
        if is_inline is False:
            reference = expression.get("reference", "")
            return self._by_logic(lambda logic: logic.defined(text, reference, context, resource))
        raise NotEvaluatedError(f"the language {language or '(none)'} is not supported")

    def unused_parameters(self) -> Iterator[str]:
        """Messages about parameters that no library declares and no expression names."""
        declared = self._logic.declared if "_logic" in self.__dict__ else set()
        named = {name for text in self._texts for name in _VARIABLES.findall(text)}
        for name in self._parameters.keys() - declared - named - _SUPPLIED:
            hint = nearest(name, sorted(declared))
            yield f"the parameter '{name}' is not used: no parameter has this name{hint}"

    def _by_logic(self, evaluate: Callable[[Logic], list[Json]]) -> list[Json]:
        """A value of CQL, with the data it looked at kept."""
        try:
            return evaluate(self._logic)
        finally:
            self._look_at(self._logic.seen)

    @cached_property
    def types(self) -> TypesOfDefinitions:
        """The types of R4."""
        from fhirpkg.definitions.definitions import Definitions  # noqa: PLC0415 - costs start-up

        return Definitions.core().types

    @cached_property
    def _logic(self) -> Logic:
        """CQL, read only when an expression is in it."""
        from fhirpkg.applying.logic import Logic  # noqa: PLC0415 - costs start-up

        return Logic(
            self._repository, self._parties.subject, self._variables, self.types, self._now
        )

    @cached_property
    def _variables(self) -> dict[str, Json]:
        found = {name: self._party(getattr(self._parties, name)) for name in _PARTIES}
        known = {name: value for name, value in found.items() if value is not None}
        subject = known.get("subject")
        if subject is not None and subject["resourceType"] == "Patient":
            known["patient"] = subject  # as SDC and CDS Hooks name it
        return known | dict(self._parameters)

    def _as_cql(
        self, problem: FhirPathError, text: str, context: Resource, resource: Resource | None
    ) -> list[Json]:
        try:
            return self._logic.inline(text, context, resource, {})
        except FhirpkgError:
            raise problem from None

    def _focus(self, text: str, context: Resource) -> Resource:
        """R4 leaves it open: the definition, as the CPG connectathon has it.

        Paths that begin with the subject's type (`Patient.gender`) are about the subject.
        """
        subject: Resource | None = self._variables.get("subject")
        if subject is None or not _begins_with(subject["resourceType"], text):
            return context
        return subject

    def _asked_for(self, text: str, inputs: Sequence[Resource]) -> dict[str, Json]:
        """The data of those inputs that an expression names."""
        named = [i for i in inputs if "id" in i and f"%{i['id']}" in text]
        if not named:
            return {}
        from fhirpkg.applying.inputs import required  # noqa: PLC0415 - costs start-up

        subject = self._parties.subject
        found = {i["id"]: required(i, subject, self._repository) for i in named}
        for resources in found.values():
            self._look_at(resources)
        return found

    def _look_at(self, resources: Iterable[Resource]) -> None:
        self.seen |= {id(resource): resource for resource in resources}

    def _party(self, reference: str) -> Resource | None:
        resource_type, _, resource_id = reference.rpartition("/")
        return self._repository.read(resource_type, resource_id) if resource_type else None

    def _fhirpath(
        self,
        text: str,
        context: Resource,
        resource: Resource | None,
        inputs: Sequence[Resource],
    ) -> list[Json]:
        from fhirpkg.fhirpath import Environment, compile_expression  # noqa: PLC0415 - start-up

        missing = [name for name in _PARTIES if f"%{name}" in text and name not in self._variables]
        if missing:
            raise NotEvaluatedError(f"%{missing[0]} is unknown: {self._whereabouts(missing[0])}")
        environment = Environment(
            resource=context if resource is None else resource,
            root_resource=context,
            variables=self._variables | self._asked_for(text, inputs),
            resolve=self._party,
            now=self._now,
        )
        return compile_expression(text, self.types).evaluate(
            self._focus(text, context), environment
        )

    def _whereabouts(self, party: str) -> str:
        reference = getattr(self._parties, party)
        return f"{reference} is not in the data" if reference else f"no {party} was given"


def _begins_with(type_name: str, text: str) -> bool:
    """Whether a path in an expression begins with a type."""
    if f"{type_name}." not in text:
        return False
    return re.search(rf"(?<![\w.%'/]){type_name}\.", text) is not None


_ALTERNATIVES = ("us-ph-alternativeExpression", "cqf-alternativeExpression")


def _alternative(expression: Resource) -> Resource | None:
    """The alternative expression in the extensions of one."""
    for extension in expression.get("extension", ()):
        if extension.get("url", "").endswith(_ALTERNATIVES):
            found: Resource | None = extension.get("valueExpression")
            return found
    return None
