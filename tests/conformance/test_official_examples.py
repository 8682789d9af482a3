"""The official R4 examples: none is wrongly rejected, and those that are invalid are flagged."""

import multiprocessing
import pathlib

import pytest

from fhirpkg.validation.validator import Validator

HERE = pathlib.Path(__file__).parent
EXAMPLES = HERE.parents[1] / ".examples" / "hl7.fhir.r4.examples#4.0.1" / "package"
INVALID = HERE / "invalid_examples.txt"


def invalid_examples():
    lines = INVALID.read_text().splitlines()
    return {line.split(": ")[0] for line in lines if line and not line.startswith("#")}


def check(path):
    """The name of an example that has errors, or nothing."""
    return path.name if check.validator.validate(path).errors else ""


@pytest.mark.examples
@pytest.mark.timeout(300)
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason=f"no examples at {EXAMPLES}: scripts/examples")
def test_the_examples_with_errors_are_those_known_to_be_invalid():
    files = sorted(p for p in EXAMPLES.glob("*.json") if not p.name.startswith(("package", ".")))
    assert len(files) > 5300
    check.validator = Validator()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        rejected = set(pool.imap_unordered(check, files, chunksize=16)) - {""}
    assert rejected == invalid_examples()
