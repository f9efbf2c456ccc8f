"""The words of the blocks about a person's health: medicines, allergies, conditions, what was done, vaccinations, relatives."""

from portal.intake.blocks import MORE, STOPPED_WHEN, STOPPED_WHY, WHAT, Field, Section

MEDICATION = Section(
    key="medication",
    title="Your medicines",
    intro="These are the medicines on your record. Say for each whether you still take it this way.",
    answers={
        "same": "Still right",
        "changed": "I take it differently",
        "stopped": "I no longer take it",
        "unsure": "Not sure",
    },
    change=(Field("text", "How do you take it now?", filled=True),),
    stop=(STOPPED_WHEN, STOPPED_WHY),
    add_title="A medicine that is missing",
    add=(Field(WHAT, "Name of the medicine", needed=True), Field(MORE, "How you take it")),
    none_title="There are no medicines on your record.",
    none_question="Do you take any medicines, also ones you buy yourself?",
    could_not_look="We could not look at your record just now, so we do not know which medicines are on it.",
    any_yes="Yes, I will write them below",
    any_none="No, I take none",
    one_by_one=True,
    days=7,
    suggests=WHAT,
)

ALLERGY = Section(
    key="allergy",
    title="Your allergies",
    intro="These are the allergies and intolerances on your record.",
    answers={
        "same": "Still right",
        "changed": "Something is different",
        "stopped": "I do not have this",
        "unsure": "Not sure",
    },
    change=(Field("text", "What is different?"),),
    stop=(Field("why", "How do you know?", "For example a test, or that you had it again without any trouble."),),
    add_title="An allergy that is missing",
    add=(Field(WHAT, "What you are allergic to", needed=True), Field(MORE, "What happens when you have it")),
    none_title="Nothing about allergies is on your record. That does not mean that you have none.",
    none_question="Do you have any allergies, for example to medicines, food or latex?",
    could_not_look="We could not look at your record just now, so we do not know which allergies are on it.",
    any_yes="Yes, I will write them below",
    any_none="No, none that I know of",
    one_by_one=True,
    days=7,
    suggests=WHAT,
)

CONDITION = Section(
    key="condition",
    title="Your health conditions",
    intro="These are the health conditions on your record.",
    answers={
        "same": "Still right",
        "changed": "Something is different",
        "stopped": "I no longer have it",
        "unsure": "Not sure",
    },
    change=(Field("text", "What is different?"),),
    stop=(STOPPED_WHEN,),
    add_title="A condition that is missing",
    add=(Field(WHAT, "Name of the condition", needed=True), Field(MORE, "Since when")),
    none_title="There are no health conditions on your record.",
    none_question="Do you have any health conditions?",
    could_not_look="We could not look at your record just now, so we do not know which conditions are on it.",
    any_yes="Yes, I will write them below",
    days=30,
    suggests=WHAT,
)

PROCEDURE = Section(
    key="procedure",
    title="Operations and procedures",
    intro="These are on your record as done.",
    answers={
        "same": "Still right",
        "changed": "Something is different",
        "stopped": "I did not have this",
        "unsure": "Not sure",
    },
    change=(Field("text", "What is different?"),),
    stop=(),
    add_title="An operation or procedure that is missing",
    add=(Field(WHAT, "What was done", needed=True), Field(MORE, "Roughly when", "For example “2019” or “May 2019”.")),
    none_title="There are no operations or procedures on your record.",
    none_question="Have you ever had an operation or a procedure?",
    could_not_look="We could not look at your record just now, so we do not know which operations are on it.",
    any_yes="Yes, I will write them below",
    dated="Done %(when)s",
    asked="recorded",
    days=180,
    suggests=WHAT,
)

IMMUNIZATION = Section(
    key="immunization",
    title="Vaccinations",
    intro="These vaccinations are on your record.",
    answers={
        "same": "Still right",
        "changed": "Something is different",
        "stopped": "I did not have this",
        "unsure": "Not sure",
    },
    change=(Field("text", "What is different?"),),
    stop=(),
    add_title="A vaccination that is missing",
    add=(
        Field(WHAT, "Which vaccination", needed=True),
        Field(MORE, "Roughly when", "For example “2019” or “May 2019”."),
    ),
    none_title="There are no vaccinations on your record.",
    none_question="Have you had any vaccinations, for example somewhere else?",
    could_not_look="We could not look at your record just now, so we do not know which vaccinations are on it.",
    any_yes="Yes, I will write them below",
    dated="Given %(when)s",
    asked="recorded",
    days=180,
    suggests=WHAT,
)

FAMILY = Section(
    key="family",
    title="Illness in your family",
    intro="This is what your record says about your relatives.",
    answers={
        "same": "Still right",
        "changed": "Something is different",
        "stopped": "This is a mistake",
        "unsure": "Not sure",
    },
    change=(Field("text", "What is different?"),),
    stop=(),
    add_title="A relative’s illness that is missing",
    add=(
        Field(WHAT, "Which relative", "For example “mother” or “brother”.", needed=True),
        Field(MORE, "What they have or had"),
    ),
    none_title="There is nothing about your relatives on your record.",
    none_question="Does any illness run in your family?",
    could_not_look="We could not look at your record just now, so we do not know what it says about your relatives.",
    asked="recorded",
    days=365,
    suggests=MORE,
)
