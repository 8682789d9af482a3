"""An OperationOutcome for one input, a collection Bundle of them for several."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhirpkg.corpus.checking import Checked


def report(checked: list[Checked]) -> str:
    """The OperationOutcome or Bundle as JSON."""
    outcomes = [each.outcome.as_operation_outcome() for each in checked]
    whole: dict[str, Any] = (
        outcomes[0]
        if len(outcomes) == 1
        else {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": outcome} for outcome in outcomes],
        }
    )
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
