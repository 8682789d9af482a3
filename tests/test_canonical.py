"""Canonicals, package ids and versions."""

import doctest

import pytest

import fhirpkg.canonical
from fhirpkg.canonical import Canonical, PackageId, definition_name, version_key, version_matches


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(fhirpkg.canonical).failed == 0


@pytest.mark.parametrize("text", ["http://x/a", "http://x/a|1", "http://x/a#f", "http://x/a|1#f"])
def test_a_canonical_prints_as_it_was_read(text):
    assert str(Canonical.parse(text)) == text


@pytest.mark.parametrize("text", ["", "#1.0", "a b", "a#", "../x#1"])
def test_what_is_no_package_id_is_refused(text):
    with pytest.raises(ValueError, match="name#version"):
        PackageId.parse(text)


@pytest.mark.parametrize(
    "wanted, found, matches",
    [
        (None, "1.0.0", True), (None, None, True), ("1.0.0", None, False),
        ("1.0", "1.0.9", True), ("1.0.x", "1.1.0", False), ("1.0.0", "1.0.0-rc", False),
        ("20200101", "20200101", True),
    ],
)  # fmt: skip
def test_versions_match_as_packages_mean_them(wanted, found, matches):
    assert version_matches(wanted, found) is matches


def test_versions_order_by_number_and_a_release_after_its_candidates():
    versions = ["10.0.0", "9.0.0", "10.0.0-ballot", "2.x"]
    assert sorted(versions, key=version_key) == ["2.x", "9.0.0", "10.0.0-ballot", "10.0.0"]


@pytest.mark.parametrize(
    "url, name",
    [
        ("https://w3id.org/fhirpkg/StructureDefinition/criterion", "criterion"),
        ("http://example.org/base/StructureDefinition/criterion|0.2.0", "criterion"),
        ("http://example.org/ValueSet/criterion", ""),
        ("criterion", ""),
    ],
)
def test_a_definition_has_its_name_under_any_base(url, name):
    assert definition_name(url) == name
