"""ElementSchema to Python source.

A type becomes one function ``check(v, path, run)``; in a profile each element with rules of its own
becomes one ``fN(x, t, s, run)`` (a value, its place, the object beside a primitive). What they find
they report to the run. No text of a definition enters the source: names, values and expressions
are in a table of constants and are used by their number there (``c7``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.validation.compiling.deferred import Deferred
from fhirpkg.validation.compiling.slicing import check_slices
from fhirpkg.validation.elements import forms as elements
from fhirpkg.validation.elements import limits

if TYPE_CHECKING:
    from fhirpkg.issues import Json
    from fhirpkg.validation.compiling.parts import CheckBuilder
    from fhirpkg.validation.compiling.schema import Constraint, ElementSchema


class Code(NamedTuple):
    """Generated source and the constants it uses, by name; the function to call comes last."""

    source: str
    constants: dict[str, Json]
    entry: str


class _Name(NamedTuple):
    """A name in the generated source, as against a constant."""

    text: str


V, PATH, RUN, X, T, S, FOUND = map(_Name, ("v", "path", "run", "x", "t", "s", "found"))


class _Writer:
    """Collects functions and the constants they use."""

    def __init__(self, parts: CheckBuilder, profile: str = "") -> None:
        self.parts = parts
        self.profile = profile
        self.functions: list[str] = []
        self.constants: dict[str, Json] = {}
        self._names: dict[Json, str] = {}
        self._kept: list[Json] = []

    def constant(self, value: Json) -> str:
        """The name of a constant; equal texts and numbers share one."""
        if isinstance(value, _Name):
            return value.text
        key = (type(value), value) if isinstance(value, (str, int)) else id(value)
        if key not in self._names:
            self._names[key] = name = f"c{len(self.constants)}"
            self._kept.append(value)  # so that no other constant gets its id
            self.constants[name] = value
            if isinstance(value, Deferred):
                value.put_in(self.constants, name)
        return self._names[key]

    def call(self, function: Json, *arguments: Json) -> str:
        """A call; what is not a name of ours is a constant."""
        return f"{self.constant(function)}({', '.join(map(self.constant, arguments))})"

    def function(self, head: str, lines: list[str]) -> str:
        """Add a function and give its name."""
        name = f"f{len(self.functions)}"
        body = "\n".join(f"    {line}" for line in lines) or "    pass"
        self.functions.append(f"def {name}({head}):\n{body}\n")
        return name

    def code(self, entry: str) -> Code:
        """All functions made so far, as one source that begins at `entry`."""
        return Code("\n\n".join(self.functions), self.constants, entry)


def type_code(schema: ElementSchema, parts: CheckBuilder) -> Code:
    """The check of a type or of a backbone element: ``check(v, path, run)``."""
    writer = _Writer(parts)
    members = parts.members(schema)
    shape = elements.Shape(schema.path, members, parts.element())
    lines = [
        "if type(v) is not dict or not v:",
        f"    return {writer.call(elements.bad_object, V, PATH, RUN)}",
        f"if not {writer.constant(frozenset(members).issuperset)}(v):",
        f"    {writer.call(elements.check_other_properties, V, PATH, RUN, shape)}",
    ]
    for child in schema.children:
        lines += _type_child(writer, child)
    lines += _root_constraints(writer, schema)
    if schema.binding and "." not in schema.path:  # a type whose values are bound wherever they are
        lines.append(writer.call(parts.binding(schema, ""), V, PATH, RUN))
    hook = parts.hook(schema.path)
    if hook:
        lines.append(writer.call(hook, V, PATH, RUN))
    return writer.code(writer.function("v, path, run", lines))


def profile_code(schema: ElementSchema, parts: CheckBuilder, profile: str) -> Code:
    """What a profile adds to its type: ``check(x, t, s, run)``."""
    writer = _Writer(parts, profile)
    return writer.code(_item_function(writer, schema))


def _type_child(writer: _Writer, child: ElementSchema) -> list[str]:
    if child.is_choice:
        return _type_choice(writer, child)
    key = writer.constant(child.name)
    member = writer.parts.member(child)
    rules = _value_rules(writer, child)
    if child.max == 0:
        return []
    if writer.parts.is_element_id(child):
        place = (_Name(f"v[{key}]"), _Name(f"(path, {key})"), RUN)
        return [f"if {key} in v: {writer.call(elements.element_id, *place)}"]
    if member.predicate and not member.is_list and not rules and child.min == 0:
        return [f"if {key} in v and {_primitive(writer, child, key)}"]
    lines = [f"if {key} in v:", f"    {_form(writer, child, key)}"]
    if rules:
        lines += [f"    for x, t, s in {_values(writer, child)}:"]
        lines += [f"        {line}" for line in rules]
    if child.min:
        lines += ["else:", f"    {writer.call(elements.missing, V, child.path, PATH, RUN)}"]
    return lines


def _form(writer: _Writer, child: ElementSchema, key: str) -> str:
    """The check of a value's form, where the property is there."""
    member = writer.parts.member(child)
    if member.predicate and member.is_list:
        return writer.call(elements.primitives, V, child.name, member, PATH, RUN)
    if member.predicate:
        return f"if {_primitive(writer, child, key)}"
    if member.check is None:
        return "pass"
    if member.is_list:
        return (
            f"{writer.call(elements.each, _Name(f'v[{key}]'), member.check, PATH, child.name, RUN)}"
        )
    return f"{writer.constant(member.check)}(v[{key}], (path, {key}), run)"


def _primitive(writer: _Writer, child: ElementSchema, key: str) -> str:
    """``not good(v[k]): say why``, the tail of an if."""
    member = writer.parts.member(child)
    place = f"(path, {key}), run"
    value = f"v[{key}]"
    binding = child.binding
    if binding and binding.strength == "required" and member.type == "code":
        codes = writer.constant(writer.parts.codes(binding.value_set))
        bound = writer.constant(writer.parts.binding(child, writer.profile).check_code)
        return f"(type({value}) is not str or {value} not in {codes}): {bound}({value}, {place})"
    bad = writer.constant(elements.bad_primitive)
    name = writer.constant(member.type)
    return f"not {writer.constant(member.predicate)}({value}): {bad}({value}, {name}, {place})"


def _type_choice(writer: _Writer, child: ElementSchema) -> list[str]:
    members = writer.parts.choices(child)
    keys = writer.constant(frozenset(members).isdisjoint)
    choice = elements.Choice(child.path, members)
    lines = [f"if not {keys}(v):", f"    {writer.call(elements.choice, V, choice, PATH, RUN)}"]
    rules = _value_rules(writer, child)
    if rules:
        lines += [f"    for x, t, s in {_values(writer, child)}:"]
        lines += [f"        {line}" for line in rules]
    if child.min:
        lines += ["else:", f"    {writer.call(elements.missing, V, child.path, PATH, RUN)}"]
    return lines


def _values(writer: _Writer, child: ElementSchema) -> str:
    """The values of an element with their places."""
    if child.is_choice:
        keys = {key: m.type for key, m in writer.parts.choices(child).items()}
        return writer.call(elements.chosen, V, keys, PATH)
    return writer.call(elements.values, V, child.name, PATH)


def _root_constraints(writer: _Writer, schema: ElementSchema) -> list[str]:
    """The invariants of a type; not evaluated where no element they look at is there."""
    lines = []
    for constraint in schema.constraints:
        inlined = writer.parts.inlined(constraint)
        invariant = writer.parts.invariant(constraint, schema, "")
        if invariant is None:
            continue
        guard = inlined or _guards(writer, constraint, schema, V)
        invariant.looks_at(writer.parts.looked_at(constraint, schema))
        call = writer.call(invariant, V, _Name("None"), PATH, RUN)
        lines.append(f"if {guard}: {call}" if guard else call)
    return lines


def _guards(writer: _Writer, constraint: Constraint, schema: ElementSchema, value: _Name) -> str:
    """The condition without which an invariant of a type is true of a value; nothing if unknown."""
    keys = writer.parts.guard(constraint, schema)
    needed = writer.parts.needed(constraint, schema) or ([keys] if keys else [])
    return " and ".join(_guard(writer, each, value.text) for each in needed)


def _guard(writer: _Writer, keys: frozenset[str], value: str) -> str:
    """The condition that one of some keys is there."""
    if len(keys) == 2:  # an element that is not a choice
        name, beside = sorted(keys, key=len)
        return f"({writer.constant(name)} in {value} or {writer.constant(beside)} in {value})"
    return f"not {writer.constant(keys.isdisjoint)}({value})"


def _item_function(writer: _Writer, schema: ElementSchema) -> str:
    """The function for one value of an element of a profile; its name."""
    return writer.function("x, t, s, run", _item_lines(writer, schema))


def _item_lines(writer: _Writer, schema: ElementSchema) -> list[str]:
    lines = _value_rules(writer, schema)
    if schema.children:
        primitive = writer.parts.is_primitive(schema)
        beside = writer.constant(elements.beside_trail)
        lines.append(f"v, path = s, {beside}(t)" if primitive else "v, path = x, t")
        for child in schema.children:
            lines += _profile_child(writer, child)
    return lines


def _profile_child(writer: _Writer, child: ElementSchema) -> list[str]:
    lines = [f"found = {_values(writer, child)}"]
    if child.min:
        least = (FOUND, child.path, child.min, PATH, RUN, writer.profile)
        lines.append(f"if len(found) < {int(child.min)}: {writer.call(elements.too_few, *least)}")
    if child.max is not None:
        most = (FOUND, child.path, child.max, PATH, RUN, writer.profile)
        lines.append(f"if len(found) > {int(child.max)}: {writer.call(elements.too_many, *most)}")
    inner = _item_lines(writer, child)
    if inner:
        name = writer.function("x, t, s, run", inner)
        lines += ["for x, t, s in found:", f"    {name}(x, t, s, run)"]
    if child.slicing:
        sliced, functions = _slices(writer, child)
        lines.append(writer.call(check_slices, FOUND, sliced, functions, PATH, RUN))
    return lines


def _slices(writer: _Writer, child: ElementSchema) -> tuple[Json, _Name]:
    """The slicing of an element, and the functions for the items of each of its slices."""
    assert child.slicing is not None, "called for sliced elements only"
    sliced = writer.parts.sliced(child, writer.profile)
    parts = []
    for each in child.slicing.slices:
        inner = "()"
        if each.element.slicing:
            inner = _slices(writer, each.element)[1].text
        parts.append(f"({_item_function(writer, each.element)}, {inner}), ")
    return sliced, _Name(f"({''.join(parts)})")


def _value_rules(writer: _Writer, schema: ElementSchema) -> list[str]:
    """The rules for one value of an element: ``x`` at ``t``, with ``s`` beside it."""
    parts, profile = writer.parts, writer.profile
    lines = []
    for rule in (parts.allowed, parts.conforms, parts.target, parts.bound):
        made = rule(schema, profile)
        if made is not None:
            lines.append(writer.call(made, X, T, RUN))
    for name, function in limits.RULES.items():
        stated = getattr(schema, name)
        if stated is not None:
            lines.append(writer.call(function, X, S, stated, T, RUN, profile))
    for constraint in parts.constraints(schema, profile):
        invariant = parts.invariant(constraint, schema, profile)
        if invariant is None:
            continue
        call = writer.call(invariant, X, S, T, RUN)
        of_type = parts.type_of(schema)
        guard = _guards(writer, constraint, of_type, X) if of_type else ""
        if of_type:
            invariant.looks_at(parts.looked_at(constraint, of_type))
        lines.append(f"if type(x) is not dict or {guard}: {call}" if guard else call)
    return lines
