"""`fhirpkg install`: FHIR packages and what they depend on, into the local package cache."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirpkg.cli import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.canonical import PackageId
    from fhirpkg.packages.cache import PackageCache
    from fhirpkg.packages.lock import Locked
    from fhirpkg.packages.package import Package


@click.command(short_help="Put FHIR packages into the local package cache.")
@click.argument("packages", nargs=-1, metavar="PACKAGE...")
@click.option("--offline", is_flag=True, help="Fetch nothing; report what is missing.")
@click.option(
    "--lock",
    "lock_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Install the versions in this file, and record in it what was installed.",
)
@click.option(
    "--frozen",
    is_flag=True,
    help="Install what the lock file says and fail on any difference; write nothing to it.",
)
def command(
    packages: tuple[str, ...], *, offline: bool, lock_file: Path | None, frozen: bool
) -> ExitCode:
    """Put packages, and all that they depend on, into ~/.fhir/packages (or FHIRPKG_CACHE).

    PACKAGE is NAME#VERSION or a .tgz file; with --frozen, by default all that the lock file names.
    A version is exact (4.0.1), a wildcard (4.0.x) or left out for the latest release. The registry
    is that of FPL_REGISTRY, with the token in FPL_REGISTRY_TOKEN, or HL7's two; FHIRPKG_REGISTRIES
    names others for namespaces (acme=https://npm.acme.example|TOKEN_VARIABLE). Exit code 2
    when a package named here cannot be fetched or differs from the lock, 1 when a dependency
    cannot be fetched.

    Example: fhirpkg install hl7.fhir.uv.cpg#2.0.0 --lock packages.lock
    """
    from fhirpkg.errors import ConfigError
    from fhirpkg.packages.cache import PackageCache, needed
    from fhirpkg.packages.lock import lock_text, read_lock

    if frozen and (lock_file is None or not lock_file.exists()):
        raise ConfigError("--frozen needs --lock with a lock file that exists")
    lock = read_lock(lock_file) if lock_file else {}
    named = packages or (tuple(map(str, lock)) if frozen else ())
    if not named:
        raise click.UsageError("name a package, NAME#VERSION or a .tgz file")
    cache = PackageCache()
    before = set(cache.installed())
    waiting = [(_asked(text, cache), "") for text in named]
    seen: set[PackageId] = set()
    found: dict[PackageId, Locked] = {}
    outcome = ExitCode.DONE
    while waiting:
        wanted, whose = waiting.pop(0)
        if wanted in seen:
            continue
        seen.add(wanted)
        package = _install(wanted, whose, cache, lock, offline=offline, frozen=frozen)
        if package is None:
            failed = ExitCode.ISSUES if whose and not frozen else ExitCode.UNUSABLE
            outcome = max(outcome, failed)
        else:
            done = "is already" if package.id in before else "put"
            click.echo(f"{package.id} {done} in {cache.folder}")
            found[package.id] = _locked(package, cache)
            waiting += [(each, str(package.id)) for each in needed(package.manifest)]
    if lock_file and not frozen and outcome is not ExitCode.UNUSABLE:
        from fhirpkg.authoring.writing import replace

        replace(lock_file, lock_text({**lock, **found}.values()).encode())
    return outcome


def _install(
    wanted: PackageId,
    whose: str,
    cache: PackageCache,
    lock: dict[PackageId, Locked],
    *,
    offline: bool,
    frozen: bool,
) -> Package | None:
    """The package, fetched if need be; None, and a line that says so, when it cannot be had."""
    from fhirpkg.errors import PackageError
    from fhirpkg.packages.cache import resolve_named
    from fhirpkg.packages.lock import check_locked, pinned

    known = pinned(lock, wanted)
    needed_by = f" (needed by {whose})" if whose else ""
    if frozen and known is None:
        problem = "it is not in the lock file; run without --frozen"
        click.echo(f"fhirpkg: {wanted}: {problem}{needed_by}", err=True)
        return None
    try:
        package = resolve_named(
            str(known.id if known else wanted),
            cache,
            offline=offline,
            progress=_progress(wanted),
            sha256=known.sha256 if known else "",
            tell=lambda words: click.echo(f"{words}{needed_by}", err=True),
        )
        if frozen or known:
            check_locked(_locked(package, cache), known)
    except PackageError as error:
        click.echo(f"fhirpkg: {error}{needed_by}", err=True)
        return None
    else:
        _tell_jump(package.id, lock, cache)
        return package


def _tell_jump(id_: PackageId, lock: dict[PackageId, Locked], cache: PackageCache) -> None:
    """Say when another major version of a package was known before."""
    others = {each.version for each in (*lock, *cache.installed()) if each.name == id_.name}
    major = str(id_.version).partition(".")[0]
    jumps = sorted(v for v in others if v and v.partition(".")[0] != major)
    if jumps:
        click.echo(f"{id_}: other major versions are here too: {', '.join(jumps)}", err=True)


def _locked(package: Package, cache: PackageCache) -> Locked:
    from fhirpkg.packages.lock import Locked, tree_digest

    origin = cache.origin(package.id)
    name, version = package.id.name, package.id.version or ""
    return Locked(name, version, origin.url, origin.sha256, tree_digest(package))


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
    from fhirpkg.canonical import PackageId
    from fhirpkg.packages.package import read_package

    if text.endswith((".tgz", ".tar.gz")):
        id_ = read_package(Path(text)).id
        return cache.add(Path(text).read_bytes(), id_).id
    try:
        return PackageId.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
