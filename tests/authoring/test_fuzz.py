"""Whatever stands in an authored file, what comes of it is issues or resources, no traceback."""

import copy
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirpkg.authoring.build import build
from fhirpkg.authoring.checking.authored import check_package, check_procedure
from fhirpkg.authoring.source import read

SECOND = Path(__file__).parent / "second"
PROCEDURE = yaml.safe_load((SECOND / "tea-pouring" / "procedure.yaml").read_text())
PACKAGE = yaml.safe_load((SECOND / "package.yaml").read_text())

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


def places(value, path=()):
    yield path
    if not isinstance(value, (dict, list)):
        return
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield from places(item, (*path, key))


def with_value(data, path, value):
    data = copy.deepcopy(data)
    node = data
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return data


PLACES = [path for path in places(PROCEDURE) if path]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLACES), junk)
def test_junk_anywhere_is_told_or_built(path, value):
    text = yaml.safe_dump(with_value(PROCEDURE, path, value), allow_unicode=True).encode()
    procedure, issues = check_procedure(read(text, "procedure.yaml"))
    package, _ = check_package(read((SECOND / "package.yaml").read_bytes(), "package.yaml"))
    if procedure is None:
        assert issues
    else:
        assert build(package, {"a": procedure})["a"]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(PACKAGE)), junk)
def test_junk_in_the_package_is_told_or_taken(key, value):
    text = yaml.safe_dump({**PACKAGE, key: value}, allow_unicode=True).encode()
    package, issues = check_package(read(text, "package.yaml"))
    assert package or issues


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_told_to_be_no_procedure(data):
    procedure, issues = check_procedure(read(data, "a.yaml"))
    assert procedure is None
    assert issues
