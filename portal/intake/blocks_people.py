"""The words of the blocks around a person: how to reach them, whom to call, insurance, pharmacy, care team."""

from portal.intake.blocks import MORE, STOPPED_WHEN, WHAT, Field, Section

CONTACT = Section(
    key="contact",
    title="How to reach you",
    intro="Check how the clinic can reach you.",
    answers={
        "same": "Still right",
        "changed": "Changed",
        "stopped": "No longer mine",
        "unsure": "Not sure",
    },
    change=(Field("text", "What is it now?", filled=True),),
    stop=(),
    add_title="Another phone number, e-mail or address",
    add=(Field(WHAT, "Phone number, e-mail or address", needed=True),),
    none_title="The clinic has no way to reach you on record.",
    none_question="Is there a phone number, e-mail or address we should have?",
    could_not_look="We could not look at your record just now. You can still tell the clinic how to reach you.",
    days=30,
)

PERSON = Section(
    key="person",
    title="People we may call",
    intro="These are the people the clinic may call for you, for example in an emergency.",
    answers={
        "same": "Still right",
        "changed": "Something has changed",
        "stopped": "Do not call them any more",
        "unsure": "Not sure",
    },
    change=(
        Field("name", "Name", filled=True),
        Field("relation", "Who they are to you", filled=True),
        Field("phone", "Phone number", kind="tel", filled=True),
    ),
    stop=(),
    add_title="Somebody else we may call",
    add=(
        Field(WHAT, "Name", needed=True),
        Field("relation", "Who they are to you", "For example “sister” or “neighbour”."),
        Field("phone", "Phone number", kind="tel"),
    ),
    none_title="Nobody is on your record whom the clinic may call for you.",
    none_question="Is there somebody we may call for you, for example in an emergency?",
    could_not_look="We could not look at your record just now, so we do not know whom the clinic may call for you.",
    days=90,
)

COVERAGE = Section(
    key="coverage",
    title="Your health insurance",
    intro="This is the insurance on your record.",
    answers={
        "same": "Still right",
        "changed": "Something has changed",
        "stopped": "I no longer have it",
        "unsure": "Not sure",
    },
    change=(
        Field("insurer", "Insurance company", filled=True),
        Field("plan", "Plan", filled=True),
        Field("member", "Member number", filled=True),
    ),
    stop=(STOPPED_WHEN,),
    add_title="Insurance that is missing",
    add=(
        Field(WHAT, "Insurance company", needed=True),
        Field("plan", "Plan"),
        Field("member", "Member number", "It is on your card."),
    ),
    none_title="There is no insurance on your record.",
    none_question="Do you have health insurance?",
    could_not_look="We could not look at your record just now, so we do not know which insurance is on it.",
    cards=True,
    days=30,
    suggests=WHAT,
)

PHARMACY = Section(
    key="pharmacy",
    title="Your pharmacy",
    intro="This is where your prescriptions go.",
    answers={
        "same": "Still right",
        "changed": "I use another one",
        "stopped": "Not this one any more",
        "unsure": "Not sure",
    },
    change=(Field("text", "Which pharmacy do you use now?", "Its name, and the street if you know it."),),
    stop=(),
    add_title="Another pharmacy you use",
    add=(Field(WHAT, "Name of the pharmacy", "And the street if you know it.", needed=True),),
    none_title="There is no pharmacy on your record.",
    none_question="Is there a pharmacy you usually go to?",
    could_not_look="We could not look at your record just now, so we do not know which pharmacy is on it.",
    asked="recorded",
    days=90,
    suggests=WHAT,
)

CARETEAM = Section(
    key="careteam",
    title="Who looks after you",
    intro="These people are on your record as looking after you.",
    answers={
        "same": "Still right",
        "changed": "Something is different",
        "stopped": "They no longer look after me",
        "unsure": "Not sure",
    },
    change=(Field("text", "What is different?"),),
    stop=(STOPPED_WHEN,),
    add_title="Somebody who is missing",
    add=(Field(WHAT, "Name", needed=True), Field(MORE, "What they do for you", "For example “heart doctor”.")),
    none_title="Your record does not say who looks after you.",
    none_question="Does anybody else look after your health, for example a specialist?",
    could_not_look="We could not look at your record just now, so we do not know who is on it as looking after you.",
    any_yes="Yes, I will write them below",
    asked="recorded",
    days=180,
    suggests=WHAT,
)
