"""What is confirmed, section by section: the words for each kind of fact, as a table."""

from dataclasses import dataclass

ANSWERS = ("same", "changed", "stopped", "unsure")


@dataclass(frozen=True)
class Section:
    """One page of "confirm what we have". All texts are msgids; `answers` maps each answer to its words."""

    key: str
    title: str
    intro: str
    answers: dict[str, str]
    change_label: str
    add_title: str
    add_label: str
    more_label: str | None
    none_title: str
    none_question: str
    could_not_look: str
    any_yes: str = "Yes"
    any_none: str = "No"


SECTIONS: dict[str, Section] = {
    "contact": Section(
        key="contact",
        title="How to reach you",
        intro="Check how the clinic can reach you.",
        answers={
            "same": "Still right",
            "changed": "Changed",
            "stopped": "No longer mine",
            "unsure": "Not sure",
        },
        change_label="What is it now?",
        add_title="Another phone number, e-mail or address",
        add_label="Phone number, e-mail or address",
        more_label=None,
        none_title="The clinic has no way to reach you on record.",
        none_question="Would you like to give one?",
        could_not_look="We could not look at your record just now. You can still tell the clinic how to reach you.",
        any_yes="Yes, I will write it below",
        any_none="No",
    ),
    "medication": Section(
        key="medication",
        title="Your medicines",
        intro="These are the medicines on your record. Say for each whether you still take it this way.",
        answers={
            "same": "Still right",
            "changed": "I take it differently",
            "stopped": "I no longer take it",
            "unsure": "Not sure",
        },
        change_label="How do you take it now?",
        add_title="A medicine that is missing",
        add_label="Name of the medicine",
        more_label="How you take it",
        none_title="There are no medicines on your record.",
        none_question="Do you take any medicines, also ones you buy yourself?",
        could_not_look="We could not look at your record just now, so we do not know which medicines are on it.",
        any_yes="Yes, I will write them below",
        any_none="No, I take none",
    ),
    "allergy": Section(
        key="allergy",
        title="Your allergies",
        intro="These are the allergies and intolerances on your record.",
        answers={
            "same": "Still right",
            "changed": "Something is different",
            "stopped": "I do not have this",
            "unsure": "Not sure",
        },
        change_label="What is different?",
        add_title="An allergy that is missing",
        add_label="What you are allergic to",
        more_label="What happens when you have it",
        none_title="Nothing about allergies is on your record. That does not mean that you have none.",
        none_question="Do you have any allergies, for example to medicines, food or latex?",
        could_not_look="We could not look at your record just now, so we do not know which allergies are on it.",
        any_yes="Yes, I will write them below",
        any_none="No, none that I know of",
    ),
    "condition": Section(
        key="condition",
        title="Your health conditions",
        intro="These are the health conditions on your record.",
        answers={
            "same": "Still right",
            "changed": "Something is different",
            "stopped": "I no longer have it",
            "unsure": "Not sure",
        },
        change_label="What is different?",
        add_title="A condition that is missing",
        add_label="Name of the condition",
        more_label="Since when",
        none_title="There are no health conditions on your record.",
        none_question="Do you have any health conditions?",
        could_not_look="We could not look at your record just now, so we do not know which conditions are on it.",
        any_yes="Yes, I will write them below",
        any_none="No",
    ),
}
ORDER = tuple(SECTIONS)


def after(key: str) -> str | None:
    """The section that follows, or None after the last."""
    place = ORDER.index(key) + 1
    return ORDER[place] if place < len(ORDER) else None
