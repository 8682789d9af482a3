"""`fhirpkg.apply`: the public function, and that asking for it costs little."""

import subprocess
import sys

import fhirpkg
from fhirpkg.applying import application
from fhirpkg.repository import MemoryRepository

PATIENT = {"resourceType": "Patient", "id": "x"}
PLAN = {"resourceType": "PlanDefinition", "id": "p", "action": [{"title": "Act"}]}


def test_the_public_names_lead_to_their_homes():
    assert fhirpkg.apply is application.apply


def test_a_plan_is_applied_in_one_call():
    result = fhirpkg.apply(PLAN, "Patient/x", MemoryRepository([PATIENT]))
    assert result
    assert [str(why) for why in result.why] == ["Act: applicable"]


def test_what_is_not_needed_is_not_loaded():
    code = (
        "import sys; from fhirpkg import apply; from fhirpkg.repository import MemoryRepository;"
        f"apply({PLAN}, 'x', MemoryRepository([{PATIENT}]));"
        "print(sorted(n for n in sys.modules if n.startswith('fhirpkg.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in ("cql", "fhirpath.compiler", "validation", "client"):
        assert f"'fhirpkg.{name}" not in done.stdout
