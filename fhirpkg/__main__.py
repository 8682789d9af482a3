"""``python -m fhirpkg``, and the start of the `fhirpkg` command."""

import sys


def main() -> None:
    """Run the command line; an interrupt while it is being imported ends it like any other."""
    try:
        from fhirpkg.cli import main as run  # noqa: PLC0415 - importing takes time
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
