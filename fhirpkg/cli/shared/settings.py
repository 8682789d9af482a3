"""Settings of a repository: `fhirpkg.toml`, or `[tool.fhirpkg]` in `pyproject.toml`.

A table a verb, with the names of its options::

    [validate]
    paths = ["resources", "profiles"]
    package = ["hl7.fhir.us.core#6.1.0"]
    fail-on = "warning"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fhirpkg.errors import ConfigError, SourceError
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from pathlib import Path

Values = dict[str, object]


def settings_in(folder: Path, context: click.Context, verbs: tuple[str, ...]) -> dict[str, Values]:
    """The defaults of each verb, as click's `default_map`; empty without a file.

    Raises ConfigError for a verb, option or value that does not exist, SourceError for a file that
    cannot be read.
    """
    file, tables = _tables(folder)
    found: dict[str, Values] = {}
    for verb, table in tables:
        where = f"{file}: [{verb}]"
        if verb not in verbs or not isinstance(table, dict):
            allowed = ", ".join(f"[{each}]" for each in verbs)
            raise ConfigError(f"{where}: not a table of settings; allowed are: {allowed}")
        found[verb] = _defaults(where, verb, table, context)
    return found


def _tables(folder: Path) -> tuple[Path, list[tuple[str, object]]]:
    own = folder / "fhirpkg.toml"
    if own.is_file():
        return own, list(_read(own).items())
    project = folder / "pyproject.toml"
    tools = _read(project).get("tool") if project.is_file() else None
    tables = tools.get("fhirpkg", {}) if isinstance(tools, dict) else {}
    if not isinstance(tables, dict):
        raise ConfigError(f"{project}: tool.fhirpkg is not a table")
    return project, list(tables.items())


def _read(file: Path) -> Values:
    import tomllib

    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SourceError(str(file), error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise SourceError(str(file), "this is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: this is not TOML: {error}") from error


def _defaults(where: str, verb: str, table: Values, context: click.Context) -> Values:
    """The values of one table by the names of click's parameters, each tried on its option."""
    assert isinstance(context.command, click.Group), "settings belong to the group of verbs"
    command = context.command.get_command(context, verb)
    assert command is not None, "the verbs with settings exist"
    parameters = {_name(parameter): parameter for parameter in command.params}
    found: Values = {}
    for key, value in table.items():
        if key not in parameters:
            raise ConfigError(f"{where}: there is no '{key}'{nearest(key, list(parameters))}")
        parameter = parameters[key]
        _check(f"{where} {key}", parameter, value, click.Context(command, info_name=verb))
        found[str(parameter.name)] = value
    return found


def _name(parameter: click.Parameter) -> str:
    """An option's long name without its dashes, an argument's own name."""
    long = [option for option in parameter.opts if option.startswith("--")]
    return long[0].removeprefix("--") if long else str(parameter.name)


def _check(where: str, parameter: click.Parameter, value: object, context: click.Context) -> None:
    """Raise ConfigError for a value that is not of the parameter's type."""
    is_many = parameter.multiple or parameter.nargs == -1
    values = value if isinstance(value, list) else [value]
    if is_many is not isinstance(value, list):
        raise ConfigError(
            f"{where}: this must be {'a list' if is_many else 'one value, not a list'}"
        )
    is_flag = isinstance(parameter.type, click.types.BoolParamType)
    wanted = bool if is_flag else int if isinstance(parameter.type, click.IntRange) else str
    for each in values:
        if type(each) is not wanted:
            names = {bool: "true or false", int: "a number", str: "text"}
            raise ConfigError(f"{where}: {each!r} is not {names[wanted]}")
        try:
            parameter.type.convert(each, parameter, context)
        except click.BadParameter as error:
            raise ConfigError(f"{where}: {error.message}") from error
