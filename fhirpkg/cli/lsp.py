"""`fhirpkg lsp`: the language server that editors start."""

from __future__ import annotations

import click

from fhirpkg.errors import ConfigError


@click.command(short_help="Run the language server for editors.")
def command() -> None:
    """Serve editors over standard input and output, by the Language Server Protocol.

    It reports findings while JSON, XML, NDJSON and procedure.yaml are written, explains their rules
    and leads from references and canonicals to what they name. The settings of `validate` in
    fhirpkg.toml or pyproject.toml of the workspace hold.

    Example: fhirpkg lsp
    in Neovim: vim.lsp.start({ name = "fhirpkg", cmd = { "fhirpkg", "lsp" } })
    """
    try:
        from fhirpkg.cli.editor.server import serve
    except ImportError as error:
        raise ConfigError("lsp needs pygls: pip install 'fhirpkg[lsp]'") from error
    serve()
