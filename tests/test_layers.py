"""The direction of imports: only downwards, third parties only in their places (see README)."""

import ast
import importlib
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent / "fhirpkg"
LEVELS = {
    "errors": 0, "issues": 0, "rules": 0, "parsing_rules": 0, "canonical": 0, "fhirjson": 0,
    "ucum": 0,
    "fhirpath": 1, "packages": 1, "repository": 1,
    "definitions": 2,
    "fhirxml": 3,
    "validation": 4, "render": 4, "client": 4, "cql": 4,
    "authoring": 5, "applying": 5, "bundling": 5,
    "server": 6, "publishing": 6,
    "cli": 7,
}  # fmt: skip
ORDER_OF_LEVEL_0 = ["errors", "issues", "rules", "parsing_rules", "canonical", "fhirjson", "ucum"]
HOMES = {
    "click": {"cli"},
    "cryptography": {"client", "server"},
    "fhir": {"authoring"},
    "jinja2": {"render"},
    "jwt": {"client", "server"},
    "lxml": {"fhirxml"},
    "markupsafe": {"render"},
    "pydantic": {"authoring"},
    "requests": {"packages", "client"},
    "starlette": {"server"},
    "uvicorn": {"server"},
    "yaml": {"authoring"},
}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.stem != "__main__")


def part(path: pathlib.Path) -> str:
    """The room a file belongs to: `validation` for fhirpkg/validation/slicing.py."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported(path: pathlib.Path) -> set[str]:
    """Dotted names that a file imports at run time; what only type checkers see does not count."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.dump(branch.test)
        for node in ast.walk(branch)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards_and_third_parties_stay_at_home(path):
    here = part(path)
    if here == "__init__":
        return
    for name in imported(path):
        top, _, rest = name.partition(".")
        if top == "fhirpkg":
            there = rest.partition(".")[0]
            if there in {here, ""}:
                continue
            assert there in LEVELS, f"{path}: {name} is in no level"
            assert LEVELS[there] <= LEVELS[here], f"{path}: {name} is above"
            if LEVELS[there] == LEVELS[here] == 0:
                order = ORDER_OF_LEVEL_0
                assert order.index(there) < order.index(here), f"{path}: {name} is beside or above"
            elif LEVELS[there] == LEVELS[here]:
                raise AssertionError(f"{path}: {name} is beside")
        elif top not in sys.stdlib_module_names:
            assert here in HOMES.get(top, set()), f"{path}: {top} is not at home here"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small_enough_to_see_whole(path):
    assert len(path.read_text().splitlines()) <= 500


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_module_imports(path):
    name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    importlib.import_module(name)
