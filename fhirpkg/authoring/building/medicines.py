"""How a medicine is taken: the author's dose, route and times as a Dosage. Nothing is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg import ucum
from fhirpkg.authoring.building.elements import (
    UCUM,
    action_timing,
    filled,
    quantity,
    schedule_words,
)
from fhirpkg.authoring.model.values import length
from fhirpkg.definitions.terminology.grammars import SNOMED_CT

if TYPE_CHECKING:
    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.issues import Resource

ROUTES = {
    "inhaled": "",
    "intra-arterial": "58100008",
    "intra-articular": "12130007",
    "intradermal": "372464004",
    "intramuscular": "78421000",
    "intraperitoneal": "38239002",
    "intrathecal": "72607000",
    "intravenous": "47625008",
    "nasal": "46713006",
    "oral": "26643006",
    "rectal": "37161004",
    "subcutaneous": "34206005",
    "topical": "6064005",
    "vaginal": "16857009",
}
"""Routes and their codes in SNOMED CT; each is in its Global Patient Set."""

COUNTED = frozenset(
    "ampoule ampoules application applications capsule capsules drop drops lozenge lozenges patch "
    "patches puff puffs sachet sachets spray sprays suppository suppositories tablet tablets unit "
    "units vial vials".split()
)
"""What doses are counted in; UCUM has no units for these."""
_UCUM_FOR = {"IU": "[iU]", "mcg": "ug"}
"""Units that clinicians write, and how UCUM writes them."""


def unit_problem(unit: str) -> str:
    """What is wrong with the unit of a dose, or nothing.

    >>> unit_problem("mg/m2"), unit_problem("IU/kg"), unit_problem("tablets")
    ('', '', '')
    """
    return "" if unit in COUNTED else ucum.problem(_ucum(unit)) or ""


def dosage(context: BuildContext, action: Action) -> Resource:
    """The Dosage of a medicine; its text is what the author says of dose, route and times."""
    route = action.route
    made: Resource = {
        "text": words(action) or action.text,
        "timing": action_timing(action),
        "site": _site(context, action),
        "route": _route(context, route) if route else None,
    }
    if isinstance(action.if_needed, str):
        made["asNeededCodeableConcept"] = {"text": action.if_needed}
    elif action.if_needed:
        made["asNeededBoolean"] = True
    if action.dose:
        read = length(action.dose)
        if read.is_exact:
            made["doseAndRate"] = [{"doseQuantity": _amount(read.most, read.unit)}]
        else:
            ends = {"low": _amount(read.least, read.unit), "high": _amount(read.most, read.unit)}
            made["doseAndRate"] = [{"doseRange": ends}]
    if action.max:
        dose, _, period = action.max.partition(" in ")
        most, time = length(dose), length(period)
        made["maxDosePerPeriod"] = {
            "numerator": _amount(most.most, most.unit),
            "denominator": quantity(time.most, time.unit),
        }
    return filled(made)


def words(action: Action) -> str:
    """Dose, route and times in a line for people: ``40 mg, subcutaneous, once daily, for 35 d``."""
    needed = action.if_needed if isinstance(action.if_needed, str) else ""
    parts = (
        action.dose or "",
        action.route or "",
        "" if action.chooses_site else "".join(action.sites),
        schedule_words(action),
        "only if needed" + (f" ({needed})" if needed else "") if action.if_needed else "",
        f"at most {action.max}" if action.max else "",
    )
    return ", ".join(filter(None, parts))


def _site(context: BuildContext, action: Action) -> Resource | None:
    """Where it is given; of several sites that one is to be chosen."""
    if action.chooses_site:
        return {"text": f"To be chosen: {' / '.join(action.sites)}"}
    return next(iter(context.concepts(action.sites)), None)


def _route(context: BuildContext, route: str) -> Resource:
    code = ROUTES.get(route)
    if code and route not in context.procedure.codes:
        return {"coding": [{"system": SNOMED_CT, "code": code}], "text": route}
    return context.concept(route)


def _amount(value: object, unit: str) -> Resource:
    """A quantity in the unit of the author; one that is counted has no code."""
    if unit in COUNTED:
        return {"value": value, "unit": unit}
    return {"value": value, "unit": unit, "system": UCUM, "code": _ucum(unit)}


def _ucum(unit: str) -> str:
    first, *rest = unit.split("/")
    return "/".join((_UCUM_FOR.get(first, first), *rest))
