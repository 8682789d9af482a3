"""``python -m fhirpkg``."""

from fhirpkg.cli import main

main()
