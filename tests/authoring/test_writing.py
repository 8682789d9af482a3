"""Files are replaced as a whole, or not at all."""

import resource

import pytest

from fhirpkg.authoring.writing import replace
from fhirpkg.errors import SourceError


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_trace(tmp_path):
    file = tmp_path / "a.json"
    replace(file, b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, limits[1]))  # as when the disk is full
    try:
        with pytest.raises(SourceError, match=r"a.json: it cannot be written \(File too large\)"):
            replace(file, b"new and longer")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert file.read_bytes() == b"old"
