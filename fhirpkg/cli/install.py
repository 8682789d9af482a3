"""`fhirpkg install`: FHIR packages and what they depend on, into the local package cache."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from fhirpkg.cli import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.canonical import PackageId
    from fhirpkg.packages.cache import PackageCache
    from fhirpkg.packages.package import Package


@click.command(short_help="Put FHIR packages into the local package cache.")
@click.argument("packages", nargs=-1, required=True, metavar="PACKAGE...")
@click.option("--offline", is_flag=True, help="Fetch nothing; say what is missing.")
def command(packages: tuple[str, ...], offline: bool) -> ExitCode:
    """Put packages and all they depend on into ~/.fhir/packages (or FHIRPKG_CACHE).

    PACKAGE is NAME#VERSION or a .tgz file. A version is exact (4.0.1), a wildcard (4.0.x) or left
    out for the latest. The registry is that of FPL_REGISTRY, with the token in FPL_REGISTRY_TOKEN,
    or HL7's. Ends with 2 when a package
    named here cannot be had, with 1 when one that it depends on cannot.

    Example: fhirpkg install hl7.fhir.uv.cpg#2.0.0
    """
    from fhirpkg.packages.cache import PackageCache, needed

    cache = PackageCache()
    before = set(cache.installed())
    waiting = [(_asked(text, cache), "") for text in packages]
    seen: set[PackageId] = set()
    outcome = ExitCode.DONE
    while waiting:
        wanted, whose = waiting.pop(0)
        if wanted in seen:
            continue
        seen.add(wanted)
        package = _install(wanted, whose, cache, offline=offline)
        if package is None:
            outcome = max(outcome, ExitCode.ISSUES if whose else ExitCode.UNUSABLE)
        else:
            done = "is already" if package.id in before else "put"
            click.echo(f"{package.id} {done} in {cache.folder}")
            waiting += [(each, str(package.id)) for each in needed(package.manifest)]
    return outcome


def _install(
    wanted: PackageId, whose: str, cache: PackageCache, *, offline: bool
) -> Package | None:
    """The package, fetched if need be; None, and a line that says so, when it cannot be had."""
    from fhirpkg.errors import PackageError
    from fhirpkg.packages.cache import resolve_package

    try:
        return resolve_package(str(wanted), cache, offline=offline, progress=_progress(wanted))
    except PackageError as error:
        needed_by = f" (needed by {whose})" if whose else ""
        click.echo(f"fhirpkg: {error}{needed_by}", err=True)
        return None


def _progress(wanted: PackageId) -> Callable[[int, int], None] | None:
    """What shows a download on a terminal, in one line that is written over."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        of_all = f" of {total / 1e6:.1f}" if total else ""
        end = "\n" if done == total else ""
        click.echo(f"\r{wanted}: {done / 1e6:.1f}{of_all} MB{end}", err=True, nl=False)

    return show


def _asked(text: str, cache: PackageCache) -> PackageId:
    """The package that is asked for; one in a file is put into the cache at once."""
    from pathlib import Path

    from fhirpkg.canonical import PackageId
    from fhirpkg.packages.package import read_package

    if text.endswith((".tgz", ".tar.gz")):
        id_ = read_package(Path(text)).id
        return cache.add(Path(text).read_bytes(), id_).id
    try:
        return PackageId.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
