"""The same facts below the same headings, however a monograph is laid out."""

import pathlib

import pytest

from fhirpkg.authoring.drafting.heading_table import table
from fhirpkg.authoring.drafting.reading import read
from fhirpkg.authoring.drafting.sorting import sort
from tests.authoring.drafting.layouts import layouts

FACTS = {
    "name": ["Flexible sigmoidoscopy"],
    "summary": ["A tube with a camera is passed into the lower bowel. Its lining is inspected."],
    "purpose": ["To find the cause of symptoms and to take samples."],
    "indications": [
        "Bleeding from the rectum",
        "Change of bowel habit. It has lasted for six weeks",
        "Surveillance after polyps (e.g., adenomas)",
    ],
    "contraindications": ["Suspected perforation", "Acute severe colitis"],
    "preparation": [
        "Use the enema one hour before leaving home",
        "Tell the team about blood thinners",
        "Arrange for somebody to drive you home if sedation is planned",
    ],
    "steps": [
        "The patient lies on the left side",
        "The tube is lubricated and inserted",
        "Samples are taken with forceps",
    ],
    "duration": ["It usually takes 10-20 minutes."],
    "setting": ["An endoscopy unit or an outpatient clinic."],
    "personnel": ["Endoscopist", "Nurse", "Anesthesiologist (if sedation is used)"],
    "": ["A remark that belongs nowhere", "Another remark"],
    "risks": ["Bleeding", "Perforation, about 1 in 10,000", "Bloating"],
    "benefits": ["No general anesthesia", "Short recovery"],
    "recovery": ["Rest for an hour", "Follow-up visit after 2 weeks", "Call if bleeding goes on"],
    "alternatives": ["Colonoscopy", "CT colonography"],
    "experience": ["You may feel cramps and pressure. They pass quickly."],
}
HEADINGS = """
Name of the Procedure | Summary | Purpose | Indications | Contraindications | Preparation |
Procedure Description | Duration | Setting | Personnel | Parking and transport |
Risks and Complications | Benefits | Recovery | Alternatives | Patient Experience

Procedure Name | What is this procedure? | What is it for? | Why is it done? |
Who should not have it? | How do I prepare? | What happens during the procedure? |
How long does it take? | Where is it done? | Who performs it? | What does it cost? |
What are the risks? | What are the benefits? | What happens afterwards? |
What are the alternatives? | What does it feel like?

Title | Overview | Objective | Reasons for the procedure | Reasons against |
Before the procedure | Technique | Time required | Location | Staff | Quality indicators |
Possible complications | Advantages | After the procedure | Other options | How it feels

Name | Introduction | Aims | When it is recommended | When it is not recommended |
Pre-procedure care | Steps | Length of the procedure | Place of care | Care team | Legal notes |
Adverse events | Expected benefits | Post-procedure care and follow-up | Alternative treatments |
What patients feel

Name of procedure | Overview of the procedure | Goals | Who is it for? | Who is it not for? |
What you need to do beforehand | How the procedure is carried out | How long it takes |
Facility | People involved | Our research | Hazards | Benefits to the patient |
Discharge and follow-up | What else can be done? | What patients usually feel

Procedure name | In brief | Intent | Clinical indications |
Absolute and relative contraindications | Pre-operative preparation | Operative technique |
Duration of the procedure | Clinical setting | Personnel required | Coding and billing |
Undesirable effects | Patient benefits | Postoperative course | Alternative approaches |
Patient perspective
"""
SETS = [" ".join(part.split()) for part in HEADINGS.split("\n\n")]


@pytest.mark.parametrize("layout", layouts())
@pytest.mark.parametrize("headings", SETS, ids=range(len(SETS)))
def test_each_fact_stands_below_its_section_or_is_told(layout, headings):
    pairs = zip(FACTS.items(), headings.split(" | "), strict=True)
    parts = [(section, heading, facts) for (section, facts), heading in pairs]
    content = layouts()[layout](parts)
    found = sort(read(pathlib.Path(layout), content, table()), table())
    placed = {section: [fact.text.rstrip(".") for fact in found.of(section)] for section in FACTS}
    told = [told.text.rstrip(".") for told in found.told if told.text]
    assert told == FACTS[""]
    assert placed | {"": told} == {s: [f.rstrip(".") for f in fs] for s, fs in FACTS.items()}
