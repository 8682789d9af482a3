"""Rules of FHIR packages: what package.json and .index.json must say."""

from fhirpkg.rules import ERROR, WARNING, Rule

_SPEC = "https://hl7.org/fhir/packages.html"

RULES = (
    Rule(
        "package-name",
        ERROR,
        "value",
        "A package has a name of two or more lower-case words joined by dots",
        "the name '{name}' is not of lower-case words joined by dots, like 'example.procedures'",
        spec=_SPEC,
    ),
    Rule(
        "package-version",
        ERROR,
        "value",
        "A package has a semantic version",
        "the version '{version}' is not one of three numbers, like '1.0.0' or '1.0.0-draft'",
        spec="https://semver.org/",
    ),
    Rule(
        "package-property-missing",
        WARNING,
        "required",
        "package.json says who made the package, what it is and what it needs",
        "package.json has no '{name}'",
        spec=_SPEC,
    ),
    Rule(
        "package-fhir-version",
        WARNING,
        "business-rule",
        "A package depends on the core package of its FHIR version",
        "neither a dependency on hl7.fhir.r4.core nor fhirVersions 4.0.1 says that this is R4",
        'add "hl7.fhir.r4.core": "4.0.1" to the dependencies',
        _SPEC,
    ),
    Rule(
        "package-index",
        WARNING,
        "structure",
        ".index.json lists the resources of the package as they are",
        "{problem}",
        "leave .index.json out or make it anew: readers that trust it lose resources",
        _SPEC,
    ),
    Rule(
        "package-no-resource",
        WARNING,
        "structure",
        "Each JSON file in the top folder of a package is a resource",
        "the file is no FHIR resource",
        "put what is no resource into another folder, like package/other",
        _SPEC,
    ),
    Rule(
        "package-same-canonical",
        WARNING,
        "duplicate",
        "A package defines each canonical once",
        "'{canonical}' is defined in {other} as well",
        "readers take the one or the other",
        _SPEC,
    ),
)
