"""``python -m fhirpkg``, and the start of the `fhirpkg` command."""

import gc
import sys

_YOUNG = 50_000
"""New objects after which Python looks for circles among them; at 700, a start is 3 % dearer."""


def main() -> None:
    """Run the command line; an interrupt while it is being imported ends it like any other."""
    gc.set_threshold(_YOUNG)
    try:
        from fhirpkg.cli import main as run  # noqa: PLC0415 - importing takes time
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    try:
        run()
    finally:
        gc.freeze()  # the end of the process frees all memory: no last search for circles


if __name__ == "__main__":
    main()
