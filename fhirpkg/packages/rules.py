"""Rules of FHIR packages: what package.json and .index.json must say."""

from fhirpkg.rules import error, warning

_SPEC = "https://hl7.org/fhir/packages.html"

PACKAGE_NAME = error(
    "package-name",
    "value",
    title="A package name is two or more lower-case words joined by dots",
    text="'{name}' is not lower-case words joined by dots, like 'example.procedures'",
    spec=_SPEC,
)
PACKAGE_VERSION = error(
    "package-version",
    "value",
    title="A package has a semantic version",
    text="'{version}' is not a semantic version, like '1.0.0' or '1.0.0-draft'",
    spec="https://semver.org/",
)
PACKAGE_PROPERTY_MISSING = warning(
    "package-property-missing",
    "required",
    title="package.json says who made the package, what it is and what it needs",
    text="package.json has no '{name}'",
    spec=_SPEC,
)
PACKAGE_FHIR_VERSION = warning(
    "package-fhir-version",
    "business-rule",
    title="A package depends on the core package of its FHIR version",
    text=(
        "neither a dependency on {release.package} nor fhirVersions {release.version} shows that "
        "this is {release.name}"
    ),
    advice='add "{release.package}": "{release.version}" to the dependencies',
    spec=_SPEC,
)
PACKAGE_OTHER_VERSION = error(
    "package-other-version",
    "not-supported",
    title="A package is for the version of FHIR that it is checked against",
    text="this package is for FHIR {versions}, not for {release}; its resources were not checked",
    advice="choose the version with --fhir-version",
    spec=_SPEC,
)
PACKAGE_INDEX = warning(
    "package-index",
    "structure",
    title=".index.json agrees with the files of the package",
    text=".index.json does not agree with the files: {problem}",
    advice="delete .index.json or rebuild it: readers that trust it miss resources",
    spec=_SPEC,
)
PACKAGE_NO_RESOURCE = warning(
    "package-no-resource",
    "structure",
    title="Each JSON file in the top folder of a package is a resource",
    text="this file is not a FHIR resource",
    advice="move files that are not resources to another folder, such as package/other",
    spec=_SPEC,
)
PACKAGE_SAME_CANONICAL = warning(
    "package-same-canonical",
    "duplicate",
    title="A package defines each canonical once",
    text="'{canonical}' is also defined in {other}",
    advice="readers will pick one of the two",
    spec=_SPEC,
)
