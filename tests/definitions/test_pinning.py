import pytest

from fhirpkg.definitions.pinning import pin

VERSIONS = {"http://x/a": "1.0"}


@pytest.mark.parametrize(
    "resource, pinned",
    [
        ({"baseDefinition": "http://x/a"}, {"baseDefinition": "http://x/a|1.0"}),
        ({"baseDefinition": "http://x/a|2.0"}, {"baseDefinition": "http://x/a|2.0"}),
        ({"baseDefinition": "http://x/b"}, {"baseDefinition": "http://x/b"}),
        ({"url": "http://x/a"}, {"url": "http://x/a"}),
        (
            {"type": [{"profile": ["http://x/a"], "targetProfile": ["http://x/b", "http://x/a"]}]},
            {"type": [{"profile": ["http://x/a|1.0"],
                       "targetProfile": ["http://x/b", "http://x/a|1.0"]}]},
        ),
        (
            {"include": [{"system": "http://x/a"}, {"system": "http://x/a", "version": "3"}]},
            {"include": [{"version": "1.0", "system": "http://x/a"},
                         {"version": "3", "system": "http://x/a"}]},
        ),
        ({"patternCoding": {"system": "http://x/a"}}, {"patternCoding": {"system": "http://x/a"}}),
        ({"include": ["x"], "profile": [3], "exclude": 4},
         {"include": ["x"], "profile": [3], "exclude": 4}),
    ],
)  # fmt: skip
def test_a_canonical_without_version_gets_the_one_meant(resource, pinned):
    assert pin(resource, VERSIONS.get) == pinned
