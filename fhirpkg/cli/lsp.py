"""`fhirpkg lsp`: the language server that editors start."""

from __future__ import annotations

import click

from fhirpkg.errors import ConfigError


@click.command(short_help="Run the language server for editors.")
def command() -> None:
    """Serve editors over the Language Server Protocol, on standard input and output.

    While you edit JSON, XML, NDJSON and procedure.yaml it reports findings, explains their rules
    and opens what references and canonicals name. It follows the settings of `validate` in the
    workspace's fhirpkg.toml or pyproject.toml.

    Example: fhirpkg lsp
    in Neovim: vim.lsp.start({ name = "fhirpkg", cmd = { "fhirpkg", "lsp" } })
    """
    try:
        from fhirpkg.cli.editor.server import serve
    except ImportError as error:
        raise ConfigError("lsp needs pygls: pip install 'fhirpkg[lsp]'") from error
    serve()
