"""Imports go downwards, third parties stay in their places; docs/architecture.md has the levels."""

import ast
import graphlib
import importlib.util
import pathlib
import re
import subprocess
import sys
from collections import Counter

import pytest

ROOT = pathlib.Path(__file__).parent.parent / "fhirpkg"
ARCHITECTURE = (ROOT.parent / "docs" / "architecture.md").read_text()
LEVELS = {
    room: int(level)
    for level, rooms in re.findall(r"^\| (\d) \| (.*) \|$", ARCHITECTURE, re.MULTILINE)
    for room in rooms.split(", ")
}
ORDER_OF_LEVEL_0 = [name for name, level in LEVELS.items() if level == 0]
HOMES = {
    "babel": {"languages"},
    "click": {"cli"},
    "cryptography": {"client", "server"},
    "fhir": {"authoring"},
    "jinja2": {"render", "pages"},
    "jwt": {"client", "server"},
    "docx": {"authoring", "sheets"},
    "lxml": {"fhirxml", "authoring", "pages"},
    "markupsafe": {"render", "pages"},
    "openpyxl": {"authoring", "render", "sheets"},
    "pydantic": {"authoring"},
    "lsprotocol": {"cli"},
    "pygls": {"cli"},
    "pyarrow": {"spark"},
    "pyspark": {"spark"},
    "requests": {"packages", "client"},
    "urllib3": {"client"},
    "starlette": {"server"},
    "uvicorn": {"server"},
    "watchfiles": {"cli"},
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


def problems(path):
    """What is wrong with the imports of one file."""
    here = part(path)
    for name in imported(path) if here != "__init__" else ():
        top, _, rest = name.partition(".")
        there = rest.partition(".")[0]
        if top == "fhirpkg" and there not in {here, ""}:
            yield from upward(name, here, there)
        elif top not in {"fhirpkg", *sys.stdlib_module_names, *homes_of(here)}:
            yield f"{top} has its home elsewhere"


def homes_of(room):
    return [name for name, rooms in HOMES.items() if room in rooms]


def upward(name, here, there):
    if there not in LEVELS:
        yield f"{name} is in no level"
    elif LEVELS[there] > LEVELS[here]:
        yield f"{name} is above"
    elif LEVELS[there] == LEVELS[here] == 0:
        if ORDER_OF_LEVEL_0.index(there) >= ORDER_OF_LEVEL_0.index(here):
            yield f"{name} is beside or above"
    elif LEVELS[there] == LEVELS[here]:
        yield f"{name} is beside"


def test_imports_go_downwards_and_third_parties_stay_at_home():
    found = [
        f"{path.relative_to(ROOT)}: {problem}" for path in MODULES for problem in problems(path)
    ]
    assert not found


def test_every_room_has_a_level_and_every_level_its_rooms():
    assert {part(path) for path in MODULES} - {"__init__"} == LEVELS.keys()


def test_files_stay_small_enough_to_see_whole():
    lengths = {path: len(path.read_text().splitlines()) for path in MODULES}
    assert not {str(path): length for path, length in lengths.items() if length > 400}


def test_rooms_stay_small_enough_to_know():
    rooms = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert not {str(room): count for room, count in rooms.items() if count > 20}


RECURSIONS = {
    "a term of FHIRPath holds terms": "fhirpath.compiler fhirpath.calls fhirpath.operators",
    "a term of CQL holds terms": (
        "cql.reading.parser cql.reading.queries cql.reading.selectors cql.reading.timing"
    ),
}
"""The modules that know each other, if by type only, and what in the matter is a circle itself."""


def test_no_circle_of_imports_but_where_the_matter_is_one():
    node_of = {f"fhirpkg.{name}": why for why, ring in RECURSIONS.items() for name in ring.split()}
    names = {name_of(path): path for path in MODULES}
    graph = {}
    for name, path in names.items():
        node = node_of.get(name, name)
        used = {node_of.get(each, each) for each in modules_used(path, names)}
        graph.setdefault(node, set()).update(used - {node})
    graphlib.TopologicalSorter(graph).prepare()  # a CycleError names the modules


def name_of(path):
    """The dotted name of a module."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def modules_used(path, names):
    """The modules that a file imports, at run time or for its types."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom):
            of_modules = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in names else node.module for name in of_modules)


@pytest.mark.timeout(600)
def test_each_module_imports_alone():
    """Each in a process of its own, forked from one that has imported libraries only."""
    names = [name_of(path) for path in MODULES]
    if importlib.util.find_spec("pyspark") is None:  # an extra that development does without
        names.remove("fhirpkg.spark")
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH_ALONE, *names],
        cwd=ROOT.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


IMPORT_EACH_ALONE = """
import gc, importlib, os, sys
import babel, click, docx, jinja2, lxml.html, openpyxl, pydantic, requests
import starlette.applications, uvicorn, yaml
gc.disable()
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(f"{name}: {error}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
