"""Values that definitions compute.

dynamicValue goes by path into the request or its action; cqf-expression is on extensions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.applying.fitting import fit
from fhirpkg.applying.paths import element_of, set_path
from fhirpkg.applying.requests.cells import extension_value
from fhirpkg.applying.rules import APPLY_DYNAMIC_VALUE, APPLY_EXTENSION
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from fhirpkg.applying.expressions import Evaluator
    from fhirpkg.applying.outcomes import Messages
    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.issues import Json, Resource

_CQF_EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"
_ACTION_EXTENSION = ("action.extension", "activity.extension")
_INDICATOR_ADVICE = (
    "Please use the priority path when setting indicator values when using FHIR R4 or higher "
    "for CDS Hooks evaluation"
)
"""What the reference engine answers to the DSTU2 way of setting an indicator, word for word,
so that results can be compared."""


def set_values(
    holder: Resource,
    context: Resource,
    resource: Resource | None,
    action: Resource | None,
    evaluator: Evaluator,
    messages: Messages,
) -> None:
    """Compute and set each dynamicValue of a definition or action; what goes wrong is reported.

    A value goes to the resource, or to the action when its path says so or there is no resource.
    A value that is empty sets nothing.
    """
    dynamic_values = holder.get("dynamicValue")
    if not dynamic_values:
        return
    for dynamic_value in dynamic_values:
        path = _OF_TARGET.sub("", dynamic_value.get("path", "")).replace("%", "")
        lacking = [name for name in ("path", "expression") if not dynamic_value.get(name)]
        if lacking:
            if messages.dialect.explains:
                problem = f"a dynamicValue{f' for {path}' if path else ''} has no {lacking[0]}"
                messages.report(APPLY_DYNAMIC_VALUE, problem)
            continue
        try:
            values = evaluator.evaluate(dynamic_value["expression"], context, resource)
            if values:
                _place(path, values, resource, action, evaluator.types)
        except FhirpkgError as error:
            problem = f"DynamicValue resolution for path {path} encountered exception: {error}"
            messages.report(APPLY_DYNAMIC_VALUE, problem)
    if any(_leads_below(value.get("path", "")) for value in dynamic_values):
        for target in (resource, action):
            _drop_fillers(target or {})


_OF_TARGET = re.compile(r"^(%resource|\$this)\.")
"""What a path may begin with that means the target itself."""


def _leads_below(path: str) -> bool:
    """Whether making room at a path can leave fillers."""
    return "." in path or "[" in path


def _drop_fillers(target: Resource) -> None:
    """Items that only made room for one further on, and never came to hold anything, go."""
    for key, value in target.items():
        if isinstance(value, dict):
            _drop_fillers(value)
        elif isinstance(value, list):
            if {} in value:
                target[key] = [item for item in value if item != {}]
            for item in value:
                if isinstance(item, dict):
                    _drop_fillers(item)


def computed_extensions(
    extensions: list[Json], context: Resource, evaluator: Evaluator, messages: Messages
) -> list[Json]:
    """Extensions, nested ones too, with their values computed from their cqf-expression."""
    made = []
    for extension in extensions:
        try:
            found = _computed(extension, context, evaluator, messages)
        except FhirpkgError as error:
            problem = f"Extension {extension.get('url')} encountered exception: {error}"
            messages.report(APPLY_EXTENSION, problem)
            continue
        if found is not None:
            made.append(found)
    return made


def _computed(
    extension: Resource, context: Resource, evaluator: Evaluator, messages: Messages
) -> Resource | None:
    """The extension itself when nothing is computed, nothing when its value is empty."""
    if "extension" in extension:
        inner = computed_extensions(extension["extension"], context, evaluator, messages)
        return {**extension, "extension": inner}
    for key, value in extension.items():
        name = key.removeprefix("_")
        if not name.startswith("value") or not isinstance(value, dict):
            continue
        expression = extension_value(value, _CQF_EXPRESSION)
        if expression is not None:
            values = evaluator.evaluate(expression, context, None)
            type_name = element_of("Extension", name, "", evaluator.types)[2]
            url = {"url": extension["url"]}
            return url | {name: fit(values[0], type_name, evaluator.types)} if values else None
    return extension


def _place(
    path: str,
    values: list[Json],
    resource: Resource | None,
    action: Resource | None,
    types: TypesOfDefinitions,
) -> None:
    if path.startswith(_ACTION_EXTENSION):
        raise FhirpkgError(_INDICATOR_ADVICE)
    if path.startswith("action.") or resource is None:
        if action is None:
            raise FhirpkgError(
                "the path starts with 'action', but this dynamicValue is not in an action"
            )
        set_path(action, "RequestGroup.action", path.replace("action.", ""), values, types)
        return
    resource_type = resource["resourceType"]
    set_path(resource, resource_type, path.removeprefix(f"{resource_type}."), values, types)
