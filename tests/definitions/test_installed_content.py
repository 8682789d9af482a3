"""What no package holds is sought in the content that is installed with the program."""

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.packages.installed import content_root, installed_resource, read_profiles


def own_profile():
    return read_profiles(content_root() / "resources")[0]


def test_our_own_profile_is_found_with_a_snapshot_though_no_package_was_loaded():
    profile = own_profile()
    assert Definitions.core().find(profile["url"]) == profile
    if profile["resourceType"] == "StructureDefinition":
        assert Definitions.core().structure(profile["url"])["snapshot"]["element"]


@pytest.mark.parametrize("change", ["|9.9.9", "x"])
def test_another_version_or_url_is_not_taken_for_it(change):
    assert Definitions.core().find(own_profile()["url"] + change) is None


def test_a_url_that_only_ends_like_ours_is_not_taken_for_it():
    profile = own_profile()
    other = f"http://example.org/{profile['resourceType']}/{profile['id']}"
    assert installed_resource(profile["resourceType"], profile["id"]) == profile
    assert Definitions.core().find(other) is None


def test_another_type_is_not_taken_for_it():
    assert Definitions.core().find(own_profile()["url"], "Library") is None
