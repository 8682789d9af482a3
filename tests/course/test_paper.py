"""Pictures on paper: in parts that each fit on a page, without anything cut or missing."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, given, settings

from fhirpkg.course import pages
from fhirpkg.course.layout import drawing
from fhirpkg.course.paper import sheets
from fhirpkg.course.reading import course
from tests.course.boxes import SVG, faults
from tests.course.plans import OURS, PLANS, after, plan, step

WIDTH = 860.0
HIGHEST = WIDTH * 1.3


def nothing(_):
    return None


def parts(made):
    return sheets(course(made, nothing), WIDTH, HIGHEST)


def steps(course):
    return [step.name for step in course.whole.walk()][1:]


def test_our_plan_fits_page_by_page_and_nothing_is_missing():
    drawn = pages(OURS, nothing, prefix="p", width=WIDTH)
    assert len(drawn) > 2
    assert [fault for picture in drawn for fault in faults(picture)] == []
    roots = [ET.fromstring(picture) for picture in drawn]
    assert all(float(root.get("viewBox").split()[3]) <= HIGHEST for root in roots)
    text = re.sub(r"\s", "", "".join(t for r in roots for e in r.iter(f"{SVG}text")
                                     for t in e.itertext()))  # fmt: skip
    titles = re.findall(r'"title": "([^"]+)"', str(OURS).replace("'", '"'))
    assert [t for t in titles if re.sub(r"\s", "", t) not in text and "plan of care" not in t] == []
    ids = re.findall(r' id="([^"]+)"', "".join(drawn))
    assert not [name for name, count in Counter(ids).items() if count > 1]


def test_arrows_and_people_are_those_of_the_part():
    nurse = {"participant": [{"type": "practitioner", "role": {"text": "Nurse"}}]}
    high = [step(f"a{n}", description="words " * 40) for n in range(40)]
    made = plan(step("First", *high, **nurse), step("b"), step("c", **after("b")))
    *first, last = parts(made)
    assert all(part.lanes == ("Nurse",) for part in first)
    assert (steps(last), last.whole.arrows, last.lanes) == (["b", "c"], ((0, 1),), ())


def test_a_group_that_is_too_high_comes_by_its_parts():
    groups = [step(f"g{n}", *[step(f"s{n}.{m}", **after(f"s{n}.{m - 1}")) for m in range(12)])
              for n in range(4)]  # fmt: skip
    found = parts(plan(step("All", *groups)))
    assert len(found) > 1
    assert all(drawing(part, WIDTH).height <= HIGHEST for part in found)
    inner = [name for part in found for name in steps(part)]
    assert [f"s{n}.{m}" for n in range(4) for m in range(12)] == [i for i in inner if "s" in i]


@given(PLANS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_plan_is_drawn_on_pages_with_all_its_steps_that_have_no_parts(made):
    whole = course(made, nothing)
    leaves = Counter(s.key for s in whole.whole.walk() if not s.steps and s.key)
    found = sheets(whole, WIDTH, HIGHEST)
    assert Counter(s.key for p in found for s in p.whole.walk() if not s.steps and s.key) == leaves
