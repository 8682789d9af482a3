"""`fhirpkg explain`: what a rule means, or the check that runs for a type or profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fhirpkg.errors import ConfigError

if TYPE_CHECKING:
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Resource


@click.command(short_help="Explain a rule, or print the check that runs for a type.")
@click.argument("rule", required=False)
@click.option("--code", metavar="TYPE|CANONICAL", help="Print the check of a type or profile.")
@click.option(
    "--fhir-version",
    default="4.0.1",
    show_default=True,
    metavar="4.0.1|4.3.0|5.0.0",
    help="The version of FHIR whose invariants and types are meant, also as R4, R4B or R5.",
)
def command(rule: str | None, code: str | None, fhir_version: str) -> None:
    """Explain a rule: what it means, how severe it is, what to do, and where it is specified.

    Without a rule, list them all. Keys of FHIR's own invariants (dom-6, ref-1) are accepted, too.

    Example: fhirpkg explain reference-target
    """
    if code:
        click.echo(_source(code, fhir_version), nl=False)
    elif rule:
        click.echo(told(rule, fhir_version))
    else:
        from fhirpkg.cli.catalogue import catalogue

        for each in catalogue().values():
            click.echo(f"{each.id:36} {each.severity:12} {each.title}")


def told(rule_id: str, fhir_version: str = "4.0.1") -> str:
    """What a rule means, how bad it is, what to do and where it is written, line by line.

    Raises ConfigError for an unknown id, and PackageError where the definitions of a version
    of FHIR are not in the cache.
    """
    from fhirpkg.cli.catalogue import catalogue
    from fhirpkg.rules import nearest

    rule = catalogue().get(rule_id)
    if rule is None:
        invariants = invariants_of(_definitions(fhir_version))
        if rule_id not in invariants:
            known = [*catalogue(), *invariants]
            raise ConfigError(f"there is no rule '{rule_id}'{nearest(rule_id, known)}")
        return _invariant_words(*invariants[rule_id])
    severity = f"{rule.severity}, under --strict an error" if rule.is_strict else rule.severity
    lines = [f"{rule.id} ({severity}): {rule.title}.", f"  says:   {rule.text}"]
    if rule.advice:
        lines.append(f"  to do:  {rule.advice}")
    if rule.spec:
        lines.append(f"  see:    {rule.spec}")
    return "\n".join(lines)


def invariants_of(definitions: Definitions) -> dict[str, tuple[Resource, Resource]]:
    """The invariants of the core by key, each with the first element that states it."""
    found: dict[str, tuple[Resource, Resource]] = {}
    for entry in definitions.entries("StructureDefinition"):
        structure = definitions.find(entry.url, "StructureDefinition") or {}
        for element in structure.get("snapshot", {}).get("element", ()):
            for constraint in element.get("constraint", ()):
                found.setdefault(constraint["key"], (constraint, element))
    return found


def _invariant_words(constraint: Resource, element: Resource) -> str:
    source = constraint.get("source", "")
    stated = f"stated by {source}" if source else f"stated on {element['path']}"
    return (
        f"{constraint['key']} ({constraint['severity']}): {constraint['human']}\n"
        f"  holds:  {constraint.get('expression', 'in words only, so it cannot be checked')}\n"
        f"  see:    {stated}"
    )


def _definitions(fhir_version: str) -> Definitions:
    from fhirpkg.definitions.cores import definitions_of
    from fhirpkg.releases import release_of

    return definitions_of(release_of(fhir_version))


def _source(name: str, fhir_version: str) -> str:
    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.validation.compiling.checks import Checks
    from fhirpkg.validation.run import Settings

    definitions = _definitions(fhir_version)
    code = Checks(definitions, Terminology(definitions), Settings()).code(name)
    constants = "".join(f"# {name} = {value!r}\n" for name, value in code.constants.items())
    return constants + code.source
